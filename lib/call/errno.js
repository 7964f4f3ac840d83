'use strict';
// errno(): the error number of the last call.

const binding = require('../native/binding.js');
const { integerOf } = require('../validate.js');

/**
 * errno (GetLastError on Windows) right after the last call of this thread whose declaration says `errno: true` or has
 * `fails`. After an asynchronous call: what its thread had, until the next call settles. With a value: sets it.
 */
function errno(value) {
  if (value === undefined) return binding.lastErrno();
  return void binding.setErrno(
    integerOf(value, 'errno: value', 'an integer from -2^31 to 2^31-1', -(2 ** 31), 2 ** 31 - 1),
  );
}

module.exports = { errno };
