'use strict';
// Asks Node's permission model (`node --permission`) before native code becomes callable.

const { makeError } = require('../errors.js');

/** What stands for a scope in Node's own errors, and the flag that grants it. */
const FFI = { scope: 'ffi', permission: 'FFI', flag: '--allow-ffi' };
const ADDON = { scope: 'addon', permission: 'Addon', flag: '--allow-addons' };

/**
 * The scope that decides. Node has one for FFI from 26 on. Before that, whoever may load addons may call native code.
 * Older releases know neither name, but let the addon of this package load only where addons are allowed: there is
 * nothing left to ask, and `null` is returned.
 */
function findScope() {
  if (process.allowedNodeEnvironmentFlags.has(FFI.flag)) return FFI;
  return process.permission.has(ADDON.scope) ? ADDON : null;
}

// Found when the addon has just been loaded: a scope may be dropped later (`process.permission.drop`).
const required = process.permission === undefined ? null : findScope();

/**
 * Throws where Node's permission model does not allow native code to be called.
 * @param {string} name the function that was called, for the message
 * @param {unknown} [resource] the library that was to be opened
 * @throws ERR_ACCESS_DENIED
 */
function requirePermission(name, resource) {
  if (required === null || process.permission.has(required.scope)) return;
  const { permission, flag } = required;
  throw makeError(
    'ERR_ACCESS_DENIED',
    `${name}: Node's permission model does not allow native code to be called; start Node with ${flag}`,
    { permission, resource: typeof resource === 'string' || resource instanceof URL ? String(resource) : '' },
  );
}

module.exports = { requirePermission };
