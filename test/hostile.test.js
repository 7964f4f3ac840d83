'use strict';
// Wrong declarations and values of every kind, in every place: an error with a code each, and never a crash.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi } = require('./helpers.js');
const { TABLE } = require('../lib/errors.js');

const { struct, union, array, pointer, out, fn, opaque, enumeration, dlopen, offsetof, sizeof } = ffi;

const T = struct({
  x: 'f64', p: 'ptr', s: 'cstring', a: array('i8', 3), u: union({ a: 'i32', b: 'f64' }),
  f: fn({ args: ['i32'], returns: 'i32' }), w: 'wstring', e: enumeration({ A: 1 }),
});
const right = { x: 1, p: null, s: null, a: [1, 2, 3], u: { a: 1 }, f: null, w: null, e: 1 };

const HOSTILE = [
  undefined, null, 0, -1, 1.5, NaN, 1n, 2n ** 70n, 'x', 'a\0', Symbol('x'), () => 1, {}, [], [1, 2, 3], new Proxy({}, {}),
  new Proxy({}, { get() { throw new Error('trap'); } }), Buffer.alloc(3), new ArrayBuffer(8), new SharedArrayBuffer(8),
  new Uint8Array(0), new ArrayBuffer(8, { maxByteLength: 16 }), T, Object.create(null), new Date(), true, T.alloc(),
  { ptr: null }, { ptr: 'x' }, class {}, array('i8', 3).alloc(),
];

describe('whatever is declared or passed', () => {
  const library = dlopen(null, {});
  const isAddress = (value) => typeof value === 'number' || typeof value === 'bigint';

  test('works or throws an error of the table', () => {
    let thrown = 0;
    const attempt = (what) => {
      try {
        what();
      } catch (error) {
        thrown += 1;
        if (error.message !== 'trap') assert.ok(Object.hasOwn(TABLE, error.code), error.stack);
      }
    };
    for (const a of HOSTILE) {
      for (const b of HOSTILE) {
        for (const declare of [struct, union, array, enumeration, opaque, offsetof]) attempt(() => declare(a, b));
        for (const declare of [pointer, out, fn, sizeof]) attempt(() => declare(a));
        attempt(() => struct({ a, b }));
        attempt(() => fn({ args: [a], returns: b }));
        attempt(() => T.alloc({ ...right, x: a, p: b }));
        attempt(() => T.alloc({ ...right, s: a, a: b }));
        attempt(() => T.alloc({ ...right, u: a, f: b }));
        attempt(() => T.alloc({ ...right, w: a, e: b }));
        const view = T.alloc();
        for (const key of Object.keys(right)) attempt(() => { view[key] = a; });
        attempt(() => view.a.set(a, b));
        if (!isAddress(a)) for (const use of ['view', 'read', 'write']) attempt(() => T[use](a, b));
        attempt(() => library.global(a, b));
        attempt(() => dlopen(null, { strdup: { args: [a], returns: { type: b, free: a } } }));
        attempt(() => dlopen(null, { strdup: { args: ['cstring'], varargs: a } }));
      }
    }
    assert.ok(thrown > 10_000, `${thrown} were refused`);
  });
});
