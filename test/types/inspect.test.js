'use strict';
// How values and types look in util.inspect, in JSON and as text; misspelt fields of views.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect, isDeepStrictEqual } = require('node:util');
const v8 = require('node:v8');
const { ffi, throws } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const { struct, union, array, ptr } = ffi;

const Point = struct({ x: 'f64', y: 'double' }, { name: 'Point' });
const Item = struct(
  {
    count: 'size_t',
    name: array('char', 8),
    label: 'cstring',
    at: Point,
    codes: array('short', 3),
    call: ffi.fn({ args: ['int'] }),
  },
  { name: 'Item' },
);
const makeItem = () =>
  Item.alloc({ count: 3n, name: 'abc', label: 'text', at: { x: 1, y: 2 }, codes: [7, 8, 9], call: null });

describe('util.inspect', () => {
  test('util.inspect() shows the fields and values of a view', () => {
    const point = Point.alloc({ x: 1, y: 2 });
    assert.equal(inspect(point), 'Point { x: 1, y: 2 }');
    assert.equal(inspect({ nested: [point] }), '{ nested: [ Point { x: 1, y: 2 } ] }');
    assert.equal(inspect(Point.view(ptr(point))), 'Point { x: 1, y: 2 }');
    assert.equal(inspect({ a: { b: { c: point } } }), '{ a: { b: { c: [Point] } } }');
    const flat = inspect(makeItem(), { breakLength: Infinity });
    assert.match(
      flat,
      /^Item \{ count: 3n, name: 'abc', label: .*, at: \{ x: 1, y: 2 \}, codes: \[ 7, 8, 9 \], call: <NULL> \}$/,
    );
    assert.equal(inspect(array('short', 3).alloc([1, 2, 3])), 'short[3] [ 1, 2, 3 ]');
    assert.match(inspect(array('int', 2000).alloc()), /\.\.\. 1901 more/);
  });

  test('util.inspect() shows the text behind a pointer', { skip: onlyOn('linux') }, () => {
    assert.match(inspect(makeItem()), /label: 'text'/);
    const Wide = struct({ wide: 'wstring', narrow: 'utf16' }, { name: 'Wide' });
    assert.equal(inspect(Wide.alloc({ wide: 'grüß 🙂', narrow: 'dich' })), "Wide { wide: 'grüß 🙂', narrow: 'dich' }");
    assert.match(inspect(Item.alloc()), /label: null/);
  });

  test('util.inspect() shows the address of a pointer that leads nowhere', { skip: onlyOn('linux') }, () => {
    const item = makeItem();
    ffi.write.u64(ptr(item), ffi.offsetof(Item, 'label'), 0xdead0000);
    assert.match(inspect(item), /label: <0xdead0000>/);
    const view = () => Point.view(0x10000);
    // The guard refuses the view itself.
    if (process.env.PINNED_FFI_GUARD === '1') throws(view, 'ERR_FFI_INVALID_POINTER', /must be the address of/);
    else assert.equal(inspect(view()), 'Point <memory that is not mapped>');
  });

  test('util.inspect() follows no pointer of a union, of which any field may be garbage', () => {
    const Value = union({ number: 'f64', text: 'cstring' }, { name: 'Value' });
    const value = Value.alloc({ number: 1.5 });
    assert.equal(inspect(value), 'Value { number: 1.5, text: <0x3ff8000000000000> }');
    assert.equal(JSON.stringify(value), '{"number":1.5,"text":"4609434218613702656"}');
  });

  test('util.inspect() shows types', () => {
    assert.equal(inspect(Point), 'struct Point { x: f64, y: double } 16 bytes');
    assert.equal(inspect(union({ a: 'int', b: 'i8' })), 'union { a: int, b: i8 } 4 bytes');
    assert.equal(inspect(array('short', 2)), 'short[2] 4 bytes');
    assert.equal(inspect(ffi.pointer('int')), `pointer(int) ${ffi.sizeof('ptr')} bytes`);
    assert.equal(inspect(ffi.opaque('FILE')), `opaque FILE ${ffi.sizeof('ptr')} bytes`);
    assert.equal(
      inspect(ffi.enumeration({ ON: 1, OFF: 0 }, { name: 'Switch', type: 'u8' })),
      'enumeration Switch { ON: 1, OFF: 0 } 1 byte',
    );
  });

  test('util.inspect() shows libraries with their functions and state, and functions with their types', async () => {
    const library = ffi.dlopen('m', { pow: { args: ['double', 'double'], returns: 'double' } });
    assert.match(inspect(library), /^Library ".*libm.*" \{ pow \}$/);
    assert.equal(inspect(library.symbols.pow), '[Function: pow(double, double) => double]');
    assert.equal(String(library.symbols.pow), 'function pow(double, double) => double { [native code] }');
    assert.deepEqual(JSON.parse(JSON.stringify(library)), { path: library.path, open: true, symbols: ['pow'] });
    const thread = library.thread();
    assert.equal(inspect(thread), 'LibraryThread { pow }');
    thread.close();
    assert.equal(inspect(thread), 'LibraryThread closed { pow }');
    library.close();
    assert.match(inspect(library), /^Library ".*" closed \{ pow \}$/);
    assert.equal(inspect(ffi.dlopen(null, {})), 'Library of this process {}');
  });

  test('util.inspect() shows callbacks with their types and state', () => {
    const callback = new ffi.JSCallback(() => 0, { args: ['ptr', 'int'], returns: 'int' });
    assert.equal(inspect(callback), `JSCallback (ptr, int) => int <0x${callback.ptr.toString(16)}>`);
    callback.close();
    assert.equal(inspect(callback), 'JSCallback (ptr, int) => int <closed>');
    assert.equal(JSON.stringify(callback), '{"signature":"(ptr, int) => int","ptr":null}');
  });

  test('util.inspect() shows pins', () => {
    const held = ffi.pin(new Uint8Array(16));
    assert.equal(inspect(held), `Pin <0x${held.ptr.toString(16)}, 16 bytes>`);
    held.release();
    assert.equal(inspect(held), 'Pin <released>');
  });

  test('util.inspect() shows handles with their address, and what has ended them', () => {
    const Block = ffi.opaque('Block', { free: 'free' });
    const { malloc, free } = ffi.dlopen(null, {
      malloc: { args: ['size_t'], returns: Block },
      free: { args: [Block] },
    }).symbols;
    const block = malloc(8);
    const address = `0x${block.ptr.toString(16)}`;
    assert.equal(inspect(block), `Block <${address}>`);
    assert.deepEqual(JSON.parse(JSON.stringify(block)), { type: 'Block', ptr: Number(block.ptr), endedBy: null });
    free(block);
    assert.equal(inspect(block), `Block <${address}, ended by free>`);
  });
});

describe('structuredClone', () => {
  const message = (value) => {
    try {
      structuredClone(value);
    } catch (error) {
      assert.equal(error.name, 'DataCloneError');
      return error.message;
    }
    return assert.fail('was cloned');
  };

  test('structuredClone() refuses views, handles and pins, of which nothing would arrive', () => {
    assert.match(message(Point.alloc()), /Point.* could not be cloned/);
    assert.match(message({ points: [array(Point, 2).alloc()] }), /ArrayView.* could not be cloned/);
    assert.match(message(Point.view(ptr(Point.alloc()))), /Point.* could not be cloned/);
    const pinned = ffi.pin(new Uint8Array(8));
    assert.match(message(pinned), /Pin.* could not be cloned/);
    pinned.release();
    const Block = ffi.opaque('Block', { free: 'free' });
    const { symbols } = ffi.dlopen(null, { malloc: { args: ['size_t'], returns: Block }, free: { args: [Block] } });
    const block = symbols.malloc(8);
    assert.match(message(block), /Handle.* could not be cloned/);
    symbols.free(block);
  });

  test('structuredClone() refuses types, globals and functions, and the error says what a worker does instead', () => {
    assert.match(message(Point), /^#<Aggregate> could not be cloned/);
    assert.match(message({ type: ffi.pointer(Point) }), /^#<DeclaredType> could not/);
    const library = ffi.dlopen(null, 'int abs(int n); int snprintf(char *, size_t, const char *, ...);');
    const { abs, snprintf } = library.symbols;
    for (const [call, types] of [
      [abs, / i32\(i32\)/],
      [snprintf, /./],
      [abs.async, / i32\(i32\)/],
      [abs.async.with({ timeout: 10 }), /./],
    ]) {
      const text = message({ call });
      assert.match(
        text,
        /^(async )?function \(?\/\* C function of pinned-ffi: a worker must open the library itself\. .*could not be cloned/s,
      );
      assert.match(text, types);
    }
    // Nothing of the source but that comment.
    assert.match(message(abs), / i32\(i32\) \*\/ +\.\.\.<omitted>/);
    assert.match(message(ffi.group('g')), /^#<Group> could not be cloned/);
    assert.match(message(ffi.dlopen), /a worker must load the package itself/);
  });

  test('comparisons tell handles, pins, callbacks, types and libraries apart', () => {
    const { deepEqual, notDeepEqual, notDeepStrictEqual } = require('node:assert');
    const Block = ffi.opaque('Block', { free: 'free' });
    const { symbols } = ffi.dlopen(null, { malloc: { args: ['size_t'], returns: Block }, free: { args: [Block] } });
    const blocks = [symbols.malloc(8), symbols.malloc(8)];
    const callbacks = [1, 2].map(() => new ffi.JSCallback(() => 1, { returns: 'int' }));
    const pins = [ffi.pin(Buffer.alloc(8)), ffi.pin(Buffer.alloc(8))];
    const types = [Point, ffi.struct({ z: 'f32', w: 'i32' }, { name: 'Point' })];
    for (const [one, other] of [blocks, callbacks, pins, types]) {
      deepEqual(one, one);
      notDeepEqual(one, other);
      notDeepStrictEqual(one, other);
      assert.notEqual(String(one), String(other));
    }
    assert.match(String(blocks[0]), /^\[object Block <0x[0-9a-f]+>\]$/);
    assert.match(String(ffi.dlopen(null, 'int abs(int);')), /Library of this process \{ abs \}/);
    blocks.forEach((block) => symbols.free(block));
    for (const each of callbacks) each.close();
    for (const each of pins) each.release();
  });

  test('functions have the names that programs call them by', () => {
    const { abs } = ffi.dlopen(null, 'int abs(int);').symbols;
    assert.equal(inspect(abs.async), '[AsyncFunction: abs]');
    assert.equal(String(abs.async), 'function abs.async() { [native code] }');
    assert.equal(inspect(ffi.fn('int (*)(const void *, size_t)')), 'fn (ptr, size_t) => int');
    for (const name of ['i32', 'int', 'cstring', 'unsigned char'])
      assert.deepEqual([ffi.read[name].name, ffi.write[name].name], [`read.${name}`, `write.${name}`]);
    assert.equal(ffi.read.name, 'read');
    assert.equal(
      inspect(ffi.cdef('int abs(int);'), { compact: true, breakLength: 100 }),
      "cdef { types: [], constants: {}, symbols: [ 'abs' ] }",
    );
  });

  test('views of arrays have the methods of arrays that read them', () => {
    const numbers = array('i32', 3).alloc([3, 1, 2]);
    assert.deepEqual(
      numbers.map((value) => value * 2),
      [6, 2, 4],
    );
    assert.deepEqual(
      [numbers.filter((value) => value > 1), numbers.slice(1), numbers.join('-')],
      [[3, 2], [1, 2], '3-1-2'],
    );
    assert.deepEqual([numbers.includes(2), numbers.indexOf(9), numbers.reduce((a, b) => a + b)], [true, -1, 6]);
    numbers.forEach((value, i, all) => (all[i] = -value));
    assert.deepEqual(numbers.toArray(), [-3, -1, -2]);
    const points = array(Point, 2).alloc([
      { x: 1, y: 2 },
      { x: 3, y: 4 },
    ]);
    const found = points.find(({ x }) => x === 3);
    found.y = 5;
    assert.equal(points[1].y, 5);
  });

  test('structuredClone() copies what read() returns', () => {
    assert.deepEqual(structuredClone(Point.read(Point.alloc({ x: 1, y: 2 }))), { x: 1, y: 2 });
  });
});

test('groups print their name, and globals their type as it was declared', () => {
  assert.equal(inspect(ffi.group('codecs', { timeout: 5 })), 'Group "codecs"');
  assert.equal(JSON.stringify(ffi.group('codecs')), '{"name":"codecs"}');
  const optind = ffi.dlopen(null).global('optind', 'int');
  assert.match(inspect(optind), /^Global int optind </);
  throws(() => (optind.value = 'x'), 'ERR_INVALID_ARG_TYPE', /^optind: value must be an integer .* \(int\), received/);
});

describe('JSON.stringify', () => {
  test(
    'JSON.stringify(), String() and inspect() of memory that is not mapped do not end the process',
    { skip: onlyOn('linux', 'viewsAnywhere') },
    () => {
      const { mmap, munmap } = ffi.dlopen(null, {
        mmap: { args: ['ptr', 'size_t', 'int', 'int', 'int', 'i64'], returns: 'usize' },
        munmap: { args: ['usize', 'size_t'] },
      }).symbols;
      const page = 65_536;
      const start = Number(mmap(null, 2 * page, 3, 0x22, -1, 0));
      const end = start + page;
      munmap(end, page);
      const Named = struct({ name: 'cstring', wide: 'wstring' }, { name: 'Named' });
      const Counted = struct({ count: 'u32', items: array('f64', 'count') }, { name: 'Counted' });
      const nowhere = [
        Named.view(end),
        array(Named, 2).view(end - 8),
        array('char', 9).view(end - 8),
        Counted.view(end),
      ];
      ffi.write.u32(start, page - 8, 1_000_000);
      nowhere.push(Counted.view(end - 8));
      for (const view of nowhere) {
        throws(() => JSON.stringify(view), 'ERR_FFI_INVALID_POINTER', /\.toJSON: ptr must be the address of/);
        assert.match(inspect(view), /<memory that is not mapped>$/);
      }
      throws(() => String(array('char', 9).view(end)), 'ERR_FFI_INVALID_POINTER', /\.toString: ptr must be/);
      // Texts that are not mapped, and one that has no end.
      ffi.write.bytes(start, page - 3, Buffer.from('abc'));
      const named = Named.alloc();
      for (const address of [end, end - 3]) {
        ffi.write.u64(ptr(named), 0, address);
        assert.deepEqual(JSON.parse(JSON.stringify(named)), { name: address, wide: null });
      }
      munmap(start, page);
    },
  );

  test('JSON.stringify() has the values of a view, with BigInts as numbers where they are exact', () => {
    const json = JSON.stringify(makeItem());
    assert.equal(
      json,
      '{"count":3,"name":[97,98,99,0,0,0,0,0],"label":"text","at":{"x":1,"y":2},"codes":[7,8,9],"call":null}',
    );
    const Big = struct({ big: 'u64' });
    assert.equal(JSON.stringify(Big.alloc({ big: 2n ** 64n - 1n })), '{"big":"18446744073709551615"}');
  });
});

describe('a view as text', () => {
  test('a view as text is the text of an array of characters', () => {
    assert.equal(String(makeItem().name), 'abc');
    assert.equal(`${array('char', 4).alloc('grün'.slice(0, 3))}`, 'grü');
    assert.equal(String(array('wchar_t', 8).alloc('weit')), 'weit');
    assert.equal(String(array('char16_t', 8).alloc('weit')), 'weit');
    assert.equal(String(array('char32_t', 2).alloc('🙂')), '🙂');
  });

  test('a view of other elements as text is the text of an array', () => {
    assert.equal(String(array('int', 3).alloc([1, 2, 3])), '1,2,3');
  });
});

describe('a field that a struct does not have', () => {
  const point = Point.alloc({ x: 1, y: 2 });
  const item = makeItem();

  test('a field that a struct does not have cannot be written, in sloppy code neither', () => {
    throws(() => (point.z = 3), 'ERR_INVALID_ARG_VALUE', /^Point has no field 'z'\. Did you mean 'x'\?$/);
    throws(() => (item.nmae = 'x'), 'ERR_INVALID_ARG_VALUE', /Did you mean 'name'\?/);
    throws(() => (item.unrelated = 1), 'ERR_INVALID_ARG_VALUE', /it has count, name, label, at, codes, call$/);
    throws(() => (item.codes.lenght = 1), 'ERR_INVALID_ARG_VALUE', /Did you mean 'length'\?/);
    const sloppy = new Function('view', 'view.labl = null;');
    throws(() => sloppy(item), 'ERR_INVALID_ARG_VALUE', /Did you mean 'label'\?/);
  });

  test('a field that a struct does not have cannot be read where it resembles one that there is', () => {
    throws(() => point.z, 'ERR_INVALID_ARG_VALUE', /Did you mean 'x'\?/);
    throws(() => point.X, 'ERR_INVALID_ARG_VALUE', /Did you mean 'x'\?/);
    throws(() => item.nmae, 'ERR_INVALID_ARG_VALUE', /Did you mean 'name'\?/);
    throws(() => item.Count, 'ERR_INVALID_ARG_VALUE', /Did you mean 'count'\?/);
    throws(() => item.codes.lenght, 'ERR_INVALID_ARG_VALUE', /Did you mean 'length'\?/);
  });

  test('a field that a struct does not have is undefined for what programs ask of any object', async () => {
    const Asked = struct({ the: 'int', thn: 'int', on_: 'int', sizes: 'int', lengths: 'int', node_type: 'int' });
    const asked = Asked.alloc();
    for (const key of ['then', 'toJSON', 'on', 'size', 'length', 'nodeType', 'asymmetricMatch', '$$typeof', 'inspect'])
      assert.ok(['undefined', 'function'].includes(typeof asked[key]), key);
    assert.equal(await asked, asked);
    assert.equal(await Promise.resolve(point), point);
    assert.equal(point[Symbol.toStringTag], 'Point');
    assert.equal(point[Symbol('any')], undefined);
    assert.equal(point.pipe, undefined);
    assert.equal('z' in point, false);
    assert.equal(Object.prototype.hasOwnProperty.call(point, 'z'), false);
    assert.equal(Object.hasOwn(point, 'x'), false);
    assert.equal(typeof point.toString(), 'string');
  });

  test('a field that a struct does not have leaves comparisons of views as they are: by their bytes, or by the address', () => {
    assert.deepEqual(Point.alloc({ x: 1, y: 2 }), Point.alloc({ x: 1, y: 2 }));
    assert.notDeepEqual(Point.alloc({ x: 1, y: 2 }), Point.alloc({ x: 1, y: 3 }));
    assert.notDeepEqual(array('int', 1).alloc([1]), array('int', 1).alloc([2]));
    const [first, second] = [Point.view(ptr(point)), Point.view(ptr(point))];
    for (let i = 0; i < 20; i += 1) assert.equal(first.x, 1);
    assert.ok(isDeepStrictEqual(first, second));
    assert.ok(!isDeepStrictEqual(first, Point.view(ptr(Point.alloc()))));
  });
});

describe('a view at an address', () => {
  test('a view at an address reads and writes the same before and after it has a DataView', () => {
    const memory = makeItem();
    const view = Item.view(ptr(memory));
    for (let i = 0; i < 30; i += 1) {
      view.count = i;
      assert.equal(memory.count, BigInt(i));
      view.at.x = i / 2;
      assert.equal(memory.at.x, i / 2);
      view.codes[1] = i;
      assert.deepEqual([...view.codes], [7, i, 9]);
      assert.equal(view.label, 'text');
      assert.deepEqual(Item.read(view).at, { x: i / 2, y: 2 });
    }
    assert.equal(ptr(view), ptr(memory));
    assert.deepEqual(Point.read(view.at), { x: 14.5, y: 2 });
    throws(() => (view.label = 'a string that is not retained'), 'ERR_INVALID_ARG_TYPE', /an address/);
    throws(() => (view.count = -1), 'ERR_OUT_OF_RANGE', /^Item: field count must be .*\(size_t\)/);
  });
});

describe('pin', () => {
  test('pin() holds the memory of a struct view', () => {
    const item = makeItem();
    const held = ffi.pin(item);
    assert.equal(held.ptr, ptr(item));
    assert.equal(held.byteLength, Item.size);
    held.release();
    throws(() => ffi.pin(Item.view(ptr(item))), 'ERR_INVALID_ARG_TYPE', /memory at an address/);
  });
});

describe('copies of values that belong to this process', () => {
  const koffi = require('../../koffi.js');
  const nodeFfi = require('../../node-ffi.js');
  const bun = require('../../bun.js');
  const make = () => {
    const library = ffi.dlopen(null, {
      abs: { args: ['int'], returns: 'int' },
      malloc: { args: ['size_t'], returns: ffi.opaque('Memory', { free: 'free' }) },
      free: { args: ['ptr'] },
    });
    const NumberOf = koffi.union('NumberOf', { i: 'int', f: 'float' });
    const union = new koffi.Union(NumberOf);
    union.i = 5;
    class Derived extends ffi.JSCallback {}
    return {
      library,
      thread: library.thread(),
      handle: library.symbols.malloc(8),
      pin: ffi.pin(Buffer.alloc(8)),
      struct: Point.alloc(),
      array: array('int', 2).alloc(),
      callback: new ffi.JSCallback(() => 1, { returns: 'int' }),
      derived: new Derived(() => 1, { returns: 'int' }),
      'callback of bun': new bun.JSCallback(() => 1, { returns: 'int' }),
      set: ffi.cdef('struct point { int x; }; enum { ONE = 1 }; int abs(int);'),
      'library of koffi': koffi.load(null),
      'union of koffi': union,
      'library of node:ffi': new nodeFfi.DynamicLibrary(null),
    };
  };

  test('copies of values that belong to this process are refused, and the error names the class', () => {
    const values = make();
    for (const [name, value] of Object.entries(values)) {
      for (const copy of [structuredClone, (each) => v8.serialize(each)]) {
        assert.throws(() => copy(value), /^\w*Error: (#<\w+>|\[object \w+\]) could not be cloned\.$/, name);
        assert.throws(() => copy(value), /^(?!.*(?:Generator|Object>))/, name);
      }
    }
    const { derived, 'callback of bun': ofBun } = values;
    assert.deepEqual([derived.constructor.name, derived instanceof ffi.JSCallback], ['Derived', true]);
    assert.ok(ofBun instanceof bun.JSCallback && ofBun instanceof ffi.JSCallback);
    for (const each of [values.callback, derived, ofBun, values.library]) each.close();
  });

  test('sets of declarations and unions of koffi show what is in them', () => {
    const set = ffi.cdef('struct point { int x; }; enum { ONE = 1 }; int abs(int);');
    const shown = inspect(set, { breakLength: Infinity }).replace('[Object: null prototype] ', '');
    assert.equal(shown, "cdef { types: [ 'struct point' ], constants: { ONE: 1 }, symbols: [ 'abs' ] }");
    assert.equal(JSON.stringify(set), '{"types":["struct point"],"constants":{"ONE":1},"symbols":["abs"]}');
    const union = new koffi.Union(koffi.union('Other', { i: 'int', f: 'float' }));
    union.i = 5;
    assert.deepEqual([inspect(union), JSON.stringify(union)], ['Other { i: 5 }', '{"i":5}']);
  });
});
