'use strict';
// opaque(): typed handles, their owners, and the calls that free them.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws, makeDetached } = require('../helpers.js');

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
  test('an opaque handle goes where its type or a base of it is wanted, and nowhere else', () => {
    const [shape, circle] = [c.shape_new(5), c.circle_new(6)];
    assert.deepEqual([c.shape_get(shape), c.shape_get(circle), c.shape_get(null)], [5, 6, -1]);
    assert.deepEqual([shape.type, circle.type, typeof shape.ptr], ['Shape', 'Circle', 'number']);
    throws(
      () => c.part_get(shape),
      'ERR_INVALID_ARG_TYPE',
      /part_get: argument 0 must be of type Part or null, received Shape/,
    );
    for (const other of [
      shape.ptr,
      BigInt(shape.ptr),
      { ptr: shape.ptr },
      Buffer.alloc(8),
      undefined,
      'x',
      new Proxy(shape, {}),
    ]) {
      throws(() => c.shape_get(other), 'ERR_INVALID_ARG_TYPE', /must be of type Shape or null/);
    }
    c.shape_free(shape);
    c.drop(circle);
  });

  test('an opaque handle is one object as long as it lives', () => {
    const shape = c.shape_new(1);
    assert.equal(c.shape_same(shape), shape);
    assert.equal(
      c.visit(shape, (same) => Number(same === shape)),
      1,
    );
    assert.equal(c.shape_same(null), null);
    c.shape_free(shape);
  });

  test('an opaque handle is refused after it was freed, under any name of the function that frees', () => {
    for (const free of ['shape_free', 'drop']) {
      const shape = c.shape_new(1);
      const part = c.shape_part(shape);
      const {
        out: [another],
      } = c.shape_out(shape);
      assert.deepEqual([part.owner, another.owner], [shape, shape]);
      assert.equal(c.part_get(part), 1);
      c[free](shape);
      assert.deepEqual([shape.ptr, part.ptr], [null, null]);
      throws(
        () => c.shape_get(shape),
        'ERR_FFI_INVALID_POINTER',
        new RegExp(`shape_get: argument 0 must be a living Shape, received one that ${free}\\(\\) has freed`),
      );
      throws(() => c.part_get(part), 'ERR_FFI_INVALID_POINTER', /must be a living Part/);
      throws(() => c[free](shape), 'ERR_FFI_INVALID_POINTER');
    }
  });

  test('a handle of an address that is used again is a new one', () => {
    const seen = new Set();
    for (let i = 0; i < 100; i += 1) {
      const shape = c.shape_new(i);
      assert.equal(c.shape_get(shape), i);
      seen.add(shape);
      c.shape_free(shape);
    }
    assert.equal(seen.size, 100);
  });

  test('an opaque handle has a declaration that is checked', () => {
    throws(() => opaque(''), 'ERR_INVALID_ARG_TYPE');
    throws(() => opaque('X', { base: {} }), 'ERR_INVALID_ARG_TYPE', /an opaque type/);
    throws(() => opaque('X', { free: 3 }), 'ERR_INVALID_ARG_TYPE');
    throws(() => opaque('X', { parent: Shape }), 'ERR_INVALID_ARG_VALUE', /unknown key 'parent'/);
  });
});

describe('a call that frees a handle', () => {
  const Block = opaque('Block', {
    free: [
      'block_free',
      'block_free_slowly',
      'block_free_calling',
      'block_free_both',
      'block_free_or_not',
      'block_overflow',
    ],
  });
  const Piece = opaque('Piece', { owner: Block });
  const library = ffi.cc({
    source: `#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int freed;
void *block_new(void) { return calloc(1, 64); }
int block_use(void *b) { return b != 0; }
void *block_piece(void *b) { return b; }
int block_free(void *b) { free(b); return ++freed; }
int block_free_slowly(void *b) { usleep(30000); free(b); return ++freed; }
int block_free_calling(void *b, void (*f)(void)) { f(); free(b); return ++freed; }
int block_free_both(void *a, int n, void *b) { if (a != b) free(b); free(a); return freed += 2; }
int block_free_or_not(void *b, int fails) { if (fails) return 5; free(b); freed++; return 0; }
int block_overflow(void *b, char *to, int n) { free(b); freed++; memset(to, 1, n); return 0; }
int freed_blocks(void) { return freed; }`,
    symbols: {
      block_new: { returns: Block },
      block_use: { args: [Block], returns: 'int' },
      block_piece: { args: [Block], returns: Piece },
      piece_use: { name: 'block_use', args: [Piece], returns: 'int' },
      block_free: { args: [Block], returns: 'int' },
      block_free_slowly: { args: [Block], returns: 'int' },
      block_free_calling: { args: [Block, fn({})], returns: 'int' },
      block_free_both: { args: [Block, 'int', Block], returns: 'int' },
      block_free_or_not: { args: [Block, 'int'], returns: 'int', fails: 'nonzero' },
      block_overflow: { args: [Block, 'buffer', 'int'], returns: 'int' },
      freed_blocks: { returns: 'int' },
    },
  });
  const b = library.symbols;
  const DEAD = {
    code: 'ERR_FFI_INVALID_POINTER',
    message: /must be a living Block, received one that block_\w+\(\) has freed/,
  };
  /** Runs `body` and tells how many blocks C has freed meanwhile. */
  const freedBy = async (body) => {
    const before = b.freed_blocks();
    await body();
    return b.freed_blocks() - before;
  };

  test('a call that frees a handle ends it when the call begins: of two at once one is made', async () => {
    for (const free of ['block_free', 'block_free_slowly']) {
      assert.equal(
        await freedBy(async () => {
          const block = b.block_new();
          const piece = b.block_piece(block);
          const first = b[free].async(block);
          await assert.rejects(b[free].async(block), DEAD);
          assert.throws(() => b.block_free(block), DEAD);
          assert.throws(() => b.block_use(block), DEAD);
          assert.throws(() => b.piece_use(piece), { code: 'ERR_FFI_INVALID_POINTER' });
          assert.equal(block.ptr, null);
          await first;
          assert.throws(() => b.block_use(block), DEAD);
        }),
        1,
      );
    }
  });

  test('a call that frees a handle ends it on a thread of its own', async () => {
    const thread = library.thread();
    const block = b.block_new();
    assert.equal(
      await freedBy(async () => {
        const all = await Promise.allSettled([1, 2, 3].map(() => thread.symbols.block_free_slowly(block)));
        assert.deepEqual(
          all.map(({ status }) => status),
          ['fulfilled', 'rejected', 'rejected'],
        );
      }),
      1,
    );
    thread.close();
    const kept = b.block_new();
    await assert.rejects(thread.symbols.block_free(kept), { code: 'ERR_FFI_THREAD_CLOSED' });
    assert.equal(b.block_use(kept), 1);
    b.block_free(kept);
  });

  test('a call that frees a handle ends it though a callback throws, and refuses it inside of callbacks', async () => {
    for (const call of [b.block_free_calling, b.block_free_calling.async]) {
      const block = b.block_new();
      const inside = [];
      assert.equal(
        await freedBy(() =>
          assert.rejects(
            async () =>
              call(block, () => {
                for (const use of [b.block_use, b.block_free, (same) => b.block_free_calling(same, () => {})]) {
                  try {
                    use(block);
                  } catch (error) {
                    inside.push(error.code);
                  }
                }
                throw new Error('of the callback');
              }),
            /of the callback/,
          ),
        ),
        1,
      );
      assert.deepEqual(inside, Array(3).fill('ERR_FFI_INVALID_POINTER'));
      assert.throws(() => b.block_use(block), DEAD);
    }
  });

  test('a call that frees a handle ends only that one: others are freed inside of its callbacks', async () => {
    const [outer, inner, refused] = [b.block_new(), b.block_new(), b.block_new()];
    assert.equal(
      await freedBy(() =>
        b.block_free_calling(outer, () => {
          b.block_free(inner);
          assert.throws(() => b.block_free_or_not(refused, 'x'), { code: 'ERR_INVALID_ARG_TYPE' });
          assert.throws(() => b.block_free_or_not(refused, 1), { code: 'ERR_FFI_CALL_FAILED' });
          assert.equal(b.block_use(refused), 1);
        }),
      ),
      2,
    );
    for (const block of [outer, inner]) assert.throws(() => b.block_use(block), DEAD);
    b.block_free(refused);
  });

  test('a call that frees a handle ends it though C broke a fence', async () => {
    const block = b.block_new();
    const bytes = Buffer.alloc(8);
    const call = () => b.block_overflow(block, bytes, 9);
    if (ffi.fences().installed) throws(call, 'ERR_FFI_BUFFER_OVERFLOW');
    else b.block_overflow(block, bytes, 8);
    assert.throws(() => b.block_use(block), DEAD);
  });

  test('a call that frees a handle leaves it alive where C was not entered', async () => {
    const [one, two] = [b.block_new(), b.block_new()];
    assert.equal(
      await freedBy(async () => {
        for (const call of [b.block_free_both, b.block_free_both.async]) {
          await assert.rejects(async () => call(one, 'x', two), { code: 'ERR_INVALID_ARG_TYPE' });
          await assert.rejects(async () => call(one, 0), { code: 'ERR_INVALID_ARG_VALUE' });
          await assert.rejects(async () => call(one, 0, one), DEAD);
          await assert.rejects(async () => call(one, 0, {}), { code: 'ERR_INVALID_ARG_TYPE' });
        }
        await assert.rejects(async () => b.block_overflow(one, makeDetached(), 1), { code: 'ERR_INVALID_ARG_VALUE' });
        await assert.rejects(async () => b.block_overflow.async(one, makeDetached(), 1), {
          code: 'ERR_INVALID_ARG_VALUE',
        });
      }),
      0,
    );
    assert.deepEqual([b.block_use(one), b.block_use(two), typeof one.ptr], [1, 1, 'number']);
    assert.equal(await freedBy(() => b.block_free_both(one, 0, two)), 2);
    for (const block of [one, two]) assert.throws(() => b.block_use(block), DEAD);
  });

  test('a call that its declaration calls a failure leaves the handle alive', async () => {
    for (const call of [b.block_free_or_not, b.block_free_or_not.async]) {
      const block = b.block_new();
      await assert.rejects(async () => call(block, 1), { code: 'ERR_FFI_CALL_FAILED', result: 5 });
      assert.equal(b.block_use(block), 1);
      assert.equal(await call(block, 0), 0);
      assert.throws(() => b.block_use(block), DEAD);
    }
  });

  test('a call in a closed library leaves the handle alive', () => {
    const Other = opaque('Other', { free: 'free' });
    const one = ffi.dlopen(null, { malloc: { args: ['u64'], returns: Other }, free: { args: [Other] } });
    const two = ffi.dlopen('libc.so.6', { free: { args: [Other] } });
    const handle = one.symbols.malloc(8);
    two.close();
    throws(() => two.symbols.free(handle), 'ERR_FFI_LIBRARY_CLOSED');
    one.symbols.free(handle);
    throws(() => one.symbols.free(handle), 'ERR_FFI_INVALID_POINTER');
  });

  test('a call that frees a handle passes null on', () => {
    assert.equal(typeof b.block_free(null), 'number');
  });
});
