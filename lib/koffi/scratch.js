'use strict';
// Memory for the objects, arrays and texts that synchronous calls pass: it is used again by the next call.

const memory = require('../memory');
const { ptr } = require('../pointer');

const ARENA_BYTES = 65536;
const ALIGN = 16;

/**
 * Memory for what members point to, taken and given back like a stack. It has guard bytes around the whole, not around each
 * piece. Async calls and large pieces have memory of their own instead.
 */
class Arena {
  #bytes;
  #base;
  #top = 0;

  /** How much is taken: give it to `reset` when the call has returned. */
  get top() {
    return this.#top;
  }

  reset(top) {
    this.#top = top;
  }

  /** A zeroed piece; undefined where there is no room. */
  take(size) {
    if (this.#bytes === undefined) {
      this.#bytes = memory.alloc(ARENA_BYTES);
      this.#base = ptr(this.#bytes);
    }
    const at = this.#top;
    if (size > ARENA_BYTES - at) return undefined;
    this.#top = at + Math.ceil(size / ALIGN) * ALIGN;
    const start = this.#bytes.byteOffset + at;
    return new Uint8Array(this.#bytes.buffer, start, size).fill(0);
  }

  /** The address of a piece; undefined where it is none. */
  addressOf(piece) {
    return this.#bytes !== undefined && piece.buffer === this.#bytes.buffer ? this.#base + piece.byteOffset - this.#bytes.byteOffset : undefined;
  }
}

const arena = new Arena();

/** The fenced memory of each parameter of a function: it is made anew where the next value has another size. */
class Blocks {
  #blocks = [];
  /** A call inside of a callback of a call has memory of its own. */
  isBusy = false;

  /** Zeroed memory for a parameter. */
  take(index, size) {
    const known = this.#blocks[index];
    if (known !== undefined && known.length === size) return known.fill(0);
    const made = memory.alloc(size);
    this.#blocks[index] = made;
    return made;
  }
}

module.exports = { arena, Blocks };
