'use strict';

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws } = require('./helpers.js');

const { opaque, out, fn } = ffi;
const Shape = opaque('Shape', { free: ['shape_free', 'shape_drop'] });
const Circle = opaque('Circle', { base: Shape });
const Part = opaque('Part', { owner: Shape });
const { symbols: c } = ffi.cc({
  source: `#include <stdlib.h>
typedef struct Shape { int n; struct Shape *part; } Shape;
Shape *shape_new(int n) { Shape *s = calloc(1, sizeof *s); s->n = n; return s; }
Shape *circle_new(int n) { return shape_new(n); }
int shape_get(Shape *s) { return s ? s->n : -1; }
Shape *shape_same(Shape *s) { return s; }
Shape *shape_part(Shape *s) { return s; }
int shape_out(Shape *s, Shape **part) { *part = s; return 0; }
void shape_free(Shape *s) { free(s); }
int visit(Shape *s, int (*f)(Shape *)) { return f(s); }`,
  symbols: {
    shape_new: { args: ['int'], returns: Shape },
    circle_new: { args: ['int'], returns: Circle },
    shape_get: { args: [Shape], returns: 'int' },
    shape_same: { args: [Shape], returns: Shape },
    shape_part: { args: [Shape], returns: Part },
    shape_out: { args: [Shape, out(Part)], returns: 'int' },
    part_get: { args: [Part], returns: 'int', name: 'shape_get' },
    drop: { args: [Shape], name: 'shape_free' },
    shape_free: { args: [Shape] },
    visit: { args: [Shape, fn({ args: [Shape], returns: 'int' })], returns: 'int' },
  },
});

describe('an opaque handle', () => {
  test('goes where its type or a base of it is wanted, and nowhere else', () => {
    const [shape, circle] = [c.shape_new(5), c.circle_new(6)];
    assert.deepEqual([c.shape_get(shape), c.shape_get(circle), c.shape_get(null)], [5, 6, -1]);
    assert.deepEqual([shape.type, circle.type, typeof shape.ptr], ['Shape', 'Circle', 'number']);
    throws(() => c.part_get(shape), 'ERR_INVALID_ARG_TYPE', /part_get: argument 0 must be a Part or null, received a Shape/);
    for (const other of [shape.ptr, BigInt(shape.ptr), { ptr: shape.ptr }, Buffer.alloc(8), undefined, 'x', new Proxy(shape, {})]) {
      throws(() => c.shape_get(other), 'ERR_INVALID_ARG_TYPE', /must be a Shape or null/);
    }
    c.shape_free(shape);
    c.drop(circle);
  });

  test('is one object as long as it lives', () => {
    const shape = c.shape_new(1);
    assert.equal(c.shape_same(shape), shape);
    assert.equal(c.visit(shape, (same) => Number(same === shape)), 1);
    assert.equal(c.shape_same(null), null);
    c.shape_free(shape);
  });

  test('is refused after it was freed, under any name of the function that frees', () => {
    for (const free of ['shape_free', 'drop']) {
      const shape = c.shape_new(1);
      const part = c.shape_part(shape);
      const { out: [another] } = c.shape_out(shape);
      assert.deepEqual([part.owner, another.owner], [shape, shape]);
      assert.equal(c.part_get(part), 1);
      c[free](shape);
      assert.deepEqual([shape.ptr, part.ptr], [null, null]);
      throws(() => c.shape_get(shape), 'ERR_FFI_INVALID_POINTER', new RegExp(`shape_get: argument 0 must be a living Shape, received one that ${free}\\(\\) has freed`));
      throws(() => c.part_get(part), 'ERR_FFI_INVALID_POINTER', /must be a living Part/);
      throws(() => c[free](shape), 'ERR_FFI_INVALID_POINTER');
    }
  });

  test('of an address that is used again is a new one', () => {
    const seen = new Set();
    for (let i = 0; i < 100; i += 1) {
      const shape = c.shape_new(i);
      assert.equal(c.shape_get(shape), i);
      seen.add(shape);
      c.shape_free(shape);
    }
    assert.equal(seen.size, 100);
  });

  test('has a declaration that is checked', () => {
    throws(() => opaque(''), 'ERR_INVALID_ARG_TYPE');
    throws(() => opaque('X', { base: {} }), 'ERR_INVALID_ARG_TYPE', /an opaque type/);
    throws(() => opaque('X', { free: 3 }), 'ERR_INVALID_ARG_TYPE');
    throws(() => opaque('X', { parent: Shape }), 'ERR_INVALID_ARG_VALUE', /unknown key 'parent'/);
  });
});
