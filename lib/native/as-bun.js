'use strict';
// process.versions.bun, for packages that choose bun:ffi by it: only where PINNED_FFI_AS_BUN asks for it.

const config = require('./config.js');

/** Adds a version of bun to process.versions, after the package itself has found out what it runs on. */
function claimBun() {
  if (config.asBun === undefined || process.versions.bun !== undefined) return;
  Object.defineProperty(process.versions, 'bun', { value: config.asBun, enumerable: true, configurable: true });
}

module.exports = { claimBun };
