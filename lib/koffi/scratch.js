'use strict';
// Memory for the objects, arrays and texts that synchronous calls pass: it is used again by the next call.

const { alloc } = require('../memory/alloc.js');
const { ptr } = require('../pointer/ptr.js');

const { fill } = Uint8Array.prototype;
/** Sets all bytes to zero. `fill` of a Buffer takes texts too, and is slower. */
const zeroed = (bytes) => fill.call(bytes, 0);

const ARENA_BYTES = 65536;
const ALIGN = 16;
/** Characters of a text that are put one by one, which is faster for a few. */
const MOST_SHORT = 64;

/**
 * Memory for what members point to, taken and given back like a stack. It has guard bytes around the whole, not around
 * each piece. Async calls and large pieces use separate memory instead.
 */
class Arena {
  #bytes;
  #base;
  #top = 0;

  /** The amount in use; pass it to `reset` when the call has returned. */
  get top() {
    return this.#top;
  }

  reset(top) {
    this.#top = top;
  }

  /** A zeroed piece; undefined where there is no room. */
  take(size) {
    if (this.#bytes === undefined) {
      this.#bytes = alloc(ARENA_BYTES);
      this.#base = ptr(this.#bytes);
    }
    const at = this.#top;
    if (size > ARENA_BYTES - at) return undefined;
    this.#top = at + Math.ceil(size / ALIGN) * ALIGN;
    const start = this.#bytes.byteOffset + at;
    return zeroed(new Uint8Array(this.#bytes.buffer, start, size));
  }

  /** The address of a short text of ASCII with a NUL; undefined for any other text, and where there may be no room. */
  takeAscii(text) {
    const { length } = text;
    const at = this.#top;
    if (length > MOST_SHORT || length >= ARENA_BYTES - at || this.#bytes === undefined) return undefined;
    const bytes = this.#bytes;
    for (let i = 0; i < length; i += 1) {
      const unit = text.charCodeAt(i);
      if (unit === 0 || unit >= 0x80) return undefined;
      bytes[at + i] = unit;
    }
    bytes[at + length] = 0;
    this.#top = at + ((length + ALIGN) & -ALIGN);
    return this.#base + at;
  }

  /** The address of a UTF-8 text with a NUL; undefined where there may be no room. */
  takeText(text) {
    const most = text.length * 3 + 1;
    if (most > ARENA_BYTES - this.#top) return undefined;
    if (this.#bytes === undefined) this.take(0);
    const at = this.#top;
    const end = at + this.#bytes.utf8Write(text, at);
    this.#bytes[end] = 0;
    this.#top = at + Math.ceil((end + 1 - at) / ALIGN) * ALIGN;
    return this.#base + at;
  }

  /** The address of a piece; undefined where it is none. */
  addressOf(piece) {
    return this.#bytes !== undefined && piece.buffer === this.#bytes.buffer
      ? this.#base + piece.byteOffset - this.#bytes.byteOffset
      : undefined;
  }
}

const arena = new Arena();

/** The DataViews of blocks, which are used again with them. */
const views = new WeakMap();
const viewOf = (bytes) => views.get(bytes) ?? new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** The fenced memory of each parameter of a function: it is made anew where the next value has another size. */
class Blocks {
  #blocks = [];
  /** A nested call, made by a callback, uses separate memory. */
  isBusy = false;

  /** Zeroed memory for a parameter. */
  take(index, size) {
    const known = this.#blocks[index];
    if (known !== undefined && known.length === size) return zeroed(known);
    const made = alloc(size);
    this.#blocks[index] = made;
    views.set(made, viewOf(made));
    return made;
  }
}

module.exports = { arena, viewOf, Blocks };
