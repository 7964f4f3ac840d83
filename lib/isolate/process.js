'use strict';
// Processes of isolated libraries: one for a library, or one for a group of them.

const binding = require('../native/binding.js');
const { makeError } = require('../errors.js');
const { makeArena } = require('../memory/arena.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { noteHost } = require('../memory/hosts.js');
const { parseIsolation } = require('./options.js');

/** Throws where nothing can be isolated. */
function requireIsolation() {
  const reason = binding.isolateUnavailable();
  if (reason !== null) {
    throw makeError('ERR_FFI_ISOLATE_UNAVAILABLE', `a library cannot be isolated here: ${reason}`, { reason });
  }
}

/** A process, and how many open libraries it has. */
class IsolatedProcess {
  #native;
  #share;
  #libraries = 0;
  #isClosed = false;

  /** @param {object} [started] the native process, where it was started before this file was loaded */
  constructor(options, started) {
    requireIsolation();
    makeArena();
    noteHost();
    listen();
    this.#native = started ?? new binding.IsolatedProcess(options);
    this.#share = this.#native.sharesBuffers ? 'all' : 'own';
  }

  /** Opens a library; a text says why the loader refuses it. */
  open(path, flags) {
    return this.#native.open(path, flags);
  }

  enter() {
    this.#libraries += 1;
  }

  /** A library was closed: the process ends with its last one. */
  leave() {
    this.#libraries -= 1;
    if (this.#libraries === 0) this.close();
  }

  close() {
    this.#isClosed = true;
    this.#native.close();
  }

  get isClosed() {
    return this.#isClosed;
  }

  get state() {
    const { pid, generation, alive } = this.#native.state;
    return { pid, generation, alive, shared: this.#share };
  }

  /** The parts of the sandbox that are applied, by name; null if there is none. */
  get sandbox() {
    const text = this.#native.sandbox;
    if (text === null) return null;
    const fields = text.split('\0').filter((field) => field !== '');
    return Object.fromEntries(
      fields.map((field) => {
        const [name, state] = field.split('=');
        return [name, name === 'landlock' ? Number(state) : state];
      }),
    );
  }

  restart() {
    this.#native.restart();
  }

  kill() {
    this.#native.kill();
  }
}

/**
 * At its end the process waits for its threads: so those that wait for a library are let go. The event may also be
 * emitted by a program.
 */
function exit() {
  if (/** @type {any} */ (process)._exiting !== false) binding.endBusyHosts();
}
let listens = false;
function listen() {
  if (listens) return;
  listens = true;
  process.on('exit', exit);
}

/** Groups by name, whose libraries share a process. */
const groups = new Map();

/** A group, for the options of dlopen. */
class Group extends Uncloneable {
  /** @type {string} */
  name;
  #options;

  constructor(name, options) {
    super();
    this.#options = options;
    Object.defineProperty(this, 'name', { value: name, writable: false, configurable: false });
  }

  static optionsOf(group) {
    return group.#options;
  }

  [Symbol.for('nodejs.util.inspect.custom')]() {
    return `Group ${JSON.stringify(this.name)}`;
  }
}
refusingClones(Group);

/**
 * The process of an `isolate` option.
 * @param {object} [started] the native process of `isolate: true`
 */
function processOf(value, where, started) {
  if (!(value instanceof Group)) return new IsolatedProcess(parseIsolation(value, where), started);
  const known = groups.get(value.name);
  if (known !== undefined && !known.isClosed) return known;
  const isolated = new IsolatedProcess(Group.optionsOf(value));
  groups.set(value.name, isolated);
  return isolated;
}

/**
 * A group: libraries that are isolated with the same name share a process.
 * @param {string} name
 * @param {object} [options] those of `isolate`; the first dlopen of a group starts its process with them
 */
function group(name, options) {
  if (typeof name !== 'string' || name === '') {
    throw makeError('ERR_INVALID_ARG_TYPE', 'isolate.group: name must be a string that is not empty');
  }
  return new Group(name, parseIsolation(options ?? true, 'isolate.group: options'));
}

/**
 * The group of all libraries, with PINNED_FFI_ISOLATE=1. Pointers of one are pointers of the others, as in a process.
 */
const everything = () => group('all libraries', { restart: 'lazy' });

module.exports = { processOf, group, everything };
