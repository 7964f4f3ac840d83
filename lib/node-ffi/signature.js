'use strict';
// Signature objects: { return, arguments }, of Node's type names.

const { tableName } = require('./types.js');
const { wrongType, wrongValue } = require('./words.js');

/** The type of the table that a declared type stands for; `what` is how Node's messages call its place. */
function typeOf(declared, what) {
  if (typeof declared !== 'string') throw wrongType(`${what} must be a string`);
  if (declared.includes('\0')) throw wrongValue(`${what} must not contain null bytes`);
  const name = tableName(declared);
  if (name === undefined) throw wrongValue(`Unsupported FFI type: ${declared}`);
  return name;
}

function argumentOf(declared, i, name) {
  const what = `Argument ${i} of function ${name}`;
  const type = typeOf(declared, what);
  if (type === 'void') throw wrongValue(`${what} must not be 'void'; use an empty array for no-argument functions`);
  return type;
}

/**
 * Converts a signature object into types of the table. Each property is read once.
 * @param {any} signature
 * @param {string} name what messages call the function
 * @returns {{ returns: string, args: string[], threads: boolean }} `threads` is the main entry's: Node does not look at
 *   it
 */
function parseSignature(signature, name) {
  const returns = 'return' in signature ? typeOf(signature.return, `Return value type of function ${name}`) : 'void';
  const args = 'arguments' in signature ? argumentsOf(signature.arguments, name) : [];
  return { returns, args, threads: signature.threads === true };
}

function argumentsOf(list, name) {
  if (!Array.isArray(list)) throw wrongType(`Arguments list of function ${name} must be an array`);
  return Array.from(list, (declared, i) => argumentOf(declared, i, name));
}

/** Whether a value may be a signature, or an object of them. */
const isObject = (value) =>
  ((typeof value === 'object' && value !== null) || typeof value === 'function') && !Array.isArray(value);

module.exports = { parseSignature, isObject };
