'use strict';
// pinned-ffi/koffi: the package with koffi's interface. Loading it also has the name `koffi` mean it.

module.exports = require('./lib/instance.js').koffi();
