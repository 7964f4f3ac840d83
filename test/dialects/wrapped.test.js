'use strict';
// bun's ways, declared one by one: `wrap: true` and `loose: true`.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, bindOne, throws, outcome, runs } = require('../helpers.js');

const inProcess = (symbols) => ffi.dlopen('m', symbols).symbols;

describe('wrap: true', () => {
  const wrapped = (type, value) => bindOne(`identity_${type}`, [type], type, { wrap: true })(value);

  test('integers wrap as they do in C instead of being refused', () => {
    assert.equal(wrapped('i8', 128), -128);
    assert.equal(wrapped('i8', 384), -128);
    assert.equal(wrapped('u8', -1), 255);
    assert.equal(wrapped('u8', 256), 0);
    assert.equal(wrapped('i16', 32768), -32768);
    assert.equal(wrapped('u16', 65537), 1);
    assert.equal(wrapped('i32', 2 ** 31), -(2 ** 31));
    assert.equal(wrapped('u32', -1), 4294967295);
    assert.equal(wrapped('i64', 2n ** 63n), -(2n ** 63n));
    assert.equal(wrapped('u64', -1n), 2n ** 64n - 1n);
    assert.equal(wrapped('u64', -1), 2n ** 64n - 1n);
    assert.equal(wrapped('i32', 2n ** 32n + 7n), 7);
  });

  test('fractions are cut off and NaN is zero', () => {
    assert.equal(wrapped('i32', 1.9), 1);
    assert.equal(wrapped('i32', -1.9), -1);
    assert.equal(wrapped('i32', NaN), 0);
    assert.equal(wrapped('u8', Infinity), 0);
  });

  test('a wrong kind of value is still refused', () => {
    throws(() => wrapped('i32', 'x'), 'ERR_INVALID_ARG_TYPE', /^identity_i32: argument 0/);
    throws(() => wrapped('i64', {}), 'ERR_INVALID_ARG_TYPE', /^identity_i64: argument 0/);
    throws(() => wrapped('i64', Symbol('s')), 'ERR_INVALID_ARG_TYPE', /^identity_i64: argument 0/);
  });

  test('wrap: true is advised by no refusal that it lifts', () => {
    const view = new Uint8Array([7]);
    const values = [
      1.5,
      -1,
      256,
      2 ** 31,
      2 ** 53,
      2 ** 64,
      1e30,
      NaN,
      Infinity,
      -5n,
      2n ** 64n,
      true,
      null,
      undefined,
      '7',
      Symbol('s'),
      {},
      [7],
      view,
      view.buffer,
      { valueOf: () => 3 },
      () => 1,
      new Date(5),
      'a\0b',
    ];
    const types = [
      ['char'],
      ['i8'],
      ['u8'],
      ['i16'],
      ['u16'],
      ['i32'],
      ['u32'],
      ['i64'],
      ['u64'],
      ['long'],
      ['ulong', 'unsigned long'],
      ['wchar', 'wchar_t'],
      ['i64', 'i64_fast'],
      ['u64', 'u64_fast'],
      ['f64'],
      ['f32'],
      ['bool'],
      ['ptr'],
      ['ptr', 'function'],
      ['ptr', 'cstring', 'ptr'],
      ['ptr', 'utf16', 'ptr'],
      ['ptr', 'wstring', 'ptr'],
      ['ptr', 'buffer', 'ptr'],
    ];
    let lifted = 0;
    for (const [row, type = row, returns = type] of types) {
      const bound = (more) => bindOne(`identity_${row}`, [type], returns, more);
      const [strict, wrapping] = [bound({}), bound({ wrap: true })];
      for (const value of values) {
        const refused = outcome(() => strict(value));
        if (!String(refused).startsWith('ERR_')) continue;
        const isLifted = !String(outcome(() => wrapping(value))).startsWith('ERR_');
        const error = throws(() => strict(value), refused);
        assert.doesNotMatch(error.message, /`?(?:wrap|loose)`?: true/);
        lifted += Number(isLifted);
      }
    }
    assert.ok(lifted > 150, `${lifted} refusals were lifted`);
  });

  test('values that are not integers become a number, an address or text as they do in bun', () => {
    assert.equal(wrapped('i32', true), 1);
    assert.equal(wrapped('i32', null), 0);
    assert.equal(wrapped('i32', [7]), 7);
    assert.equal(wrapped('u8', { valueOf: () => 300 }), 44);
    assert.ok(Number.isNaN(wrapped('f64', undefined)));
    assert.equal(wrapped('f64', 2n ** 60n), 2 ** 60);
    assert.equal(wrapped('f32', 1e40), Infinity);
    assert.equal(wrapped('bool', 'x'), true);
    assert.equal(wrapped('ptr', undefined), null);
    assert.equal(wrapped('ptr', -1), 2n ** 64n - 1n);
    assert.equal(wrapped('ptr', 4096.7), 4096);
    assert.equal(bindOne('identity_cstring', ['cstring'], 'cstring', { wrap: true })('abc\0def'), 'abc');
  });

  test('an object that is converted may call the same function meanwhile', () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32', { wrap: true });
    assert.equal(add(1, { valueOf: () => add(20, 21) }), 42);
  });

  test('wrap: true leaves types that are made of others as they are', () => {
    const Small = ffi.enumeration({ ONE: 1 });
    const same = bindOne('identity_i32', [Small], Small, { wrap: true });
    throws(() => same(2 ** 31), 'ERR_OUT_OF_RANGE');
    const Handle = ffi.opaque('Handle');
    throws(() => bindOne('identity_ptr', [Handle], Handle, { wrap: true })(4096), 'ERR_INVALID_ARG_TYPE');
    const filled = bindOne('fill_bytes', [{ type: 'ptr', minBytes: 8 }, 'u64', 'u8'], 'void', { wrap: true });
    throws(() => filled(new Uint8Array(4), 4, -1), 'ERR_OUT_OF_RANGE', /at least 8 bytes/);
  });

  test('one symbol that wraps leaves the others strict', () => {
    const { identity_u8: loose, identity_i8: strict } = bind({
      identity_u8: { args: ['u8'], returns: 'u8', wrap: true },
      identity_i8: { args: ['i8'], returns: 'i8' },
    });
    assert.equal(loose(-1), 255);
    throws(() => strict(200), 'ERR_OUT_OF_RANGE');
  });
});

describe('loose: true', () => {
  const loose = (more) => bindOne('add_i32', ['i32', 'i32'], 'i32', { loose: true, ...more });

  test('loose: true does not look at more arguments than are declared', async () => {
    assert.equal(loose()(20, 22, 'x', {}), 42);
    assert.equal(await loose().async(20, 22, 'x'), 42);
    assert.equal(loose().length, 2);
  });

  test('loose: true takes a missing argument as undefined', () => {
    throws(() => loose()(1), 'ERR_INVALID_ARG_TYPE', /^add_i32: argument 1 .* received undefined$/);
    assert.equal(loose({ wrap: true })(1), 1);
    assert.equal(loose({ wrap: true })(), 0);
  });

  test('loose: true does not make other functions of the same types loose', () => {
    loose()(1, 2, 3);
    throws(
      () => bindOne('add_i32', ['i32', 'i32'], 'i32')(1, 2, 3),
      'ERR_INVALID_ARG_VALUE',
      /^add_i32 expects 2 arguments, received 3$/,
    );
  });

  test('loose: true holds without code generation, too', async () => {
    const printed = await runs(
      `
      const add = h.bindOne('add_i32', ['i32', 'i32'], 'i32', { loose: true, wrap: true });
      console.log(add(1, 2, 3), add(5), add());
    `,
      { flags: ['--disallow-code-generation-from-strings'] },
    );
    assert.equal(printed, '3 5 0');
  });

  test('loose: true leaves the pairs of a variadic function', () => {
    const { snprintf } = inProcess({
      snprintf: { args: ['ptr', 'size_t', 'cstring'], varargs: true, returns: 'i32', loose: true, wrap: true },
    });
    const text = Buffer.alloc(16);
    assert.equal(snprintf(text, 16, '%d', ['i32', 42]), 2);
  });

  test('loose: true goes with out parameters', () => {
    const { frexp } = inProcess({ frexp: { args: ['f64', ffi.out('i32')], returns: 'f64', loose: true } });
    assert.deepEqual(frexp(8.5, 'more', 'and more'), { returns: 0.53125, out: [4] });
  });
});
