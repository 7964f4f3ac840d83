'use strict';
// How much the tests do: "quick", which npm test takes, or "full", which npm run test:full and CI take. The tests are
// the same; their numbers differ.

const SCALES = ['quick', 'full'];
const scale = process.env.PINNED_FFI_TEST_SCALE || 'quick';
if (!SCALES.includes(scale)) {
  throw new Error(`PINNED_FFI_TEST_SCALE must be ${SCALES.join(' or ')}, received '${scale}'`);
}

/**
 * A number of a test by the scale.
 * @template T
 * @param {T} quick
 * @param {T} full
 * @returns {T}
 */
const byScale = (quick, full) => (scale === 'full' ? full : quick);

/**
 * A number of calls. Those of an isolated library take microseconds each, and no path of them is optimised.
 * @param {number} count
 */
const calls = (count) => (process.env.PINNED_FFI_ISOLATE === '1' ? Math.ceil(count / 50) : count);

module.exports = { scale, byScale, calls };
