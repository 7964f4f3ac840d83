'use strict';
// Tries every declaration with the package itself: a declaration that the package refuses is not written.

const ffi = require('../../index.js');
const { realOf, settle } = require('./layout.js');
const { Unsupported } = require('./types.js');

/** A parameter as the package declares it. */
function parameterOf(arg) {
  const type = arg.kind === 'out' || arg.kind === 'inout' ? ffi[arg.kind](realOf(arg.of)) : realOf(arg);
  return arg.lengthOf === undefined ? type : { type, lengthOf: arg.lengthOf };
}

/** Why the package refuses a function of a type; undefined where it takes it. */
function tryDeclaration({ args, returns, varargs, options }) {
  try {
    // As a function, which may have parameters that a callback may not.
    const declared = { args: args.map(parameterOf), returns: realOf(returns), varargs, ...options };
    ffi.CFunction({ ptr: 4096, ...declared }).close();
    return undefined;
  } catch (error) {
    if (!(error instanceof Unsupported) && !/^ERR_/.test(error.code ?? '')) throw error;
    return error.message.replace(/^CFunction: /, '');
  }
}

/** The same for a type that C calls. */
function tryCallback({ args, returns, varargs }) {
  if (varargs) return 'C cannot call a JavaScript function with further arguments';
  try {
    ffi.fn({ args: args.map(realOf), returns: realOf(returns) });
    return undefined;
  } catch (error) {
    if (!(error instanceof Unsupported) && !/^ERR_/.test(error.code ?? '')) throw error;
    return error.message.replace(/^fn: /, '');
  }
}

/** Says of a function's type, and of the function pointers in it, whether the package takes it: `type.fault`. */
function tryFunction(type) {
  if (type.tried) return;
  type.tried = true;
  [...type.args, type.returns].forEach(tryType);
  type.fault = tryDeclaration(type);
}

/** The function pointers that a type has in it. */
function tryType(type) {
  if (type === undefined) return;
  if (type.kind !== 'fn') return tryType(type.of ?? type.to);
  if (type.tried) return;
  type.tried = true;
  [...type.args, type.returns].forEach(tryType);
  type.fault = tryCallback(type);
}

/** Settles the records, and tries all function pointers that entities have. */
function validate(entities) {
  for (const entity of entities) {
    if (entity.kind === 'record') settle(entity);
    tryType(entity.type?.args === undefined ? undefined : entity.type);
    for (const field of entity.fields ?? []) tryType(field.type);
  }
}

module.exports = { validate, tryFunction, tryDeclaration };
