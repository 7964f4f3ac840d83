'use strict';
// Size contracts: what a declaration says of an argument's bytes is checked before C is entered, in every mode.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, throws, runs, fixture } = require('../helpers.js');

const event = bind({
  fill_at: { args: [{ type: 'ptr', minBytes: 192 }, 'i64', 'u8', 'u64'] },
}).fill_at;
const fillBytes = (length = 'u64', pointer = 'ptr') =>
  bind({ fill_bytes: { args: [{ type: pointer }, { type: length, lengthOf: 0 }, 'u8'] } }).fill_bytes;

describe('minBytes', () => {
  test('minBytes refuses a view that is too small, before C has written a byte, and names both sizes', () => {
    const small = Buffer.alloc(96);
    const error = throws(() => event(small, 0, 1, 192), 'ERR_OUT_OF_RANGE');
    assert.equal(error.message, 'fill_at: argument 0 needs at least 192 bytes, received a Buffer of 96 bytes');
    assert.ok(small.every((byte) => byte === 0));
    for (const view of [
      new Uint8Array(191),
      new DataView(new ArrayBuffer(300), 150),
      new ArrayBuffer(1),
      new Float64Array(23),
      new SharedArrayBuffer(191),
      new Uint8Array(0),
      new Uint8Array(400).subarray(209),
    ]) {
      throws(() => event(view, 0, 1, 192), 'ERR_OUT_OF_RANGE', /argument 0 needs at least 192 bytes/);
    }
  });

  test('minBytes lets every view of that size or more through, by its bytes and not its elements', () => {
    for (const view of [
      new Uint8Array(192),
      new Float64Array(24),
      new DataView(new ArrayBuffer(193)),
      new ArrayBuffer(5000),
      ffi.alloc(192),
      new Uint8Array(400).subarray(208),
      Buffer.allocUnsafe(192),
    ]) {
      event(view, 0, 7, 192);
      const bytes = ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, 192) : new Uint8Array(view);
      assert.ok(bytes.subarray(0, 192).every((byte) => byte === 7));
    }
  });

  test('minBytes has nothing to say of an address or null, whose size nobody knows', () => {
    const view = new Uint8Array(10);
    event(ffi.ptr(view), 0, 5, 10);
    assert.ok(view.every((byte) => byte === 5));
    event(null, 0, 5, 0);
  });

  test('minBytes still refuses what its type refuses', () => {
    for (const value of [undefined, 'text', true, {}, []]) throws(() => event(value, 0, 1, 0), 'ERR_INVALID_ARG_TYPE');
  });

  test('minBytes counts the bytes of a string with its NUL', () => {
    const { measure_cstring: measure } = bind({
      measure_cstring: { args: [{ type: 'cstring', minBytes: 5 }], returns: 'i32' },
    });
    assert.equal(measure('1234'), 4);
    assert.equal(measure('\u20ac1'), 4);
    throws(() => measure('123'), 'ERR_OUT_OF_RANGE', /argument 0 needs at least 5 bytes/);
  });

  test('minBytes is kept apart for functions of one signature', () => {
    const of = (minBytes) => bind({ fill_at: { args: [{ type: 'ptr', minBytes }, 'i64', 'u8', 'u64'] } }).fill_at;
    const [eight, sixteen, plain] = [of(8), of(16), bind({ fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] } }).fill_at];
    const view = new Uint8Array(8);
    eight(view, 0, 1, 8);
    throws(() => sixteen(view, 0, 1, 8), 'ERR_OUT_OF_RANGE', /at least 16/);
    plain(new Uint8Array(4), 0, 1, 4);
    throws(() => eight(new Uint8Array(4), 0, 1, 4), 'ERR_OUT_OF_RANGE', /at least 8/);
  });
});

describe('lengthOf', () => {
  test('lengthOf refuses a length that is more than the bytes of its argument, as a number and as a BigInt', () => {
    const fill = fillBytes();
    const view = new Uint8Array(40);
    for (const length of [41, 41n, 2 ** 31, 2n ** 63n]) {
      throws(
        () => fill(view, length, 3),
        'ERR_OUT_OF_RANGE',
        /^fill_bytes: argument 1 must be at most 40, the bytes of argument 0, received/,
      );
    }
    assert.ok(view.every((byte) => byte === 0));
    for (const length of [0, 39, 40, 40n]) fill(view, length, 3);
    assert.ok(view.every((byte) => byte === 3));
    fill(new Float64Array(5), 40, 1);
    throws(() => fill(new Float64Array(5), 41, 1), 'ERR_OUT_OF_RANGE');
    throws(() => fill(new Uint8Array(0), 1, 1), 'ERR_OUT_OF_RANGE');
    fill(new Uint8Array(0), 0, 1);
  });

  test('lengthOf may come before its argument, be of any integer type', () => {
    for (const type of ['u64', 'i64', 'size_t', 'usize', 'u64_fast']) {
      throws(() => fillBytes(type)(new Uint8Array(4), 5, 1), 'ERR_OUT_OF_RANGE', /at most 4/);
    }
    const before = bind({
      weigh: { name: 'report_i32', args: ['function', { type: 'i32', lengthOf: 2 }, 'ptr'] },
    }).weigh;
    throws(
      () => before(null, 5, new Uint8Array(4)),
      'ERR_OUT_OF_RANGE',
      /argument 1 must be at most 4, the bytes of argument 2/,
    );
  });

  test('lengthOf is kept by wrapping integers too: what C would get is what counts', async () => {
    const output = await runs(`
      const fill = h.bind({ fill_bytes: { args: ['ptr', { type: 'u64', lengthOf: 0 }, 'u8'], wrap: true } }).fill_bytes;
      console.log(JSON.stringify([5, 5n, -1, -1n, -(2 ** 40)].map((length) => h.outcome(() => fill(new Uint8Array(4), length, 9)))));
    `);
    assert.deepEqual(JSON.parse(output), Array(5).fill('ERR_OUT_OF_RANGE'));
  });

  test('lengthOf has nothing to say of an address or null, and leaves wrong kinds to the type', () => {
    const fill = fillBytes();
    const view = new Uint8Array(10);
    fill(ffi.ptr(view), 10, 5);
    assert.ok(view.every((byte) => byte === 5));
    fill(null, 0, 1);
    for (const length of ['50', '5', {}, [], true, null]) throws(() => fill(view, length, 1), 'ERR_INVALID_ARG_TYPE');
    for (const length of [-1, 1.5, NaN]) throws(() => fill(view, length, 1), 'ERR_OUT_OF_RANGE');
  });

  test('lengthOf and countOf refuse a negative number of a signed type, which C may take for a huge one', () => {
    const view = new Uint8Array(10);
    for (const type of ['i8', 'i32', 'i64', 'long']) {
      throws(
        () => fillBytes(type)(view, -1, 1),
        'ERR_OUT_OF_RANGE',
        /at least 0 and at most 10, the bytes of argument 0/,
      );
      const args = [{ type: 'ptr' }, { type, countOf: 0 }, 'u8'];
      const fill = bind({ fill_bytes: { args } }).fill_bytes;
      throws(() => fill(view, -1, 1), 'ERR_OUT_OF_RANGE', /at least 0 and at most 10, the elements of argument 0/);
    }
    assert.ok(view.every((byte) => byte === 0));
  });
});

describe('a declaration', () => {
  test('a declaration of an argument as an object may give it a name, which errors use', () => {
    const { fill_bytes: fill } = bind({
      fill_bytes: {
        args: [
          { type: 'ptr', name: 'to', minBytes: 4 },
          { type: 'u64', name: 'count', lengthOf: 0 },
          { type: 'u8', name: 'value' },
        ],
      },
    });
    throws(() => fill(new Uint8Array(3), 1, 1), 'ERR_OUT_OF_RANGE', /argument 0 \(to\) needs at least 4 bytes/);
    throws(() => fill(new Uint8Array(4), 5, 1), 'ERR_OUT_OF_RANGE', /argument 1 \(count\) must be at most 4/);
    throws(() => fill(new Uint8Array(4), 1, 256), 'ERR_OUT_OF_RANGE', /argument 2 \(value\)/);
  });

  test('a declaration that contradicts itself is refused when it is bound', () => {
    const declare =
      (...args) =>
      () =>
        bind({ fill_bytes: { args } });
    const codes = ['ERR_INVALID_ARG_VALUE', 'ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_TYPE'];
    for (const args of [
      [{ type: 'ptr', minBytes: -1 }, 'u64', 'u8'],
      [{ type: 'ptr', minBytes: 1.5 }, 'u64', 'u8'],
      [{ type: 'ptr', minBytes: '8' }, 'u64', 'u8'],
      [{ type: 'ptr', minBytes: NaN }, 'u64', 'u8'],
      ['ptr', { type: 'u64', minBytes: 8 }, 'u8'],
      ['ptr', { type: 'u64', lengthOf: 1 }, 'u8'],
      ['ptr', { type: 'u64', lengthOf: 2 }, 'u8'],
      ['ptr', { type: 'u64', lengthOf: 3 }, 'u8'],
      ['ptr', { type: 'u64', lengthOf: -1 }, 'u8'],
      ['ptr', { type: 'f64', lengthOf: 0 }, 'u8'],
      ['ptr', { type: 'ptr', lengthOf: 0 }, 'u8'],
      ['ptr', { type: 'u64', lengthOf: 0, minBytes: 1 }, 'u8'],
      ['ptr', { lengthOf: 0 }, 'u8'],
      [{ type: 'nothing' }, 'u64', 'u8'],
      [{ type: 'ptr', minbytes: 8 }, 'u64', 'u8'],
      [[], 'u64', 'u8'],
    ])
      throws(declare(...args), codes, /args\[\d\]/);
  });

  test('a size constraint holds without generated code and in guard mode as well', async () => {
    const code = `
      const { symbols } = ffi.dlopen(${JSON.stringify(fixture)}, { fill_bytes: {
        args: [{ type: 'ptr', minBytes: 4 }, { type: 'u64', lengthOf: 0 }, 'u8'] } });
      const told = (...values) => h.outcome(() => symbols.fill_bytes(...values));
      console.log(told(new Uint8Array(3), 1, 1), told(new Uint8Array(4), 5, 1), told(new Uint8Array(4), 4, 1));`;
    const wanted = 'ERR_OUT_OF_RANGE ERR_OUT_OF_RANGE undefined';
    assert.equal(await runs(code, { flags: ['--disallow-code-generation-from-strings'] }), wanted);
    assert.equal(await runs(code, { env: { PINNED_FFI_GUARD: '1' } }), wanted);
    assert.equal(await runs(code, { env: { PINNED_FFI_FENCE: 'off' } }), wanted);
  });
});
