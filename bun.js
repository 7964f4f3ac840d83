'use strict';
// pinned-ffi/bun: the package in bun:ffi's dialect. Loading it also has the name `bun:ffi` mean it.

// Not `module.exports = require(...)`: see index.js.
const instance = require('./lib/instance.js');

module.exports = instance.bun();
