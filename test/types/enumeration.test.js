'use strict';
// enumeration(): names and numbers of C enums, as arguments, results and fields.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, throws } = require('../helpers.js');

const { enumeration, struct, dlopen } = ffi;
const Color = enumeration({ red: 0, green: 1, blue: 7 }, { name: 'Color' });
const Named = enumeration({ red: 0, green: 1, blue: 7 }, { names: true });
const abs = (type, returns) => dlopen(null, { abs: { args: [type], returns } }).symbols.abs;

describe('an enumeration', () => {
  test('an enumeration takes names and numbers, and gives numbers', () => {
    const same = abs(Color, Color);
    assert.deepEqual([same('blue'), same(1), same(5), same(7n)], [7, 1, 5, 7]);
    throws(
      () => same('pink'),
      'ERR_INVALID_ARG_VALUE',
      /abs: argument 0 must be one of red, green, blue \(Color\), received the string 'pink'/,
    );
    throws(() => same(1.5), 'ERR_OUT_OF_RANGE');
    throws(() => same(true), 'ERR_INVALID_ARG_TYPE');
    throws(() => same('toString'), 'ERR_INVALID_ARG_VALUE');
  });

  test('an enumeration gives names on request, and the number of what has none', () => {
    const same = abs(Named, Named);
    assert.deepEqual([same('blue'), same(1), same(5)], ['blue', 'green', 5]);
    assert.deepEqual([Color.nameOf(7), Color.nameOf(8), Color.values.green], ['blue', undefined, 1]);
  });

  test('an enumeration is a field like any integer', () => {
    const T = struct({ a: enumeration({ on: 200 }, { type: 'u8' }), b: Named });
    assert.deepEqual([T.size, T.read(T.alloc({ a: 'on', b: 'red' }))], [8, { a: 200, b: 'red' }]);
    const Big = enumeration({ top: 2n ** 64n - 1n }, { type: 'u64', names: true });
    const U = struct({ a: Big });
    assert.deepEqual(U.read(U.alloc({ a: 'top' })), { a: 'top' });
  });

  test('an enumeration has a declaration that is checked', () => {
    throws(() => enumeration({}), 'ERR_INVALID_ARG_VALUE');
    throws(() => enumeration({ a: 'x' }), 'ERR_INVALID_ARG_TYPE');
    throws(() => enumeration({ a: 300 }, { type: 'u8' }), 'ERR_OUT_OF_RANGE', /a must be an integer from 0 to 255/);
    throws(() => enumeration({ a: 1 }, { type: 'f64' }), 'ERR_INVALID_ARG_VALUE', /integer type/);
  });

  test('an enumeration has its constants as properties, next to what every type has', () => {
    const Kind = enumeration({ SMALL: 1, LARGE: 2n, name: 3, toString: 4 }, { type: 'u64', name: 'Kind' });
    assert.deepEqual(
      [Kind.SMALL, Kind.LARGE, Kind.name, Kind.values.name, Kind.values.toString],
      [1, 2n, 'Kind', 3, 4],
    );
    assert.equal(typeof Kind.toString, 'function');
    assert.ok(Object.isFrozen(Kind));
  });

  test('an enumeration takes flags joined, and gives them so on request', () => {
    const members = { NONE: 0, READ: 4, WRITE: 2, RUN: 1, ALL: 7 };
    const Mode = enumeration(members, { flags: true, name: 'Mode' });
    const NamedMode = enumeration(members, { flags: true, names: true });
    const same = abs(Mode, NamedMode);
    for (const value of ['READ | WRITE', 'READ|WRITE', ['READ', 'WRITE'], ['READ', 2], Mode.READ | Mode.WRITE, 6n])
      assert.equal(same(value), 'READ | WRITE');
    assert.deepEqual([same('ALL'), same([]), same(0), same('RUN'), same(8)], ['ALL', 'NONE', 'NONE', 'RUN', 8]);
    assert.deepEqual([Mode.nameOf(5), Mode.nameOf(9), Mode.nameOf(0.5)], ['READ | RUN', undefined, undefined]);
    throws(() => same('READ | WIRTE'), 'ERR_INVALID_ARG_VALUE', /made of NONE, READ, WRITE, RUN, ALL \(Mode\)/);
    throws(() => same(['READ', {}]), 'ERR_INVALID_ARG_VALUE');
    throws(() => abs(Color, Color)('grene'), 'ERR_INVALID_ARG_VALUE', /Did you mean 'green'\?$/);
    const T = struct({ mode: Mode });
    assert.deepEqual(T.read(T.alloc({ mode: ['RUN', 'READ'] })), { mode: 5 });
  });
});
