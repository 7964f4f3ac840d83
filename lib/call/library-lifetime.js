'use strict';
// The states of a library: open, closed to new calls, unloaded when the calls on other threads are done.

/** A native library and the calls of it that are under way on other threads. */
class Lifetime {
  #isClosed = false;
  #closed;
  #resolve;

  /** `rival` is a symbol of it that Node takes the place of, if any. */
  constructor(native, rival = null) {
    this.native = native;
    this.rival = rival;
    this.jobs = 0;
  }

  /** A call goes in on another thread. */
  begin() {
    this.jobs += 1;
  }

  /** It has come out. */
  end() {
    this.jobs -= 1;
    if (this.jobs === 0 && this.#isClosed) this.#resolve?.();
  }

  /**
   * Refuses new calls and unloads the library. While calls are under way on other threads that happens when they are
   * done. Throws ERR_FFI_LIBRARY_BUSY inside a callback of one of its own synchronous calls.
   */
  close() {
    this.native.close();
    this.#isClosed = true;
    if (this.jobs === 0) this.#resolve?.();
  }

  /** A Promise of the end: closed, and no call under way. */
  get closed() {
    this.#closed ??= new Promise((resolve) => {
      this.#resolve = resolve;
      if (this.#isClosed && this.jobs === 0) resolve();
    });
    return this.#closed;
  }
}

module.exports = { Lifetime };
