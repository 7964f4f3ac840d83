'use strict';
// Calls of C: every type as an argument and as a result, at its edges, in optimised code and re-entered.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, bindOne, throws, optimize, runs, makeDetached, makeRandom, collect } = require('../helpers.js');
const { byScale, calls } = require('../scale.js');
const {
  integerNames,
  floatNames,
  pointerNames,
  functionNames,
  edgesOf,
  expectBack,
} = require('../fixtures/scalars.js');

const { dlopen, ptr, read, JSCallback, FFIType } = ffi;
const text = Buffer.alloc(64);

/** A function that prints what C received of this type, and one that returns what a text says. */
function bindBothWays(row, name) {
  const symbols = bind({
    [`print_${row}`]: { args: ['ptr', 'u32', name], returns: 'i32' },
    [`parse_${row}`]: { args: ['cstring'], returns: name },
    [`identity_${row}`]: { args: [name], returns: name },
  });
  return {
    send: (value) => text.toString('latin1', 0, symbols[`print_${row}`](text, text.length, value)),
    receive: symbols[`parse_${row}`],
    identity: symbols[`identity_${row}`],
  };
}

describe('integers', () => {
  for (const type of integerNames) {
    const edges = edgesOf(type);
    const identityName = `identity_${type.row}`;

    test(`${type.name} reaches C exactly at every edge, as a number and as a BigInt`, () => {
      const { send } = bindBothWays(type.row, type.name);
      for (const value of edges) {
        assert.equal(send(value), String(value));
        if (Number.isSafeInteger(Number(value))) assert.equal(send(Number(value)), String(value));
      }
    });

    test(`${type.name} comes back from C exactly at every edge`, () => {
      const { receive, identity } = bindBothWays(type.row, type.name);
      for (const value of edges) {
        assert.equal(receive(String(value)), expectBack(type, value));
        assert.equal(identity(value), expectBack(type, value));
      }
    });

    test(`${type.name} refuses values past its range, naming the function and the argument`, () => {
      const { identity } = bindBothWays(type.row, type.name);
      const message = new RegExp(`^${identityName}: argument 0 `);
      for (const value of [type.min - 1n, type.max + 1n, 2n ** 64n, -(2n ** 63n) - 1n, 2n ** 200n, -(2n ** 200n)]) {
        throws(() => identity(value), 'ERR_OUT_OF_RANGE', message);
        if (type.size < 8) throws(() => identity(Number(value)), 'ERR_OUT_OF_RANGE', message);
      }
      for (const value of [1.5, -0.5, NaN, Infinity, -Infinity, 1e300, 2 ** 53, -(2 ** 53), 5e-324]) {
        throws(() => identity(value), 'ERR_OUT_OF_RANGE', message);
      }
    });

    test(`${type.name} refuses every other kind of value`, () => {
      const { identity } = bindBothWays(type.row, type.name);
      const message = new RegExp(`^${identityName}: argument 0 must be .*, received `, 's');
      const kinds = [
        '1',
        '',
        true,
        false,
        null,
        undefined,
        {},
        [],
        [7],
        Symbol('s'),
        () => 1,
        new Date(0),
        Object(1),
        Object(1n),
        { valueOf: () => 1 },
        Buffer.alloc(8),
        new Uint8Array(8).buffer,
      ];
      for (const value of kinds) throws(() => identity(value), 'ERR_INVALID_ARG_TYPE', message);
    });
  }

  test('the message of a refused integer says the range, the type and the value', () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32');
    throws(
      () => add('x', 1),
      'ERR_INVALID_ARG_TYPE',
      /^add_i32: argument 0 must be an integer from -2147483648 to 2147483647 \(i32\), received the string 'x'$/,
    );
    throws(
      () => add(1, 2 ** 31),
      'ERR_OUT_OF_RANGE',
      /^add_i32: argument 1 must be an integer from -2147483648 to 2147483647 \(i32\), received 2147483648\b/,
    );
    throws(() => add(1, 2n ** 31n), 'ERR_OUT_OF_RANGE', /received 2147483648n\b/);
  });

  test('a negative zero is the integer zero', () => {
    for (const name of ['i8', 'u8', 'i32', 'u32'])
      assert.equal(Object.is(bindOne(`identity_${name}`, [name], name)(-0), 0), true);
    assert.equal(bindOne('identity_i64', ['i64'], 'i64')(-0), 0n);
    assert.equal(Object.is(bindOne('identity_u64', ['u64_fast'], 'u64_fast')(-0), 0), true);
  });

  test('i64_fast and u64_fast are numbers up to 2^53 - 1 and BigInts above', () => {
    const i64 = bindOne('identity_i64', ['i64_fast'], 'i64_fast');
    const u64 = bindOne('identity_u64', ['u64_fast'], 'u64_fast');
    const limit = Number.MAX_SAFE_INTEGER;
    assert.equal(i64(limit), limit);
    assert.equal(i64(-limit), -limit);
    assert.equal(u64(limit), limit);
    assert.equal(i64(2n ** 53n), 2n ** 53n);
    assert.equal(i64(-(2n ** 53n)), -(2n ** 53n));
    assert.equal(u64(2n ** 53n), 2n ** 53n);
    assert.equal(u64(2n ** 64n - 1n), 2n ** 64n - 1n);
  });

  test('every integer type has in C the size that its range here says', () => {
    for (const { row, size } of integerNames) assert.equal(bindOne(`sizeof_${row}`, [], 'u32')(), size, row);
    assert.equal(bindOne('min_wchar', [], 'i64')(), integerNames.find(({ row }) => row === 'wchar').min);
    assert.equal(bindOne('max_wchar', [], 'i64')(), integerNames.find(({ row }) => row === 'wchar').max);
  });

  test('a small return value ignores the other bits of the register', () => {
    const wide = 0x1234567812345680n;
    const asType = (type) => bindOne('identity_i64', ['i64'], type)(wide);
    assert.equal(asType('i8'), -128);
    assert.equal(asType('u8'), 0x80);
    assert.equal(asType('i16'), 0x5680);
    assert.equal(asType('u32'), 0x12345680);
    assert.equal(asType('i32'), 0x12345680);
  });
});

describe('floats and bool', () => {
  for (const { row, name, edges } of floatNames) {
    test(`${name} goes both ways exactly at every edge`, () => {
      const { send, receive, identity } = bindBothWays(row, name);
      for (const value of edges) {
        assert.equal(Object.is(identity(value), value), true, `identity of ${value}`);
        if (Number.isFinite(value)) {
          assert.equal(Object.is(Number(send(value)), value), true, `C saw ${send(value)} for ${value}`);
          assert.equal(
            Object.is(receive(String(Object.is(value, -0) ? '-0' : value)), value),
            true,
            `parse of ${value}`,
          );
        }
      }
    });

    test(`${name} takes numbers only`, () => {
      const { identity } = bindBothWays(row, name);
      for (const value of ['1', '', 1n, true, null, undefined, {}, [], Symbol('s'), Object(1), { valueOf: () => 1 }]) {
        throws(() => identity(value), 'ERR_INVALID_ARG_TYPE', new RegExp(`^identity_${row}: argument 0 must be `));
      }
    });
  }

  test('f32 rounds what it can hold and refuses finite numbers past its range', () => {
    const identity = bindOne('identity_f32', ['f32'], 'f32');
    assert.equal(identity(0.1), Math.fround(0.1));
    assert.equal(identity(1e-50), 0);
    assert.equal(identity(16777217), 16777216);
    for (const value of [1e39, -1e39, 1e40, Number.MAX_VALUE, 3.5e38]) {
      throws(() => identity(value), 'ERR_OUT_OF_RANGE', /^identity_f32: argument 0 must be /);
    }
  });

  test('bool goes both ways and takes booleans only', () => {
    const { send, receive, identity } = bindBothWays('bool', 'bool');
    const not = bindOne('not_bool', ['bool'], 'bool');
    for (const value of [true, false]) {
      assert.equal(send(value), String(value));
      assert.equal(receive(String(value)), value);
      assert.equal(identity(value), value);
      assert.equal(not(value), !value);
    }
    for (const value of [0, 1, 1n, 'true', '', null, undefined, {}, Object(true)]) {
      throws(() => identity(value), 'ERR_INVALID_ARG_TYPE', /^identity_bool: argument 0 must be /);
    }
  });

  test('void returns undefined', () => {
    assert.equal(bindOne('do_nothing', [], 'void')(), undefined);
    assert.equal(bindOne('do_nothing')(), undefined);
    assert.equal(ffi.dlopen(require('../helpers.js').fixture, { do_nothing: {} }).symbols.do_nothing(), undefined);
  });
});

describe('pointers', () => {
  for (const name of pointerNames) {
    test(`${name} carries numbers, BigInts and null exactly`, () => {
      const { send, receive, identity } = bindBothWays('ptr', name);
      for (const value of [0, 1, 4095, 4096, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        assert.equal(send(value), String(value));
        assert.equal(receive(String(value)), value === 0 ? null : value);
        assert.equal(identity(BigInt(value)), value === 0 ? null : value);
      }
      assert.equal(send(null), '0');
      assert.equal(identity(null), null);
      for (const value of [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
        assert.equal(send(value), String(value));
        assert.equal(receive(String(value)), value);
        assert.equal(identity(value), value);
      }
    });
  }

  test('a pointer takes every kind of memory object, at its own offset', () => {
    // A guarded function would see a copy of a part.
    const identity = bindOne('identity_ptr', ['ptr'], 'ptr', { guard: false });
    const memory = new ArrayBuffer(256);
    const start = ptr(memory);
    assert.equal(identity(memory), start);
    assert.equal(identity(new Uint8Array(memory)), start);
    assert.equal(identity(new Uint8Array(memory, 16)), start + 16);
    assert.equal(identity(new DataView(memory, 24, 8)), start + 24);
    assert.equal(identity(Buffer.from(memory, 32, 8)), start + 32);
    for (const Kind of [
      Int8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
      BigInt64Array,
      BigUint64Array,
    ]) {
      assert.equal(identity(new Kind(memory, 64, 2)), start + 64);
    }
    const shared = new SharedArrayBuffer(64);
    assert.equal(identity(shared), ptr(shared));
    assert.equal(identity(new Int32Array(shared, 8)), ptr(shared) + 8);
  });

  test('a pointer takes a JSCallback, a bound function and an object with a ptr', () => {
    const identity = bindOne('identity_ptr', ['ptr'], 'ptr');
    const callback = new JSCallback(() => 0, { returns: 'i32' });
    assert.equal(identity(callback), callback.ptr);
    assert.equal(identity(identity), identity.ptr);
    assert.equal(identity({ ptr: 8192 }), 8192);
    assert.equal(identity({ ptr: 2n ** 60n }), 2n ** 60n);
    callback.close();
  });

  test('C reads and writes the very memory of the caller', () => {
    const { fill_bytes: fill, sum_bytes: sum } = bind({
      fill_bytes: { args: ['ptr', 'u64', 'u8'] },
      sum_bytes: { args: ['ptr', 'u64'], returns: 'u64' },
    });
    for (const make of [
      (n) => Buffer.alloc(n),
      (n) => Buffer.allocUnsafeSlow(n),
      (n) => new Uint8Array(n),
      (n) => new Uint8Array(new SharedArrayBuffer(n)),
      (n) => new Uint8Array(new ArrayBuffer(n + 8), 3, n),
    ]) {
      for (const size of [1, 7, 8, 63, 64, 65, 1000, 4096, 100_000]) {
        const view = make(size);
        fill(view, size, 7);
        assert.equal(
          view.every((byte) => byte === 7),
          true,
        );
        view[size - 1] = 1;
        assert.equal(sum(view, size), BigInt(7 * (size - 1) + 1));
      }
    }
  });

  test('two arguments may be the same memory', () => {
    const view = new Uint8Array(16);
    assert.equal(bindOne('same_ptr', ['ptr', 'ptr'], 'bool')(view, view), true);
    const small = new Float64Array([1.5, 2.5]);
    assert.equal(bindOne('same_ptr', ['ptr', 'ptr'], 'bool')(small, new Uint8Array(small.buffer)), true);
    view.set([1, 2, 3, 4]);
    bindOne('copy_bytes', ['ptr', 'ptr', 'u64'])(view.subarray(2), view, 4);
    assert.deepEqual([...view.subarray(0, 6)], [1, 2, 1, 2, 3, 4]);
  });

  test('an empty view can be passed', () => {
    assert.equal(bindOne('sum_bytes', ['ptr', 'u64'], 'u64')(new Uint8Array(0), 0), 0n);
    assert.equal(bindOne('sum_bytes', ['buffer', 'u64'], 'u64')(Buffer.alloc(0), 0), 0n);
  });

  const resizable = () => new ArrayBuffer(8, { maxByteLength: 16 });

  test('a view that is empty since its storage has shrunk is refused, in optimised code too', () => {
    for (const type of ['buffer', 'ptr', 'cstring']) {
      const sum = bindOne('sum_bytes', [type, 'u64'], 'u64');
      const whole = new Uint8Array(8);
      for (let i = 0; i < 3000; i++) sum(whole, 0);
      for (const [offset, length] of [[4, 4], [4], [0]]) {
        const storage = resizable();
        const views = [new Uint8Array(storage, offset, length), new DataView(storage, offset, length)];
        storage.resize(0);
        for (const view of views)
          throws(() => sum(view, 0), 'ERR_INVALID_ARG_VALUE', /argument 0 must be of a fixed size/);
      }
    }
  });

  test('a pointer refuses numbers that are no address', () => {
    const identity = bindOne('identity_ptr', ['ptr'], 'ptr');
    for (const value of [NaN, -1, 0.5, Infinity, -Infinity, 2 ** 53, 2 ** 64, -1n, 2n ** 64n]) {
      throws(() => identity(value), 'ERR_OUT_OF_RANGE', /^identity_ptr: argument 0 must be /);
      throws(
        () => identity({ ptr: value }),
        ['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_TYPE'],
        /^identity_ptr: argument 0 must be /,
      );
    }
  });

  test('a pointer refuses other kinds of values', () => {
    const identity = bindOne('identity_ptr', ['ptr'], 'ptr');
    for (const value of [
      undefined,
      'text',
      '',
      true,
      false,
      Symbol('s'),
      {},
      [],
      () => 1,
      { ptr: '8' },
      { ptr: null },
      { ptr: undefined },
      new Map(),
      /x/,
    ]) {
      throws(() => identity(value), 'ERR_INVALID_ARG_TYPE', /^identity_ptr: argument 0 must be /);
    }
  });

  for (const type of ['ptr', 'cstring', 'buffer', 'buffer_length']) {
    test(`${type} refuses detached and resizable memory`, () => {
      const measure = bindOne(
        'measure_buffer',
        [type === 'buffer_length' ? 'ptr' : type, type === 'buffer_length' ? type : 'u64'],
        'u64',
      );
      const index = type === 'buffer_length' ? 1 : 0;
      const lost = new DataView(new ArrayBuffer(8));
      structuredClone(lost.buffer, { transfer: [lost.buffer] });
      const values = [makeDetached(), lost, new Uint8Array(resizable()), new DataView(resizable())];
      if (index === 0 && type !== 'buffer') values.push(resizable(), makeDetached().buffer);
      for (const value of values) {
        const args = index === 0 ? [value, 1] : [null, value];
        throws(() => measure(...args), 'ERR_INVALID_ARG_VALUE', new RegExp(`^measure_buffer: argument ${index} must `));
      }
    });
  }

  test('buffer takes typed arrays and DataViews only', () => {
    const sum = bindOne('sum_bytes', ['buffer', 'u64'], 'u64');
    assert.equal(sum(Buffer.from([1, 2, 3]), 3), 6n);
    assert.equal(sum(new DataView(new Uint8Array([1, 2, 3]).buffer, 1), 2), 5n);
    for (const value of [
      null,
      undefined,
      0,
      4096,
      4096n,
      'text',
      {},
      [1, 2],
      new ArrayBuffer(8),
      new SharedArrayBuffer(8),
      { ptr: 4096 },
    ]) {
      throws(() => sum(value, 0), 'ERR_INVALID_ARG_TYPE', /^sum_bytes: argument 0 must be /);
    }
    // A number of the first page is no address, as for the other types whose memory C reads.
    for (const value of [1, 5n, 4095])
      throws(() => sum(value, 0), 'ERR_FFI_INVALID_POINTER', /^sum_bytes: argument 0 /);
  });

  test('buffer_length is the byte length of the view', () => {
    const measure = bindOne('measure_buffer', ['buffer', 'buffer_length'], 'u64');
    for (const view of [new Float64Array(5), Buffer.alloc(3), new DataView(new ArrayBuffer(10), 2, 7)]) {
      assert.equal(measure(view, view), BigInt(view.byteLength));
    }
    throws(() => measure(Buffer.alloc(1), 1), 'ERR_INVALID_ARG_TYPE', /^measure_buffer: argument 1 must be /);
    throws(
      () => measure(Buffer.alloc(1), new ArrayBuffer(1)),
      'ERR_INVALID_ARG_TYPE',
      /^measure_buffer: argument 1 must be /,
    );
  });

  for (const name of functionNames) {
    test(`${name} takes callbacks, bound functions and addresses, and gives an address back`, () => {
      const identity = bindOne('identity_ptr', [name], name);
      const callback = new JSCallback(() => 0, { returns: 'i32' });
      assert.equal(identity(callback), callback.ptr);
      assert.equal(identity(identity), identity.ptr);
      assert.equal(identity(null), null);
      assert.equal(identity(8192), 8192);
      assert.equal(identity(8192n), 8192);
      assert.equal(identity({ ptr: 8192 }), 8192);
      assert.equal(identity(2n ** 63n), 2n ** 63n);
      for (const value of [undefined, 'x', true, {}, () => 1, Buffer.alloc(8), new ArrayBuffer(8)]) {
        throws(() => identity(value), 'ERR_INVALID_ARG_TYPE', /^identity_ptr: argument 0 must be /);
      }
      for (const value of [NaN, -1, 1.5, -1n, 2n ** 64n]) {
        throws(() => identity(value), 'ERR_OUT_OF_RANGE', /^identity_ptr: argument 0 must be /);
      }
      callback.close();
      throws(() => identity(callback), 'ERR_FFI_CALLBACK_CLOSED', /^identity_ptr: argument 0/);
    });
  }

  test('a function address that C returns can be called through CFunction', () => {
    const address = bindOne('get_add_i32', [], 'function')();
    assert.equal(typeof address, 'number');
    assert.equal(ffi.CFunction({ ptr: address, args: ['i32', 'i32'], returns: 'i32' })(20, 22), 42);
  });
});

describe('strings', () => {
  const {
    measure_cstring: measure,
    identity_cstring: identity,
    copy_cstring: copy,
  } = bind({
    measure_cstring: { args: ['cstring'], returns: 'i32' },
    identity_cstring: { args: ['cstring'], returns: 'cstring' },
    copy_cstring: { args: ['ptr', 'cstring'] },
  });

  test('a JS string goes in as NUL-terminated UTF-8 and comes back', () => {
    for (const value of [
      '',
      'a',
      'plain',
      'grüß €',
      '🎉',
      'a'.repeat(63),
      'a'.repeat(64),
      'ü'.repeat(5000),
      'x'.repeat(1_000_000),
    ]) {
      assert.equal(measure(value), Buffer.byteLength(value));
      if (value.length < 1000) assert.equal(identity(value), value);
    }
    const target = Buffer.alloc(16, 0xff);
    copy(target, 'grün');
    assert.deepEqual([...target.subarray(0, 7)], [...Buffer.from('grün'), 0, 0xff]);
  });

  test('a string that C returns may lie inside a string argument, as the result of strchr does', async () => {
    const stdout = await runs(`
      const { strchr } = ffi.dlopen(null, { strchr: { args: ['cstring', 'i32'], returns: 'cstring' } }).symbols;
      for (const size of [1, 50, 500, 5000, 50_000, 500_000, 5_000_000]) {
        for (let i = 0; i < 5; i++) {
          const tail = '!' + 'y'.repeat(size);
          if (strchr('x'.repeat(size) + tail, 33) !== tail) throw new Error('the string was lost at ' + size);
        }
      }
      console.log('whole');
    `);
    assert.equal(stdout, 'whole');
  });

  test('a lone surrogate goes in as the replacement character', () => {
    assert.equal(identity('a\ud800b'), 'a\ufffdb');
  });

  test('an embedded NUL is refused', () => {
    for (const value of ['a\0b', '\0', 'a\0', 'ü\0']) {
      throws(() => measure(value), 'ERR_INVALID_ARG_VALUE', /^measure_cstring: argument 0 must /);
    }
  });

  test('a cstring also takes what a ptr takes', () => {
    assert.equal(measure(null), -1);
    assert.equal(measure(Buffer.from('four\0')), 4);
    const bytes = Buffer.from('eight...\0');
    assert.equal(measure(ptr(bytes)), 8);
    assert.equal(measure(BigInt(ptr(bytes))), 8);
    assert.equal(measure({ ptr: ptr(bytes) }), 8);
    for (const value of [undefined, true, {}, Symbol('s'), [], Object('text')]) {
      throws(() => measure(value), 'ERR_INVALID_ARG_TYPE', /^measure_cstring: argument 0 must be /);
    }
    throws(() => measure(-1), 'ERR_OUT_OF_RANGE', /^measure_cstring: argument 0 must be /);
  });

  test('a pointer does not take a JS string', () => {
    throws(
      () => bindOne('measure_cstring', ['ptr'], 'i32')('text'),
      'ERR_INVALID_ARG_TYPE',
      /^measure_cstring: argument 0 must be /,
    );
  });

  test('strings of C come back as JS strings, NULL as null', () => {
    const returned = (name) => bindOne(name, [], 'cstring')();
    assert.equal(returned('get_text'), 'plain text');
    assert.equal(returned('get_utf8'), 'grüß € 🎉');
    assert.equal(returned('get_empty_text'), '');
    assert.equal(returned('get_null'), null);
    assert.equal(returned('get_broken_utf8'), 'a\ufffdb');
    assert.equal(identity(null), null);
  });

  test('several strings of one call are all there', () => {
    const two = bindOne('measure_two_cstrings', ['cstring', 'cstring'], 'i32');
    assert.equal(two('abc', 'ü'), 3002);
    assert.equal(two('x'.repeat(300), 'y'.repeat(700)), 300_700);
    const same = 'same';
    assert.equal(two(same, same), 4004);
  });

  test('a string argument lives until the call returns, whatever a callback in between does', () => {
    const symbols = bind({
      measure_after: { args: ['function', 'cstring'], returns: 'i32' },
      compare_cstring_after: { args: ['function', 'cstring', 'cstring'], returns: 'i32' },
    });
    const callback = new JSCallback(() => {
      for (const other of ['', 'z', 'zz'.repeat(100), 'ü'.repeat(10_000)])
        assert.equal(measure(other), Buffer.byteLength(other));
      collect();
    }, {});
    for (const size of [0, 1, 5, 63, 64, 500, 5000, 100_000]) {
      assert.equal(symbols.measure_after(callback, 'b'.repeat(size)), size);
      assert.equal(symbols.compare_cstring_after(callback, 'b'.repeat(size), 'b'.repeat(size)), 0);
    }
    callback.close();
  });
});

describe('argument lists', () => {
  const kinds = ['i32', 'f64', 'u8', 'f32', 'i64', 'i16', 'ptr', 'bool', 'u64', 'i8', 'u32', 'u16'];
  const counts = Array.from({ length: 33 }, (_, n) => n);

  const sample = {
    i32: (random) => Math.floor(random() * 2 ** 32) - 2 ** 31,
    f64: (random) => Math.floor((random() - 0.5) * 2e9) / 4,
    u8: (random) => Math.floor(random() * 256),
    f32: (random) => Math.floor((random() - 0.5) * 2 ** 20) / 4,
    i64: (random) => BigInt.asIntN(64, BigInt(Math.floor(random() * 2 ** 53)) * 2049n),
    i16: (random) => Math.floor(random() * 65536) - 32768,
    ptr: (random) => Math.floor(random() * 2 ** 47),
    bool: (random) => random() < 0.5,
    u64: (random) => BigInt.asUintN(64, BigInt(Math.floor(random() * 2 ** 53)) * 4099n),
    i8: (random) => Math.floor(random() * 256) - 128,
    u32: (random) => Math.floor(random() * 2 ** 32),
    u16: (random) => Math.floor(random() * 65536),
  };
  const edges = {
    i32: [-(2 ** 31), 2 ** 31 - 1],
    f64: [-0.25, 1e9],
    u8: [255, 0],
    f32: [-0.5, 65536],
    i64: [-(2n ** 63n), 2n ** 63n - 1n],
    i16: [-32768, 32767],
    ptr: [null, 2n ** 64n - 1n],
    bool: [true, false],
    u64: [2n ** 64n - 1n, 0n],
    i8: [-128, 127],
    u32: [2 ** 32 - 1, 0],
    u16: [65535, 0],
  };
  const show = (kind, value) =>
    kind === 'f32' || kind === 'f64' ? value.toFixed(6) : String(kind === 'bool' ? Number(value) : (value ?? 0));
  const types = (count) => Array.from({ length: count }, (_, i) => kinds[i % kinds.length]);
  const expected = (args) => args.map((value, i) => `${kinds[i % 12]}=${show(kinds[i % 12], value)};`).join('');

  const seed = process.env.SEED === undefined ? Date.now() % 2 ** 32 : Number(process.env.SEED);

  for (const count of counts) {
    test(`${count} arguments of mixed kinds reach C exactly (seed ${seed})`, () => {
      const mixed = bindOne(`mixed_${count}`, types(count), 'cstring');
      const random = makeRandom(seed + count);
      assert.equal(mixed.length, count);
      for (let round = 0; round < 20; round++) {
        const args = types(count).map((kind) => (round < 2 ? edges[kind][round] : sample[kind](random)));
        assert.equal(mixed(...args), expected(args));
      }
    });

    test(`a function of ${count} arguments refuses any other number of them`, () => {
      const mixed = bindOne(`mixed_${count}`, types(count), 'cstring');
      const args = types(count).map((kind) => edges[kind][0]);
      const noun = count === 1 ? 'argument' : 'arguments';
      const message = (received) => new RegExp(`^mixed_${count} expects ${count} ${noun}, received ${received}$`);
      throws(() => mixed(...args, 1), 'ERR_INVALID_ARG_VALUE', message(count + 1));
      throws(() => mixed(...args, undefined), 'ERR_INVALID_ARG_VALUE', message(count + 1));
      if (count > 0) throws(() => mixed(...args.slice(1)), 'ERR_INVALID_ARG_VALUE', message(count - 1));
    });

    if (count > 0) {
      test(`the last of ${count} arguments is named by its index when it is wrong`, () => {
        const mixed = bindOne(`mixed_${count}`, types(count), 'cstring');
        const args = types(count).map((kind) => edges[kind][0]);
        args[count - 1] = Symbol('wrong');
        throws(
          () => mixed(...args),
          'ERR_INVALID_ARG_TYPE',
          new RegExp(`^mixed_${count}: argument ${count - 1} must be `),
        );
      });
    }
  }

  for (const [kind, convert] of [
    ['f64', Number],
    ['f32', Number],
    ['i8', Number],
    ['u16', Number],
    ['i64', BigInt],
  ]) {
    test(`sixteen ${kind} arguments keep their order past the registers`, () => {
      const returns = kind.startsWith('f') ? 'f64' : 'i64';
      const weigh = bindOne(`weigh_${kind}`, Array(16).fill(kind), returns);
      const args = Array.from({ length: 16 }, (_, i) => convert((i * 37 + 11) % 101));
      const sum = args.reduce((total, value, i) => total + Number(value) * (i + 1), 0);
      assert.equal(Number(weigh(...args)), sum);
    });
  }

  test('the number of arguments is checked before any of them is looked at', () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32');
    throws(() => add(), 'ERR_INVALID_ARG_VALUE', /^add_i32 expects 2 arguments, received 0$/);
    throws(() => add('x'), 'ERR_INVALID_ARG_VALUE', /^add_i32 expects 2 arguments, received 1$/);
    throws(() => add(1, 2, 3), 'ERR_INVALID_ARG_VALUE', /^add_i32 expects 2 arguments, received 3$/);
  });

  test('a refused argument leaves the next call intact', () => {
    const mixed = bindOne('mixed_12', types(12), 'cstring');
    const good = types(12).map((kind) => edges[kind][0]);
    for (let i = 0; i < 12; i++) {
      const bad = types(12).map((kind) => edges[kind][1]);
      bad[i] = {};
      throws(() => mixed(...bad), 'ERR_INVALID_ARG_TYPE', new RegExp(`^mixed_12: argument ${i} must be `));
      assert.equal(mixed(...good), expected(good));
    }
  });

  test('spread, apply, call and bind pass arguments as usual', () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32');
    assert.equal(add.apply(null, [1, 2]), 3);
    assert.equal(add.call({ ptr: 1 }, 1, 2), 3);
    assert.equal(add.bind(null, 40)(2), 42);
    assert.equal(Reflect.apply(add, undefined, [4, 5]), 9);
  });
});

describe('re-entrancy', () => {
  test('a ptr getter may call another bound function in the middle of encoding', () => {
    const symbols = bind({
      mixed_12: {
        args: ['i32', 'f64', 'u8', 'f32', 'i64', 'i16', 'ptr', 'bool', 'u64', 'i8', 'u32', 'u16'],
        returns: 'cstring',
      },
      add_i64: { args: ['i64', 'i64'], returns: 'i64' },
      measure_cstring: { args: ['cstring'], returns: 'i32' },
    });
    let inner;
    const sneaky = {
      get ptr() {
        inner = [symbols.add_i64(-1n, -1n), symbols.measure_cstring('inner'.repeat(50))];
        return 12345;
      },
    };
    const outer = symbols.mixed_12(1, 2, 3, 4, 5n, 6, sneaky, true, 8n, 9, 10, 11);
    assert.equal(outer, 'i32=1;f64=2.000000;u8=3;f32=4.000000;i64=5;i16=6;ptr=12345;bool=1;u64=8;i8=9;u32=10;u16=11;');
    assert.deepEqual(inner, [-2n, 250]);
  });

  test('a ptr getter may call the very function that is being encoded', () => {
    const weigh = bindOne('mixed_7', ['i32', 'f64', 'u8', 'f32', 'i64', 'i16', 'ptr'], 'cstring');
    let inner;
    const sneaky = {
      get ptr() {
        inner = weigh(-7, -7, 7, -7, -7n, -7, null);
        return 1;
      },
    };
    assert.equal(weigh(1, 2, 3, 4, 5n, 6, sneaky), 'i32=1;f64=2.000000;u8=3;f32=4.000000;i64=5;i16=6;ptr=1;');
    assert.equal(inner, 'i32=-7;f64=-7.000000;u8=7;f32=-7.000000;i64=-7;i16=-7;ptr=0;');
  });

  test('a ptr getter that throws leaves its error and the function as they were', () => {
    const add = bindOne('same_ptr', ['ptr', 'ptr'], 'bool');
    const boom = new Error('boom');
    const throwing = {
      get ptr() {
        throw boom;
      },
    };
    assert.throws(
      () => add(1, throwing),
      (error) => error === boom,
    );
    assert.equal(add(7, 7), true);
  });

  test('a ptr getter may close the library of the call', () => {
    const library = dlopen(require('../helpers.js').fixture, { identity_ptr: { args: ['ptr'], returns: 'ptr' } });
    const closing = {
      get ptr() {
        library.close();
        return 4096;
      },
    };
    throws(() => library.symbols.identity_ptr(closing), 'ERR_FFI_LIBRARY_CLOSED', /^identity_ptr: /);
  });

  test('a ptr getter may detach an earlier argument without C seeing freed memory', async () => {
    const stdout = await runs(`
      const copy = h.bindOne('same_ptr', ['ptr', 'ptr'], 'bool');
      const sum = h.bindOne('measure_buffer', ['buffer', 'ptr'], 'u64');
      const view = new Uint8Array(1 << 24);
      const detaching = {
        get ptr() {
          structuredClone(view.buffer, { transfer: [view.buffer] });
          h.collect();
          return 4096;
        },
      };
      console.log(h.outcome(() => copy(view, detaching)), h.outcome(() => copy(1, 1)));
    `);
    assert.match(stdout, /^(ERR_INVALID_ARG_VALUE|false) true$/);
  });

  test('a callback during a call may use every bound function, and the result is the outer one', () => {
    const symbols = bind({
      weigh_after: { args: ['function', 'i8', 'f64', 'i64', 'u8'], returns: 'i64' },
      add_f64: { args: ['f64', 'f64'], returns: 'f64' },
    });
    let depth = 0;
    const callback = new JSCallback(() => {
      if (++depth < 20) assert.equal(symbols.weigh_after(callback, -1, 0.5, 3, 4), 4_000_003_000_999n);
      assert.equal(symbols.add_f64(0.5, 0.25), 0.75);
    }, {});
    assert.equal(symbols.weigh_after(callback, 5, 1.5, 7, 200), 200_000_007_003_005n);
    assert.equal(depth, 20);
    callback.close();
  });
});

describe('optimised code', () => {
  // Too many arguments for V8's compiler end the process (seen in Node 26), so this is a child.
  test('optimised code calls functions of 0 to 32 arguments in hot loops', async () => {
    const output = await runs(
      `
      const kinds = { i32: 'int', f64: 'double' };
      const each = (count, make) => Array.from({ length: count }, (_, i) => make(i)).join(', ');
      const source = Object.entries(kinds).flatMap(([name, type]) => Array.from({ length: 33 }, (_, count) =>
        type + ' ' + name + '_' + count + '(' + each(count, (i) => type + ' a' + i) + ') { return 0' + Array.from({ length: count }, (_, i) => '+ a' + i).join('') + '; }'));
      const symbols = Object.fromEntries(Object.keys(kinds).flatMap((name) => Array.from({ length: 33 }, (_, count) =>
        [name + '_' + count, { args: Array(count).fill(name), returns: name }])));
      const { symbols: c } = ffi.cc({ source: source.join('\\n'), symbols });
      for (const [key, sum] of Object.entries(c)) {
        const count = Number(key.split('_')[1]);
        const loop = new Function('sum', 'n', 'let last; for (let i = 0; i < n; i++) last = sum(' + each(count, (i) => i === 0 ? 'i' : i) + '); return last;');
        for (let round = 0; round < ${byScale(4, 12)}; round++) {
          const wanted = count === 0 ? 0 : ${calls(5000) - 1} + count * (count - 1) / 2;
          if (loop(sum, ${calls(5000)}) !== wanted) throw new Error(key);
        }
      }
      console.log('all');
    `,
      { timeout: 120_000 },
    );
    assert.equal(output, 'all');
  });

  const results = (symbols) => {
    const {
      add_i32: addI32,
      add_f64: addF64,
      identity_u64: u64,
      identity_bool: bool,
      identity_i64: fast,
      identity_cstring: string,
      sum_bytes: sum,
      identity_ptr: pointer,
      call_i32: call,
    } = symbols;
    const callback = new JSCallback((value) => value + 1, { args: ['i32'], returns: 'i32' });
    const view = new Uint8Array([1, 2, 3]);
    const caller = () => [
      addI32(20, 22),
      addI32(-(2 ** 31), 0),
      addF64(0.1, 0.2),
      u64(2n ** 64n - 1n),
      bool(true),
      fast(2n ** 53n),
      fast(-3),
      string('grün'),
      sum(view, 3),
      pointer(null),
      pointer(123456789012),
      call(callback, 41),
    ];
    return { caller, close: () => callback.close() };
  };
  const declarations = {
    add_i32: { args: ['i32', 'i32'], returns: 'i32' },
    add_f64: { args: ['f64', 'f64'], returns: 'f64' },
    identity_u64: { args: ['u64'], returns: 'u64' },
    identity_i64: { args: ['i64_fast'], returns: 'i64_fast' },
    identity_bool: { args: ['bool'], returns: 'bool' },
    identity_cstring: { args: ['cstring'], returns: 'cstring' },
    identity_ptr: { args: ['ptr'], returns: 'ptr' },
    sum_bytes: { args: ['ptr', 'u64'], returns: 'u64' },
    call_i32: { args: ['function', 'i32'], returns: 'i32' },
  };
  const sums = [42, -(2 ** 31), 0.1 + 0.2];
  const expected = [...sums, 2n ** 64n - 1n, true, 2n ** 53n, -3, 'grün', 6n, null, 123456789012, 42];

  test('results are the same before and after V8 optimises the caller', () => {
    const { caller, close } = results(bind(declarations));
    assert.deepEqual(caller(), expected);
    optimize(caller);
    for (let i = 0; i < 1000; i++) assert.deepEqual(caller(), expected);
    close();
  });

  test('the checks are the same after V8 optimises the caller', () => {
    const { add_i32: add, identity_ptr: pointer } = bind(declarations);
    const addTwo = (a, b) => add(a, b);
    const point = (value) => pointer(value);
    optimize(addTwo, () => addTwo(1, 2));
    optimize(point, () => point(4096));
    throws(() => addTwo('x', 1), 'ERR_INVALID_ARG_TYPE', /^add_i32: argument 0/);
    throws(() => addTwo(1, 2 ** 31), 'ERR_OUT_OF_RANGE', /^add_i32: argument 1/);
    throws(() => addTwo(1.5, 1), 'ERR_OUT_OF_RANGE', /^add_i32: argument 0/);
    throws(() => addTwo(NaN, 1), 'ERR_OUT_OF_RANGE', /^add_i32: argument 0/);
    throws(() => addTwo(1, undefined), 'ERR_INVALID_ARG_TYPE', /^add_i32: argument 1/);
    throws(() => point(undefined), 'ERR_INVALID_ARG_TYPE', /^identity_ptr: argument 0/);
    throws(() => point(makeDetached()), 'ERR_INVALID_ARG_VALUE', /^identity_ptr: argument 0/);
    assert.equal(addTwo(2 ** 30, 2 ** 30 - 1), 2 ** 31 - 1);
    assert.equal(point(2n ** 60n), 2n ** 60n);
  });

  test('views of every kind reach C with their address, from the first call of each to optimised code', () => {
    const sumBytes = bindOne('sum_bytes', ['ptr', 'u64_fast'], 'u64_fast');
    const fill = bindOne('fill_at', ['buffer', 'i64_fast', 'u8', 'u64_fast'], 'void');
    const sum = (view, length) => sumBytes(view, length);
    const write = (view, at) => fill(view, at, 7, 1);
    const whole = Buffer.alloc(40, 1);
    optimize(sum, () => sum(whole, 40));
    optimize(write, () => write(whole, 0));
    assert.equal(sum(whole, 40), 46);
    const shared = new Uint8Array(new SharedArrayBuffer(40)).fill(2);
    const views = [
      [new DataView(new Uint8Array(40).fill(3).buffer), 40, 120],
      [new Float64Array(5), 40, 0],
      [shared, 40, 80],
      [whole.subarray(0, 39), 39, 45],
      [whole.subarray(1), 39, 39],
      [Buffer.from('abc'), 3, 294],
      [new Uint8Array(40).fill(4), 40, 160],
      [new Uint8Array(3).fill(5), 3, 15],
      [new Uint8Array(new ArrayBuffer(40, { maxByteLength: 80 })).fill(6), 40, undefined],
    ];
    for (let round = 0; round < 3; round++) {
      for (const [view, length, expected] of views) {
        if (expected === undefined) throws(() => sum(view, length), 'ERR_INVALID_ARG_VALUE');
        else assert.equal(sum(view, length), expected);
        assert.equal(sum(whole, 40), 46);
      }
    }
    // The overflow has native code forget its blocks. Views in the engine's heap are as long as those were.
    for (const length of ffi.fences().installed ? [1, 8, 40] : []) {
      const target = Buffer.alloc(length, 1);
      sum(target, length);
      write(target, 0);
      throws(() => write(target, length), 'ERR_FFI_BUFFER_OVERFLOW');
      for (let i = 0; i < 3; i++) assert.equal(sum(new Uint8Array(length).fill(9), length), 9 * length);
      write(new Uint8Array(length), 0);
    }
    const { buffer } = whole;
    structuredClone(buffer, { transfer: [buffer] });
    throws(() => sum(whole, 0), 'ERR_INVALID_ARG_VALUE', /^sum_bytes: argument 0/);
  });

  test('a Buffer that the optimised caller no longer uses lives until the call returns', async () => {
    const stdout = await runs(`
      const sumAfter = h.bindOne('sum_after', ['function', 'ptr', 'u64'], 'u64');
      let calls = 0;
      const callback = new ffi.JSCallback(() => {
        if (++calls < 200) return;
        h.collect(); h.collect();
        for (let i = 0; i < 8; i++) new Uint8Array(1 << 22).fill(9);
      }, {});
      const caller = (size) => sumAfter(callback, new Uint8Array(size).fill(1), size);
      h.optimize(caller, () => caller(1 << 10));
      calls = 1000;
      for (let i = 0; i < ${byScale(4, 10)}; i++) {
        for (const size of [8, 64, 1000, 1 << 22]) {
          if (caller(size) !== BigInt(size)) throw new Error('the memory changed: ' + size);
        }
      }
      console.log('alive');
    `);
    assert.equal(stdout, 'alive');
  });

  test('everything works where code generation from strings is forbidden', async () => {
    const stdout = await runs(
      `
      const { add_i32: add, identity_i64: identity, call_i32: call } = h.bind({
        add_i32: { args: ['i32', 'i32'], returns: 'i32' },
        identity_i64: { args: ['i64'], returns: 'i64' },
        call_i32: { args: ['function', 'i32'], returns: 'i32' },
      });
      const mixed = h.bindOne('mixed_9', ['i32', 'f64', 'u8', 'f32', 'i64', 'i16', 'ptr', 'bool', 'u64'], 'cstring');
      const callback = new ffi.JSCallback((value) => value * 2, { args: ['i32'], returns: 'i32' });
      let sum = 0;
      for (let i = 0; i < 20_000; i++) sum += add(i, 1);
      console.log(sum, identity(-5n), call(callback, 21), mixed(1, 2, 3, 4, 5, 6, null, true, 8),
        h.outcome(() => add('x', 1)), h.outcome(() => add(1)), h.outcome(() => new Function('1')));
    `,
      { flags: ['--disallow-code-generation-from-strings'] },
    );
    assert.equal(
      stdout,
      '200010000 -5n 42 i32=1;f64=2.000000;u8=3;f32=4.000000;i64=5;i16=6;ptr=0;bool=1;u64=8; ' +
        'ERR_INVALID_ARG_TYPE ERR_INVALID_ARG_VALUE EvalError: Code generation from strings disallowed for this context',
    );
  });

  test('a hundred thousand calls neither leak nor slow to a stop', () => {
    const { add_i32: add, identity_cstring: string } = bind(declarations);
    collect();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < 100_000; i++) {
      if (add(i, 1) !== i + 1) assert.fail(`add_i32(${i}, 1)`);
      if (string('some text that is longer than a few bytes') === null) assert.fail('a string was lost');
    }
    collect();
    assert.ok(process.memoryUsage.rss() - before < 100e6, `grew by ${process.memoryUsage.rss() - before} bytes`);
  });
});

test("types can be given by bun's numeric tags", () => {
  assert.equal(bindOne('add_i32', [FFIType.i32, FFIType.i32], FFIType.i32)(40, 2), 42);
  assert.equal(bindOne('identity_cstring', [FFIType.cstring], FFIType.cstring)('text'), 'text');
  assert.equal(bindOne('do_nothing', [], FFIType.void)(), undefined);
  assert.equal(
    bindOne('measure_buffer', [FFIType.buffer, FFIType.buffer_length], FFIType.u64)(Buffer.alloc(3), Buffer.alloc(3)),
    3n,
  );
});

test('a global variable is read through the ptr of its symbol', () => {
  const {
    global_i32: global,
    get_global_i32: get,
    set_global_i32: set,
  } = bind({
    global_i32: {},
    get_global_i32: { returns: 'i32' },
    set_global_i32: { args: ['i32'] },
  });
  assert.equal(read.i32(global.ptr), get());
  set(1234);
  assert.equal(read.i32(global.ptr), 1234);
  set(42);
});
