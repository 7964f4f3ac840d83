'use strict';
// pinned-ffi/koffi: what koffi's documents and its own tests say of values, types, pointers and callbacks, and where
// this layer throws instead. The expected values are those of koffi 3.3.4, which runs the same calls.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { promisify } = require('node:util');
const { ffi: main, root, throws } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const koffi = require('../../koffi.js');

const source = path.join(__dirname, 'koffi', 'library.c');
const library = main.cc({ source, symbols: { identity_int: { args: ['int'], returns: 'int' } } });
const lib = koffi.load(library.path);

const Mixed = koffi.struct('Mixed', {
  a: 'int',
  b: 'double',
  s: 'const char *',
  name: koffi.array('char', 8),
  list: koffi.array('int16_t', 3),
});
const Number_ = koffi.union('Number', { i: 'int64_t', d: 'double', raw: koffi.array('uint8_t', 8) });
koffi.proto('int Callback(const char *text, int number, void *pointer)');
koffi.proto('MixedCallback', 'int', [Mixed]);
koffi.proto('Mixed MakeCallback(int number)');
koffi.disposable('HeapText', 'str');
koffi.proto('int Apply(int x)');
koffi.struct('Functions', { first: 'Apply *', second: koffi.pointer(koffi.type('Apply')) });
const zero = { a: 0, b: 0, s: null, name: '', list: Int16Array.of(0, 0, 0) };

describe('load and func', () => {
  test('a function is declared by a prototype or by name, result and arguments', () => {
    assert.equal(lib.func('int identity_int(int x)')(5), 5);
    assert.equal(lib.func('int identity_int(int);')(5), 5);
    assert.equal(lib.func('identity_int', 'int', ['int'])(5), 5);
    assert.equal(lib.func('identity_int', koffi.types.int, [koffi.type('int')])(5), 5);
    assert.equal(lib.func('add5', 'int', ['int', 'int', 'int', 'int', 'int'])(1, 2, 3, 4, 5), 15);
  });

  test('words of calling conventions are accepted', () => {
    assert.equal(lib.func('int __stdcall identity_int(int x)')(5), 5);
    assert.equal(lib.func('__fastcall', 'identity_int', 'int', ['int'])(5), 5);
    assert.equal(lib.cdecl('identity_int', 'int', ['int'])(5), 5);
  });

  test('options are those of koffi, and null is the process', () => {
    assert.equal(koffi.load(null, { lazy: true, global: true }).func('int abs(int)')(-4), 4);
  });

  test('a function has a name, its types and an asynchronous form', () => {
    const call = lib.func('int sum(const int *values, int count)');
    assert.equal(call.name, 'sum');
    assert.equal(call.info.result, koffi.types.int);
    assert.deepEqual(
      call.info.arguments.map(({ type, direction }) => [type.name, direction]),
      [
        ['int *', 'Input'],
        ['int', 'Input'],
      ],
    );
    assert.equal(typeof call.async, 'function');
  });

  test('too few arguments are refused, more are ignored', () => {
    const call = lib.func('int identity_int(int x)');
    throws(() => call(), 'ERR_INVALID_ARG_VALUE', /^Expected 1 arguments, got 0$/);
    assert.deepEqual(['1', '2'].map((text) => Number(text)).map(call), [1, 2]);
  });

  test('a library, a symbol or a declaration that is missing or wrong is an error', () => {
    throws(() => koffi.load('/no/such/library.so'), 'ERR_FFI_LIBRARY_NOT_FOUND');
    const missing = throws(() => lib.func('int nothing(int)'), 'ERR_FFI_SYMBOL_NOT_FOUND');
    assert.doesNotMatch(`${missing.message}${missing.stack}`, /optional/);
    throws(() => lib.func('int identity_int(int'), 'ERR_FFI_DECLARATION_INVALID');
    throws(() => lib.func('nothing identity_int(int x)'), 'ERR_FFI_DECLARATION_INVALID', /unknown type 'nothing'/);
    throws(() => lib.func(5, 'int', []), 'ERR_INVALID_ARG_TYPE', /ordinal/);
  });

  test('a variadic function takes a type and a value for each further argument', () => {
    assert.equal(lib.func('int sum_variadic(int count, ...)')(2, 'int', 3, 'int', 4), 7);
    assert.equal(lib.func('sum_variadic', 'int', ['int', '...'])(1, koffi.types.int, 9), 9);
    throws(() => lib.func('int sum_variadic(int count, ...)')(1, 'int'), 'ERR_INVALID_ARG_VALUE', /Missing value/);
    assert.equal(lib.func('int sum_variadic(int count, ...)').async, undefined);
    const value = [null];
    lib.func('int set_variadic(const char *format, ...)')('four', '_Out_ int *', value);
    assert.deepEqual(value, [4]);
  });

  test('a call after unload() throws, where koffi crashes', () => {
    const other = koffi.load(library.path);
    const call = other.func('int identity_int(int x)');
    other.unload();
    throws(() => call(1), 'ERR_FFI_LIBRARY_CLOSED');
    throws(() => other.func('int identity_int(int x)'), 'ERR_FFI_LIBRARY_CLOSED');
    throws(() => other.symbol('my_int'), 'ERR_FFI_LIBRARY_CLOSED');
  });
});

describe('numbers', () => {
  test('64-bit results are numbers where these are exact', () => {
    const signed = lib.func('int64_t identity_i64(int64_t x)');
    const unsigned = lib.func('uint64_t identity_u64(uint64_t x)');
    assert.deepEqual([5, -5n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 63n)].map(signed), [
      5,
      -5,
      2 ** 53,
      2n ** 53n + 1n,
      -(2n ** 63n),
    ]);
    assert.deepEqual([5n, 2n ** 64n - 1n].map(unsigned), [5, 2n ** 64n - 1n]);
  });

  test('2^53 and -2^53 are numbers on the way into C, too: as arguments, in arrays and in structs', () => {
    const signed = lib.func('int64_t identity_i64(int64_t x)');
    assert.deepEqual([2 ** 53, -(2 ** 53)].map(signed), [2 ** 53, -(2 ** 53)]);
    assert.equal(lib.func('uint64_t identity_u64(uint64_t x)')(2 ** 53), 2 ** 53);
    throws(() => signed(2 ** 53 + 2), 'ERR_OUT_OF_RANGE');
    const Wide = koffi.struct({ signed: 'int64_t', list: koffi.array('uint64_t', 1) });
    const memory = koffi.alloc(Wide, 1);
    koffi.encode(memory, Wide, { signed: -(2 ** 53), list: [2 ** 53] });
    assert.deepEqual(koffi.decode(memory, 'int64_t'), -(2 ** 53));
    assert.deepEqual(koffi.decode(memory, 8, 'uint64_t'), 2 ** 53);
    koffi.free(memory);
  });

  test('floating-point arguments may be BigInts', () => {
    assert.equal(lib.func('double identity_double(double x)')(3n), 3);
    assert.equal(lib.func('float identity_float(float x)')(1.5), 1.5);
  });

  test('a bool takes booleans only', () => {
    assert.equal(lib.func('bool invert(bool x)')(false), true);
    throws(() => lib.func('bool invert(bool x)')(0), 'ERR_INVALID_ARG_TYPE');
  });

  test('a number that does not fit is refused, where koffi wraps', () => {
    const narrow = lib.func('int8_t identity_i8(int8_t x)');
    throws(() => narrow(300), 'ERR_OUT_OF_RANGE');
    throws(() => lib.func('uint32_t identity_u32(uint32_t x)')(-1), 'ERR_OUT_OF_RANGE');
    const fraction = throws(() => lib.func('int identity_int(int x)')(1.5), 'ERR_OUT_OF_RANGE');
    assert.doesNotMatch(`${fraction.message}${fraction.stack}`, /wrap/);
    throws(() => lib.func('int identity_int(int x)')('5'), 'ERR_INVALID_ARG_TYPE', /the string '5'/);
  });

  test('integers of the other byte order are reversed', () => {
    assert.equal(lib.func('uint32_be_t identity_big_endian(uint32_t x)')(0x01020304), 0x04030201);
    assert.equal(lib.func('uint32_t identity_big_endian(uint32_be x)')(0x01020304), 0x04030201);
    assert.deepEqual(koffi.decode(Buffer.from([1, 2, 0, 4]), 'uint8_t', -1), Uint8Array.of(1, 2));
    assert.deepEqual(koffi.decode(Buffer.from([1, 2, 3, 4]), 'uint16_be', 2), [0x0102, 0x0304]);
  });

  test('an enumeration is an integer', () => {
    const Level = koffi.enumeration('Level', { Low: 0, High: 5 });
    assert.deepEqual([Level.primitive, Level.values.High], ['UInt32', 5]);
    assert.equal(koffi.enumeration({ A: -1 }).primitive, 'Int32');
    assert.equal(koffi.enumeration({ A: 2n ** 40n }).primitive, 'UInt64');
    assert.equal(koffi.enumeration({ A: 1 }, 'int64_t').primitive, 'Int64');
    for (const beyond of [2n ** 64n, -(2n ** 63n) - 1n])
      assert.throws(() => koffi.enumeration({ A: beyond }), { code: 'ERR_OUT_OF_RANGE', message: /^enumeration: / });
    assert.equal(lib.func('Level identity_u32(Level level)')(Level.values.High), 5);
  });
});

describe('texts', () => {
  test('texts of each width go in and come out; null and undefined are NULL', () => {
    for (const declared of [
      'const char *identity_text(const char *text)',
      'str identity_text(str text)',
      'string identity_text(string text)',
      'const char16_t *identity_text16(str16 text)',
      'str32 identity_text32(const char32_t *text)',
      'wstring identity_wide(const wchar_t *text)',
    ]) {
      const call = lib.func(declared);
      assert.deepEqual(
        ['héllo 😀', '', null].map((text) => call(text)),
        ['héllo 😀', '', null],
        declared,
      );
      assert.equal(call(undefined), null);
    }
  });

  test('texts may be Buffers, arrays of one text, or pointers', () => {
    const call = lib.func('str identity_text(str text)');
    assert.equal(call(Buffer.from('text\0')), 'text');
    assert.equal(call(['text']), 'text');
    assert.equal(call(koffi.address(koffi.view(lib.symbol('my_mixed'), 40)) * 0n), null);
  });

  test('texts with a NUL are refused, where koffi cuts them; so are small numbers, where koffi crashes', () => {
    const call = lib.func('str identity_text(str text)');
    throws(() => call('a\0b'), 'ERR_INVALID_ARG_VALUE');
    throws(() => call(5), 'ERR_FFI_INVALID_POINTER');
    throws(() => call({}), 'ERR_INVALID_ARG_TYPE');
  });

  test('texts that are members or elements refuse small numbers as well', () => {
    const small = /must be an address of memory \(char \*\), received 12n?, which is in the first page/;
    for (const value of [12, 12n]) {
      throws(() => lib.func('Mixed next_mixed(Mixed mixed)')({ s: value }), 'ERR_FFI_INVALID_POINTER', small);
      throws(() => koffi.encode(Buffer.alloc(8), 'str', value), 'ERR_FFI_INVALID_POINTER', small);
    }
  });

  test('texts that are disposable are freed', () => {
    const { disposed } = koffi.stats();
    assert.equal(lib.func('str! duplicate(str text)')('a'), 'a');
    assert.equal(lib.func('const char *! duplicate(const char *text)')('b'), 'b');
    assert.equal(lib.func('HeapText duplicate(str text)')('c'), 'c');
    assert.equal(lib.func('HeapText duplicate(str text)')(null), null);
    const freed = [];
    const Own = koffi.disposable('str', (pointer) => {
      freed.push(typeof pointer);
      koffi.free(pointer);
    });
    assert.equal(lib.func('duplicate', Own, ['str'])('d'), 'd');
    assert.deepEqual(freed, ['bigint']);
    assert.equal(koffi.stats().disposed, disposed + 4);
  });

  test('texts are filled into a buffer of characters', () => {
    const out = ['\0'.repeat(20)];
    lib.func('void concat(str a, str b, _Out_ char *out)')('Hello ', 'Friends!', out);
    assert.deepEqual(out, ['Hello Friends!']);
    const buffer = Buffer.alloc(20);
    lib.func('concat', 'void', ['str', 'str', koffi.out('char *')])('A', 'B', buffer);
    assert.equal(koffi.decode(buffer, 'char', 20), 'AB');
    const text = ['abc'];
    lib.func('void reverse_text(_Inout_ void *text)')(text);
    assert.deepEqual(text, ['cba']);
    lib.func('void reverse_text(_Inout_ char *text)')(text);
    assert.deepEqual(text, ['abc']);
    assert.equal(lib.func('int total_length(const char **texts)')(['Get', 'Total', 'Length', null]), 14);
  });
});

describe('structs and unions', () => {
  test('structs by value are objects, whose missing members are zero', () => {
    const call = lib.func('Mixed next_mixed(Mixed mixed)');
    assert.deepEqual(call({ a: 1 }), { ...zero, a: 2 });
    assert.deepEqual(call({ a: 1, b: 2, s: 'q', name: 'toolongname', list: [1, 2, 3] }), {
      a: 2,
      b: 2,
      s: 'q',
      name: 'toolong',
      list: Int16Array.of(1, 2, 3),
    });
    assert.deepEqual(call({ list: Int16Array.of(4), name: Buffer.from('hey') }), {
      ...zero,
      a: 1,
      name: 'hey',
      list: Int16Array.of(4, 0, 0),
    });
  });

  test('structs by pointer go in, out, or both ways', () => {
    const changed = (declared) => {
      const object = { a: 1, b: 2 };
      lib.func(declared)(object);
      return object;
    };
    assert.deepEqual(changed('void change_mixed(Mixed *mixed)'), { a: 1, b: 2 });
    const out = { s: 'out', name: 'abc', list: Int16Array.of(0, 7, 0) };
    assert.deepEqual(changed('void change_mixed(_Out_ Mixed *mixed)'), { a: 10, b: 0, ...out });
    assert.deepEqual(changed('void change_mixed(_Inout_ Mixed *mixed)'), { a: 11, b: 2, ...out });
    const buffer = Buffer.alloc(koffi.sizeof(Mixed));
    lib.func('void change_mixed(_Out_ Mixed *mixed)')(buffer);
    assert.equal(koffi.decode(buffer, Mixed).name, 'abc');
  });

  test('structs that are wrong are refused, where koffi ends the process or passes zeros', () => {
    const call = lib.func('Mixed next_mixed(Mixed mixed)');
    throws(() => call(null), 'ERR_INVALID_ARG_TYPE');
    throws(() => call({ a: null }), 'ERR_INVALID_ARG_TYPE', /field a/);
    throws(() => call(Buffer.alloc(48)), 'ERR_INVALID_ARG_TYPE');
    throws(() => call({ list: [1, 2, 3, 4] }), 'ERR_INVALID_ARG_VALUE', /at most 3/);
    throws(
      () => lib.func('void change_mixed(_Out_ Mixed *mixed)')(Buffer.alloc(39)),
      'ERR_OUT_OF_RANGE',
      /at least 40 bytes/,
    );
  });

  test('structs have the layout of C, or that of pack() and of [alignment, type]', () => {
    assert.deepEqual([koffi.sizeof(Mixed), koffi.alignof('Mixed'), koffi.offsetof(Mixed, 'b')], [40, 8, 8]);
    const Packed = koffi.pack('Packed', { a: 'char', b: 'int' });
    const Aligned = koffi.struct('Aligned', { a: 'int8_t', b: [8, 'int16_t'] });
    assert.deepEqual([Packed.size, Aligned.size, koffi.offsetof(Aligned, 'b')], [5, 16, 8]);
    assert.equal(lib.func('int sum_packed(const Packed *value)')({ a: 1, b: 2 }), 3);
    assert.equal(lib.func('int sum_aligned(Aligned value)')({ a: 1, b: 2 }), 3);
  });

  test('structs may point to themselves', () => {
    koffi.struct('Own', { self: 'Own *' });
    throws(() => koffi.struct('Other', { self: 'Other' }), 'ERR_INVALID_ARG_TYPE');
    const Node = koffi.opaque('Node');
    koffi.struct(Node, { value: 'int', next: 'Node *' });
    assert.equal(lib.func('int sum_nodes(const Node *node)')({ value: 1, next: { value: 2, next: null } }), 3);
  });

  test('structs read inherited properties too, and skip the member _', () => {
    const type = koffi.pointer(koffi.struct({ a: 'int', _: 'int', b: 'int' }));
    assert.deepEqual(Object.keys(type.ref.members), ['a', 'b']);
    const sum = lib.func('int sum(void *values, int count)');
    assert.equal(sum(koffi.as({ a: 1, b: 2 }, type), 3), 3);
    assert.equal(sum(koffi.as(Object.create({ a: 1, b: 2 }), type), 3), 3);
  });

  test('structs may end in an array that a member counts', () => {
    koffi.struct('Flexible', { count: 'uint32_t', values: koffi.array('int', 'count', 16, 'Array') });
    const append = lib.func('void append(_Inout_ Flexible *to, int count)');
    const list = { count: 0, values: [] };
    append(list, 2);
    append(list, 1);
    assert.deepEqual(list, { count: 3, values: [100, 101, 100] });
  });

  test('unions take one member, and give each when it is asked for', () => {
    const call = lib.func('Number identity_number(Number number)');
    assert.equal(call({ d: 2.5 }).d, 2.5);
    assert.equal(call({ i: 5 }).i, 5);
    const union = new koffi.Union('Number');
    union.d = 4;
    const result = call(union);
    assert.ok(result instanceof koffi.Union);
    assert.deepEqual([result.d, result.raw], [4, Uint8Array.of(0, 0, 0, 0, 0, 0, 16, 64)]);
    const out = new koffi.Union(Number_);
    lib.func('void set_double(_Out_ Number *number, double value)')(out, 3.5);
    assert.equal(out.d, 3.5);
    for (const wrong of [{ d: 1, i: 1 }, {}, { nothing: 1 }])
      throws(() => call(wrong), 'ERR_INVALID_ARG_VALUE', /one of the members i, d, raw/);
    throws(
      () => lib.func('void set_double(_Out_ Number *number, double value)')({}, 1),
      'ERR_INVALID_ARG_TYPE',
      /new koffi.Union/,
    );
  });
});

describe('pointers', () => {
  test('pointers are BigInts or null', () => {
    const call = lib.func('void *identity_pointer(void *pointer)');
    assert.deepEqual(
      [null, undefined, 0, 5n, 5].map((value) => call(value)),
      [null, null, null, 5n, 5n],
    );
    const buffer = Buffer.alloc(100);
    assert.equal(call(buffer), koffi.address(buffer));
    assert.equal(typeof call('text'), 'bigint');
    throws(() => call([1]), 'ERR_INVALID_ARG_TYPE', /koffi\.as/);
    throws(() => call({}), 'ERR_INVALID_ARG_TYPE');
    assert.deepEqual(
      [-1, -1n].map((value) => call(value)),
      [2n ** 64n - 1n, 2n ** 64n - 1n],
    );
    throws(() => call(1.5), 'ERR_OUT_OF_RANGE');
    throws(() => call(2n ** 65n), 'ERR_OUT_OF_RANGE');
  });

  test('pointers take arrays and typed arrays, and copy back what is out', () => {
    const sum = lib.func('int sum(const int *values, int count)');
    assert.equal(sum([1, 2, 3], 3), 6);
    assert.equal(sum(Int32Array.of(1, 2, 3), 3), 6);
    const list = [null, null];
    lib.func('void fill(_Out_ int *values, int count)')(list, 2);
    assert.deepEqual(list, [1, 2]);
    assert.equal(lib.func('int sum(void *values, int count)')(koffi.as([1, 2], 'int *'), 2), 3);
    const cast = [0, 0];
    lib.func('void fill(_Out_ void *values, int count)')(koffi.as(cast, 'int *'), 2);
    assert.deepEqual(cast, [1, 2]);
  });

  test(
    'an overrun of the memory of an array is found, where koffi corrupts memory',
    { skip: !main.fences().installed },
    () => {
      throws(() => lib.func('void overrun(_Out_ int *values)')([0]), 'ERR_FFI_BUFFER_OVERFLOW');
    },
  );

  test('pointers to memory that C reads or writes refuse small numbers', async () => {
    const small = /^(fill|sum): argument 0 must be an address of memory \(int \*\), received (1|12|4095)n?, which/;
    const [sum, fill] = ['int sum(int *values, int count)', 'void fill(_Out_ int *values, int count)'].map((text) =>
      lib.func(text),
    );
    for (const value of [1, 12, 4095, 12n]) {
      throws(() => sum(value, 0), 'ERR_FFI_INVALID_POINTER', small);
      throws(() => fill(value, 0), 'ERR_FFI_INVALID_POINTER', small);
      await assert.rejects(promisify(sum.async)(value, 0), { code: 'ERR_FFI_INVALID_POINTER' });
      throws(
        () => lib.func('identity_pointer', 'void *', ['void *'])(koffi.as(value, 'int *')),
        'ERR_FFI_INVALID_POINTER',
      );
    }
    for (let i = 0; i < 20_000; i += 1) assert.equal(sum(null, 0), 0);
    throws(() => sum(12, 0), 'ERR_FFI_INVALID_POINTER', small);
    const address = koffi.address(Int32Array.of(1, 2));
    assert.deepEqual([sum(address, 0), sum(Number(address), 0)], [0, 0]);
  });

  test('elements that are missing are refused, unless they are pointers', () => {
    const sum = lib.func('int sum(const int *values, int count)');
    for (const list of [[1, undefined, 3], Array.of(1, 2, 3).map((n) => (n === 2 ? undefined : n)), new Array(3)])
      throws(
        () => sum(list, 3),
        'ERR_INVALID_ARG_TYPE',
        /element \[\d\] must be an integer .* \(int\), received undefined/,
      );
    throws(() => koffi.encode(Buffer.alloc(8), 'int[2]', [undefined, 1]), 'ERR_INVALID_ARG_TYPE');
    throws(
      () => koffi.encode(Buffer.alloc(8), koffi.array(koffi.struct({ a: 'int' }), 2), [undefined]),
      'ERR_INVALID_ARG_TYPE',
    );
    const texts = Buffer.alloc(16);
    koffi.encode(texts, 'char *[2]', [undefined, null]);
    assert.deepEqual(texts, Buffer.alloc(16));
  });

  test('offsets and lengths may be BigInts', () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    assert.equal(koffi.decode(bytes, 1n, 'int8_t'), 2);
    assert.deepEqual(koffi.decode(bytes, 1n, 'int8_t', 2n), Int8Array.of(2, 3));
    assert.deepEqual(koffi.decode(bytes, 'int8_t', 0), new Int8Array(0));
    koffi.encode(bytes, 2n, 'int8_t', [7, 8], 2n);
    assert.deepEqual([...bytes], [1, 2, 7, 8]);
    koffi.free(koffi.alloc('int', 2n));
    throws(() => koffi.decode(bytes, 2, 'int'), 'ERR_OUT_OF_RANGE', /\(6 bytes\)/);
    throws(() => koffi.decode(bytes, -2, 'int'), 'ERR_OUT_OF_RANGE', /^Offset must be >= 0$/);
  });

  test('pointers come out of parameters', () => {
    const handle = [null];
    const Handle = koffi.pointer('Handle', koffi.opaque());
    assert.equal(lib.func('bool make_handle(_Out_ Handle *out)')(handle), true);
    assert.equal(typeof handle[0], 'bigint');
    lib.func('free_handle', 'void', [Handle])(handle[0]);
    const text = [null];
    lib.func('void give_text(_Out_ const char **out)')(text);
    assert.deepEqual(text, ['given']);
    lib.func('void give_heap(_Out_ HeapText *out)')(text);
    assert.deepEqual(text, ['heap']);
  });

  test('pointers lead to values by decode and encode', () => {
    const [int, string] = [lib.symbol('my_int'), lib.symbol('my_string')];
    assert.equal(typeof int, 'bigint');
    assert.deepEqual(
      [koffi.decode(int, 'int'), koffi.decode.int(int), koffi.decode(string, 'char *')],
      [42, 42, 'foobar'],
    );
    assert.equal(koffi.decode(string, 'const char *', 3), 'foo');
    koffi.encode(int, 'int', 7);
    koffi.encode(string, 'char *', 'new!');
    assert.deepEqual([koffi.decode(int, 'int'), koffi.decode(string, 'char *')], [7, 'new!']);
    assert.equal(koffi.decode(lib.func('Mixed *get_mixed()')(), Mixed).s, 'text');
    throws(() => lib.symbol('nothing'), 'ERR_FFI_SYMBOL_NOT_FOUND');
  });

  test('views are decoded and encoded', () => {
    const buffer = Buffer.from([1, 0, 0, 0, 2, 0, 0, 0]);
    assert.deepEqual(
      [koffi.decode(buffer, 'int', 2), koffi.decode(buffer, 'int[2]')],
      [Int32Array.of(1, 2), Int32Array.of(1, 2)],
    );
    assert.equal(koffi.decode(buffer, 4, 'int'), 2);
    assert.deepEqual(
      [koffi.decode(Buffer.from('hello\0'), 'char', 3), koffi.decode(Buffer.from('hello\0'), 'char', -1)],
      ['hel', 'hello'],
    );
    assert.deepEqual(
      [koffi.decode.string(Buffer.from('abc\0')), koffi.decode.string(Buffer.from('abc\0'), 2)],
      ['abc', 'ab'],
    );
    koffi.encode(buffer, 4, 'int', 9);
    assert.equal(buffer[4], 9);
    koffi.encode(buffer, 'char', 'hi', 8);
    assert.equal(buffer.toString(), 'hi\0\0\0\0\0\0');
    throws(() => koffi.decode(buffer, 6, 'int'), 'ERR_OUT_OF_RANGE');
    for (const nothing of [null, 0n]) throws(() => koffi.decode(nothing, 'int'), 'ERR_FFI_INVALID_POINTER');
    throws(() => koffi.decode(5n, 'int'), 'ERR_FFI_INVALID_POINTER');
  });

  test('memory is allocated, viewed and freed', () => {
    const pointer = koffi.alloc('int', 4);
    assert.deepEqual(koffi.decode(pointer, 'int', 4), Int32Array.of(0, 0, 0, 0));
    koffi.encode(pointer, 'int', [1, 2], 2);
    assert.deepEqual(new Int32Array(koffi.view(pointer, 16)), Int32Array.of(1, 2, 0, 0));
    koffi.free(pointer);
    koffi.free(null);
    throws(() => koffi.free('text'), 'ERR_INVALID_ARG_TYPE');
    assert.deepEqual([koffi.address(null), koffi.address(5n)], [0n, 5n]);
    throws(() => koffi.address('text'), 'ERR_INVALID_ARG_TYPE');
  });
});

describe('callbacks', () => {
  test('a plain function is called during the call', () => {
    const call = lib.func('int call_back(Callback *callback, int number)');
    assert.equal(
      call((...args) => {
        assert.deepEqual(args, ['hi', 3, 0x1234n]);
        return 9;
      }, 3),
      9,
    );
    assert.equal(call(null, 3), -7);
    assert.equal(
      lib.func('int call_holder(void *holder)')(
        koffi.as(
          { callback: (text) => text.length, number: 1 },
          koffi.pointer(koffi.struct({ callback: 'Callback *', number: 'int' })),
        ),
      ),
      4,
    );
  });

  test('a plain function is passed for a `void *`, by koffi.as()', () => {
    const sort = koffi.load(null).func('void qsort(_Inout_ void *base, size_t count, size_t size, void *compare)');
    koffi.proto('int Order(const void *first, const void *second)');
    const numbers = Int32Array.of(3, 1, 2);
    sort(
      numbers,
      3,
      4,
      koffi.as((a, b) => koffi.decode(a, 'int') - koffi.decode(b, 'int'), 'Order *'),
    );
    assert.deepEqual(numbers, Int32Array.of(1, 2, 3));
    throws(() => sort(numbers, 3, 4, koffi.as({}, 'Order *')), 'ERR_INVALID_ARG_TYPE', /argument 3 must be a function/);
  });

  test('structs and arrays of plain functions are passed', () => {
    const apply = lib.func('int apply_struct(int x, Functions functions)');
    const functions = { first: (x) => -x, second: (x) => x * 5 };
    for (let i = 0; i < 2000; i += 1) assert.equal(apply(2, functions), -10);
    assert.equal(
      lib.func('int apply_array(int x, Apply **functions, int count)')(2, [(x) => x + 1, (x) => x * 5], 2),
      15,
    );
  });

  test('structs go in and come out', () => {
    assert.equal(
      lib.func('int call_mixed(MixedCallback *callback)')((mixed) => mixed.a + mixed.list[2]),
      4,
    );
    assert.equal(
      lib.func('int call_make(MakeCallback *callback)')((a) => ({ a, s: 'abc', list: [0, 5] })),
      12,
    );
  });

  test('an error that a callback throws, or a wrong result, is thrown by the call', () => {
    const call = lib.func('int call_back(Callback *callback, int number)');
    const mine = new Error('mine');
    assert.throws(
      () =>
        call(() => {
          throw mine;
        }, 3),
      (error) => error === mine,
    );
    throws(() => call(() => 'x', 3), 'ERR_INVALID_ARG_TYPE', /return value/);
    throws(() => call(() => undefined, 3), 'ERR_INVALID_ARG_TYPE', /return value/);
  });

  test('a registered function may be kept, called by its pointer, and unregistered', () => {
    const pointer = koffi.register((text, number) => number * 2, 'Callback *');
    assert.equal(koffi.stats().callbacks, 1);
    lib.func('void keep_callback(Callback *callback)')(pointer);
    assert.equal(lib.func('int call_kept(int number)')(21), 42);
    assert.equal(lib.func('Callback *get_kept()')(), pointer);
    assert.equal(koffi.call(pointer, 'Callback', 'a', 5, null), 10);
    assert.equal(koffi.decode(pointer, 'Callback')('a', 6, null), 12);
    koffi.unregister(pointer);
    assert.equal(koffi.stats().callbacks, 0);
    throws(() => koffi.unregister(pointer), 'ERR_FFI_CALLBACK_CLOSED');
    throws(() => koffi.unregister('x'), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.register(5, 'Callback *'), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.register(() => 1, 'Callback'), 'ERR_INVALID_ARG_TYPE', /<callback> \* type/);
    const receiver = {
      base: 5,
      add(text, number) {
        return this.base + number;
      },
    };
    const bound = koffi.register(receiver, receiver.add, 'Callback *');
    assert.equal(koffi.call(bound, 'Callback *', 'a', 1, null), 6);
    koffi.unregister(bound);
  });

  test('callbacks sort an array of texts, as in the documents of koffi', () => {
    koffi.proto('int Compare(const void *first, const void *second)');
    const qsort = koffi.load(null).func('void qsort(_Inout_ void *array, size_t count, size_t size, Compare *compare)');
    const list = ['foo', 'bar', '123', 'foobar'];
    qsort(koffi.as(list, 'char **'), list.length, koffi.sizeof('void *'), (a, b) =>
      koffi.decode(a, 'char *').localeCompare(koffi.decode(b, 'char *')),
    );
    assert.deepEqual(list, ['123', 'bar', 'foo', 'foobar']);
  });

  test('calls within callbacks have memory of their own', () => {
    const sum = lib.func('int sum(const int *values, int count)');
    const call = lib.func('int call_back(Callback *callback, int number)');
    const inout = lib.func('int call_holder(void *holder)');
    const type = koffi.pointer(koffi.struct({ callback: 'Callback *', number: 'int' }));
    const nested = (depth) =>
      depth === 0
        ? sum([1, 2], 2)
        : inout(koffi.as({ callback: () => nested(depth - 1) + call(() => sum([depth], 1), 1), number: depth }, type));
    assert.equal(nested(3), 3 + 1 + 2 + 3);
  });
});

describe('asynchronous calls', () => {
  const run = (call, ...values) => promisify(call.async)(...values);

  test('asynchronous calls call back with the result, and copy back what is out', async () => {
    assert.equal(await run(lib.func('int identity_int(int x)'), 5), 5);
    const list = [null, null];
    await run(lib.func('void fill(_Out_ int *values, int count)'), list, 2);
    assert.deepEqual(list, [1, 2]);
    assert.deepEqual(await run(lib.func('Mixed next_mixed(Mixed mixed)'), { a: 1, s: 'kept' }), {
      ...zero,
      a: 2,
      s: 'kept',
    });
    assert.equal(await run(lib.func('HeapText duplicate(str text)'), 'copy'), 'copy');
    assert.equal(
      await run(lib.func('int call_back(Callback *callback, int number)'), (text, number) => number + 1, 2),
      3,
    );
  });

  test('asynchronous calls call back with what is wrong with an argument', async () => {
    await assert.rejects(run(lib.func('int identity_int(int x)'), 'x'), { code: 'ERR_INVALID_ARG_TYPE' });
    await assert.rejects(run(lib.func('int sum(int *values, int count)'), {}, 1), { code: 'ERR_INVALID_ARG_TYPE' });
    throws(
      () => lib.func('int identity_int(int x)').async(5),
      'ERR_INVALID_ARG_VALUE',
      /^Expected 2 arguments, got 1$/,
    );
    throws(() => lib.func('int identity_int(int x)').async(5, 6), 'ERR_INVALID_ARG_TYPE', /callback function/);
  });
});

describe('types', () => {
  test('types show what koffi shows of them', () => {
    const shown = (type) => ({ ...koffi.type(type) });
    assert.deepEqual(shown('int'), { name: 'int', primitive: 'Int32', size: 4, alignment: 4, disposable: false });
    assert.deepEqual(shown('const char *'), {
      name: 'char *',
      primitive: 'String',
      size: 8,
      alignment: 8,
      disposable: false,
    });
    assert.equal(shown('str!').disposable, true);
    assert.equal(shown('void *').ref, koffi.types.void);
    assert.deepEqual(
      ['int[3]', 'char[4]', 'str[2]'].map((type) => [shown(type).length, shown(type).hint]),
      [
        [3, 'Typed'],
        [4, 'String'],
        [2, 'Array'],
      ],
    );
    assert.equal(koffi.type('Mixed'), Mixed);
    assert.equal(koffi.type('Mixed *'), koffi.pointer(Mixed));
    assert.equal(koffi.pointer(Mixed, 2).name, 'Mixed **');
    assert.deepEqual(Object.keys(Mixed.members), ['a', 'b', 's', 'name', 'list']);
    assert.equal(koffi.type('Callback *').primitive, 'Callback');
    assert.equal(koffi.type('Callback').proto.result, koffi.types.int);
    assert.equal(koffi.resolve, koffi.type);
    assert.equal(koffi.introspect('Mixed'), Mixed);
    for (const type of [
      koffi.proto('int (int a, int b)'),
      koffi.proto('__stdcall', 'int', ['int']),
      koffi.proto(null, 'int', ['int']),
    ]) {
      assert.match(type.name, /^<anonymous_\d+>$/);
    }
  });

  test('types have one name each', () => {
    throws(() => koffi.struct('Mixed', { a: 'int' }), 'ERR_INVALID_ARG_VALUE', /^Duplicate type name 'Mixed'$/);
    throws(() => koffi.alias('int', 'long'), 'ERR_INVALID_ARG_VALUE');
    throws(() => koffi.type('nothing'), 'ERR_INVALID_ARG_VALUE', /^Unknown or invalid type name 'nothing'$/);
    throws(() => koffi.type(5), 'ERR_INVALID_ARG_TYPE');
    assert.equal(koffi.alias('my_int_t', 'int'), koffi.types.int);
    assert.equal(lib.func('my_int_t identity_int(my_int_t x)')(4), 4);
  });

  test('the length of an array may be an expression of C', () => {
    assert.equal(koffi.sizeof('int [sizeof(Mixed)]'), 4 * koffi.sizeof('Mixed'));
    assert.equal(koffi.sizeof('char [(int)3 * sizeof(short)]'), 6);
    throws(() => koffi.sizeof('int [(Mixed)3]'), 'ERR_FFI_DECLARATION_INVALID', /Mixed is no integer type/);
    throws(() => koffi.sizeof('int [offsetof(Mixed, a)]'), 'ERR_FFI_DECLARATION_INVALID', /Mixed has no members/);
  });

  test('types that are wrong are refused', () => {
    throws(() => koffi.struct({}), 'ERR_INVALID_ARG_VALUE', /Empty type/);
    throws(() => koffi.struct(' Space', { a: 'int' }), 'ERR_INVALID_ARG_VALUE', /Invalid type name/);
    throws(() => koffi.struct({ 'a ': 'int' }), 'ERR_INVALID_ARG_VALUE', /Invalid member name/);
    throws(() => koffi.struct({ a: 'int!' }), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.struct({ a: koffi.opaque() }), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.array('int', 0), 'ERR_INVALID_ARG_VALUE');
    throws(() => koffi.array('int', 3, 'Other'), 'ERR_INVALID_ARG_VALUE');
    throws(() => koffi.out('int'), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.as([1], 'int'), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.disposable('int'), 'ERR_INVALID_ARG_TYPE');
    throws(() => koffi.offsetof(Mixed, 'nothing'), 'ERR_INVALID_ARG_VALUE');
    throws(() => koffi.sizeof(koffi.opaque()), 'ERR_INVALID_ARG_TYPE');
  });

  test('each length of a type makes an array of what stands before it, and stars may follow', () => {
    const type = koffi.type('int8_t[2][3]');
    assert.deepEqual([type.name, type.length, type.ref?.name], ['int8_t[2][3]', 3, 'int8_t[2]']);
    assert.deepEqual(koffi.decode(Buffer.from([1, 2, 3, 4, 5, 6]), type), [
      Int8Array.of(1, 2),
      Int8Array.of(3, 4),
      Int8Array.of(5, 6),
    ]);
    const Byte = koffi.struct({ rows: koffi.array(koffi.struct({ x: 'int8_t' }), 2) });
    assert.equal(koffi.sizeof(koffi.array(Byte, 3)), 6);
    assert.equal(koffi.type('int[3]*').name, 'int[3] *');
    // Inside out, as in C.
    assert.equal(koffi.type('int (*)[3]').name, 'int[3] *');
  });

  test('messages name the type that was declared', () => {
    throws(() => lib.func('int identity_int(int x)')('x'), 'ERR_INVALID_ARG_TYPE', /\(int\)/);
    throws(() => lib.func('int64_t identity_i64(int64_t x)')('x'), 'ERR_INVALID_ARG_TYPE', /\(int64_t\)/);
    throws(() => lib.func('identity_i64', 'size_t', ['size_t'])(-1), 'ERR_OUT_OF_RANGE', /\(size_t\)/);
    throws(
      () => koffi.encode(Buffer.alloc(64), Mixed, { a: 'x' }),
      'ERR_INVALID_ARG_TYPE',
      /field a must be .*\(int\)/,
    );
    throws(() => koffi.encode(Buffer.alloc(64), Mixed, { list: ['x'] }), 'ERR_INVALID_ARG_TYPE', /\(int16_t\)/);
  });

  test('texts go into arrays of signed characters alone, unless the hint says otherwise', () => {
    koffi.encode(Buffer.alloc(4), 'int8_t[4]', 'ab');
    koffi.encode(Buffer.alloc(8), 'short[4]', 'ab');
    for (const type of ['uint8_t[4]', 'uint16_t[4]', 'int32_t[4]'])
      throws(() => koffi.encode(Buffer.alloc(16), type, 'ab'), 'ERR_INVALID_ARG_TYPE');
    koffi.encode(Buffer.alloc(4), koffi.array('uint8_t', 4, 'String'), 'ab');
  });

  test('array hints say what comes out', () => {
    const read = (hint) => koffi.decode(Buffer.from([65, 66, 0, 0]), koffi.array('uint8_t', 4, hint));
    assert.deepEqual(read('array'), [65, 66, 0, 0]);
    assert.equal(koffi.array('uint8_t', 4, 'typed').hint, 'Typed');
    assert.deepEqual(['Array', 'Typed', 'Buffer', 'String'].map(read), [
      [65, 66, 0, 0],
      Uint8Array.of(65, 66, 0, 0),
      Buffer.from([65, 66, 0, 0]),
      'AB',
    ]);
  });
});

describe('the system', () => {
  test('errno is read and set', () => {
    lib.func('int fail_with(int error)')(13);
    assert.equal(koffi.errno(), 13);
    assert.equal(koffi.os.errno.EACCES, 13);
    koffi.errno(5);
    assert.equal(lib.func('int get_errno()')(), 5);
  });

  test('config takes the settings of koffi, and no others', () => {
    assert.equal(koffi.config({ max_async_calls: 16 }).max_async_calls, 16);
    throws(() => koffi.config({ nothing: 1 }), 'ERR_INVALID_ARG_VALUE');
    assert.match(koffi.version, /^3\./);
    assert.equal(koffi.extension, path.extname(library.path));
  });
});

describe('bad input', () => {
  const functions = [
    'int identity_int(int x)',
    'int64_t identity_i64(int64_t x)',
    'bool invert(bool x)',
    'float identity_float(float x)',
    'Mixed next_mixed(Mixed mixed)',
    'Number identity_number(Number number)',
    'void *identity_pointer(void *pointer)',
  ].map((text) => lib.func(text));
  const makers = [
    'alias',
    'array',
    'as',
    'disposable',
    'enumeration',
    'inout',
    'offsetof',
    'opaque',
    'out',
    'pack',
    'pointer',
    'proto',
    'register',
    'sizeof',
    'struct',
    'type',
    'union',
    'unregister',
    'address',
    'config',
  ].map((name) => koffi[name]);
  const values = [
    undefined,
    null,
    0,
    1.5,
    NaN,
    Infinity,
    1e300,
    2 ** 53,
    5n,
    -1n,
    2n ** 70n,
    'text',
    'a\0b',
    '',
    '\ud800',
    Symbol('s'),
    true,
    [],
    [1],
    [[]],
    ['x'],
    [null],
    new Array(5),
    {},
    { a: {} },
    { a: 1, list: [1, 2, 3, 4] },
    { name: 5 },
    { s: {} },
    { first: 5 },
    { __proto__: null },
    Buffer.alloc(0),
    Buffer.alloc(3),
    new Float64Array(8),
    new DataView(new ArrayBuffer(2)),
    () => 1,
    new Date(),
    new Map(),
    new koffi.Union('Number'),
    koffi.as([1], 'int *'),
    koffi.out('int *'),
    Mixed,
    'int',
    'int[3]',
    'char *',
    '!',
    '* *',
    '(',
  ];

  test('bad input is an error with a code, or is taken', () => {
    let refused = 0;
    for (const call of [...functions, ...makers]) {
      for (const first of values) {
        for (const second of [undefined, ...values]) {
          try {
            call(first, second, 'int');
          } catch (error) {
            refused += 1;
            assert.ok(typeof error.code === 'string', `${call.name}: ${error.stack}`);
          }
        }
      }
    }
    assert.ok(refused > 10_000, `${refused}`);
  });
});

describe('the name koffi', () => {
  let folder;
  before(() => {
    folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-koffi-')));
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(root, path.join(folder, 'node_modules', 'pinned-ffi'), 'junction');
    const files = {
      'import.mjs':
        "import koffi, { load } from 'koffi'; console.log(load === koffi.load, load(null).func('int abs(int)')(-3));",
      'require.cjs':
        "const koffi = require('koffi'); console.log(koffi.default === koffi, koffi.load(null).func('int abs(int)')(-3));",
      'both.mjs':
        "import 'pinned-ffi/bun'; const { suffix } = await import('bun:ffi'); const { extension } = await import('koffi'); console.log(extension === `.${suffix}`, 3);",
      'reset.cjs':
        "const koffi = require('koffi'); koffi.struct('A', { a: 'int' }); koffi.reset(); koffi.struct('A', { a: 'int' }); console.log(true, 3);",
    };
    for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), text);
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  for (const file of ['import.mjs', 'require.cjs', 'both.mjs', 'reset.cjs']) {
    test(
      `the name koffi means the package in ${file}, with --import pinned-ffi/koffi`,
      { skip: onlyOn('register') },
      async () => {
        const { NODE_TEST_CONTEXT, ...env } = process.env;
        const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'pinned-ffi/koffi', file], {
          cwd: folder,
          env,
        });
        assert.equal(stdout, 'true 3\n');
      },
    );
  }
});
