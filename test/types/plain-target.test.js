'use strict';
// Plain objects and arrays that are passed for pointer(T).

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const vm = require('node:vm');
const { ffi, throws, runs } = require('../helpers.js');

const { cc, pointer, struct, union } = ffi;
const Point = struct({ x: 'int', y: 'int', name: 'cstring' }, { name: 'Point', zero: true });
const Value = union({ number: 'double', bits: 'u64' }, { name: 'Value' });
const Pair = struct({ first: pointer(Point), second: pointer('int') }, { name: 'Pair', zero: true });

const { symbols, path } = cc({
  source: `
    typedef struct { int x, y; const char *name; } point;
    typedef union { double number; unsigned long long bits; } value;
    typedef struct { point *first; int *second; } pair;
    int sum(const int *list, int count) { int all = 0; for (int i = 0; i < count; i++) all += list[i]; return all; }
    void twice(int *list, int count) { for (int i = 0; i < count; i++) list[i] *= 2; }
    const char *move(point *p) { p->x += 10; return p->name; }
    int move_all(point *p, int count) { for (int i = 0; i < count; i++) p[i].x += i; return count; }
    int count(char **words) { int n = 0; while (words[n]) n++; return n; }
    int nth(char **words, int n) { return words[n] == 0 ? n : -1; }
    void replace(char **words) { words[0] = "replaced"; }
    void negate(value *v) { v->number = -v->number; }
    int deep(pair *p) { return p->first->x + p->second[1]; }
    double mean(const point *p, double (*f)(const point *)) { return f(p); }
    int write_past(int *list) { list[2] = 5; return 0; }`,
  symbols: {
    sum: { args: [pointer('int'), 'int'], returns: 'int' },
    twice: { args: [pointer('int'), { type: 'int', countOf: 0 }] },
    move: { args: [pointer(Point)], returns: 'cstring' },
    move_all: { args: [pointer(Point), 'int'], returns: 'int' },
    count: { args: [pointer('cstring')], returns: 'int' },
    replace: { args: [pointer('cstring')] },
    negate: { args: [pointer(Value)] },
    deep: { args: [pointer(Pair)], returns: 'int' },
    write_past: { args: [pointer('int')], returns: 'int' },
  },
});

describe('an array', () => {
  test('an array for a pointer is memory for the call, and what C changes comes back', () => {
    assert.equal(symbols.sum([1, 2, 3], 3), 6);
    assert.equal(symbols.sum([], 0), 0);
    const list = [1, 2, 3];
    symbols.twice(list, 3);
    assert.deepEqual(list, [2, 4, 6]);
    const points = [{ x: 1 }, { x: 2, y: 5 }];
    const [first] = points;
    assert.equal(symbols.move_all(points, 2), 2);
    assert.equal(points[0], first);
    assert.deepEqual(points[1], { x: 3, y: 5, name: null });
  });

  test('an array of texts ends with NULL', () => {
    assert.equal(symbols.count(['one', 'two', 'three']), 3);
    assert.equal(symbols.count([]), 0);
    const words = ['one', 'two'];
    symbols.replace(words);
    assert.deepEqual(words, ['replaced', 'two']);
  });

  test('the NULL at the end of an array of texts is there where the guard copies it, and is not counted', () => {
    for (const guard of [false, true]) {
      const guarded = ffi.dlopen(path, {
        count: { args: [pointer('cstring')], returns: 'int', guard },
        nth: { args: [pointer('cstring'), { type: 'int', countOf: 0 }], returns: 'int', guard },
      });
      const { count, nth } = guarded.symbols;
      assert.deepEqual([count(['one', 'two', 'three']), count([])], [3, 0]);
      assert.deepEqual([nth(['one', 'two'], 2), nth([], 0)], [2, 0]);
      throws(() => nth([], 1), 'ERR_OUT_OF_RANGE', /at most 0, the elements of argument 0/);
      throws(() => nth(['one'], 2), 'ERR_OUT_OF_RANGE', /at most 1, the elements of argument 0/);
      guarded.close();
    }
  });

  test('an array for a pointer has fences: a write past its end is found', () => {
    throws(() => symbols.write_past([1, 2]), 'ERR_FFI_BUFFER_OVERFLOW', /^write_past: .* past the end of argument 0/);
  });

  test('an array for a pointer is checked by its elements, and its count by them', () => {
    throws(() => symbols.sum([1, 'x'], 2), 'ERR_INVALID_ARG_TYPE', /^sum: argument 0: element \[1\] .* \(int\)/);
    throws(() => symbols.twice([1, 2], 3), 'ERR_OUT_OF_RANGE', /at most 2, the elements of argument 0/);
    throws(
      () => symbols.sum(new Map(), 0),
      'ERR_INVALID_ARG_TYPE',
      /^sum: argument 0 must be an array of values, a pointer.*pass \[0\], or declare/,
    );
    throws(() => symbols.sum({}, 0), 'ERR_INVALID_ARG_TYPE');
  });
});

describe('an object', () => {
  test('an object for a pointer is a struct for the call, and only what C has changed comes back', () => {
    const sets = [];
    const point = {
      x: 1,
      name: 'text',
      get y() {
        return 2;
      },
      set y(value) {
        sets.push(value);
      },
    };
    assert.equal(symbols.move(point), 'text');
    assert.equal(point.x, 11);
    assert.deepEqual(sets, []);
    assert.equal(symbols.move(Object.freeze({ x: 1, name: 'frozen' })), 'frozen');
    const bare = Object.assign(Object.create(null), { x: 5 });
    symbols.move(bare);
    assert.equal(bare.x, 15);
  });

  test('an object for a pointer to a struct with a field `ptr` is the struct, not the address that its `ptr` is', () => {
    const Slice = struct({ ptr: 'ptr', length: 'int' }, { name: 'Slice' });
    const { symbols: c } = cc({
      source: `typedef struct { const int *ptr; int length; } slice;
        int total(const slice *s) { int sum = 0; for (int i = 0; i < s->length; i++) sum += s->ptr[i]; return sum; }
        void cut(slice *s) { s->ptr++; s->length--; }`,
      symbols: {
        total: { args: [pointer(Slice)], returns: 'int' },
        cut: { args: [pointer(Slice)] },
      },
    });
    const numbers = Int32Array.of(1, 2, 3);
    for (const at of [numbers, ffi.ptr(numbers), BigInt(ffi.ptr(numbers))])
      assert.equal(c.total({ ptr: at, length: 3 }), 6);
    assert.equal(c.total([{ ptr: ffi.ptr(numbers), length: 2 }]), 3);
    const slice = { ptr: ffi.ptr(numbers), length: 3 };
    c.cut(slice);
    assert.deepEqual(slice, { ptr: ffi.ptr(numbers) + 4, length: 2 });
    // A pin still stands for its address.
    const held = ffi.pin(Slice.alloc({ ptr: numbers, length: 3 }));
    assert.equal(c.total(held), 6);
    held.release();
  });

  test('an instance of a class is taken where it has the fields', () => {
    class Place {
      x = 1;
      name = 'place';
      get twice() {
        return 2 * this.x;
      }
    }
    const place = new Place();
    assert.equal(symbols.move(place), 'place');
    assert.deepEqual([place.x, place.twice], [11, 22]);
    for (const other of [new Date(), new Map(), new (class {})(), ffi.group('x')])
      throws(() => symbols.move(other), 'ERR_INVALID_ARG_TYPE', /argument 0 must be an object, an array of objects/);
  });

  test('an object for a pointer may be of another realm', () => {
    const { point, points } = vm.runInNewContext(
      `({ point: { x: 1, name: 'n' }, points: [{ x: 1 }, Object.assign(Object.create(null), { x: 2 })] })`,
    );
    assert.equal(symbols.move(point), 'n');
    assert.equal(symbols.move_all(points, 2), 2);
    assert.deepEqual([point.x, points[0].x, points[1].x], [11, 1, 3]);
    assert.equal(symbols.move(vm.runInNewContext('new (class A { x = 1 })()')), null);
    throws(() => symbols.move(vm.runInNewContext('new Map()')), 'ERR_INVALID_ARG_TYPE');
  });

  test('an object for a pointer is one field of a union', () => {
    const value = { number: 1.5 };
    symbols.negate(value);
    assert.deepEqual(value, { number: -1.5 });
  });

  test('an object for a pointer may hold others', () => {
    assert.equal(symbols.deep({ first: { x: 40 }, second: [1, 2] }), 42);
    const pair = Pair.alloc({ first: { x: 20 }, second: [0, 22] });
    assert.equal(symbols.deep(pair), 42);
  });

  test('an object for a pointer is checked by its fields', () => {
    throws(() => symbols.move({ x: 'x' }), 'ERR_INVALID_ARG_TYPE', /^move: argument 0: field x .* \(int\)/);
  });
});

test('the memory of an object knows nothing of the call before it, nor of one within its own', async () => {
  const { symbols: c } = cc({
    source: `
      typedef struct { int x, y; const char *name; } point;
      int has_name(point *p) { int had = p->name != 0; p->name = "named"; return had; }
      int nest(point *p, int (*f)(void)) { int x = p->x; f(); return p->x == x; }
      point *same(point *p) { return p; }`,
    symbols: {
      has_name: { args: [pointer(Point)], returns: 'int' },
      nest: { args: [pointer(Point), 'function'], returns: 'int' },
      same: { args: [pointer(Point)], returns: 'ptr' },
    },
  });
  assert.equal(c.has_name({ x: 1, name: 'a' }), 1);
  for (let i = 0; i < 3; i += 1) assert.equal(c.has_name({ x: 1 }), 0);
  const points = [{ x: 5 }, { x: 6, name: 'b' }];
  assert.equal(c.has_name(points), 0);
  assert.deepEqual(points, [
    { x: 5, y: 0, name: 'named' },
    { x: 6, name: 'b' },
  ]);

  let depth = 0;
  const callback = new ffi.JSCallback(() => (depth < 5 ? c.nest({ x: (depth += 1) }, callback) : 0), {
    returns: 'int',
  });
  assert.equal(c.nest({ x: 9 }, callback), 1);
  callback.close();

  // C has returned the address: a second call has other memory.
  assert.notEqual(c.same({ x: 1 }), c.same({ x: 1 }));
});

test('the changes of an asynchronous call come back before its Promise resolves', async () => {
  const point = { x: 1, name: 'later' };
  assert.equal(await symbols.move.async(point), 'later');
  assert.equal(point.x, 11);
});

test('a getter that makes calls disturbs nothing', () => {
  const list = [1, 2];
  Object.defineProperty(list, 1, { get: () => symbols.sum([20, 20], 2), enumerable: true });
  assert.equal(symbols.sum(list, 2), 41);
});

test('the same holds without code generation', async () => {
  const output = await runs(
    `const { symbols } = ffi.dlopen(null, {
       div: { args: ['int', 'int'], returns: ffi.struct({ quot: 'int', rem: 'int' }) },
       frexp: { args: ['double', ffi.pointer('int')], returns: 'double' },
     });
     const exponent = [0];
     console.log(symbols.frexp(8.5, exponent), exponent[0]);`,
    { flags: ['--disallow-code-generation-from-strings'] },
  );
  assert.equal(output, '0.53125 4');
});
