'use strict';
// pinned-ffi/bun: the package in bun:ffi's dialect. Loading it also has the name `bun:ffi` mean it.

module.exports = require('./lib/instance.js').bun();
