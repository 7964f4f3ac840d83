'use strict';
// alloc(): Buffers over fenced memory outside of the engine's heap.

const {
  Buffer,
  constants: { MAX_LENGTH },
} = require('node:buffer');
const { atCaller, makeError, outOfRange } = require('../errors.js');
const binding = require('../native/binding.js');
const { FinalizationRegistry } = require('../native/weak.js');
const { integerOf, parseOptions } = require('../validate.js');
const { shift } = require('./access.js');
const { isInstalled } = require('./fences.js');

const MOST_ALIGN = 2 ** 20;
/** The alignment of the engine's allocator. */
const ENGINE_ALIGN = 16;
/** The most bytes that are allocated by the engine, which may end the process where it finds no memory. */
const MOST_OF_ENGINE = 4096;

/** Fences inside an ordinary ArrayBuffer: held strongly until the Buffer over it was collected. */
const inside = new FinalizationRegistry(({ address }) => binding.forgetBlock(address));

/** A zeroed Buffer of `size` bytes over fenced memory outside of the engine. */
function alloc(size, options) {
  try {
    return allocate(size, options);
  } catch (error) {
    throw atCaller(error, alloc); // node-do-not-add-exception-line
  }
}

/**
 * Zeroed memory of the engine's allocator, which is several times as fast as the package's heap; undefined where that
 * has no fences, or does not serve this size.
 */
function engineStorage(size, align) {
  if (!isInstalled || align > ENGINE_ALIGN || !(size > 0 && size <= MOST_OF_ENGINE)) return undefined;
  try {
    return new ArrayBuffer(size);
  } catch (cause) {
    throw exhausted(size, cause);
  }
}

const exhausted = (size, cause) =>
  makeError('ERR_FFI_MEMORY_EXHAUSTED', `out of memory: ${size} bytes could not be allocated`, { cause });

function allocate(requested, options) {
  if (options === undefined && Number.isInteger(requested)) {
    const storage = engineStorage(requested, 1);
    if (storage !== undefined) return Buffer.from(storage);
  }
  const { align = 16 } = parseOptions(options ?? {}, { align: 'number' }, 'alloc: options');
  const size = integerOf(requested, 'alloc: size', `an integer from 0 to ${MAX_LENGTH}`, 0, MAX_LENGTH);
  if (!Number.isInteger(align) || align < 1 || align > MOST_ALIGN || (align & (align - 1)) !== 0) {
    throw outOfRange('alloc: options.align', `a power of two from 1 to ${MOST_ALIGN}`, align);
  }
  const fenced = engineStorage(size, align);
  if (fenced !== undefined) return Buffer.from(fenced);
  const storage = process.env.PINNED_FFI_EXTERNAL === 'off' ? null : binding.allocate(size, align);
  return storage === null ? allocInside(size, align) : Buffer.from(storage, 0, size);
}

function allocInside(size, align) {
  let storage;
  try {
    storage = new ArrayBuffer(binding.fenceOverhead() + size + align);
  } catch (cause) {
    throw exhausted(size, cause);
  }
  const offset = binding.fenceInside(storage, size, align);
  const buffer = Buffer.from(storage, offset ?? 0, size);
  if (offset !== null) inside.register(buffer, { address: shift(binding.addressOf(storage), offset), storage });
  return buffer;
}

module.exports = { alloc, engineStorage };
