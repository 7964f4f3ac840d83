'use strict';
// Functions of C that return a second time, to a stack frame that is gone by then: the process would crash.

const binding = require('../native/binding.js');
const { makeError } = require('../errors.js');

const RETURNS_TWICE = new Set([
  'vfork',
  '__vfork',
  'setjmp',
  '_setjmp',
  'sigsetjmp',
  '__sigsetjmp',
  'getcontext',
  'savectx',
]);

const twice = (where, symbol) =>
  makeError(
    'ERR_INVALID_ARG_VALUE',
    `${where}: ${symbol}() returns twice, ` +
      `which a function that JavaScript calls cannot; ${symbol.includes('fork') ? 'use node:child_process' : 'call it in C (cc)'}`,
  );

/** The names of those that this process has, by address. */
let names;

function namesByAddress() {
  const process = binding.Library.open(null, 0);
  const found = [...RETURNS_TWICE].map((name) => [Number(process.find(name)), name]);
  return new Map(/** @type {[number, string][]} */ (found.filter(([address]) => address !== 0)));
}

/** The name of such a function, by its address; undefined for other addresses. */
const nameAt = (address) => (names ??= namesByAddress()).get(Number(address));

/** Refuses the address of such a function. */
function refuseAddress(address, where) {
  const symbol = nameAt(address);
  if (symbol !== undefined) throw twice(where, symbol);
}

/**
 * The callable of a function pointer to such a function, which C may keep in a table of functions: its call throws.
 * Undefined for other addresses.
 */
function refusingFunction(address) {
  const symbol = nameAt(address);
  if (symbol === undefined) return undefined;
  const call = () => {
    throw twice('fn', symbol);
  };
  return Object.defineProperties(call, {
    name: { value: 'fn' },
    ptr: { value: address },
    async: { value: async () => call() },
  });
}

module.exports = { RETURNS_TWICE, twice, refuseAddress, refusingFunction };
