'use strict';
// Continues after a call that returned a value or a Promise.

const { isPromise } = require('node:util').types;

/**
 * What comes after a call: at once where it returned a value, when it settles where it returned a Promise; `failed`
 * where that is rejected.
 */
const maybeThen = (returned, next, failed) => (isPromise(returned) ? returned.then(next, failed) : next(returned));

module.exports = { maybeThen };
