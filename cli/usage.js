'use strict';
// Errors of the command line itself: those of calling it in a wrong way, and those that are only a message.

/** The command was called in a wrong way: its help is shown, and the exit code is 2. */
const usageError = (message) => Object.assign(new Error(message), { code: 'ERR_USAGE' });

/** The command has failed: it prints a message without a stack, and the exit code is 1. */
const failure = (message) => Object.assign(new Error(message), { code: 'ERR_FAILED' });

/** The one positional argument that a command takes. */
function onlyArgument(positionals, what) {
  if (positionals.length === 0) throw usageError(`${what} is missing`);
  if (positionals.length > 1) throw usageError(`takes one ${what}, received ${positionals.length}`);
  if (positionals[0] === '') throw usageError(`${what} is empty`);
  return positionals[0];
}

module.exports = { usageError, failure, onlyArgument };
