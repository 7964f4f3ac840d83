'use strict';
// Which engine runs this, and whether the package was verified on it.

const { makeError } = require('./errors');
const settings = require('./settings');

/** process.versions.modules of the runtimes that the whole test suite runs on: Node 20, 22, 24, 26. */
const VERIFIED = new Set(['115', '127', '137', '147']);

/** What runs this in place of Node; undefined for Node. */
const other = ['electron', 'bun', 'deno'].find((name) => process.versions[name] !== undefined);

const OLDEST = 20;

/** Throws where the package cannot work. */
function refuseOld() {
  const { node } = process.versions;
  if (other !== undefined || Number.parseInt(node, 10) >= OLDEST) return;
  throw makeError('ERR_FFI_RUNTIME_UNSUPPORTED', `pinned-ffi needs Node ${OLDEST} or later, this is ${node}`, { version: node });
}

/** NODE_MODULE_VERSION: V8's binary interface does not change within one. */
const { modules } = process.versions;

/** Whether V8's own functions and objects are known to be as native code takes them. */
const isVerified = other === undefined && VERIFIED.has(modules) && process.platform === 'linux' && process.arch === 'x64';

/**
 * Whether they are used. `PINNED_FFI_LANE=node-api` has all go by Node-API, as it does on other platforms and runtimes.
 */
const usesV8 = isVerified && settings.lane !== 'node-api';

/**
 * Whether V8's detach keys lock a buffer against transfer: from Node 24 on. Node 20 and 22 end the process when a transfer
 * meets a key (`v8::FromJust`), so that locks are made in JavaScript there.
 */
const hasDetachKeys = other === undefined && Number(modules) >= 137;

/** Whether V8 ends the process when `transfer()` meets a key, as it does in Node 24 before 24.15 and in the first of 25. */
const transferAborts = hasDetachKeys && /^(?:24\.(?:\d|1[0-4])|25)\./.test(process.versions.node);

module.exports = { refuseOld, other, modules, isVerified, usesV8, hasDetachKeys, transferAborts };
