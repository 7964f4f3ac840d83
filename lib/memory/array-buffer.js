'use strict';
// Reads the storage, size and offset of views and buffers without running code of the user.

const { Buffer } = require('node:buffer');
const { isAnyArrayBuffer, isSharedArrayBuffer } = require('node:util').types;
const { makeError, locationOf, wrongValue } = require('../errors.js');
const binding = require('../native/binding.js');
const { other, hasDetachKeys, transferAborts } = require('../native/runtime.js');
// The native side has no environment before that file attached its memory.
require('./arg-buffer.js');

/**
 * Loaded when needed, as streams come with it, which takes milliseconds. Native code may be under way then: where Node
 * offers a way that runs no hook of the user's for `require`, that is taken.
 */
const { getBuiltinModule = () => require('node:worker_threads') } = process;
const threads = () => getBuiltinModule('node:worker_threads');

/** A getter of a prototype as a function: a property that shadows it on the object itself is not run. */
const getter = (prototype, key) => {
  const { get } = Object.getOwnPropertyDescriptor(prototype, key);
  return (object) => Reflect.apply(get, object, []);
};
/** The same for a property that a flag of the engine may have removed: then the answer is always `other`. */
const getterWhere = (prototype, key, other) =>
  prototype !== undefined && key in prototype ? getter(prototype, key) : () => other;
const TypedArray = Object.getPrototypeOf(Uint8Array.prototype);
const arrayBuffer = getter(TypedArray, 'buffer');
const arrayLength = getter(TypedArray, 'byteLength');
const arrayName = getter(TypedArray, Symbol.toStringTag);
const viewBuffer = getter(DataView.prototype, 'buffer');
const viewLength = getter(DataView.prototype, 'byteLength');
const arrayOffset = getter(TypedArray, 'byteOffset');
const viewOffset = getter(DataView.prototype, 'byteOffset');
const SharedPrototype = sharedPrototype();
const ArrayBufferPrototype = ArrayBuffer.prototype;
const resizable = getterWhere(ArrayBuffer.prototype, 'resizable', false);
const growable = getterWhere(SharedPrototype, 'growable', false);
const bufferLength = getter(ArrayBuffer.prototype, 'byteLength');
const sharedLength = getterWhere(SharedPrototype, 'byteLength', 0);
/** Node 20 has no such getter, and its Node-API tells it by itself; Bun's does not of a bare ArrayBuffer. */
const isDetached = getterWhere(ArrayBuffer.prototype, 'detached', false);

/**
 * The prototype of SharedArrayBuffers. Programs delete the constructor against timing attacks; WebAssembly has such
 * memory all the same.
 */
function sharedPrototype() {
  if (typeof SharedArrayBuffer === 'function') return SharedArrayBuffer.prototype;
  try {
    return Object.getPrototypeOf(
      new /** @type {any} */ (globalThis).WebAssembly.Memory({ initial: 0, maximum: 0, shared: true }).buffer,
    );
  } catch {
    return undefined;
  }
}

const SIZES = { __proto__: null };
for (const Type of [
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
])
  SIZES[Type.name] = Type.BYTES_PER_ELEMENT;
if (globalThis.Float16Array !== undefined) SIZES.Float16Array = 2;

/** The bytes of an element of a typed array; 1 for any other value. */
const elementSizeOf = (value) => (ArrayBuffer.isView(value) ? (SIZES[arrayName(value)] ?? 1) : 1);

/** Whether a view is a typed array, and no DataView. Faster than to ask Node. */
const isTypedArray = (view) => arrayName(view) !== undefined;

/** The ArrayBuffer or SharedArrayBuffer under a view; a buffer itself. */
const bufferOf = (value) =>
  !ArrayBuffer.isView(value) ? value : isTypedArray(value) ? arrayBuffer(value) : viewBuffer(value);

/** The offset of a view in its buffer. */
const offsetOf = (value) =>
  !ArrayBuffer.isView(value) ? 0 : isTypedArray(value) ? arrayOffset(value) : viewOffset(value);

/** The bytes of a view or buffer; 0 where it is detached or, of a resized buffer, out of bounds. */
function byteLengthOf(value) {
  if (ArrayBuffer.isView(value)) return isTypedArray(value) ? arrayLength(value) : dataViewLength(value);
  return isSharedArrayBuffer(value) ? sharedLength(value) : bufferLength(value);
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

/**
 * The bytes by which a slab is larger than Buffer.poolSize: 64 in Node 26. Measured here, because the guard turns the
 * pool off.
 */
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
 * Whether a buffer of the size of a slab is one. Node marks its slabs as not transferable. Node 20 does not tell which
 * buffers are marked: there every ArrayBuffer of this size counts as a slab (docs/memory.md).
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

/** The same, if a program has changed the size since. */
function noteNewPool() {
  if (Buffer.poolSize !== poolSize) notePool();
}

/** A view or buffer that goes to a call, as Node-API can see it. The native side refuses what can be resized. */
function pinnable(value) {
  noteNewPool();
  if (other === 'bun') return pinnableInBun(value);
  if (ArrayBuffer.isView(value)) return value;
  // Node-API has no function for a bare SharedArrayBuffer.
  return isSharedArrayBuffer(value) ? new Uint8Array(value) : value;
}

/**
 * The same in Bun. A small view lies in the engine's heap until its `.buffer` is read, and Bun before 1.4 does not move
 * it when Node-API takes its address. A bare ArrayBuffer passes `napi_is_buffer`, but `napi_get_buffer_info` crashes
 * with it.
 */
function pinnableInBun(value) {
  const buffer = bufferOf(value);
  return buffer === value ? new Uint8Array(buffer) : value;
}

const isResizable = (buffer) => (isSharedArrayBuffer(buffer) ? growable(buffer) : resizable(buffer));
/** Node 20 has no such function, and no detach keys. */
const isMarked = (buffer) => threads().isMarkedAsUntransferable?.(buffer) ?? true;
binding.findLocks(other === undefined, hasDetachKeys, transferAborts, isResizable, isMarked);

/** Whether a buffer is shared. Calls Node only if the prototype does not decide it. */
const isSharedBuffer = (buffer) => !isPlainBuffer(buffer) && isSharedArrayBuffer(buffer);

/** Whether a buffer is an ArrayBuffer with its usual prototype. */
function isPlainBuffer(buffer) {
  if (Object.getPrototypeOf(buffer) !== ArrayBufferPrototype) return false;
  try {
    bufferLength(buffer);
    return true;
  } catch {
    // A shared one with another prototype.
    return false;
  }
}

/** A view or buffer that does not go to a call; refuses what can be resized. */
function fixedSize(value, name, position) {
  const buffer = bufferOf(value);
  const isShared = isSharedBuffer(buffer);
  if (isShared ? growable(buffer) : resizable(buffer)) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${locationOf(name, position)} must be of a fixed size: storage that can be resized cannot be pinned`,
    );
  }
  if (!isShared && isDetachedView(value)) {
    throw wrongValue(locationOf(name, position), 'attached to its storage', value);
  }
  // Node-API has no function for a bare SharedArrayBuffer.
  return isShared && buffer === value ? new Uint8Array(value) : value;
}

/** Whether the storage of a view or a buffer was transferred away. */
function isDetachedView(value) {
  if (byteLengthOf(value) > 0) return false;
  const buffer = bufferOf(value);
  if (isSharedArrayBuffer(buffer)) return false;
  return isDetached(buffer) || (byteLengthOf(buffer) === 0 && binding.addressOf(buffer) === undefined);
}

/** The bytes of a view or a buffer, whatever its own properties say; `where` is its name in messages. */
function bytesOf(value, where) {
  const length = byteLengthOf(value);
  if (length > 0) return new Uint8Array(bufferOf(value), offsetOf(value), length);
  if (isDetachedView(value)) throw wrongValue(where, 'attached to its storage', value);
  return new Uint8Array(0);
}

const isView = (value) => ArrayBuffer.isView(value) || isAnyArrayBuffer(value);

/** The memory of a live view: a view or an address. */
const storageOf = Symbol('storage');

module.exports = {
  bufferOf,
  offsetOf,
  byteLengthOf,
  noteNewPool,
  notePool,
  pinnable,
  fixedSize,
  isDetachedView,
  bytesOf,
  isView,
  elementSizeOf,
  storageOf,
  marked,
  threads,
};
