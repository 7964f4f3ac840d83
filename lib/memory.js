'use strict';
// THE ROOM, JS door: the frame, addresses of views, reads and writes through addresses, buffers over native memory.

const { isAnyArrayBuffer, isSharedArrayBuffer, isDataView } = require('node:util').types;
const binding = require('./binding');
const { other, modules, hasDetachKeys, transferAborts } = require('./engine');
const { frame, words, begin, EPOCH, VALUES } = require('./frame');
const { usesV8 } = require('./verified');
const { Buffer, constants: { MAX_LENGTH } } = require('node:buffer');
const { optionsOf } = require('./options');
const { isCopied, isLent, release } = require('./kept');
const settings = require('./settings');
const { makeError, place, wrongType, wrongValue, outOfRange } = require('./errors');

/**
 * Loaded when needed, as streams come with it, which takes milliseconds. Native code may be under way then: where Node offers a
 * way that runs no hook of the user's for `require`, that is taken.
 */
const { getBuiltinModule = () => require('node:worker_threads') } = process;
const threads = () => getBuiltinModule('node:worker_threads');

// Blocks of one process share one layout, so the width comes before the first of them.
if (settings.fence.width !== undefined) binding.setFenceWidth(settings.fence.width);
binding.attach(frame.buffer, () => {});
// Before any native function is made: V8 calls them itself where it can.
if (usesV8) binding.attachV8?.(Number(modules));

const isNode = other === undefined;

// A stack size that the user chose stays.
const stackWasChosen = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) => /stack[-_]size/.test(option));
if (isNode && !stackWasChosen) binding.moveStackLimit();

/** A getter of a prototype as a function: what a user shadows on the object itself is never run. */
const getter = (prototype, key) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, key);
  return (object) => Reflect.apply(get, object, []);
};
/** The same for a property that a flag of the engine may have removed: then the answer is always `other`. */
const getterWhere = (prototype, key, other) =>
  (prototype !== undefined && key in prototype ? getter(prototype, key) : () => other);
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype);
const arrayBuffer = getter(TypedArray, 'buffer');
const arrayLength = getter(TypedArray, 'byteLength');
const viewBuffer = getter(DataView.prototype, 'buffer');
const viewLength = getter(DataView.prototype, 'byteLength');
const arrayOffset = getter(TypedArray, 'byteOffset');
const viewOffset = getter(DataView.prototype, 'byteOffset');
const SharedPrototype = sharedPrototype();
const resizable = getterWhere(ArrayBuffer.prototype, 'resizable', false);
const growable = getterWhere(SharedPrototype, 'growable', false);
const bufferLength = getter(ArrayBuffer.prototype, 'byteLength');
const sharedLength = getterWhere(SharedPrototype, 'byteLength', 0);
/** Node 20 has no such getter, and its Node-API tells it by itself; Bun's does not of a bare ArrayBuffer. */
const isDetached = getterWhere(ArrayBuffer.prototype, 'detached', false);

/**
 * The prototype of SharedArrayBuffers. Programs delete the constructor against timing attacks; WebAssembly has such memory all the
 * same.
 */
function sharedPrototype() {
  if (typeof SharedArrayBuffer === 'function') return SharedArrayBuffer.prototype;
  try {
    return Object.getPrototypeOf(new WebAssembly.Memory({ initial: 0, maximum: 0, shared: true }).buffer);
  } catch {
    return undefined;
  }
}

/** The ArrayBuffer or SharedArrayBuffer under a view; a buffer itself. */
const bufferOf = (value) =>
  (isAnyArrayBuffer(value) ? value : isDataView(value) ? viewBuffer(value) : arrayBuffer(value));

/** Where a view begins in its buffer. */
const offsetOf = (value) => (isAnyArrayBuffer(value) ? 0 : isDataView(value) ? viewOffset(value) : arrayOffset(value));

/** The bytes of a view or buffer; 0 where it is detached or, of a resized buffer, out of bounds. */
function byteLengthOf(value) {
  if (isAnyArrayBuffer(value)) return isSharedArrayBuffer(value) ? sharedLength(value) : bufferLength(value);
  return isDataView(value) ? dataViewLength(value) : arrayLength(value);
}

/** A DataView alone throws instead of telling 0. */
function dataViewLength(view) {
  try {
    return viewLength(view);
  } catch {
    return 0;
  }
}

/** Node's own Buffer.poolSize: before Node 26, and since. */
const USUAL_POOLS = [8192, 65536];

/** Buffer.poolSize when notePool() was last called. */
let poolSize;

/** How much larger than Buffer.poolSize a slab is: 64 bytes in Node 26. Measured here, because the guard turns the pool off. */
const slabExtra = (() => {
  const size = Buffer.poolSize;
  if (!(size > 0)) [Buffer.poolSize] = USUAL_POOLS;
  const slab = Buffer.allocUnsafe(1).buffer.byteLength;
  Buffer.poolSize = size;
  // The slab may be older than the size that a program has set.
  return [size, ...USUAL_POOLS].map((each) => slab - each).find((extra) => extra >= 0 && extra < 1024) ?? 0;
})();

/** Which buffers are slabs of the pool, and which are not: others may have the size of one. */
const slabs = new WeakMap();
/** The buffers that the package has marked as not transferable itself. */
const marked = new WeakSet();

/**
 * Whether a buffer of the size of a slab is one. Node marks its slabs as not transferable. Node 20 does not tell which buffers
 * are marked: there every ArrayBuffer of this size counts as a slab (docs/memory.md).
 */
function isSlab(buffer) {
  if (isSharedArrayBuffer(buffer)) return false;
  const known = slabs.get(buffer);
  if (known !== undefined) return known;
  const is = Buffer.allocUnsafe(1).buffer === buffer || (isMarked(buffer) && !marked.has(buffer));
  slabs.set(buffer, is);
  return is;
}

/** Whether libuv's counters tell who else may be writing slices: Bun and Deno have an event loop of another kind. */
const hasLibuv = other === undefined || other === 'electron';

/** Tells the native side how large the slabs of Node's Buffer pool are, whose slices lie side by side. */
function notePool() {
  poolSize = Buffer.poolSize;
  if (poolSize > 0 && hasLibuv) binding.addSlabSize(Math.min(poolSize + slabExtra, 2 ** 31), isSlab);
}

/** A view or buffer that goes to a call, as Node-API can see it. The native side refuses what can be resized. */
function pinnable(value) {
  if (Buffer.poolSize !== poolSize) notePool();
  if (other === 'bun') return pinnableInBun(value);
  if (ArrayBuffer.isView(value)) return value;
  // Node-API has no function for a bare SharedArrayBuffer.
  return isSharedArrayBuffer(value) ? new Uint8Array(value) : value;
}

/**
 * The same in Bun. A small view lies in the engine's heap until its `.buffer` is read, and Bun before 1.4 does not move it when
 * Node-API takes its address. A bare ArrayBuffer passes `napi_is_buffer`, but `napi_get_buffer_info` crashes with it.
 */
function pinnableInBun(value) {
  const buffer = bufferOf(value);
  return buffer === value ? new Uint8Array(buffer) : value;
}

const isResizable = (buffer) => (isSharedArrayBuffer(buffer) ? growable(buffer) : resizable(buffer));
/** Node 20 has no such function, and no detach keys. */
const isMarked = (buffer) => threads().isMarkedAsUntransferable?.(buffer) ?? true;
binding.findLocks(isNode, hasDetachKeys, transferAborts, isResizable, isMarked);

/** A view or buffer that does not go to a call; refuses what can be resized. */
function fixedSize(value, name, position) {
  const buffer = bufferOf(value);
  if (isResizable(buffer)) {
    throw makeError('ERR_INVALID_ARG_VALUE',
      `${place(name, position)} must be of a fixed size: storage that can be resized cannot be pinned`);
  }
  if (!isSharedArrayBuffer(buffer) && isDetached(buffer)) {
    throw wrongValue(place(name, position), 'attached to its storage', value);
  }
  // Node-API has no function for a bare SharedArrayBuffer.
  return isSharedArrayBuffer(value) ? new Uint8Array(value) : value;
}

const isView = (value) => ArrayBuffer.isView(value) || isAnyArrayBuffer(value);

/** Buffers over native memory that the package has made. */
const native = new WeakSet();
const addressOfView = (view) =>
  (native.has(isAnyArrayBuffer(view) ? view : bufferOf(view)) ? binding.nativeAddressOf : binding.addressOf)(view);

/** The address of a view's first byte, with an offset in bytes that may reach its end. */
function addressOf(view, byteOffset, name, take = addressOfView) {
  if (Buffer.poolSize !== poolSize) notePool();
  if (byteOffset === 0 && ArrayBuffer.isView(view) && locate(view) === WORKED) {
    return (words[1] >>> 0) * 4294967296 + (words[0] >>> 0);
  }
  if (!isView(view)) throw wrongType(`${name}: view`, 'a typed array, DataView, ArrayBuffer or SharedArrayBuffer', view);
  const address = take(fixedSize(view, name, 'view'));
  if (address === undefined) throw wrongValue(`${name}: view`, 'attached to its storage', view);
  if (address === null) throw wrongValue(`${name}: view`, 'of more than 0 bytes: an empty view has no address', view);
  const length = byteLengthOf(view);
  if (typeof byteOffset !== 'number') throw wrongType(`${name}: byteOffset`, 'a number', byteOffset);
  if (!Number.isInteger(byteOffset) || byteOffset < 0 || byteOffset > length) {
    throw outOfRange(`${name}: byteOffset`, `an integer from 0 to ${length}`, byteOffset);
  }
  return shift(address, byteOffset);
}

/** An address plus an offset in bytes; a number where it fits 2^53-1, else a BigInt. */
function shift(address, byteOffset) {
  if (byteOffset === 0) return address;
  if (typeof address === 'number' && address + byteOffset <= Number.MAX_SAFE_INTEGER) return address + byteOffset;
  const sum = BigInt(address) + BigInt(byteOffset);
  return sum <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(sum) : sum;
}

const LOWEST = 4096;

/** Whether a value is a number of the first page, other than NULL. */
const isInFirstPage = (value) =>
  (typeof value === 'bigint' || Number.isInteger(value)) && value > 0 && value < LOWEST;

/** An address that may be read or written: checks its kind, adds the offset, and refuses NULL and the first page. */
function checkedAddress(address, byteOffset, name) {
  if (typeof address === 'number' && byteOffset === 0 && address >= LOWEST && Number.isSafeInteger(address)) return address;
  if (typeof address !== 'number' && typeof address !== 'bigint') {
    throw wrongType(`${name}: ptr`, 'an address (number or BigInt)', address);
  }
  if (typeof byteOffset !== 'number') throw wrongType(`${name}: byteOffset`, 'a number', byteOffset);
  if (!Number.isSafeInteger(byteOffset)) throw outOfRange(`${name}: byteOffset`, 'a safe integer', byteOffset);
  if (typeof address === 'number' && !Number.isSafeInteger(address)) {
    throw outOfRange(`${name}: ptr`, 'an address: an integer from 0 to 2^53-1, or a BigInt', address);
  }
  const target = shift(address, byteOffset);
  if (target < 0 || (typeof target === 'bigint' && BigInt.asUintN(64, target) !== target)) {
    throw outOfRange(`${name}: ptr`, 'an address from 0 to 2^64-1', target);
  }
  if (target < LOWEST) throw invalidPointer(name, target);
  return target;
}

/** The guard found that memory is not mapped. */
const unmapped = (name, address, length, access) => makeError('ERR_FFI_INVALID_POINTER',
  `${name}: ptr must be the address of ${length === undefined ? '' : `${length} `}${access} `
  + `${length === undefined ? 'text' : length === 1 ? 'byte' : 'bytes'}, `
  + `received 0x${address.toString(16)}`);

function invalidPointer(name, address) {
  const what = address === 0 || address === 0n ? 'NULL' : `0x${address.toString(16)}, which is in the first page`;
  return makeError('ERR_FFI_INVALID_POINTER', `${name}: ptr must be a valid address, received ${what}`);
}

// The engine calls these as they are; their arguments and results lie in the frame: src/js/quick.rs.
const [load, locate] = binding.quick();
const WORKED = undefined;

/** Reads a value of a type's row at an address. */
function read(row, address, byteOffset, name) {
  const source = checkedAddress(address, byteOffset, name);
  const isBig = typeof source === 'bigint';
  // The elements take what fits.
  const low = isBig ? Number(BigInt.asUintN(32, source)) : source;
  const high = isBig ? Number(source >> 32n) : source / 4294967296;
  const { size } = row;
  for (;;) {
    const epoch = begin();
    words[0] = low;
    words[1] = high;
    words[2] = size;
    words[3] = 0;
    if (load() !== WORKED) throw unmapped(name, source, row.size, 'readable');
    const value = row.read(frame, VALUES);
    if (words[EPOCH] === epoch) return value;
  }
}

/** Writes a value of a type's row at an address. */
function write(row, address, byteOffset, value, name) {
  const target = checkedAddress(address, byteOffset, name);
  const resolved = row.resolve ? row.resolve(value, name, 'value') : value;
  for (let epoch; words[EPOCH] !== epoch;) {
    epoch = begin();
    const kept = row.write(frame, VALUES, resolved, name, 'value');
    if (kept !== undefined && !isCopied(kept)) {
      if (isLent(kept)) release(kept);
      throw wrongType(`${name}: value`, 'an address: a view would not be kept alive; pass ptr(view) and keep the view', value);
    }
  }
  if (!binding.store(target, row.size)) throw unmapped(name, target, row.size, 'writable');
}

/** The string at an address: null for NULL, an error for another address in the first page. */
function textAt(address, name) {
  if (address === null) return null;
  return textOf(checkedAddress(address, 0, name), undefined, name);
}

/** The string of `byteLength` bytes, or up to the NUL, at an address that was checked. */
function textOf(address, byteLength, name) {
  const text = binding.text(address, byteLength);
  if (text === null) throw unmapped(name, address, byteLength, 'readable');
  return text;
}

/** The text of 2 or 4 bytes a unit at an address. */
function wideTextAt(address, unit, name) {
  const start = checkedAddress(address, 0, name);
  const text = binding.wideText(start, unit);
  if (text === null) throw unmapped(name, start, undefined, 'readable');
  return text;
}

/** Stores the address of a view at a place in a DataView: whoever calls this keeps the view. */
function storeAddress(target, at, value, name, position) {
  const address = binding.keptAddressOf(value);
  if (address === undefined) throw wrongValue(place(name, position), 'attached to its storage', value);
  if (address === null) throw wrongValue(place(name, position), 'of more than 0 bytes: an empty view has no address', value);
  target.setBigUint64(at, BigInt(address), true);
}

/** The bytes before the NUL at an address that was checked. */
function textLength(address, name) {
  const length = binding.textLength(address);
  if (length === null) throw unmapped(name, address, undefined, 'readable');
  return length;
}

if (settings.guard) binding.guardAddresses();

/** An ArrayBuffer over native memory at an address that was checked. */
function wrap(address, length, deallocator, context, name) {
  // Node would run the deallocator of a buffer that it refuses for its length.
  if (length > MAX_LENGTH) {
    throw outOfRange(`${name}: byteLength`, `an integer of at most ${MAX_LENGTH}`, length);
  }
  if (settings.guard && !binding.isReadable(address, length)) throw unmapped(name, address, length, 'readable');
  const buffer = binding.wrap(address, length, deallocator, context);
  native.add(buffer);
  return buffer;
}

// ---- alloc ----------------------------------------------------------------------------------------------------------

const MOST_BYTES = 2 ** 53 - 1;
const MOST_ALIGN = 2 ** 20;

/** Fences inside an ordinary ArrayBuffer: held strongly until the Buffer over it was collected. */
const inside = new FinalizationRegistry(({ address }) => binding.forgetBlock(address));

/** A zeroed Buffer of `size` bytes over fenced memory outside of the engine. */
function alloc(size, options) {
  const { align = 16 } = optionsOf(options ?? {}, { align: 'number' }, 'alloc: options');
  if (typeof size !== 'number') throw wrongType('alloc: size', 'a number of bytes', size);
  if (!Number.isInteger(size) || size < 0 || size > MOST_BYTES) throw outOfRange('alloc: size', 'an integer of at least 0', size);
  if (!Number.isInteger(align) || align < 1 || align > MOST_ALIGN || (align & (align - 1)) !== 0) {
    throw outOfRange('alloc: options.align', `a power of two from 1 to ${MOST_ALIGN}`, align);
  }
  if (size > MAX_LENGTH) {
    throw makeError('ERR_FFI_MEMORY_EXHAUSTED', `out of memory: a Buffer has at most ${MAX_LENGTH} bytes, not ${size}`);
  }
  const storage = process.env.PINNED_FFI_EXTERNAL === 'off' ? null : binding.allocate(size, align);
  return storage === null ? allocInside(size, align) : Buffer.from(storage, 0, size);
}

function allocInside(size, align) {
  let storage;
  try {
    storage = new ArrayBuffer(binding.fenceOverhead() + size + align);
  } catch (cause) {
    throw makeError('ERR_FFI_MEMORY_EXHAUSTED', `out of memory: ${size} bytes could not be allocated`, { cause });
  }
  const offset = binding.fenceInside(storage, size, align);
  const buffer = Buffer.from(storage, offset ?? 0, size);
  if (offset !== null) inside.register(buffer, { address: shift(binding.addressOf(storage), offset), storage });
  return buffer;
}

module.exports = {
  alloc, notePool, threads, marked, sizes: binding.sizes(), wcharIsSigned: binding.wcharIsSigned(),
  addressOf, checkedAddress, isInFirstPage, byteLengthOf, fixedSize, pinnable, isView, read, write, textAt, textOf, textLength,
  wideTextAt, storeAddress, shift, bufferOf, offsetOf, wrap, storageAddress: binding.addressOf,
};
