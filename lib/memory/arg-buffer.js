'use strict';
// The argument buffer: the memory in which calls and callbacks exchange values (src/memory/arg_buffer.rs has the
// layout), and how it stays whole where V8 runs other JavaScript in the middle of a call.
//
// V8 may run other JavaScript, an inspector's for example, wherever a function is entered, one of the engine's
// included, and wherever a loop goes round. If that makes calls, it writes the argument buffer. Elements of typed
// arrays are read and written without that, and native functions are entered without. Therefore:
//   - A function that starts to write arguments increments `words[EPOCH]` and keeps the number. Right before native
//     code is entered, the number is compared: if it is another one, all arguments are written again.
//   - Results are read right after native code has returned, by elements of typed arrays alone
//     (codegen/read-values.js).
//   - Native code sets the sign of `words[EPOCH]` when it has put the arguments of a callback into the argument buffer.
//     The callback looks at it after it has read them. If it is gone, native code puts the arguments there again.

const binding = require('../native/binding.js');
const config = require('../native/config.js');
const { options, other, modules } = require('../native/runtime.js');
const { usesV8 } = require('../native/v8.js');

const ARG_BUFFER_BYTES = 65536;
const argBuffer = new DataView(new ArrayBuffer(ARG_BUFFER_BYTES));
const { buffer } = argBuffer;
const words = new Int32Array(buffer);
/** By the names that generated source has for them. */
const arrays = {
  words,
  i8s: new Int8Array(buffer),
  u8s: new Uint8Array(buffer),
  i16s: new Int16Array(buffer),
  u16s: new Uint16Array(buffer),
  u32s: new Uint32Array(buffer),
  f32s: new Float32Array(buffer),
  f64s: new Float64Array(buffer),
  i64s: new BigInt64Array(buffer),
  u64s: new BigUint64Array(buffer),
};

// Blocks of one process share one layout, so the width comes before the first of them.
if (config.fence.width !== undefined) binding.setFenceWidth(config.fence.width);
binding.attach(buffer, () => {});
// Before any native function is made: V8 calls them itself where it can.
if (usesV8) binding.attachV8?.(Number(modules));

// A stack size that the user chose stays.
const stackWasChosen = options.some((option) => option.includes('stack-size'));
if (other === undefined && !stackWasChosen) binding.moveStackLimit();

/** The word of the number of the bound function, and the one that tells who writes. */
const FUNCTION_ID = 4;
const EPOCH = 5;
/** The offset of the first value. */
const VALUES = 32;
/** The source of an expression that begins to write, and gives the number to compare. */
const BEGIN = `words[${EPOCH}] = words[${EPOCH}] + 1 & 0x7fffffff`;

/** Starts to write. Returns the value that `words[EPOCH]` keeps until another function starts to write. */
const begin = () => (words[EPOCH] = (words[EPOCH] + 1) & 0x7fffffff);

/** The bytes from `at` on. */
const bytesAt = (at, size) => new Uint8Array(buffer, at, size);

module.exports = { argBuffer, words, arrays, begin, bytesAt, FUNCTION_ID, EPOCH, VALUES, BEGIN };
