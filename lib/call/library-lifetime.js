'use strict';
// The states of a library: open, closed to new calls, unloaded when the calls on other threads are done.

/** A native library and the calls of it that are under way on other threads. */
class Lifetime {
  /** `rival` is a symbol of it that Node takes the place of, if any. */
  constructor(native, rival = null) {
    this.native = native;
    this.rival = rival;
    this.jobs = 0;
    this.unloaded = undefined;
  }

  /** A call goes in on another thread. */
  begin() {
    this.jobs += 1;
  }

  /** It has come out. */
  end() {
    this.jobs -= 1;
    if (this.jobs === 0) this.unloaded?.resolve();
  }

  /**
   * Refuses new calls and unloads the library. While calls are under way on other threads that happens when they are
   * done: a Promise tells when. Throws ERR_FFI_LIBRARY_BUSY inside a callback of one of its synchronous calls.
   */
  close() {
    this.native.close();
    if (this.jobs === 0) return undefined;
    if (this.unloaded === undefined) {
      let resolve;
      const promise = new Promise((settle) => {
        resolve = settle;
      });
      this.unloaded = { promise, resolve };
    }
    return this.unloaded.promise;
  }
}

module.exports = { Lifetime };
