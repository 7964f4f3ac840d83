'use strict';
// dlopen(), linkSymbols() and CFunction(): opens libraries and binds functions to their symbols.

const { isAddon } = require('../native/addon.js');
const binding = require('../native/binding.js');
const { libraryOpen } = require('../native/channels.js');
const { bind } = require('../call/bind.js');
const { bindAll, makeLibrary } = require('./library.js');
const { isText } = require('../cdef/sets.js');
const { makeError, published, wrongType, outOfRange } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { nearest, didYouMean } = require('../nearest.js');
const { Lifetime, libraryClosed } = require('../call/library-lifetime.js');
const { parseTypes, readArgs } = require('../call/signature.js');
const { isDeclared } = require('../types/registry.js');
const { parseOptions, entriesOf } = require('../validate.js');
const { requirePermission } = require('../native/permission.js');
// Not loaded when it is needed: the process may have no file descriptor left then.
const { notOpened } = require('./not-opened.js');
const { candidatesInTurn, toPath } = require('./resolve.js');
const { RETURNS_TWICE, refuseAddress, twice } = require('../call/returns-twice.js');
const config = require('../native/config.js');

/** RTLD_DEEPBIND, where the system has it. Not by `node:os`, which few programs need otherwise. */
const DEEPBIND = binding.deepbindFlag() ?? undefined;

// Loaded when needed: few libraries have any.
const globals = lazy(() => require('./global.js'));
const locate = lazy(() => require('./inspect.js'));
const search = lazy(() => require('./search.js'));
// Loaded for declarations that are C text: plain prototypes, any functions, types.
const plain = lazy(() => require('../cdef/plain.js'));
const cdef = lazy(() => require('../cdef/symbols.js'));
const types = lazy(() => require('../cdef/index.js'));
const global = (...values) => globals().global(...values);
// Loaded for isolated libraries.
const isolation = lazy(() => require('../isolate/library.js'));
const ownedResults = lazy(() => require('../call/owned-result.js'));

const CALL_KEYS = {
  args: 'any',
  returns: 'any',
  wrap: 'boolean',
  loose: 'boolean',
  threadsafe: 'boolean',
  guard: 'boolean',
  nonblocking: 'boolean',
  threads: 'boolean',
  leaf: 'boolean',
  errno: 'boolean',
  fails: 'any',
  varargs: 'boolean',
};
const SYMBOL_KEYS = { ...CALL_KEYS, name: 'string', ptr: 'any', optional: 'boolean', timeout: 'number' };
const POINTER_KEYS = { ...CALL_KEYS, ptr: 'any', c: 'string' };

/** The entries of an object of declarations, or of C text, with what gives the scope of its types. */
const declarationsOf = function (symbols, where) {
  if (!isText(symbols)) return { entries: entriesOf(symbols, where), scope: undefined };
  const entries = typeof symbols === 'string' ? plain().plainEntries(symbols) : undefined;
  if (entries === undefined) return cdef().parseSymbols(symbols, where);
  return { entries, scope: () => cdef().scopeOf(symbols) };
};

/** Stands for the group of all libraries. */
const ALL = Symbol('all');
const ISOLATES = config.isolate ? ALL : false;
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

/** Opens a library in this process, or in another one: what its functions are bound with. */
const openAs = function (path, flags, isolate, where) {
  const bits = flags === undefined ? 0 : flagsOf(flags);
  if (isolate !== false) return openIsolated(path, bits, isolate, where);
  const { found, lifetime } = open(path, bits);
  // An addon may run JavaScript, which a fast call must not.
  return { lifetime, found, mayBeFast: found === null || !isAddon(found), process: undefined };
};

/** Binds the symbols of a library that is open. */
const libraryOf = function (opened, entries, scope, kind) {
  const { lifetime, found } = opened;
  opened.parameterOf = scope === undefined ? undefined : (name, index) => parameterIn(scope(), name, index);
  return makeLibrary(bindAll(entries, bindSymbol, opened), found, lifetime, kind, {
    global: globalOf(lifetime.native, found, scope),
    function: functionOf(opened, scope),
    symbol: symbolOf(lifetime.native, found),
  });
};

/** Opens a library in a separate process, and publishes that it is open. */
function openIsolated(path, flags, isolate, where) {
  const { IsolatedLifetime, processOf, everything } = isolation();
  const process = processOf(isolate === ALL ? everything() : isolate, where);
  const lifetime = new IsolatedLifetime(process);
  try {
    const { native, found } = openFirst(path, (candidate) => process.open(candidate, flags));
    lifetime.opened(native, found);
    publishOpen(path, found, process);
    // Fast calls run in this process.
    return { lifetime, found, mayBeFast: false, process };
  } catch (error) {
    lifetime.close();
    throw error;
  }
}

/** The name of a parameter in the C text of a library. */
const parameterIn = (scope, name, index) => scope.function(name)?.type.parameters[index]?.name;

const bindSymbol = function (key, value, { lifetime, found, guard, mayBeFast, wording, parameterOf }) {
  const declaration = parseOptions(value, SYMBOL_KEYS, `dlopen: symbols.${key}`);
  if (wording !== undefined) declaration.wording = wording;
  if (guard !== undefined) declaration.guard ??= guard;
  const symbol = declaration.name ?? key;
  if (declaration.timeout !== undefined)
    isolation().checkTimeout(declaration.timeout, lifetime, `dlopen: symbols.${key}`);
  if (RETURNS_TWICE.has(symbol) && declaration.ptr === undefined) throw twice(`dlopen: symbols.${key}`, symbol);
  const address =
    declaration.ptr === undefined
      ? lifetime.native.find(symbol)
      : addressOf(declaration.ptr, key, `dlopen: symbols.${key}`);
  if (address === null) {
    if (declaration.optional) return null;
    // An error in the types comes first, because it is an error with every library.
    parseTypes({ ...declaration, returns: withoutFree(declaration.returns) }, key);
    throw missing(symbol, found);
  }
  bindOwned(declaration, key, (name) => findOrThrow(lifetime.native, name, found), lifetime);
  return bind(key, address, declaration, lifetime, mayBeFast, parameterOf);
};

/**
 * Finds the functions that free texts of the result and of parameters. The list of types is read once: it may have
 * getters.
 */
const bindOwned = function (declaration, name, find, lifetime) {
  if (typeof declaration.returns === 'object')
    declaration.returns = ownedResults().ownedResult(declaration.returns, name, find, lifetime);
  const list = declaration.args === undefined ? undefined : readArgs(declaration.args);
  if (list === undefined) return;
  declaration.args = list;
  for (let i = 0; i < list.length; i += 1) {
    if (typeof list[i] !== 'object' || list[i] === null) continue;
    declaration.args = ownedResults().ownedArgs(list, name, find, lifetime);
    return;
  }
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

/** The type of a result; of one that is freed, that of its text. */
const withoutFree = (returns) =>
  typeof returns === 'object' && returns !== null && !isDeclared(returns) ? (returns.type ?? 'cstring') : returns;

function findOrThrow(native, symbol, path) {
  const address = native.find(symbol);
  if (address === null) throw missing(symbol, path);
  return address;
}

const missing = (symbol, path) =>
  makeError(
    'ERR_FFI_SYMBOL_NOT_FOUND',
    `Symbol "${symbol}" not found in ${path === null ? 'this process' : `"${path}"${symbolHint(symbol, path)}`}`,
    { symbol, path },
  );

/** In a library of more symbols none is looked for that may be meant. */
const MOST_SYMBOLS = 20000;

/** The symbol of the file that was probably meant, or how to list its symbols. */
function symbolHint(symbol, path) {
  const meant = nearestSymbol(symbol, path);
  if (meant !== undefined) return didYouMean(meant);
  return `. List its symbols: npx pinned-ffi info ${/^[\w./+-]+$/.test(path) ? path : JSON.stringify(path)}`;
}

function nearestSymbol(symbol, path) {
  try {
    const file = search().fileOf(path);
    const { exports } = binding.inspect(file).find(locate().isLoadable);
    return exports.length > MOST_SYMBOLS ? undefined : nearest(symbol, new Set(exports.map(({ name }) => name)));
  } catch {
    // The loader has opened it; that it cannot be read as a file is no other error.
    return undefined;
  }
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

/** The flags that were asked for. Where none are, native code takes RTLD_NOW. */
function flagsOf(flags) {
  /** @type {Record<string, number>} */
  const known = require('node:os').constants.dlopen ?? {};
  const all = Object.values(known).reduce((bits, flag) => bits | flag, 0);
  if (!Number.isInteger(flags) || flags < 0 || flags > 0x7fffffff || (flags & ~all) !== 0) {
    throw outOfRange('dlopen: options.flags', 'bits of os.constants.dlopen', flags);
  }
  const { RTLD_NOW = 0, RTLD_LAZY = 0 } = known;
  return (flags & (RTLD_NOW | RTLD_LAZY)) === 0 ? flags | RTLD_NOW : flags;
}

/** Opens a library, and publishes that it is open. */
const open = function (path, flags) {
  const { native, found, rival } = openHere(path, flags);
  publishOpen(path, found);
  return { native, found, lifetime: new Lifetime(native, rival, found) };
};

/** Publishes that a library is open; `process` is that of one that is isolated. */
const publishOpen = function (path, found, process) {
  if (!libraryOpen.hasSubscribers) return;
  const isolated = process === undefined ? {} : { isolated: process.state };
  libraryOpen.publish({ path: found, name: path === null ? null : String(path), ...isolated });
};

/** Opens the first candidate of a path that the loader of this process takes. */
const openHere = function (path, flags) {
  if (path === null) return { native: binding.Library.open(null, flags), found: null, rival: null };
  let rival = null;
  let isDeep = false;
  const { native, found } = openFirst(path, (candidate) => {
    rival = rivalOf(candidate, flags);
    isDeep = flags === 0 && (config.deepbind ?? rival !== null) && DEEPBIND !== undefined;
    return binding.Library.open(candidate, isDeep ? flagsOf(DEEPBIND) : flags);
  });
  return { native, found, rival: isDeep || (flags & (DEEPBIND ?? 0)) !== 0 ? null : rival };
};

/** Opens the first candidate of a path that `openOne` takes; the error lists all that were tried. */
const openFirst = function (path, openOne) {
  if (path === null) return { native: openOne(null), found: null };
  const expected = toPath(path);
  const tried = [];
  for (const candidate of candidatesInTurn(expected)) {
    if (tried.some(({ path }) => path === candidate)) continue;
    const native = openOne(candidate);
    if (typeof native !== 'string') return { native, found: candidate };
    tried.push({ path: candidate, reason: native });
  }
  throw notOpened(expected, tried);
};

/**
 * A symbol that a library defines and Node exports as well: the library would call Node's definition instead of its
 * own. Null where there is none. Addons are not examined: they call Node's definitions on purpose.
 */
function rivalOf(candidate, flags) {
  const decides = flags === 0 && config.deepbind === undefined;
  if (DEEPBIND === undefined || !(decides || config.trace) || isAddon(candidate)) return null;
  if (candidate.includes('/')) return binding.interposed(candidate);
  // Most names are those of libraries that are loaded (libc), about which nothing can be done any more.
  const file = binding.isLoaded(candidate) ? null : search().fileOf(candidate);
  return file === null ? null : binding.interposed(file);
}

/** The address of a declaration's `ptr`. */
function addressOf(ptr, name, where) {
  if (typeof ptr !== 'number' && typeof ptr !== 'bigint') {
    throw wrongType(`${name}: ptr`, 'the address of the native function (number or BigInt)', ptr);
  }
  const valid = typeof ptr === 'bigint' ? BigInt.asUintN(64, ptr) === ptr : Number.isSafeInteger(ptr);
  if (!valid || ptr < 4096) throw outOfRange(`${name}: ptr`, 'the address of the native function', ptr);
  refuseAddress(ptr, where);
  return ptr;
}

function bindPointer(name, value, where, lifetime) {
  const declaration = parseOptions(value, POINTER_KEYS, where);
  if (declaration.ptr === undefined || declaration.ptr === null) {
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `Symbol "${name}" is missing a "ptr" field. When using linkSymbols() or ` +
        'CFunction(), you must provide a "ptr" field with the memory address of the native function.',
    );
  }
  const address = addressOf(declaration.ptr, name, where);
  const { c } = declaration;
  if (c !== undefined) Object.assign(declaration, types().parseSignature(c, `${where}.c`));
  bindOwned(declaration, name, undefined, lifetime);
  const parameterOf = c === undefined ? undefined : (_, index) => types().parameterIn(c, index);
  return bind(name, address, declaration, lifetime, true, parameterOf);
}

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
