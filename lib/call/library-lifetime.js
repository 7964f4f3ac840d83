'use strict';
// The states of a library: open, closed to new calls, unloaded when the calls on other threads are done.

const { libraryClose } = require('../native/channels.js');
const { makeError } = require('../errors.js');

/** A native library and the calls of it that are under way on other threads. */
class Lifetime {
  #isClosed = false;
  /** @type {Promise<void> | undefined} */
  #closed;
  /** @type {(() => void) | undefined} */
  #resolve;

  /**
   * @param {{ isOpen: boolean, name: string, close: () => void }} native
   * @param {string | null} [rival] a symbol of it that Node takes the place of, if any
   * @param {string | null} [path] its file, null for the process; undefined for functions that are known by address
   */
  constructor(native, rival = null, path = undefined) {
    this.native = native;
    this.path = path;
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
   * done. Throws ERR_FFI_LIBRARY_BUSY inside a callback of one of its synchronous calls.
   */
  close() {
    const wasOpen = this.native.isOpen;
    this.native.close();
    if (wasOpen && this.path !== undefined && libraryClose.hasSubscribers) libraryClose.publish({ path: this.path });
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

/** The error of a symbol whose library is closed; the path of this process is null. */
const libraryClosed = (name, path) =>
  makeError('ERR_FFI_LIBRARY_CLOSED', `${name}: the library ${path ?? 'this process'} is closed`);

module.exports = { Lifetime, libraryClosed };
