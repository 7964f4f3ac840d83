'use strict';
// Asks Node's permission model (`node --permission`) before native code becomes callable.

const { makeError } = require('../errors.js');
const { options } = require('./runtime.js');
const { isUrl } = require('../validate.js');

/** The name of a scope in Node's own errors, and the flag that grants it. */
const FFI = { scope: 'ffi', permission: 'FFI', flag: '--allow-ffi' };
const ADDON = { scope: 'addon', permission: 'Addon', flag: '--allow-addons' };

/** With --permission-audit Node reports what it would refuse, and refuses nothing. */
const isAudit = () => options.includes('--permission-audit');

/**
 * The scope that decides. Node has one for FFI from 26 on. Before that, a process that may load addons may call native
 * code. Older releases know neither name, but let the addon of this package load only where addons are allowed: there
 * is nothing left to ask, and `null` is returned.
 */
function findScope() {
  if (process.permission === undefined || isAudit()) return null;
  if (process.allowedNodeEnvironmentFlags.has(FFI.flag)) return FFI;
  return process.permission.has(ADDON.scope) ? ADDON : null;
}

// Found when the addon has just been loaded: a scope may be dropped later (`process.permission.drop`).
const required = findScope();

/** Throws where the scope is not granted, in the words that `messageOf` has for a flag. */
function check(messageOf, resource) {
  if (required === null || process.permission.has(required.scope)) return;
  const { permission, flag } = required;
  throw makeError('ERR_ACCESS_DENIED', messageOf(flag), { permission, resource });
}

/**
 * Throws where Node's permission model does not allow native code to be called.
 * @param {string} name the function that was called, for the message
 * @param {unknown} [resource] the library that was to be opened
 * @throws ERR_ACCESS_DENIED
 */
function requirePermission(name, resource) {
  check(
    (flag) => `${name}: Node's permission model does not allow native code to be called; start Node with ${flag}`,
    typeof resource === 'string' || isUrl(resource) ? String(resource) : '',
  );
}

/**
 * The same in the words of Node, for the dialect of node:ffi.
 * @throws ERR_ACCESS_DENIED
 */
function checkPermission() {
  check((flag) => `Access to this API has been restricted. Use ${flag} to manage permissions.`, '');
}

/** A function that checks first; where nothing is restricted, the function itself. */
const permitted = (call) =>
  required === null
    ? call
    : Object.defineProperties(
        (...values) => {
          checkPermission();
          return call(...values);
        },
        { name: { value: call.name }, length: { value: call.length } },
      );

/** The same of all functions of an object. */
const allPermitted = (exported) =>
  Object.fromEntries(Object.entries(exported).map(([name, call]) => [name, permitted(call)]));

module.exports = { requirePermission, checkPermission, allPermitted };
