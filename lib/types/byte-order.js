'use strict';
// Numbers in a stated byte order: `u16be`, `f64le` and so on, for files and network packets. In memory the bytes are in
// that order; as an argument or a result of C the number is one whose bytes are, as htons() and htonl() make them.

const { i16, u16, i32, u32, i64, u64, f32, f64, renamed } = require('./scalars.js');

const NUMBERS = [i16, u16, i32, u32, i64, u64, f32, f64];
const scratch = new DataView(new ArrayBuffer(8));
const bytes = new Uint8Array(scratch.buffer);

/** A number as the platforms have it that the package runs on, under another name. */
function ordinary(base, name) {
  const size = Number(base.name.slice(1)) / 8;
  return { ...renamed(base, name), size, align: size, hasByteOrder: true };
}

const littleEndian = (base) => ordinary(base, `${base.name}le`);

/** The same with its bytes reversed. */
function bigEndian(base) {
  const number = ordinary(base, `${base.name}be`);
  const last = number.size - 1;
  return {
    ...number,
    read(view, at) {
      for (let i = 0; i <= last; i += 1) bytes[last - i] = view.getUint8(at + i);
      return base.read(scratch, 0);
    },
    write(view, at, value, owner, position) {
      number.write(scratch, 0, value, owner, position);
      for (let i = 0; i <= last; i += 1) view.setUint8(at + i, bytes[last - i]);
    },
  };
}

/** The descriptors of both orders. */
const ordered = NUMBERS.flatMap((base) => [littleEndian(base), bigEndian(base)]);

module.exports = { ordered };
