'use strict';
// pin(), and the locks that keep the ArrayBuffers of pins and of asynchronous calls from being transferred.

const { isSharedArrayBuffer } = require('node:util').types;
const binding = require('../native/binding.js');
const { other, hasDetachKeys, transferAborts } = require('../native/runtime.js');
const { hex, makeError, wrongType } = require('../errors.js');
const { addressOf } = require('./access.js');
const { Uncloneable, refusingClones } = require('./uncloneable.js');
const { bufferOf, byteLengthOf, isView, marked, storageOf, threads } = require('./array-buffer.js');

/** The number of locks of each buffer in JavaScript, where V8 cannot lock, and the function that undoes them. */
const locks = new WeakMap();
const MOVES = ['transfer', 'transferToFixedLength'];
/** Whether a buffer can be transferred in a way that looks at no mark. */
const hasTransfer = MOVES[0] in ArrayBuffer.prototype;

/**
 * Makes a method of a buffer throw while it is locked. Returns the function that undoes it, or undefined if the buffer
 * takes no properties.
 */
function shadow(buffer, key, lock) {
  const earlier = Object.getOwnPropertyDescriptor(buffer, key);
  // A method of the user's own that cannot be replaced.
  if (earlier?.configurable === false) return () => {};
  // It may have become a property for good meanwhile.
  function refuse(...args) {
    if (lock.count === 0) return Reflect.apply(earlier?.value ?? ArrayBuffer.prototype[key], this, args);
    throw makeError('ERR_INVALID_ARG_VALUE', 'a pinned ArrayBuffer must be released before it is transferred');
  }
  if (!Reflect.defineProperty(buffer, key, { value: refuse, configurable: true })) return undefined;
  return () => {
    if (Object.getOwnPropertyDescriptor(buffer, key)?.value !== refuse) return;
    if (earlier === undefined) Reflect.deleteProperty(buffer, key);
    else Reflect.defineProperty(buffer, key, earlier);
  };
}

/**
 * Makes Node refuse to transfer a buffer. Bun before 1.4 has the function, but it throws that it is not implemented.
 */
function mark(buffer) {
  try {
    marked.add(buffer);
    threads().markAsUntransferable(buffer);
  } catch (error) {
    if (other === undefined) throw error;
  }
}

/** Refuses transfer() on the buffer; and postMessage and structuredClone for good, for which Node has no way back. */
function lockInScript(buffer, where) {
  const known = locks.get(buffer);
  if (known !== undefined && known.count > 0) {
    known.count += 1;
    return;
  }
  const lock = { count: 1, undo: [] };
  for (const key of MOVES) {
    const undo = shadow(buffer, key, lock);
    if (undo !== undefined) lock.undo.push(undo);
    // With detach keys of V8, this memory is held whatever happens to the buffer.
    else if (hasTransfer && (!hasDetachKeys || transferAborts)) {
      lock.undo.forEach((each) => each());
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${where} must be of an ArrayBuffer that takes new properties, received a frozen, ` +
          `sealed or non-extensible one: only by a property does Node ${process.versions.node} lock it against transfer()`,
      );
    }
  }
  // Node 24 and later end the process with an external buffer that is marked; its memory is held all the same.
  if (!hasDetachKeys) mark(buffer);
  locks.set(buffer, lock);
}

function unlockInScript(buffer) {
  const lock = locks.get(buffer);
  lock.count -= 1;
  if (lock.count === 0) lock.undo.forEach((undo) => undo());
}

/** Keeps an ArrayBuffer from being transferred; returns how to let it go again. `where` is its name in messages. */
function lock(buffer, where) {
  const isLocked = binding.lock(buffer);
  const inScript = !isSharedArrayBuffer(buffer) && (!isLocked || transferAborts);
  try {
    if (inScript) lockInScript(buffer, where);
  } catch (error) {
    if (isLocked) binding.unlock(buffer);
    throw error;
  }
  return () => {
    if (inScript) unlockInScript(buffer);
    if (isLocked) binding.unlock(buffer);
  };
}

/** Locks the buffers of the arguments of a call on another thread. Returns the function that unlocks them. */
function lockAll(values, name) {
  const unlocks = [];
  const unlock = () => unlocks.forEach((each) => each());
  try {
    for (const value of values) if (isView(value)) unlocks.push(lock(bufferOf(value), `${name}: each view`));
  } catch (error) {
    unlock();
    throw error;
  }
  return unlock;
}

/** Pins that were not released: they hold their views even if the pin itself is dropped. */
const pins = new Set();

/** A view whose storage is held: neither collected nor transferred until it is released. */
class Pin extends Uncloneable {
  #view;
  #ptr;
  #unlock;
  #hold;

  constructor(held) {
    super();
    const view = viewOf(held);
    this.#ptr = addressOf(view, 0, 'pin', binding.keptAddressOf);
    this.#view = view;
    this.#unlock = lock(bufferOf(view), 'pin: view');
    this.#hold = binding.hold(bufferOf(view));
    pins.add(this);
  }

  /** The address of the view's first byte; null once released. */
  get ptr() {
    return this.#ptr;
  }

  /** The bytes of the view; 0 once released. */
  get byteLength() {
    return this.#view === null ? 0 : byteLengthOf(this.#view);
  }

  /** Releases the view. Releasing twice does nothing. */
  release() {
    if (!pins.delete(this)) return;
    this.#unlock();
    if (this.#hold !== null) binding.letGo(this.#hold);
    this.#view = this.#ptr = null;
  }

  [Symbol.dispose]() {
    this.release();
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return this.#ptr === null ? 'Pin <released>' : `Pin <${hex(this.#ptr)}, ${this.byteLength} bytes>`;
  }

  toJSON() {
    return { ptr: this.#ptr === null ? null : Number(this.#ptr), byteLength: this.byteLength };
  }
}

refusingClones(Pin);

/** The memory of a value that is held: for a live view, the bytes of its buffer. */
function viewOf(value) {
  const storage = typeof value === 'object' && value !== null && !isView(value) ? value[storageOf] : undefined;
  if (typeof storage !== 'number' && typeof storage !== 'bigint') return storage ?? value;
  throw wrongType('pin: view', 'a view of a buffer: memory at an address is not held by JavaScript', value);
}

/** Holds a view's storage where it is until the result's release(). */
const pin = (view) => new Pin(view);

module.exports = { pin, lockAll };
