'use strict';
// Node's permission model: where it knows the permission `ffi`, the entries that stand for node:ffi and koffi need it.

const { makeError } = require('../errors.js');

const { permission } = process;

/** With --permission-audit Node reports what it would refuse, and refuses nothing. */
const isAudit = () =>
  [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)].includes('--permission-audit');

/** Whether the process runs under the permission model of a Node that has --allow-ffi. */
const isRestricted = permission !== undefined && process.allowedNodeEnvironmentFlags.has('--allow-ffi') && !isAudit();

/**
 * Throws where the process may not call native code.
 * @throws {Error} ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`
 */
function checkPermission() {
  if (!isRestricted || permission.has('ffi')) return;
  throw makeError(
    'ERR_ACCESS_DENIED',
    'Access to this API has been restricted. Use --allow-ffi to manage permissions.',
    { permission: 'FFI', resource: '' },
  );
}

/** A function that checks first; where nothing is restricted, the function itself. */
const permitted = (call) =>
  isRestricted
    ? Object.defineProperties(
        (...values) => {
          checkPermission();
          return call(...values);
        },
        { name: { value: call.name }, length: { value: call.length } },
      )
    : call;

/** The same of all functions of an object. */
const allPermitted = (exported) =>
  Object.fromEntries(Object.entries(exported).map(([name, call]) => [name, permitted(call)]));

module.exports = { checkPermission, allPermitted };
