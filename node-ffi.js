'use strict';
// pinned-ffi/node-ffi: the package with node:ffi's interface. Loading it also has the name `node:ffi` mean it.

module.exports = require('./lib/instance.js').nodeFfi();
