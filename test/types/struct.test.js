'use strict';
// struct, union and array: by value, behind pointers, as views, and declared again and again.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws, gc, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const { struct, union, array, pointer, fn, sizeof, alignof, offsetof, ptr, JSCallback } = ffi;

const Point = struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
const Node = struct({ value: 'i32', text: 'cstring', data: 'ptr', next: pointer(() => Node) }, { name: 'Node' });
const { symbols: c } = ffi.cc({
  source: `#include <string.h>
typedef struct { double x, y; } Point;
typedef struct Node { int value; const char *text; unsigned char *data; struct Node *next; } Node;
double sum(Point p) { return p.x + p.y; }
int length(Node n) { return strlen(n.text) + (n.data ? n.data[0] : 0); }
int total(const Node *n) { int all = 0; for (; n; n = n->next) all += n->value; return all; }
Point call(Point (*f)(Point), Point p) { return f(p); }
typedef struct { double a; long long b; Point c; } Wide;
Wide widen(Wide w, void (*f)(Wide), const char *text) {
  Wide r = { w.a + 1, w.b + (text ? (long long)strlen(text) : 0), { w.c.y, w.c.x } };
  f(r);
  return r;
}
typedef struct { long long i; double f; } Mixed;
Mixed squeeze(int a, int b, int c, int d, int e, Mixed first, int f, Mixed second, double g, Point last) {
  Mixed r = { a + b + c + d + e + f + first.i * 10 + second.i * 100, first.f + second.f + g + last.x + last.y };
  return r;
}
void overflow(Point *p) { p[1].x = 1; }
struct { int value; int (*add)(int, int); } operation;
static int add(int a, int b) { return a + b; }
typedef struct { int bias; int (*add)(int, int); } Operation;
Operation make(void) { Operation o = { 5, add }; return o; }
int run(Operation o) { return o.add ? o.add(o.bias, 7) : -1; }`,
  symbols: {
    sum: { args: [Point], returns: 'f64' },
    length: { args: [Node], returns: 'int' },
    total: { args: [pointer(Node)], returns: 'int' },
    call: { args: ['function', Point], returns: Point },
    widen: {},
    squeeze: {},
    overflow: { args: [pointer(Point)] },
    make: { returns: struct({ bias: 'int', add: fn({ args: ['int', 'int'], returns: 'int' }) }) },
    run: {
      args: [struct({ bias: 'int', add: fn({ args: ['int', 'int'], returns: 'int' }) }, { name: 'Operation' })],
      returns: 'int',
    },
  },
});

const Wide = struct({ a: 'f64', b: 'i64_fast', c: Point }, { name: 'Wide' });
const Mixed = struct({ i: 'i64_fast', f: 'f64' }, { name: 'Mixed' });

describe('a struct by value', () => {
  const { symbols } = ffi.linkSymbols({
    widen: { ptr: c.widen.ptr, args: [Wide, 'function', 'ptr'], returns: Wide },
    widenText: { ptr: c.widen.ptr, args: [Wide, 'function', 'cstring'], returns: Wide },
    squeeze: {
      ptr: c.squeeze.ptr,
      args: ['i32', 'i32', 'i32', 'i32', 'i32', Mixed, 'i32', Mixed, 'f64', Point],
      returns: Mixed,
    },
  });

  test('a struct by value that comes back through memory is not disturbed by what a callback calls meanwhile', async () => {
    const seen = [];
    const callback = new JSCallback(
      (wide) => {
        seen.push(
          wide,
          c.sum({ x: 100, y: 200 }),
          symbols.squeeze(9, 9, 9, 9, 9, { i: 9, f: 9 }, 9, { i: 9, f: 9 }, 9, { x: 9, y: 9 }).f,
        );
      },
      { args: [Wide] },
    );
    const given = { a: 1, b: 2, c: { x: 3, y: 4 } };
    const wanted = { a: 2, b: 2, c: { x: 4, y: 3 } };
    assert.deepEqual(symbols.widen(given, callback, null), wanted);
    assert.deepEqual(symbols.widenText(given, callback, 'three'), { ...wanted, b: 7 });
    assert.deepEqual(await symbols.widenText.async(given, callback, 'a text of its own'), { ...wanted, b: 19 });
    assert.deepEqual(
      seen.filter((_, i) => i % 3 === 0),
      [wanted, { ...wanted, b: 7 }, { ...wanted, b: 19 }],
    );
    assert.deepEqual(
      seen.filter((_, i) => i % 3 > 0),
      [300, 45, 300, 45, 300, 45],
    );
    callback.close();
  });

  test('a struct by value is in registers or on the stack as a whole, and what follows still has the registers that are left', () => {
    const call = () => symbols.squeeze(1, 2, 3, 4, 5, { i: 6, f: 0.5 }, 7, { i: 8, f: 0.25 }, 2, { x: 3, y: 4 });
    for (let i = 0; i < 20; i++) assert.deepEqual(call(), { i: 882, f: 9.75 });
  });
});

describe('a struct', () => {
  test('a struct has the size, alignment and offsets of C', () => {
    const Mixed = struct({ a: 'u8', b: 'i64', c: array('u16', 3), d: Point });
    assert.deepEqual([sizeof(Mixed), alignof(Mixed), Mixed.size, Mixed.align], [40, 8, 40, 8]);
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((field) => offsetof(Mixed, field)),
      [0, 8, 16, 24],
    );
    assert.deepEqual([sizeof('i32'), alignof('f64'), sizeof(pointer(Point))], [4, 8, 8]);
    throws(() => offsetof(Mixed, 'e'), 'ERR_INVALID_ARG_VALUE', /one of a, b, c, d/);
    throws(() => offsetof('i32', 'a'), 'ERR_INVALID_ARG_TYPE');
  });

  test('a struct goes in as a plain object and comes out as one', () => {
    assert.equal(c.sum({ x: 1, y: 2, ignored: true }), 3);
    const callback = new JSCallback(({ x, y }) => ({ x: y, y: x }), { args: [Point], returns: Point });
    const swapped = c.call(callback, { x: 1, y: 2 });
    assert.deepEqual(swapped, { x: 2, y: 1 });
    assert.equal(Object.getPrototypeOf(swapped), Object.prototype);
    callback.close();
  });

  test('a struct names the place of what it refuses', () => {
    throws(
      () => c.sum({ x: 1, y: '2' }),
      'ERR_INVALID_ARG_TYPE',
      /^sum: argument 0: field y must be a number \(f64\), received the string '2'; did you mean 2\?$/,
    );
    throws(() => c.sum({ x: 1 }), 'ERR_INVALID_ARG_TYPE', /field y must be a number \(f64\), received undefined/);
    throws(() => c.sum(3), 'ERR_INVALID_ARG_TYPE', /^sum: argument 0 must be an object \(Point\), received 3$/);
    const Deep = struct({ list: array(struct({ p: Point }), 2) }, { name: 'Deep' });
    throws(
      () => Deep.alloc({ list: [{ p: { x: 1, y: 2 } }, { p: { x: 1, y: null } }] }),
      'ERR_INVALID_ARG_TYPE',
      /value: field list\[1\]\.p\.y must be/,
    );
    const callback = new JSCallback(() => ({ x: 1, y: 'no' }), { args: [Point], returns: Point });
    throws(
      () => c.call(callback, { x: 1, y: 2 }),
      'ERR_INVALID_ARG_TYPE',
      /JSCallback: return value: field y must be a number/,
    );
    callback.close();
  });

  test('a struct reads getters before it writes, even where they call C', () => {
    const tricky = {
      get x() {
        c.sum({ x: 100, y: 100 });
        return 1;
      },
      get y() {
        return 2;
      },
    };
    assert.equal(c.sum(tricky), 3);
    assert.throws(
      () =>
        c.sum({
          x: 1,
          get y() {
            throw new RangeError('mine');
          },
        }),
      /^RangeError: mine$/,
    );
  });

  test('a struct keeps strings and views of its fields for the call', async () => {
    const before = () => c.length({ value: 0, text: 'héllo'.repeat(20), data: Uint8Array.of(200), next: null });
    assert.equal(before(), 320);
    await gc();
    for (let i = 0; i < 1000; i += 1) assert.equal(before(), 320);
    throws(
      () => c.length({ value: 0, text: 'a\0b', data: null, next: null }),
      'ERR_INVALID_ARG_VALUE',
      /field text must be a string without NUL/,
    );
    throws(
      () => c.length({ value: 0, text: 'a', data: new Uint8Array(0), next: null }),
      'ERR_INVALID_ARG_VALUE',
      /field data must be of more than 0 bytes/,
    );
  });

  test('a struct holds function pointers: callable ones from C, plain functions to C', () => {
    assert.equal(c.make().add(20, 22), 42);
    assert.equal(c.run({ bias: 5, add: (a, b) => a * b }), 35);
    assert.equal(c.run(c.make()), 12);
    assert.equal(c.run({ bias: 5, add: null }), -1);
  });

  test('a struct works where code generation is disallowed', async () => {
    const out = await runs(
      `
      const P = ffi.struct({ x: 'f64', n: 'i8', list: ffi.array('i16', 2) });
      const view = P.alloc({ x: 1.5, n: 3, list: [4, 5] });
      view.n += 1; view.list[1] = 9;
      const { symbols } = ffi.dlopen(null, { div: { args: ['int', 'int'], returns: ffi.struct({ q: 'int', r: 'int' }) },
        qsort: { args: ['ptr', 'size_t', 'size_t', ffi.fn({ args: ['ptr', 'ptr'], returns: 'int' })] } });
      const list = Int32Array.of(3, 1, 2);
      symbols.qsort(list, 3, 4, (a, b) => ffi.read.i32(a) - ffi.read.i32(b));
      console.log(JSON.stringify([P.read(view), symbols.div(7, 2), [...list]]));
    `,
      { flags: ['--disallow-code-generation-from-strings'] },
    );
    assert.deepEqual(JSON.parse(out), [{ x: 1.5, n: 4, list: [4, 9] }, { q: 3, r: 1 }, [1, 2, 3]]);
  });
});

describe('a live view of a struct', () => {
  test('a live view of a struct reads and writes native memory, nested and by address', () => {
    const Line = struct({ from: Point, to: Point }, { name: 'Line' });
    const line = Line.alloc();
    line.from = { x: 1, y: 2 };
    line.to.x = 3;
    const same = Line.view(ptr(line));
    assert.deepEqual([same.from.x, same.from.y, same.to.x], [1, 2, 3]);
    same.to.y = 4;
    assert.deepEqual(Line.read(line), { from: { x: 1, y: 2 }, to: { x: 3, y: 4 } });
    Line.write(ptr(line), { from: line.to, to: { x: 0, y: 0 } });
    assert.deepEqual(Line.read(ptr(line)), { from: { x: 3, y: 4 }, to: { x: 0, y: 0 } });
    assert.equal(Point.view(line, 16).x, 0);
    assert.equal(c.sum(line.from), 7);
  });

  test('a live view of a struct lies over any buffer that is large enough', () => {
    const bytes = Buffer.alloc(40);
    Point.view(bytes, 8).y = 0.5;
    assert.equal(bytes.readDoubleLE(16), 0.5);
    throws(
      () => Point.view(bytes, 32),
      'ERR_OUT_OF_RANGE',
      /Point.view: source needs at least 16 bytes from byteOffset on/,
    );
    throws(() => Point.view(bytes, -1), 'ERR_OUT_OF_RANGE');
    throws(() => Point.view(0), 'ERR_FFI_INVALID_POINTER');
    throws(() => Point.view('x'), 'ERR_INVALID_ARG_TYPE');
    throws(() => Point.view(new ArrayBuffer(16, { maxByteLength: 32 })), 'ERR_INVALID_ARG_VALUE', /fixed size/);
  });

  test('a live view of a struct links nodes, and keeps what its fields point to', async () => {
    let list = null;
    for (let i = 1; i <= 100; i += 1) {
      const node = Node.alloc({ value: i, text: `node ${i}`, data: null, next: null });
      if (list !== null) node.next = list;
      list = node;
    }
    await gc();
    assert.equal(c.total(list), 5050);
    assert.equal(list.text, 'node 100');
    throws(
      () => {
        Node.view(ptr(list)).text = 'not retained';
      },
      'ERR_INVALID_ARG_TYPE',
      /cannot retain a view or a string/,
    );
  });

  test('a live view of a struct is counted and fenced where it is passed', () => {
    throws(
      () => c.total(Buffer.alloc(31)),
      'ERR_OUT_OF_RANGE',
      /total: argument 0 needs at least 32 bytes \(Node\), received a Buffer of 31 bytes/,
    );
    throws(() => c.overflow(Point.alloc()), 'ERR_FFI_BUFFER_OVERFLOW');
  });
});

describe('a declaration of a struct', () => {
  test('a declaration of a struct refuses what C does not have', () => {
    throws(() => struct({}), 'ERR_INVALID_ARG_VALUE', /at least one/);
    throws(() => struct({ a: 'i23' }), 'ERR_INVALID_ARG_VALUE', /field a: unknown type 'i23'\. Did you mean 'i32'\?/);
    throws(() => struct({ a: 'void' }), 'ERR_INVALID_ARG_VALUE');
    throws(() => struct({ a: 'buffer' }), 'ERR_INVALID_ARG_VALUE');
    throws(() => struct({ a: ffi.out('i32') }), 'ERR_INVALID_ARG_VALUE');
    throws(() => struct(null), 'ERR_INVALID_ARG_TYPE');
    throws(() => struct({ a: 'i32' }, { pack: true }), 'ERR_INVALID_ARG_VALUE', /unknown key 'pack'/);
    throws(() => struct({ a: 'i32' }, { align: 3 }), 'ERR_OUT_OF_RANGE');
    throws(() => struct({ a: { type: 'f32', bits: 3 } }), 'ERR_INVALID_ARG_VALUE', /integer type/);
    throws(() => struct({ a: { type: 'u8', bits: 9 } }), 'ERR_OUT_OF_RANGE');
    throws(() => struct({ ['__proto__']: 'i32' }), 'ERR_INVALID_ARG_VALUE');
    throws(() => struct({ 7: 'i32' }), 'ERR_INVALID_ARG_VALUE', /must not be .* or numbers/);
    throws(() => array('i32', -1), 'ERR_OUT_OF_RANGE');
    throws(() => array('i32', 1.5), 'ERR_OUT_OF_RANGE');
    throws(() => struct({ a: array(array('u64', 2 ** 31), 2 ** 31) }), 'ERR_INVALID_ARG_VALUE', /larger than memory/);
    throws(
      () => array(Point, 2) && ffi.dlopen(null, { abs: { args: [array('i32', 2)] } }),
      'ERR_INVALID_ARG_VALUE',
      /address of an array/,
    );
  });

  test('a declaration of a struct takes any field name', () => {
    const Odd = struct({ constructor: 'i32', 'a "b"': 'i32', ptr: 'i32', toString: 'i32' });
    const value = { constructor: 1, 'a "b"': 2, ptr: 3, toString: 4 };
    assert.deepEqual(Odd.read(Odd.alloc(value)), value);
    const view = Odd.alloc(value);
    assert.deepEqual([view.constructor, view['a "b"'], view.ptr, view.toString], [1, 2, 3, 4]);
  });
});

describe('a union', () => {
  const Value = union({ i: 'i32', d: 'f64', text: 'cstring', p: Point }, { name: 'Value' });

  test('a union takes one field, and gives a view of a copy', () => {
    const view = Value.alloc({ d: 1.5 });
    const copy = Value.read(view);
    view.d = 2.5;
    assert.deepEqual([copy.d, view.d, view.p.x], [1.5, 2.5, 2.5]);
    throws(
      () => Value.alloc({ i: 1, d: 2 }),
      'ERR_INVALID_ARG_VALUE',
      /must have one of the fields i, d, text, p \(Value\), received i, d$/,
    );
    throws(() => Value.alloc({}), 'ERR_INVALID_ARG_VALUE', /received none/);
    throws(() => Value.alloc({ f: 1 }), 'ERR_INVALID_ARG_VALUE', /received f/);
    throws(() => Value.alloc({ i: 'x' }), 'ERR_INVALID_ARG_TYPE', /field i must be an integer/);
  });

  test('a union does not follow a pointer that is not one', () => {
    const Holder = struct({ kind: 'i32', value: Value });
    const read = Holder.read(Holder.alloc({ kind: 1, value: { i: 12345 } }));
    assert.equal(read.value.i, 12345);
  });
});

describe('an array', () => {
  test('an array is read, written and iterated live', () => {
    const points = array(Point, 3).alloc([
      { x: 1, y: 2 },
      { x: 3, y: 4 },
      { x: 5, y: 6 },
    ]);
    for (const point of points) point.x += 10;
    assert.deepEqual(
      points.toArray().map(({ x }) => x),
      [11, 13, 15],
    );
    points[1] = { x: 0, y: 0 };
    points.set(-1, { x: 7, y: 8 });
    assert.deepEqual([points.length, points[1].x, points.at(-1).y, points[3]], [3, 0, 8, undefined]);
    throws(() => points.at(3), 'ERR_OUT_OF_RANGE', /Point\[3\]\.at: index/);
    throws(() => points.set(0, { x: 1 }), 'ERR_INVALID_ARG_TYPE', /element \[0\]: field y/);
  });

  test('an array has each element as view[i], however long it is', () => {
    const length = 5000;
    const integers = array('i32', length).alloc();
    for (let i = 0; i < length; i += 1) integers[i] = i * 3;
    for (let i = 0; i < length; i += 1) assert.equal(integers[i], i * 3);
    assert.deepEqual(
      integers.toArray(),
      Array.from({ length }, (_, i) => i * 3),
    );
    assert.deepEqual(
      Array.prototype.map.call(integers, (value) => value / 3),
      Array.from({ length }, (_, i) => i),
    );

    const holder = struct({ before: 'u8', points: array(Point, 1500), after: 'u8' }).alloc();
    holder.points[1499] = { x: 1, y: 2 };
    holder.points[1200].y += 4;
    assert.deepEqual([holder.points[1499].x, holder.points[1200].y, holder.before, holder.after], [1, 4, 0, 0]);

    const texts = array('cstring', 1030).alloc();
    texts[1029] = 'last';
    const numbers = Int32Array.of(5, 6);
    const pointers = array(pointer('i32'), 1100).alloc();
    pointers[1099] = numbers;
    assert.deepEqual([texts[1029], texts[0], pointers[1099]], ['last', null, ptr(numbers)]);

    // What addresses give and a long array of arrays.
    const grid = array(array('u8', 3), 2000).alloc();
    const same = array(array('u8', 3), 2000).view(ptr(grid));
    same[1999][2] = 9;
    assert.equal(grid[1999][2], 9);
  });

  test('an array refuses to write an element that is not there, and has none to read', () => {
    for (const length of [1, 3, 1500]) {
      const view = array('i32', length).alloc();
      for (const index of [length, length + 1, 5000, 2 ** 32, -1, 1.5, NaN, Infinity]) {
        assert.equal(view[index], undefined);
        const message = new RegExp(
          `^i32\\[${length}\\]: the index of an element must be an integer from 0 to ${length - 1}, received ${index}$`,
        );
        throws(
          () => {
            view[index] = 7;
          },
          'ERR_OUT_OF_RANGE',
          message,
        );
      }
      assert.ok(view.toArray().every((value) => value === 0));
      assert.throws(() => {
        view.other = 1;
      }, TypeError);
      assert.throws(() => {
        view['01'] = 1;
      }, TypeError);
      assert.deepEqual(
        [view.other, view['01'], view[Symbol.iterator].name],
        [undefined, undefined, '[Symbol.iterator]'],
      );
    }
  });

  test('an array that is too large for JavaScript values is refused, and has a view', () => {
    const huge = ffi.array('char', 2 ** 25 + 1);
    const memory = Buffer.alloc(huge.size);
    memory[huge.size - 1] = 7;
    const error = throws(() => huge.read(memory), 'ERR_OUT_OF_RANGE', /char\[33554433\]: 33554433 bytes are too many/);
    assert.match(error.message, /use its view\(\)/);
    assert.equal(huge.view(memory).at(-1), 7);
    throws(() => ffi.array(ffi.array('u8', 2 ** 20), 2 ** 6).read(Buffer.alloc(2 ** 26)), 'ERR_OUT_OF_RANGE');
  });

  test('an array takes arrays, typed arrays and, for char, text', () => {
    const T = struct({ n: array('i32', 3), grid: array(array('u8', 2), 2), name: array('char', 5) });
    const value = T.read(
      T.alloc({
        n: Int32Array.of(1, 2, 3),
        grid: [
          [1, 2],
          [3, 4],
        ],
        name: 'né',
      }),
    );
    assert.deepEqual(value, {
      n: [1, 2, 3],
      grid: [
        [1, 2],
        [3, 4],
      ],
      name: [110, -61, -87, 0, 0],
    });
    throws(
      () => T.alloc({ ...value, n: [1, 2] }),
      'ERR_INVALID_ARG_VALUE',
      /field n must be an array of 3 \(i32\[3\]\)/,
    );
    throws(() => T.alloc({ ...value, name: 'sixsix' }), 'ERR_INVALID_ARG_VALUE', /string of at most 5 bytes/);
    throws(
      () =>
        T.alloc({
          ...value,
          grid: [
            [1, 2],
            [3, 256],
          ],
        }),
      'ERR_OUT_OF_RANGE',
      /field grid\[1\]\[1\] must be an integer/,
    );
  });
});

describe('what the fields of a view point to', () => {
  test('memory that fields point to is kept when one of them is set again, and for calls by value', async () => {
    const make = () => {
      const node = Node.alloc({ value: 1, text: 'kept '.repeat(60), data: new Uint8Array(500).fill(9), next: null });
      node.next = node;
      node.next = null;
      return node;
    };
    const node = make();
    await gc();
    await gc();
    assert.equal(c.length(node), 309);
    for (let i = 0; i < 300; i += 1) assert.equal(c.length(make()), 309);
    assert.equal(c.length(Node.view(ptr(node))), 309);
    const copy = Node.alloc(node);
    Node.write(ptr(copy), node);
    Node.view(ptr(copy)).next = ptr(node);
    assert.equal(c.total(copy), 2);
  });
});

describe('types that are declared again and again', () => {
  const { enumeration, linkSymbols } = ffi;

  /** One of everything that needs no library; all equal. */
  function declareAll() {
    const Point = struct({ x: 'f64', y: 'f64', text: array('char', 6) }, { name: 'Point' });
    struct({ bits: { type: 'u32', bits: 3 }, point: Point });
    const Either = union({ point: Point, whole: 'i64' });
    const Kind = enumeration({ ONE: 1, TWO: 2n });
    const visit = fn({ args: [pointer(Point), Kind], returns: Either });
    const outer = struct({ all: array(Either, 2), visit, kind: Kind });
    new JSCallback(() => 0, { args: [pointer(Either)], returns: Kind }).close();
    linkSymbols({ f: { ptr: 4096, args: [pointer(outer), ffi.out(Point), ffi.inout(Kind)], returns: outer } }).close();
    return outer;
  }

  test('types that are declared again and again take no more memory than once', async () => {
    for (let i = 0; i < 2000; i += 1) declareAll();
    await gc();
    const before = process.memoryUsage().heapUsed;
    const TIMES = byScale(5000, 20_000);
    for (let i = 0; i < TIMES; i += 1) declareAll();
    await gc();
    const each = (process.memoryUsage().heapUsed - before) / TIMES;
    assert.ok(each < 200, `each set of declarations keeps ${each} bytes`);
  });

  test('types are the same where their declarations are equal, and others where they differ by anything', () => {
    const Point = () => struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
    const One = Point();
    const Other = Point();
    assert.notEqual(One, Other);
    assert.deepEqual(One.read(Other.alloc({ x: 1, y: 2 })), { x: 1, y: 2 });
    const Holder = struct({ point: One });
    assert.deepEqual(Holder.read(Holder.alloc({ point: Other.alloc({ x: 3, y: 4 }) })), { point: { x: 3, y: 4 } });
    const different = [
      struct({ x: 'f64', y: 'f64' }),
      struct({ y: 'f64', x: 'f64' }, { name: 'Point' }),
      struct({ x: 'f64', y: 'f32' }, { name: 'Point' }),
      struct({ x: 'f64', y: 'f64' }, { name: 'Point', align: 32 }),
      struct({ 'x","y': 'f64' }, { name: 'Point' }),
      struct({ x: 'u8', y: 'f64' }, { name: 'Point', packed: true }),
      struct({ x: 'u8', y: 'f64' }, { name: 'Point', packed: 2 }),
    ];
    assert.deepEqual(
      different.map((type) => type.size),
      [16, 16, 16, 32, 8, 9, 10],
    );
    assert.deepEqual(Object.keys(different[1].read(Buffer.alloc(16))), ['y', 'x']);
    const [numbers, names] = [enumeration({ A: 1 }), enumeration({ A: 1 }, { names: true })];
    assert.deepEqual(
      [struct({ k: numbers }), struct({ k: names })].map((type) => type.read(Buffer.from([1, 0, 0, 0])).k),
      [1, 'A'],
    );
    assert.deepEqual(
      [typeof enumeration({ A: 1 }).values.A, typeof enumeration({ A: 1n }).values.A],
      ['number', 'bigint'],
    );
  });
});

describe('numbers in a stated byte order', () => {
  const Header = struct(
    {
      magic: 'u16be',
      length: 'u32be',
      id: 'u64le',
      scale: 'f32be',
      size: 'f64be',
      delta: 'i16be',
      all: array('u16be', 2),
    },
    { name: 'Header' },
  );
  const value = { magic: 0xcafe, length: 1, id: 5n, scale: 1.5, size: -2.25, delta: -2, all: [1, 2] };

  test('numbers in a stated byte order lie in memory in that order', () => {
    const header = Header.alloc(value);
    const hex = Buffer.from(ffi.toBuffer(ptr(header), 0, Header.size)).toString('hex');
    assert.match(hex, /^cafe0000000000010500000000000000/);
    assert.match(hex, /3fc00000.*c002000000000000fffe00010002/);
    assert.deepEqual(Header.read(header), value);
    header.length = 0x01020304;
    assert.equal(header.length, 0x01020304);
    assert.equal(ffi.read.u32be(Buffer.from([1, 2, 3, 4])), 0x01020304);
    assert.equal(ffi.read.u32le(Buffer.from([1, 2, 3, 4])), 0x04030201);
  });

  test('numbers in a stated byte order are swapped on the way to C and back, as by htons()', () => {
    const { symbols } = ffi.cc({
      source: `typedef struct { unsigned short a; unsigned b; } S;
unsigned value(unsigned v) { return v; }
unsigned short first(S s) { return s.a; }
void store(unsigned *out) { *out = 0x01020304; }
int call(int (*f)(int)) { return f(0x01000000); }`,
      symbols: {
        value: { args: ['u32be'], returns: 'u32' },
        first: { args: [struct({ a: 'u16be', b: 'u32be' })], returns: 'u16' },
        store: { args: [ffi.out('u32be')] },
        call: { args: [fn({ args: ['i32be'], returns: 'i32' })], returns: 'int' },
      },
    });
    assert.equal(symbols.value(0x01020304), 0x04030201);
    assert.equal(symbols.first({ a: 0x1234, b: 1 }), 0x3412);
    assert.deepEqual(symbols.store().out, [0x04030201]);
    assert.equal(
      symbols.call((number) => number + 1),
      2,
    );
  });

  test('numbers in a stated byte order have the limits of their type, which messages name as it is declared', () => {
    throws(() => (Header.alloc().magic = 70000), 'ERR_OUT_OF_RANGE', /field magic must be .* \(u16be\)/);
    throws(() => (Header.alloc().id = -1), 'ERR_OUT_OF_RANGE', /field id must be .* \(u64le\)/);
    throws(() => struct({ a: { type: 'u16be', bits: 3 } }), 'ERR_INVALID_ARG_VALUE', /integer type, as it has bits/);
    assert.equal(ffi.FFIType.u16be, undefined);
  });
});

describe('a value that a pointer or a number may not be', () => {
  test('a value that a pointer or a number may not be is refused by the name of the declared type, with the value of the same bits', () => {
    const symbols = ffi.linkSymbols({
      f: { ptr: 4096, args: [pointer('u64')] },
      i: { ptr: 4096, args: ['i64'] },
      u: { ptr: 4096, args: ['u64'] },
    }).symbols;
    throws(() => symbols.f('text'), 'ERR_INVALID_ARG_TYPE', /argument 0 must be .*\(pointer\(u64\)\)/);
    throws(() => symbols.f(-1), 'ERR_OUT_OF_RANGE', /\(pointer\(u64\)\)/);
    throws(() => symbols.f(2n ** 64n), 'ERR_OUT_OF_RANGE', /\(pointer\(u64\)\)/);
    throws(() => symbols.u(-1), 'ERR_OUT_OF_RANGE', /received -1; the same bits are 18446744073709551615n$/);
    throws(() => symbols.u(-1n), 'ERR_OUT_OF_RANGE', /received -1n; the same bits are 18446744073709551615n$/);
    throws(() => symbols.u(0.5), 'ERR_OUT_OF_RANGE', /; round it first$/);
    throws(() => symbols.u(2 ** 64), 'ERR_OUT_OF_RANGE', /not exact: pass a BigInt$/);
    throws(() => symbols.i(2n ** 63n), 'ERR_OUT_OF_RANGE', /the same bits are -9223372036854775808n$/);
  });
});

test('a view whose buffer is gone is refused as a pointer, with a code', () => {
  const Words = struct({ a: 'i64', b: 'i64', c: 'i64' });
  const buffer = new ArrayBuffer(24);
  const view = Words.view(new Uint8Array(buffer));
  structuredClone(buffer, { transfer: [buffer] });
  for (const use of [() => ffi.ptr(view), () => Words.read(view), () => Words.write(view, { a: 1n, b: 2n, c: 3n })])
    throws(use, 'ERR_INVALID_ARG_VALUE', /is gone: its ArrayBuffer was detached/);
});
