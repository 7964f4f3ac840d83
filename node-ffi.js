'use strict';
// pinned-ffi/node-ffi: the package with node:ffi's interface. Loading it also has the name `node:ffi` mean it.

// Not `module.exports = require(...)`: see index.js.
const instance = require('./lib/instance.js');

module.exports = instance.nodeFfi();
