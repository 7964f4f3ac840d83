'use strict';
// C function pointers that reach a function of JavaScript. Each is made once, then opened and closed again and again,
// by native functions whose arguments lie in the frame (src/node/callback/js_callback.rs).

const binding = require('./binding');
const { modules } = require('./engine');
const { usesV8 } = require('./verified');
const { words } = require('./frame');
// The environment is attached there.
require('./memory');
require('./exit');

// C then reaches JavaScript by V8's own functions, whichever lane calls go by.
if (usesV8) binding.attachEntry(Number(modules));

/** All of them, by number: native code keeps them for as long as the process. */
const closures = [];
const [openNative, closeNative] = binding.callbacks((id) => closures[id].late());

// The words of the frame, and what the second one says.
const [ID, KIND, NAME] = [0, 1, 2];
const KINDS = { usual: 0, threadsafe: 1, lent: 2 };

/** The last name, which is often the next one as well. */
let known = '';
let number = binding.numberOfName(known);

function numberOf(name) {
  if (name !== known) [known, number] = [name, binding.numberOfName(name)];
  return number;
}

class Closure {
  #id;

  /** A closed one. `signature` is native. */
  constructor(signature) {
    const { id, address } = binding.makeCallback(signature);
    this.#id = id;
    this.address = address;
    closures[id] = this;
  }

  /** Has C call `handler`, which reads and writes the frame; `name` is what messages call it, `kind` is of `KINDS`. */
  open(handler, name, kind) {
    const number = numberOf(name);
    words[ID] = this.#id;
    words[KIND] = kind;
    words[NAME] = number;
    openNative(handler);
  }

  /** Lets the handler go: C gets zero from now on. */
  close() {
    words[ID] = this.#id;
    closeNative();
  }

  /** C has called while it was closed. */
  late() {}
}

/** A closed one stays closed until so many others of its shape were closed after it. */
const GRAVES = 1024;

/** Closed ones of a shape. To make C code is slow, so they are used again, the oldest first. */
class ClosedQueue {
  #closed = [];
  #oldest = 0;

  add(closure) {
    this.#closed.push(closure);
  }

  /** One that may be used again; undefined where there is none yet. */
  take() {
    if (this.#closed.length - this.#oldest <= GRAVES) return undefined;
    const closure = this.#closed[this.#oldest];
    this.#closed[this.#oldest++] = undefined;
    if (this.#oldest > GRAVES) {
      this.#closed.splice(0, this.#oldest);
      this.#oldest = 0;
    }
    return closure;
  }
}

module.exports = { Closure, ClosedQueue, KINDS };
