'use strict';
// The type descriptors of bitfields: some bits of an integer that other fields may share.

const { exactOfBig } = require('../exact-numbers.js');
const { makeError, locationOf } = require('../errors.js');

/** The descriptor of `width` bits from the bit `start` on. No other bytes than those with its bits are used. */
function bitfieldDescriptor(unit, start, width) {
  const first = start >> 3;
  const shift = start & 7;
  const bytes = (shift + width + 7) >> 3;
  const isSigned = unit.min < 0 || (unit.min === undefined && unit.name !== 'bool' && !/^u|unsigned/.test(unit.name));
  const whole = unit.size * 8;
  const get = (view, at) => bigOf(view, at + first, bytes) >> BigInt(shift);
  const cut = isSigned ? BigInt.asIntN : BigInt.asUintN;
  const isBig = whole === 64 || unit.name.includes('long');
  const mask = ((1n << BigInt(width)) - 1n) << BigInt(shift);
  const base = isSigned ? 'i64' : 'u64';
  const outOf = (big) => {
    if (unit.readBig !== undefined) return exactOfBig(big, base);
    return unit.name === 'bool' ? big !== 0n : isBig ? big : Number(big);
  };
  return {
    __proto__: null,
    ...unit,
    name: `${unit.name}:${width}`,
    ...(unit.readBig && { readBig: (view, at) => cut(width, get(view, at)) }),
    read: (view, at) => outOf(cut(width, get(view, at))),
    write(view, at, value, name, position) {
      // Only for this write: V8 may run other JavaScript in between.
      const scratch = new DataView(new ArrayBuffer(8));
      unit.write(scratch, 0, value, name, position);
      const big = BigInt((unit.readBig ?? unit.read)(scratch, 0));
      if (cut(width, big) !== big) {
        throw makeError(
          'ERR_OUT_OF_RANGE',
          `${locationOf(name, position)} must fit ${width} bits (${unit.name}), received ${big}`,
        );
      }
      const old = bigOf(view, at + first, bytes);
      setBig(view, at + first, bytes, (old & ~mask) | ((big << BigInt(shift)) & mask));
    },
  };
}

function bigOf(view, at, size) {
  let big = 0n;
  for (let i = size - 1; i >= 0; i -= 1) big = (big << 8n) | BigInt(view.getUint8(at + i));
  return big;
}

function setBig(view, at, size, value) {
  for (let i = 0; i < size; i += 1) view.setUint8(at + i, Number((value >> BigInt(8 * i)) & 0xffn));
}

module.exports = { bitfieldDescriptor };
