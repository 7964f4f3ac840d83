'use strict';
// Binds one symbol or address: from its declaration to a function of JavaScript.

const binding = require('../native/binding.js');
const { bind } = require('../call/bind.js');
const { RETURNS_TWICE, refuseAddress, twice } = require('../call/returns-twice.js');
const { parseTypes, readArgs } = require('../call/signature.js');
const { isDeclared } = require('../types/registry.js');
const { makeError, wrongType, outOfRange } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { nearest, didYouMean } = require('../nearest.js');
const { parseOptions } = require('../validate.js');

const locate = lazy(() => require('./inspect.js'));
const search = lazy(() => require('./search.js'));
const types = lazy(() => require('../cdef/index.js'));
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

/** The name of a parameter in the C text of a library. */
const parameterIn = (scope, name, index) => scope.function(name)?.type.parameters[index]?.name;

/** Binds a symbol of a library that is open; null where it is optional and missing. */
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

/** Binds the function at an address that a declaration has. */
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

module.exports = { bindSymbol, bindPointer, findOrThrow, parameterIn };
