'use strict';
// The functions of the native addon, which serves all copies of this build.

module.exports = /** @type {any} */ (require('./realm.js').addon);
