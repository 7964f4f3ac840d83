'use strict';
// bun's error messages. The main entry's error, which names the function and the argument, is their `cause`.

const { makeError } = require('../errors.js');

/** bun's error about an argument or a declaration, of the code that bun gives it. */
const wrongArgument = (message, cause) =>
  makeError('ERR_INVALID_ARG_TYPE', message, cause === undefined ? undefined : { cause });
const wrongDeclaration = (message) => makeError('ERR_INVALID_ARG_VALUE', message);

/** Runs `action`; an error with a code of `phrases` becomes what the phrase makes of it. */
function inWords(phrases, action) {
  try {
    return action();
  } catch (error) {
    const phrase = Object.hasOwn(phrases, error?.code ?? '') ? phrases[error.code] : undefined;
    throw phrase === undefined ? error : phrase(error);
  }
}

module.exports = { wrongArgument, wrongDeclaration, inWords };
