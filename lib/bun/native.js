'use strict';
// The `native` export of bun:ffi, an earlier name of its functions.

const { dlopen } = require('./library.js');
const { makeError } = require('../errors.js');

const callback = () => {
  throw makeError('ERR_INVALID_ARG_VALUE', 'Deprecated. Use new JSCallback(options, fn) instead');
};

module.exports = { native: { dlopen, callback } };
