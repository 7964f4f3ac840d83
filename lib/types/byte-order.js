'use strict';
// Numbers in a stated byte order: `u16be`, `f64le` and so on, for files and network packets. In memory the bytes are in
// that order; as an argument or a result of C the number is one whose bytes are, as htons() and htonl() make them.

const { spellingOf } = require('../errors.js');
const { i16, u16, i32, u32, i64, u64, f32, f64 } = require('./scalars.js');

const NUMBERS = [i16, u16, i32, u32, i64, u64, f32, f64];
const scratch = new DataView(new ArrayBuffer(8));
const bytes = new Uint8Array(scratch.buffer);

/** Writes a value into the scratch; an error names the type as it is declared. */
function write(base, value, name, position) {
  try {
    base.write(scratch, 0, value, name, position);
  } catch {
    const type = spellingOf(position) ?? `${base.name}be`;
    base.write(scratch, 0, value, name, { outer: position, part: undefined, type });
  }
}

/** The little-endian bytes of a value, reversed. */
function bigEndian(base, size) {
  const order = bytes.subarray(0, size);
  return {
    ...base,
    name: `${base.name}be`,
    key: `${base.name}be`,
    size,
    align: size,
    isSwapped: true,
    read(view, at) {
      for (let i = 0; i < size; i += 1) bytes[i] = view.getUint8(at + i);
      order.reverse();
      return base.read(scratch, 0);
    },
    write(view, at, value, name, position) {
      write(base, value, name, position);
      order.reverse();
      for (let i = 0; i < size; i += 1) view.setUint8(at + i, bytes[i]);
    },
  };
}

/** A number as the platforms have it that the package runs on, under a name that says so. */
const littleEndian = (base, size) => ({
  ...base,
  name: `${base.name}le`,
  key: `${base.name}le`,
  size,
  align: size,
  isSwapped: true,
});

/** The descriptors of both orders. */
const ordered = NUMBERS.flatMap((base) => {
  const size = Number(base.name.slice(1)) / 8;
  return [littleEndian(base, size), bigEndian(base, size)];
});

module.exports = { ordered };
