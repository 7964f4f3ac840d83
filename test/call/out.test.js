'use strict';
// out(): parameters that C writes, which are returned beside the result.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws } = require('../helpers.js');

const { out, inout, struct, array, pointer } = ffi;
const Point = struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
const { symbols: c } = ffi.cc({
  source: `typedef struct { double x, y; } Point;
int divide(int a, int b, int *rest) { if (!b) return -1; *rest = a % b; return a / b; }
void grow(int *n, double by, Point *p, const char **text, void **self) { *n += (int)by; p->x += by; *text = "said"; *self = n; }
void fill(int *list) { for (int i = 0; i < 4; i++) list[i] = i * i; }
void too_much(int *n) { n[1] = 7; }
long length(const char **text) { long n = 0; while ((*text)[n]) n++; *text += n; return n; }`,
  symbols: {
    divide: { args: ['int', 'int', out('int')], returns: 'int' },
    grow: { args: [inout('int'), 'f64', inout(Point), out('cstring'), out(pointer('void'))] },
    fill: { args: [out(array('int', 4))] },
    too_much: { args: [out('int')] },
    length: { args: [inout('cstring')], returns: 'long' },
  },
});

describe('out parameters', () => {
  test('out parameters come back beside the result, in their order', () => {
    assert.deepEqual(c.divide(17, 5), { returns: 3, out: [2] });
    assert.deepEqual(c.fill(), { returns: undefined, out: [[0, 1, 4, 9]] });
    const {
      returns,
      out: [n, point, text, self],
    } = c.grow(5, 2, { x: 1, y: 9 });
    assert.deepEqual([returns, n, point, text, typeof self], [undefined, 7, { x: 3, y: 9 }, 'said', 'number']);
    assert.deepEqual(c.length('four'), { returns: 4n, out: [''] });
  });

  test('out parameters are zero where C does not write them', () => {
    assert.deepEqual(c.divide(1, 0), { returns: -1, out: [0] });
  });

  test('out parameters of one call know nothing of another one, whether it is before, within or beside it', async () => {
    const { symbols, path } = ffi.cc({
      source: `
        int once(int *n, int *seen) { *seen = *n; *n += 5; return 0; }
        int within(int (*f)(int), int depth, int *n) { *n = depth; int r = depth ? f(depth - 1) : 0; return *n == depth ? r : -1; }
        int *kept(int *n) { *n = 1; return n; }`,
      symbols: {
        once: { args: [inout('int'), out('int')], returns: 'int' },
        within: { args: ['function', 'int', out('int')], returns: 'int' },
        kept: { args: [out('int')], returns: 'ptr' },
      },
    });
    for (const value of [3, 0, -1]) assert.deepEqual(symbols.once(value).out, [value + 5, value]);
    throws(() => symbols.once('x'), 'ERR_INVALID_ARG_TYPE');
    assert.deepEqual(symbols.once(1).out, [6, 1]);

    const seen = [];
    const callback = new ffi.JSCallback(
      (depth) => {
        const { returns, out } = symbols.within(callback, depth);
        seen.push(...out);
        return returns;
      },
      { args: ['int'], returns: 'int' },
    );
    assert.deepEqual(symbols.within(callback, 5), { returns: 0, out: [5] });
    assert.deepEqual(seen, [0, 1, 2, 3, 4]);
    callback.close();

    const both = ffi.dlopen(path, { once: { args: [inout('int'), out('int')], returns: 'int', nonblocking: true } });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => both.symbols.once(i)));
    answers.forEach(({ out }, i) => assert.deepEqual(out, [i + 5, i]));
    both.close();

    // C has returned the address: a second call has other memory.
    const [first, second] = [symbols.kept(), symbols.kept()];
    assert.notEqual(first.returns, second.returns);
  });

  test('out parameters are not passed by the caller, and do not count', () => {
    assert.equal(c.divide.length, 2);
    throws(() => c.divide(1, 2, null), 'ERR_INVALID_ARG_VALUE', /divide expects 2 arguments, received 3/);
    throws(() => c.divide(1), 'ERR_INVALID_ARG_VALUE', /divide expects 2 arguments, received 1/);
    throws(() => c.grow('5', 2, { x: 1, y: 2 }), 'ERR_INVALID_ARG_TYPE', /grow: argument 0 must be an integer/);
    throws(() => c.grow(5, 2, { x: 1 }), 'ERR_INVALID_ARG_TYPE', /grow: argument 2: field y must be a number/);
  });

  test('out parameters are fenced', () => {
    throws(() => c.too_much(), 'ERR_FFI_BUFFER_OVERFLOW', /too_much: native code wrote/);
  });

  test('out parameters are parameters and nothing else', () => {
    throws(() => out('void'), 'ERR_INVALID_ARG_VALUE');
    throws(() => out(out('i32')), 'ERR_INVALID_ARG_VALUE');
    throws(
      () => ffi.dlopen(null, { abs: { returns: out('i32') } }),
      'ERR_INVALID_ARG_VALUE',
      /parameter of a function/,
    );
    throws(() => new ffi.JSCallback(() => {}, { args: [out('i32')] }), 'ERR_INVALID_ARG_VALUE');
  });

  describe('of a text that the caller frees', () => {
    const owned = { type: 'cstring', free: 'release' };
    const { symbols: texts } = ffi.cc({
      source: `#include <stdlib.h>
        #include <string.h>
        static int freed;
        void release(void *text) { freed++; free(text); }
        int count(void) { return freed; }
        int give(char **text) { *text = strdup("given"); return 1; }
        int none(char **text) { *text = 0; return 1; }
        int fail(char **text) { *text = strdup("why"); return -1; }
        int keep(char **text) { return (*text)[0]; }
        int change(char **text) { *text = strdup("changed"); return 1; }`,
      symbols: {
        count: { returns: 'int' },
        give: { args: [ffi.out(owned)], returns: 'int' },
        none: { args: [ffi.out(owned)], returns: 'int' },
        fail: { args: [ffi.out(owned)], returns: 'int', fails: 'negative' },
        keep: { args: [ffi.inout(owned)], returns: 'int' },
        change: { args: [{ type: ffi.inout(owned), name: 'text' }], returns: 'int' },
      },
    });
    const freed = (call) => {
      const before = texts.count();
      const result = call();
      return [result, texts.count() - before];
    };

    test('a text that the caller frees is copied, then freed once', async () => {
      assert.deepEqual(
        freed(() => texts.give()),
        [{ returns: 1, out: ['given'] }, 1],
      );
      assert.deepEqual(
        freed(() => texts.none()),
        [{ returns: 1, out: [null] }, 0],
      );
      const before = texts.count();
      assert.deepEqual(await texts.give.async(), { returns: 1, out: ['given'] });
      assert.equal(texts.count(), before + 1);
    });

    test('a text that the caller frees is freed where the call fails, and the error has it', () => {
      const [error, count] = freed(() => throws(() => texts.fail(), 'ERR_FFI_CALL_FAILED'));
      assert.deepEqual([error.out, count], [['why'], 1]);
    });

    test('an out-parameter that C does not write is not freed', () => {
      assert.deepEqual(
        freed(() => texts.keep('abc')),
        [{ returns: 97, out: ['abc'] }, 0],
      );
      assert.deepEqual(
        freed(() => texts.change('abc')),
        [{ returns: 1, out: ['changed'] }, 1],
      );
    });

    test('only text can be freed, by a function that exists', () => {
      throws(() => ffi.out({ type: 'int', free: 'free' }), 'ERR_INVALID_ARG_VALUE', /cstring, utf16 or wstring/);
      const open = (free) => () => ffi.dlopen(null, { abs: { args: [ffi.out({ type: 'cstring', free })] } });
      throws(open('no_such_function'), 'ERR_FFI_SYMBOL_NOT_FOUND');
      throws(open({}), 'ERR_INVALID_ARG_TYPE');
    });
  });
});
