'use strict';
// dlopen(), linkSymbols(), CFunction(), and the libraries that they return.

const binding = require('../native/binding.js');
const { requirePermission } = require('../native/permission.js');
const { Lifetime, libraryClosed } = require('../call/library-lifetime.js');
const { isText } = require('../cdef/sets.js');
const { published, wrongType } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { parseOptions, entriesOf } = require('../validate.js');
const { bindPointer, bindSymbol, findOrThrow, parameterIn } = require('./bind-symbol.js');
const { Library, bindAll, makeLibrary } = require('./library.js');
const { ISOLATES, openAs } = require('./open-library.js');

// Loaded when needed: few libraries have any.
const globals = lazy(() => require('./global.js'));
// Loaded for declarations that are C text: plain prototypes, any functions, types.
const plain = lazy(() => require('../cdef/plain.js'));
const cdef = lazy(() => require('../cdef/symbols.js'));
const types = lazy(() => require('../cdef/index.js'));
const global = (...values) => globals().global(...values);
const isolation = lazy(() => require('../isolate/library.js'));

/** The entries of an object of declarations, or of C text, with what gives the scope of its types. */
const declarationsOf = function (symbols, where) {
  if (!isText(symbols)) return { entries: entriesOf(symbols, where), scope: undefined };
  const read = typeof symbols === 'string' ? plain().plainDeclarations(symbols) : undefined;
  if (read === undefined) return cdef().parseSymbols(symbols, where);
  return { entries: read.entries, scope: () => cdef().scopeOf(symbols, read.types) };
};

const OPEN_KEYS = { flags: 'number', guard: 'boolean', isolate: 'any' };
const LOAD_KEYS = { flags: 'number', isolate: 'any' };

/** Opens a library and binds its symbols. */
const dlopen = function (path, given, options = {}) {
  requirePermission('dlopen', path);
  const symbols = arguments.length > 1 ? given : {};
  const { entries, scope } = declarationsOf(symbols, 'dlopen: symbols');
  const { flags, guard, isolate = ISOLATES } = parseOptions(options, OPEN_KEYS, 'dlopen: options');
  const opened = { ...openAs(path, flags, isolate, 'dlopen: options.isolate'), guard };
  const { lifetime, process } = opened;
  try {
    const library = libraryOf(opened, entries, scope, process === undefined ? 'of this process' : 'of its process');
    return process === undefined ? library : Object.defineProperties(library, isolation().controls(process));
  } catch (error) {
    lifetime.close();
    throw error;
  }
};

/** Binds the symbols of a library that is open. */
const libraryOf = function (opened, entries, scope, kind) {
  const { lifetime, found } = opened;
  opened.parameterOf = scope === undefined ? undefined : (name, index) => parameterIn(scope(), name, index);
  const library = makeLibrary(bindAll(entries, bindSymbol, opened), found, lifetime, kind, {
    global: globalOf(lifetime.native, found, scope),
    function: functionOf(opened, scope),
    symbol: symbolOf(lifetime.native, found),
  });
  return Library.declare(library, scope);
};

/**
 * Opens a library whose functions are bound one by one, as a dialect declares them.
 * @param {import('../call/generic-call').Wording} [wording] the dialect's messages about calls
 * @returns {{ bind: (name: string, declaration: object) => Function, find: (name: string) => number | bigint, close:
 * Function, isIsolated: boolean }}
 */
function openLibrary(path, options, wording) {
  requirePermission('load', path);
  const { flags, isolate = ISOLATES } = parseOptions(options, LOAD_KEYS, 'load: options');
  const opened = {
    ...openAs(path, flags, isolate, 'load: options.isolate'),
    guard: undefined,
    wording,
    parameterOf: undefined,
  };
  const { found, lifetime } = opened;
  const { native } = lifetime;
  const openNow = (name) => {
    if (!native.isOpen) throw libraryClosed(name, found);
    return native;
  };
  return {
    bind: (name, declaration) => openNow(name) && bindSymbol(name, declaration, opened),
    find: (name) => findOrThrow(openNow(name), name, found),
    close: () => lifetime.close(),
    isIsolated: opened.process !== undefined,
  };
}

/** Binds one more function of a library: by its name and a declaration, or by C text. */
const functionOf = (opened, scope) =>
  published('function', (first, second) => {
    const { name, declaration, own } =
      second === undefined
        ? cdef().parseFunction(first, 'function: text', scope === undefined ? [] : [scope()])
        : { own: undefined, name: nameOf(first, 'function: name'), declaration: second };
    if (!opened.lifetime.native.isOpen) throw libraryClosed(name, opened.found);
    const parameterOf = own === undefined ? undefined : (_, index) => parameterIn(own, name, index);
    return bindSymbol(name, declaration, { ...opened, parameterOf });
  });

function nameOf(name, where) {
  if (typeof name !== 'string') throw wrongType(where, 'a string', name);
  return name;
}

/** Looks symbols of a library up: the address, or null where there is no such symbol. */
const symbolOf = (native, path) =>
  published('symbol', (name) => {
    nameOf(name, 'symbol: name');
    if (!native.isOpen) throw libraryClosed(name, path);
    return native.find(name);
  });

/** The maker of a library's globals. */
const globalOf = (native, path, scope) =>
  published('global', (name, declared) => {
    nameOf(name, 'global: name');
    const type = declared === undefined && scope !== undefined ? types().typeOfVariable(scope(), name) : declared;
    if (!native.isOpen) throw libraryClosed(name, path);
    return global(name, findOrThrow(native, name, path), type, native, path);
  });

/** Binds functions whose addresses are known. After close() they refuse to be called. */
function linkSymbols(symbols) {
  requirePermission('linkSymbols');
  const lifetime = new Lifetime(binding.Library.linked('linkSymbols()'));
  const functions = bindAll(entriesOf(symbols, 'linkSymbols: symbols'), (key, value) =>
    bindPointer(key, value, `linkSymbols: symbols.${key}`, lifetime),
  );
  return makeLibrary(functions, null, lifetime, 'of linkSymbols()');
}

/**
 * Binds one function whose address is known; works with and without `new`. After its close() it refuses to be called.
 */
function CFunction(declaration) {
  requirePermission('CFunction');
  const lifetime = new Lifetime(binding.Library.linked('CFunction'));
  const call = bindPointer('CFunction', declaration, 'CFunction: declaration', lifetime);
  const close = () => lifetime.close();
  Object.assign(call, { close, [Symbol.dispose]: close });
  return Object.defineProperty(call, 'closed', { get: () => lifetime.closed, enumerable: true });
}

module.exports = { dlopen, openLibrary, linkSymbols, CFunction };
