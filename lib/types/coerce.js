'use strict';
// bun's conversions: the type descriptors for `wrap: true`.
// Integers wrap, anything but text becomes a number, undefined is NULL, text ends at its first NUL.

const { wrongType, locationOf, typeNameOf } = require('../errors.js');

const LITTLE = true;

/**
 * Gives a descriptor its `coercing` form, which is made at its first use: few programs need it. The property is not
 * enumerable, so that a descriptor made by spreading this one does not take over these conversions.
 */
const withCoercion = (descriptor, changes) =>
  Object.defineProperty(descriptor, 'coercing', {
    configurable: true,
    get() {
      const key = descriptor.key && `${descriptor.key} wrapped`;
      const value = Object.setPrototypeOf({ ...descriptor, key, ...changes() }, null);
      Object.defineProperty(value, 'coerces', { value: descriptor });
      Object.defineProperty(descriptor, 'coercing', { value });
      return value;
    },
  });

const isText = (value) => typeof value === 'string' || typeof value === 'symbol';

/** ECMAScript's conversion to a number, without text. */
function toNumber(value, descriptor, name, position) {
  if (typeof value === 'number') return value;
  if (isText(value))
    throw wrongType(locationOf(name, position), `a number (${typeNameOf(descriptor, position)})`, value);
  return Number(value);
}

/** An object as a number. This may run the user's code. */
const resolve = (value) =>
  (typeof value === 'object' && value !== null) || typeof value === 'function' ? +value : value;

const { setInt8, setInt16, setInt32 } = DataView.prototype;

/** An integer of up to 32 bits. */
function coerceInteger(descriptor) {
  const set = descriptor.max <= 0xff ? setInt8 : descriptor.max <= 0xffff ? setInt16 : setInt32;
  return withCoercion(descriptor, () => ({
    resolve,
    write(view, at, value, name, position) {
      const whole = typeof value === 'bigint' ? BigInt.asIntN(32, value) : value;
      set.call(view, at, toNumber(whole, descriptor, name, position), LITTLE);
    },
  }));
}

/**
 * A 64-bit integer: numbers are truncated, NaN and infinities are 0. Nothing but numbers is taken. `setSafe` stores a
 * safe integer.
 */
const coerceWide = (descriptor, setSafe) =>
  withCoercion(descriptor, () => ({
    write(view, at, value, name, position) {
      if (Number.isSafeInteger(value)) {
        setSafe(view, at, value);
        return;
      }
      if (typeof value !== 'number' && typeof value !== 'bigint') {
        throw wrongType(locationOf(name, position), `a number or BigInt (${typeNameOf(descriptor, position)})`, value);
      }
      const whole = typeof value === 'bigint' ? value : Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
      view.setBigInt64(at, BigInt.asIntN(64, whole), LITTLE);
    },
  }));

/** A floating point number; `set` stores it. */
const coerceFloat = (descriptor, set) =>
  withCoercion(descriptor, () => ({
    resolve,
    write: (view, at, value, name, position) => set.call(view, at, toNumber(value, descriptor, name, position), LITTLE),
  }));

const coerceBool = (descriptor) =>
  withCoercion(descriptor, () => ({ write: (view, at, value) => view.setUint8(at, value ? 1 : 0) }));

/** An address modulo 2^64. A value without one, such as NaN, stays unchanged: the descriptor refuses it. */
function modularAddress(value) {
  if (value === undefined) return null;
  if (typeof value === 'bigint') return BigInt.asUintN(64, value);
  const isPlain = typeof value !== 'number' || (Number.isSafeInteger(value) && value >= 0);
  return isPlain || !(Math.abs(value) < 2 ** 64) ? value : BigInt.asUintN(64, BigInt(Math.trunc(value)));
}

const coercePointer = (descriptor, convert = modularAddress) =>
  withCoercion(descriptor, () => ({
    write: (view, at, value, name, position) => descriptor.write(view, at, convert(value), name, position),
  }));

const endAtNul = (value) => (typeof value === 'string' ? value.split('\0', 1)[0] : modularAddress(value));
const coerceText = (descriptor) => coercePointer(descriptor, endAtNul);

module.exports = {
  coerceInteger,
  coerceWide,
  coerceFloat,
  coerceBool,
  coercePointer,
  coerceText,
};
