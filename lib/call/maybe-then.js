'use strict';
// Continues after a call that returned a value or a Promise.

const { isPromise } = require('node:util').types;

/**
 * Continues after a call: at once if it returned a value, after settlement if it returned a Promise; `failed` runs
 * if that is rejected.
 */
const maybeThen = (returned, next, failed) =>
  typeof returned === 'object' && isPromise(returned) ? returned.then(next, failed) : next(returned);

module.exports = { maybeThen };
