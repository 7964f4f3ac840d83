'use strict';
// i64_number and u64_number: 64-bit integers of C that are numbers, or an error.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const { ffi, fixture, throws } = require('../helpers.js');

const { struct, array, pointer, inout, fn, ptr, read, JSCallback } = ffi;
const LIMIT = Number.MAX_SAFE_INTEGER;
const BEYOND = 2n ** 53n;

const { symbols } = ffi.dlopen(fixture, {
  identity_i64: { args: ['i64_number'], returns: 'i64_number' },
  identity_u64: { args: ['u64_number'], returns: 'u64_number' },
  call_i64: { args: [fn({ args: ['i64_number'], returns: 'i64_number' }), 'i64_number'], returns: 'i64_number' },
});

describe('64-bit integers as numbers', () => {
  test('results are numbers up to 2^53 - 1, and throw the name of the function and the value above', async () => {
    const { identity_i64: i64, identity_u64: u64 } = symbols;
    for (const value of [0, 1, -1, 2 ** 32, -(2 ** 32) - 1, LIMIT, -LIMIT]) assert.equal(i64(value), value);
    for (const value of [0, 2 ** 32 - 1, 2 ** 31, LIMIT, 7n]) assert.equal(u64(value), Number(value));
    const check = () => {
      throws(
        () => i64(BEYOND),
        'ERR_OUT_OF_RANGE',
        /^identity_i64: result: 9007199254740992n is beyond 2\^53.*i64 gives/,
      );
      throws(() => i64(-BEYOND), 'ERR_OUT_OF_RANGE', /^identity_i64: result: -9007199254740992n is/);
      throws(() => u64(2n ** 64n - 1n), 'ERR_OUT_OF_RANGE', /^identity_u64: result: 18446744073709551615n is/);
    };
    check();
    // In optimised code C is called another way.
    for (let i = 0; i < 20_000; i += 1) if (u64(i) !== i) assert.fail(String(i));
    check();
    assert.equal(await u64.async(LIMIT), LIMIT);
    await assert.rejects(u64.async(BEYOND), { code: 'ERR_OUT_OF_RANGE', message: /^identity_u64: result: 9007/ });
    assert.match(throws(() => u64(BEYOND), 'ERR_OUT_OF_RANGE').stack, /\n {4}at .*exact\.test\.js/);
  });

  test('arguments are checked as those of i64 and u64 are, and may be BigInts', () => {
    throws(
      () => symbols.identity_u64(-1),
      'ERR_OUT_OF_RANGE',
      /^identity_u64: argument 0 must be an integer from 0 to 2\^64-1 \(u64_number\)/,
    );
    throws(() => symbols.identity_i64('1'), 'ERR_INVALID_ARG_TYPE', /\(i64_number\)/);
  });

  test('callbacks get numbers, and one that is none throws out of the call', () => {
    const seen = [];
    const callback = (value) => seen.push(value) && -value;
    assert.equal(symbols.call_i64(callback, LIMIT), -LIMIT);
    throws(() => symbols.call_i64(callback, BEYOND), 'ERR_OUT_OF_RANGE', /argument 0: 9007199254740992n is beyond/);
    using(new JSCallback(callback, { args: ['u64_number'], returns: 'u64_number' }), ({ ptr: address }) => {
      const { call_u64: call } = ffi.dlopen(fixture, {
        call_u64: { args: ['function', 'u64'], returns: 'u64' },
      }).symbols;
      throws(() => call(address, BEYOND), 'ERR_OUT_OF_RANGE', /argument 0: 9007199254740992n/);
      throws(() => call(address, 5n), 'ERR_OUT_OF_RANGE', /return value must be .* \(u64_number\), received -5/);
    });
    assert.deepEqual(seen, [LIMIT, 5]);
  });

  const Stat = struct(
    { size: 'u64_number', times: array('i64_number', 2), blocks: { type: 'u64_number', bits: 60 } },
    { name: 'Stat' },
  );

  test('fields, elements and bitfields are numbers, and errors lead to them', () => {
    const value = { size: LIMIT, times: [-1, 2], blocks: 2 ** 40 };
    assert.deepEqual(Stat.read(Stat.alloc(value)), value);
    const view = Stat.alloc({ ...value, size: BEYOND });
    throws(() => view.size, 'ERR_OUT_OF_RANGE', /^Stat: field size: 9007199254740992n is/);
    throws(() => Stat.read(view), 'ERR_OUT_OF_RANGE', /^Stat\.read: field size: 9007199254740992n is/);
    view.size = 1;
    view.times[1] = -BEYOND;
    throws(() => view.times[1], 'ERR_OUT_OF_RANGE', /element \[1\]: -9007199254740992n is/);
    throws(() => Stat.read(ptr(view)), 'ERR_OUT_OF_RANGE', /^Stat\.read: field times\[1\]: -9007199254740992n is/);
    view.times[1] = 0;
    view.blocks = 2n ** 59n;
    throws(() => view.blocks, 'ERR_OUT_OF_RANGE', /^Stat: field blocks: 576460752303423488n is/);
  });

  test('what is printed has every value', () => {
    const view = Stat.alloc({ size: BEYOND, times: [1, BEYOND], blocks: 3 });
    assert.equal(inspect(view), 'Stat { size: 9007199254740992n, times: [ 1, 9007199254740992n ], blocks: 3 }');
    assert.equal(JSON.stringify(view), '{"size":"9007199254740992","times":[1,"9007199254740992"],"blocks":3}');
  });

  test('out-parameters, values that are copied back and reads are checked as well', () => {
    const { fill_at: fill } = ffi.dlopen(fixture, {
      fill_at: { args: [inout('u64_number'), 'i64', 'u8', 'u64'], returns: 'void' },
    }).symbols;
    assert.equal(fill(0, 0, 1, 2).out[0], 0x101);
    throws(() => fill(0, 0, 0xff, 8), 'ERR_OUT_OF_RANGE', /^fill_at: out\[0\]: 18446744073709551615n is/);
    const { fill_at: copied } = ffi.dlopen(fixture, {
      fill_at: { args: [pointer('u64_number'), 'i64', 'u8', 'u64'], returns: 'void' },
    }).symbols;
    const list = [1, 2];
    copied(list, 0, 1, 1);
    assert.deepEqual(list, [1, 2]);
    throws(
      () => copied(list, 8, 0xff, 8),
      'ERR_OUT_OF_RANGE',
      /^fill_at: argument 0: element \[1\]: 18446744073709551615n/,
    );
    const memory = BigUint64Array.of(BEYOND, 5n);
    throws(() => read.u64_number(ptr(memory)), 'ERR_OUT_OF_RANGE', /^read\.u64_number: 9007199254740992n is/);
    assert.equal(read.i64_number(ptr(memory), 8), 5);
    assert.deepEqual(array('u64_number', 1).read(memory.subarray(1)), [5]);
  });

  test('C text and enumerations take them by name', () => {
    const lib = ffi.dlopen(fixture, 'u64_number identity_u64(u64_number value);');
    assert.equal(lib.symbols.identity_u64(5), 5);
    const Colour = ffi.enumeration({ RED: 1 }, { type: 'i64_number' });
    assert.equal(
      ffi.dlopen(fixture, { identity_i64: { args: [Colour], returns: Colour } }).symbols.identity_i64('RED'),
      1,
    );
  });
});

function using(callback, run) {
  try {
    run(callback);
  } finally {
    callback.close();
  }
}
