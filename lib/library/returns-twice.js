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

/** Refuses the address of such a function. */
function refuseAddress(address, where) {
  const symbol = (names ??= namesByAddress()).get(Number(address));
  if (symbol !== undefined) throw twice(where, symbol);
}

module.exports = { RETURNS_TWICE, twice, refuseAddress };
