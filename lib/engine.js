'use strict';
// Which engine runs this, whether the package was verified on it, and whether V8's own functions are used.

const binding = require('./binding');
const { isMusl, platformKey } = require('./platform');
const settings = require('./settings');

/**
 * NODE_MODULE_VERSION of the Nodes that the whole test suite runs on (20, 22, 24, 26), and the version of V8 that each had
 * from its first release to its last. V8's functions and objects may change with the version, and with its build flags.
 */
const VERIFIED = { 115: '11.3', 127: '12.4', 137: '13.6', 147: '14.6' };

/** Builds of V8 whose objects or handles lie in memory in another way. */
const OTHER_LAYOUTS = ['v8_enable_pointer_compression', 'v8_enable_sandbox', 'v8_enable_direct_handle'];

/** What runs this in place of Node; undefined for Node. */
const other = ['electron', 'bun', 'deno'].find((name) => process.versions[name] !== undefined);

/** NODE_MODULE_VERSION: V8's binary interface does not change within one. */
const { modules } = process.versions;

/** Why nothing may be assumed of this engine beyond Node-API; undefined where it was verified. */
function findReason() {
  const { platform, arch, version, versions } = process;
  if (other !== undefined) return `not verified on ${other}`;
  if (platform !== 'linux' || arch !== 'x64' || isMusl()) return `not verified on ${platformKey()}`;
  if (!Object.hasOwn(VERIFIED, modules)) return `not verified on Node ${version} (NODE_MODULE_VERSION ${modules})`;
  if (!`${versions.v8}.`.startsWith(`${VERIFIED[modules]}.`)) return `not verified on V8 ${versions.v8} in Node ${version}`;
  const variables = process.config?.variables ?? {};
  const layout = OTHER_LAYOUTS.find((name) => Number(variables[name] ?? 0) !== 0 || variables[name] === true);
  return layout === undefined ? undefined : `not verified on a Node that was built with ${layout}`;
}
const unverified = findReason();

/** Shows the native side how V8 keeps texts: a literal, a text that was made, and one that was put together. */
function makeTexts() {
  const made = Buffer.from('text made of bytes').toString('latin1');
  const joined = `${made} \xe9 ${made}`;
  // This flattens it.
  joined.includes('\0');
  return ['text of the source \xe9', made, joined];
}
const texts = unverified === undefined ? makeTexts() : [];

/**
 * Why V8's own functions and objects are not used; undefined where they are. `PINNED_FFI_LANE=node-api` has all go by
 * Node-API, as it does on other platforms and runtimes.
 */
const withoutV8 = unverified
  ?? (settings.lane === 'node-api' ? 'PINNED_FFI_LANE=node-api' : undefined)
  ?? binding.verifyV8(...texts)
  ?? undefined;

module.exports = { other, modules, unverified, withoutV8, usesV8: withoutV8 === undefined, texts };
