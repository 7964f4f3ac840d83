'use strict';
// errno(): the error number of the last call.

const binding = require('../native/binding.js');

/**
 * errno (GetLastError on Windows) right after the last call of this thread whose declaration says `errno: true` or has
 * `fails`. After an asynchronous call: what its thread had, until the next call settles.
 */
const errno = () => binding.lastErrno();

module.exports = { errno };
