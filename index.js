'use strict';

// Node takes `module.exports = require(...)` for a re-export. An import of this file that comes after a require and a
// reset of require.cache would then find lib/instance.js half loaded.
const instance = require('./lib/instance.js');

module.exports = instance.main();
