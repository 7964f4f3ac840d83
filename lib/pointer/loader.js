'use strict';
// The native functions by which optimised code reads memory; null where there are no fast calls.

const binding = require('../native/binding.js');
const { callPath } = require('../call/fast-call.js');
const config = require('../native/config.js');

/**
 * A fast call from code that is not optimised is expensive: so many reads take the other path before the next attempt.
 */
const PAUSE = 64;

// Under the guard native code checks first whether the memory is mapped.
const loader = callPath().name === 'fast' && !config.guard ? binding.makeLoader() : null;

module.exports = { PAUSE, loader };
