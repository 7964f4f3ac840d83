'use strict';
// The runtime: Node, Bun, Deno or Electron, and whether its V8 was verified.

const { makeError } = require('../errors.js');
const { platformKey } = require('./platform.js');

/**
 * NODE_MODULE_VERSION of the Nodes that the whole test suite runs on (20, 22, 24, 26), and the version of V8 that each
 * had from its first release to its last. V8's functions and objects may change with the version, and with its build
 * flags.
 */
const VERIFIED = { 115: '11.3', 127: '12.4', 137: '13.6', 147: '14.6' };

/** The platforms that the tests of fences ran on. */
const PLATFORMS = ['linux-x64', 'linux-x64-musl', 'linux-arm64'];

/** Builds of V8 whose objects or handles lie in memory in another way. */
const OTHER_LAYOUTS = ['v8_enable_pointer_compression', 'v8_enable_sandbox', 'v8_enable_direct_handle'];

/** The runtime, if it is not Node; undefined for Node. */
const other = ['electron', 'bun', 'deno'].find((name) => process.versions[name] !== undefined);

/** The options of Node and V8, of the command line and of NODE_OPTIONS, with hyphens in place of underscores. */
const { NODE_OPTIONS } = process.env;
const options = (NODE_OPTIONS ? [...process.execArgv, ...NODE_OPTIONS.split(/\s+/)] : process.execArgv)
  .filter((option) => option.startsWith('-'))
  .map((option) => option.replaceAll('_', '-'));

const OLDEST = 20;

/** Throws where the package cannot work. */
function refuseOld() {
  const { node } = process.versions;
  if (other !== undefined || Number.parseInt(node, 10) >= OLDEST) return;
  throw makeError('ERR_FFI_RUNTIME_UNSUPPORTED', `pinned-ffi needs Node ${OLDEST} or later, this is ${node}`, {
    version: node,
  });
}

/** NODE_MODULE_VERSION: V8's binary interface does not change within one. */
const { modules } = process.versions;

/** Why nothing may be assumed of this engine beyond Node-API; undefined where it was verified. */
function findReason() {
  const { version, versions } = process;
  if (other !== undefined) return `not verified on ${other}`;
  if (!PLATFORMS.includes(platformKey())) return `not verified on ${platformKey()}`;
  if (!Object.hasOwn(VERIFIED, modules)) return `not verified on Node ${version} (NODE_MODULE_VERSION ${modules})`;
  if (!`${versions.v8}.`.startsWith(`${VERIFIED[modules]}.`))
    return `not verified on V8 ${versions.v8} in Node ${version}`;
  const variables = process.config?.variables ?? {};
  const layout = OTHER_LAYOUTS.find((name) => Number(variables[name] ?? 0) !== 0 || variables[name] === true);
  return layout === undefined ? undefined : `not verified on a Node that was built with ${layout}`;
}
const unverified = findReason();

/**
 * Whether V8's detach keys lock a buffer against transfer: from Node 24 on. Node 20 and 22 end the process when a
 * transfer meets a key (`v8::FromJust`), so that locks are made in JavaScript there.
 */
const hasDetachKeys = other === undefined && Number(modules) >= 137;

/**
 * Whether V8 ends the process when `transfer()` meets a key, as it does in Node 24 before 24.15 and in the first of 25.
 */
const transferAborts = hasDetachKeys && /^(?:24\.(?:\d|1[0-4])|25)\./.test(process.versions.node);

module.exports = { refuseOld, options, other, modules, unverified, hasDetachKeys, transferAborts };
