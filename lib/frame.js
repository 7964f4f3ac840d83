'use strict';
// The frame: the memory in which calls and callbacks exchange values (src/memory/arg_buffer.rs has the layout), and how it stays
// whole where V8 runs other JavaScript in the middle of a call.
//
// V8 may run other JavaScript, an inspector's for example, wherever a function is entered, one of the engine's included, and
// wherever a loop goes round. If that makes calls, it writes the frame. Elements of typed arrays are read and written without
// that, and native functions are entered without. Therefore:
//   - A function that starts to write arguments increments `words[EPOCH]` and keeps the number. Right before native code is entered, the
//     number is compared: if it is another one, all arguments are written again.
//   - Results are read right after native code has returned, by elements of typed arrays alone (inline.js).
//   - Native code sets the sign of `words[EPOCH]` when it has put the arguments of a callback into the frame. The callback
//     looks at it after it has read them. If it is gone, native code puts the arguments there again.

const FRAME_BYTES = 65536;
const frame = new DataView(new ArrayBuffer(FRAME_BYTES));
const { buffer } = frame;
const words = new Int32Array(buffer);
/** By the names that generated source has for them. */
const arrays = {
  words, i8s: new Int8Array(buffer), u8s: new Uint8Array(buffer), i16s: new Int16Array(buffer), u16s: new Uint16Array(buffer),
  u32s: new Uint32Array(buffer), f32s: new Float32Array(buffer), f64s: new Float64Array(buffer),
  i64s: new BigInt64Array(buffer), u64s: new BigUint64Array(buffer),
};

/** The word of the number of the bound function, and the one that tells who writes. */
const NUMBER = 4;
const EPOCH = 5;
/** Where the values begin. */
const VALUES = 32;
/** The source of an expression that begins to write, and gives the number to compare. */
const BEGIN = `words[${EPOCH}] = words[${EPOCH}] + 1 & 0x7fffffff`;

/** Starts to write. Returns the value that `words[EPOCH]` keeps until another function starts to write. */
const begin = () => (words[EPOCH] = words[EPOCH] + 1 & 0x7fffffff);

/** The bytes from `at` on. */
const bytesAt = (at, size) => new Uint8Array(buffer, at, size);

module.exports = { frame, words, arrays, begin, bytesAt, NUMBER, EPOCH, VALUES, BEGIN };
