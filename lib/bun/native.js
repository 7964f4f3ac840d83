'use strict';
// `native` of bun:ffi: what it was called before it had its names.

const { dlopen } = require('./library.js');
const { makeError } = require('../errors.js');

const callback = () => {
  throw makeError('ERR_INVALID_ARG_VALUE', 'Deprecated. Use new JSCallback(options, fn) instead');
};

module.exports = { native: { dlopen, callback } };
