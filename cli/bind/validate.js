'use strict';
// Tries every declaration with the package itself: what it refuses is not written.

const { realOf, settle } = require('./layout.js');
const { Unsupported } = require('./types.js');

/** Says of a function's type, and of the function pointers in it, whether the package takes it: `type.fault`. */
function tryFunction(ffi, type) {
  if (type.tried) return;
  type.tried = true;
  [...type.args, type.returns].forEach((part) => tryType(ffi, part));
  try {
    const parameter = (part) =>
      part.kind === 'out' || part.kind === 'inout' ? ffi[part.kind](realOf(ffi, part.of)) : realOf(ffi, part);
    const returns = realOf(ffi, type.returns);
    // As a function, which may have parameters that a callback may not.
    const { close } = ffi.CFunction({ ptr: 4096, args: type.args.map(parameter), returns, varargs: type.varargs });
    close();
  } catch (error) {
    if (!(error instanceof Unsupported) && !/^ERR_/.test(error.code ?? '')) throw error;
    type.fault = error.message.replace(/^CFunction: /, '');
  }
}

/** The function pointers that a type has in it. */
function tryType(ffi, type) {
  if (type === undefined) return;
  if (type.kind === 'fn') tryFunction(ffi, type);
  else tryType(ffi, type.of ?? type.to);
}

/** Settles the records, and tries all function pointers that entities have. */
function validate(ffi, entities) {
  for (const entity of entities) {
    if (entity.kind === 'record') settle(ffi, entity);
    tryType(ffi, entity.type?.kind === undefined ? undefined : entity.type);
    for (const field of entity.fields ?? []) tryType(ffi, field.type);
  }
}

module.exports = { validate, tryFunction };
