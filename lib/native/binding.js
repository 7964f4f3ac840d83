'use strict';
// The native functions: those of the addon that serves all copies of this build.

module.exports = require('./realm.js').addon;
