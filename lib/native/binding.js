'use strict';
// The functions of the native addon, which serves all copies of this build.

module.exports = require('./realm.js').addon;
