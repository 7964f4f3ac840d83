'use strict';
// Isolated libraries: their lifetime, and the members that only their objects have.

const { makeError } = require('../errors.js');
const { Lifetime } = require('../call/library-lifetime.js');
const { timeoutOf } = require('./options.js');
const { processOf, group, everything } = require('./process.js');

/** The lifetime of a library in a process, which ends with the last of its libraries. */
class IsolatedLifetime extends Lifetime {
  #process;
  #isInside = true;

  constructor(process) {
    super(null);
    this.#process = process;
    process.enter();
  }

  /** The library is open there. */
  opened(native, path) {
    this.native = native;
    this.path = path;
  }

  get isIsolated() {
    return true;
  }

  close() {
    // A library that was not opened has none.
    if (this.native !== null) super.close();
    if (!this.#isInside) return;
    this.#isInside = false;
    if (this.jobs === 0) this.#process.leave();
    else this.closed.then(() => this.#process.leave());
  }
}

/** The properties of an isolated library's object. */
const controls = (process) => ({
  isolated: { get: () => process.state, enumerable: true },
  sandbox: { get: () => process.sandbox, enumerable: true },
  restart: { value: () => process.restart(), enumerable: true },
  kill: { value: () => process.kill(), enumerable: true },
});

/** Checks the timeout of a declaration, which only isolated calls can have. */
function checkTimeout(timeout, lifetime, where) {
  timeoutOf(timeout, `${where}.timeout`);
  if (lifetime.isIsolated) return;
  throw makeError(
    'ERR_INVALID_ARG_VALUE',
    `${where}.timeout needs an isolated library: dlopen(path, symbols, { isolate: true })`,
  );
}

module.exports = { IsolatedLifetime, processOf, group, everything, controls, checkTimeout };
