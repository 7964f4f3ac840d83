'use strict';
// C function pointers that call a JavaScript function. Native code opens and closes each of them many times; the
// arguments of those calls lie in the argument buffer (src/node/callback/js_callback.rs).

const binding = require('../native/binding.js');
const { modules } = require('../native/runtime.js');
const { usesV8 } = require('../native/v8.js');
const { words } = require('../memory/arg-buffer.js');
require('./shutdown.js');

// C then reaches JavaScript by V8's own functions, whichever path calls take.
if (usesV8) binding.attachEntry(Number(modules));

/** The bit of a number that says that the closure was opened again since C called it. */
const FORMER = 0x80000000;

const calledLate = (id) => (id < FORMER ? closures[id].calledLate() : closures[id - FORMER].formerCalledLate());

/** All of them, by number: native code keeps them for as long as the process. */
const closures = [];
const [openNative, closeNative] = binding.callbacks(calledLate);

// The words of the argument buffer, and what the second one says.
const [ID, KIND, NAME] = [0, 1, 2];
const KINDS = { usual: 0, threadsafe: 1, scoped: 2 };

/** The number by which native code knows the name of a callback in messages. */
const titleOf = (name) => binding.numberOfName(name);

class Closure {
  #id;
  /** The descriptions, for a warning, of the function that it was opened for last, and of the one before. */
  #present;
  #former;

  /** A closed one. `signature` is native. */
  constructor(signature) {
    const { id, address } = binding.makeCallback(signature);
    this.#id = id;
    this.address = address;
    closures[id] = this;
  }

  /**
   * Makes C call `handler`, which reads and writes the argument buffer; `title` is of `titleOf`, `kind` is one of
   * `KINDS`, and `present` is what `warn` gets if C calls after the close.
   */
  open(handler, title, kind, present) {
    this.#former = this.#present;
    this.#present = present;
    words[ID] = this.#id;
    words[KIND] = kind;
    words[NAME] = title;
    openNative(handler);
  }

  /** Releases the handler: C gets zero from now on. */
  close() {
    words[ID] = this.#id;
    closeNative();
  }

  /** C has called while it was closed. */
  calledLate() {
    this.warn(this.#present);
  }

  /** The same, as what it was before it was opened again. */
  formerCalledLate() {
    this.warn(this.#former);
  }

  /**
   * Warns of a late call.
   * @type {(present: any) => void}
   */
  warn() {}
}

/** A closure is used again only after this many others of its signature were closed after it. */
const LEAST_CLOSED = 1024;

/** Closed closures of one signature. Making C code is slow, so they are used again, the oldest first. */
class ClosurePool {
  #closed = [];
  #oldest = 0;

  add(closure) {
    this.#closed.push(closure);
  }

  /** One that may be used again; undefined where there is none yet. */
  take() {
    if (this.#closed.length - this.#oldest <= LEAST_CLOSED) return undefined;
    const closure = this.#closed[this.#oldest];
    this.#closed[this.#oldest++] = undefined;
    if (this.#oldest > LEAST_CLOSED) {
      this.#closed.splice(0, this.#oldest);
      this.#oldest = 0;
    }
    return closure;
  }
}

module.exports = { Closure, ClosurePool, KINDS, titleOf };
