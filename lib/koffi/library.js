'use strict';
// load: libraries, their functions and symbols.

const { dlopen: FLAGS } = require('node:os').constants;
const { makeError, wrongType } = require('../errors.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { openLibrary } = require('../library/dlopen.js');
const { functionOf } = require('./function.js');
const { isConvention, reader, signatureOf } = require('./make.js');
const { errnoAddress } = require('./system.js');

const OPTIONS = { lazy: 'RTLD_LAZY', global: 'RTLD_GLOBAL', deep: 'RTLD_DEEPBIND' };

/** The flags of koffi's options; undefined where none says anything. */
function flagsOf(options) {
  if (typeof options !== 'object' || options === null) throw wrongType('load: options', 'an object', options);
  const chosen = Object.keys(OPTIONS).filter((key) => Object.hasOwn(options, key) && options[key]);
  return chosen.length === 0 ? undefined : chosen.reduce((flags, key) => flags | (FLAGS[OPTIONS[key]] ?? 0), 0);
}

/**
 * koffi's messages for missing libraries and symbols: programs compare the beginning and the end. This package's error
 * is the cause.
 */
const WORDS = {
  ERR_FFI_LIBRARY_NOT_FOUND: (_what, error) => `Failed to load shared library: ${error.message}`,
  ERR_FFI_SYMBOL_NOT_FOUND: (what) => `Cannot find ${what} in shared library`,
};

/** Runs `find`, and gives its errors koffi's words; `what` names the thing that is looked for. */
function inWords(what, find) {
  try {
    return find();
  } catch (error) {
    const message = WORDS[error.code]?.(what, error);
    throw message === undefined ? error : makeError(error.code, message, { cause: error });
  }
}

/** The result of koffi.load(). */
class LibraryHandle extends Uncloneable {
  #opened;

  constructor(opened) {
    super();
    this.#opened = opened;
    // So that `const { func } = koffi.load(...)` works.
    this.func = this.func.bind(this);
  }

  /** func(prototype), func(name, result, arguments), func(convention, name, result, arguments). */
  func(...args) {
    if (args.length === 1) {
      if (typeof args[0] !== 'string') throw wrongType('func: prototype', 'a string', args[0]);
      const { name, ...signature } = reader.prototype(args[0]);
      return this.#bind(name, signature);
    }
    const [name, returns, list] = args.length > 3 && isConvention(args[0]) ? args.slice(1) : args;
    if (args.length < 3) throw makeError('ERR_INVALID_ARG_VALUE', `Expected 3 or 4 arguments, got ${args.length}`);
    if (typeof name === 'number')
      throw makeError('ERR_INVALID_ARG_TYPE', 'func: functions by ordinal are not supported; use the name');
    if (typeof name !== 'string') throw wrongType('func: name', 'a string', name);
    return this.#bind(name, signatureOf(returns, list, `func ${name}`));
  }

  #bind(name, signature) {
    // errno of another process has to be brought here, for koffi.errno().
    const more = this.#opened.isIsolated ? { errno: true } : undefined;
    const bind = (declaration) => this.#opened.bind(name, { ...declaration, ...more });
    return functionOf(name, signature, (declaration) => inWords(`function '${name}'`, () => bind(declaration)));
  }

  /** The address of a variable or a function. */
  symbol(name) {
    if (typeof name !== 'string') throw wrongType('symbol: name', 'a string', name);
    return BigInt(inWords(`symbol '${name}'`, () => this.#opened.find(name)));
  }

  /** Closes the library: its functions throw from now on. */
  unload() {
    this.#opened.close();
  }

  cdecl(...args) {
    return this.func(...args);
  }
  stdcall(...args) {
    return this.func(...args);
  }
  fastcall(...args) {
    return this.func(...args);
  }
  thiscall(...args) {
    return this.func(...args);
  }
}

refusingClones(LibraryHandle);

/** koffi.load(path, { lazy, global, deep }), and `isolate` as dlopen() has it. */
function load(path, options = {}) {
  const flags = flagsOf(options);
  const isolate = Object.hasOwn(options, 'isolate') ? options.isolate : undefined;
  const given = { ...(flags === undefined ? {} : { flags }), ...(isolate === undefined ? {} : { isolate }) };
  const library = inWords('', () => openLibrary(path, given));
  errnoAddress();
  return new LibraryHandle(library);
}

module.exports = { LibraryHandle, load };
