'use strict';
// The results of dlopen, linkSymbols and thread(): functions that can be closed, and their form in util.inspect and
// JSON.

const binding = require('../native/binding.js');
const { onThread } = require('../call/bind.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const config = require('../native/config.js');
const { lazy } = require('../lazy.js');

// Loaded for the types of C text.
const cdef = lazy(() => require('../cdef/index.js'));
const trace = config.trace ? require('../call/recorder.js') : undefined;

/** The engine makes tables of more than this many properties slow to look up; those are made so at once. */
const MANY = 128;

/** The functions by their keys, as own properties, whatever Object.prototype has. */
const bindAll = function (entries, bindOne, opened) {
  for (let i = 0; i < entries.length; i += 1) {
    const entry = entries[i];
    entry[1] = bindOne(entry[0], entry[1], opened);
  }
  if (entries.length <= MANY) return Object.fromEntries(entries);
  const functions = { __proto__: null };
  for (let i = 0; i < entries.length; i += 1) functions[entries[i][0]] = entries[i][1];
  return Object.setPrototypeOf(functions, Object.prototype);
};

// ---- how they look --------------------------------------------------------------------------------------------------

const custom = Symbol.for('nodejs.util.inspect.custom');
/** As many functions are listed. */
const MOST_LISTED = 20;

function listed(symbols) {
  const names = Object.keys(symbols);
  if (names.length === 0) return '{}';
  const more = names.length > MOST_LISTED ? [`... ${names.length - MOST_LISTED} more`] : [];
  return `{ ${[...names.slice(0, MOST_LISTED), ...more].join(', ')} }`;
}

/**
 * The classes of the objects below: structuredClone refuses those by name, rather than with the source of a function.
 */
class Library extends Uncloneable {
  #scope;
  #definitions;

  /** Gives a library the C text that it was opened with. */
  static declare(library, scope) {
    library.#scope = scope;
    return library;
  }

  get #declared() {
    return (this.#definitions ??= cdef().definitionsOf(this.#scope?.()));
  }

  /** The types that its C text declares. */
  get types() {
    return this.#declared.types;
  }

  /** The enumerators and constants of its C text. */
  get constants() {
    return this.#declared.constants;
  }
}
class LibraryThread extends Uncloneable {}
refusingClones(Library);
refusingClones(LibraryThread);

/** An object with some members, and with methods of printing. */
const withMembers = function (made, members, methods) {
  return Object.defineProperties(Object.defineProperties(made, Object.getOwnPropertyDescriptors(members)), methods);
};

/** The methods of printing, which a program does not see among the properties. */
const shown = (inspect, toJSON) => ({
  [custom]: { value: inspect, writable: true, configurable: true },
  toJSON: { value: toJSON, writable: true, configurable: true },
});

// ---- libraries ------------------------------------------------------------------------------------------------------

/**
 * A function table with an end.
 * @param {Record<string, Function | null>} symbols
 * @param {string | null} path
 * @param {InstanceType<typeof import('../call/library-lifetime.js').Lifetime>} lifetime
 * @param {string} kind what it is called where it has no path
 * @param {object} [more] further members
 */
const makeLibrary = function (symbols, path, lifetime, kind, more) {
  const close = () => lifetime.close();
  const library = {
    symbols,
    path,
    close,
    get closed() {
      return lifetime.closed;
    },
    thread: () => threadOf(symbols),
    trace: () => (trace === undefined ? [] : trace.callsOf(lifetime)),
    [Symbol.dispose]: close,
    [Symbol.asyncDispose]: () => endOf(lifetime),
    ...more,
  };
  return describedBy(library, path, lifetime, kind);
};

const describedBy = function (library, path, lifetime, kind) {
  const state = () => (lifetime.native.isOpen ? '' : 'closed ');
  const inspect = () => `Library ${path === null ? kind : `"${path}"`} ${state()}${listed(library.symbols)}`;
  const toJSON = () => ({ path, open: lifetime.native.isOpen, symbols: Object.keys(library.symbols) });
  return withMembers(new Library(), library, shown(inspect, toJSON));
};

async function endOf(lifetime) {
  lifetime.close();
  await lifetime.closed;
}

/** A dedicated thread for a library's functions: each returns a Promise, and they run one after the other. */
function threadOf(symbols) {
  const native = new binding.Thread();
  const functions = bindAll(Object.entries(symbols), (key, call) => (call === null ? null : onThread(call, native)));
  let isOpen = true;
  const close = () => {
    isOpen = false;
    native.close();
  };
  return withMembers(
    new LibraryThread(),
    { symbols: functions, close, [Symbol.dispose]: close },
    shown(
      () => `LibraryThread ${isOpen ? '' : 'closed '}${listed(functions)}`,
      () => ({ open: isOpen, symbols: Object.keys(functions) }),
    ),
  );
}

module.exports = { Library, makeLibrary, bindAll };
