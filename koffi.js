'use strict';
// pinned-ffi/koffi: the package with koffi's interface. Loading it also has the name `koffi` mean it.

// Not `module.exports = require(...)`: see index.js.
const instance = require('./lib/instance.js');

module.exports = instance.koffi();
