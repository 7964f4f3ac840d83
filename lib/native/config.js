'use strict';
// The settings of the environment variables, read and checked once.

const { makeError } = require('../errors.js');

function refuse(name, wanted, received) {
  throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be ${wanted}, received '${received}'`);
}

const [NARROWEST, WIDEST] = [64, 1048576];

/** PINNED_FFI_FENCE: `off`, `on` or a width in bytes. */
function fence() {
  const setting = process.env.PINNED_FFI_FENCE ?? '';
  if (setting === 'off' || setting === '0') return { off: true };
  if (setting === '' || setting === 'on') return { off: false };
  const width = /^\d{1,9}$/.test(setting) ? Number(setting) : NaN;
  if (!(width >= NARROWEST && width <= WIDEST)) {
    refuse('PINNED_FFI_FENCE', `off, on or a width from ${NARROWEST} to ${WIDEST} bytes`, setting);
  }
  return { off: false, width };
}

/** PINNED_FFI_QUARANTINE: `off`, BYTES or BYTES,COUNT. */
function quarantine() {
  const setting = process.env.PINNED_FFI_QUARANTINE ?? '';
  if (setting === '') return undefined;
  const match = /^(\d{1,15})(?:,(\d{1,9}))?$/.exec(setting === 'off' ? '0,0' : setting);
  if (match === null) return refuse('PINNED_FFI_QUARANTINE', 'off, BYTES or BYTES,COUNT', setting);
  return { bytes: Number(match[1]), count: match[2] === undefined ? undefined : Number(match[2]) };
}

/** PINNED_FFI_DEEPBIND: whether libraries have their own definitions before Node's; undefined where that is found out. */
function deepbind() {
  const setting = process.env.PINNED_FFI_DEEPBIND ?? '';
  if (setting === '') return undefined;
  if (setting !== '0' && setting !== '1') refuse('PINNED_FFI_DEEPBIND', '0 or 1', setting);
  return setting === '1';
}

const LANES = ['v8', 'frame', 'node-api', 'libffi'];

/** PINNED_FFI_LANE: how calls go in, where they could go in several ways; see docs/architecture.md. */
function lane() {
  const setting = process.env.PINNED_FFI_LANE ?? '';
  if (setting === '') return undefined;
  if (!LANES.includes(setting)) refuse('PINNED_FFI_LANE', LANES.join(' or '), setting);
  return setting;
}

module.exports = {
  fence: fence(),
  quarantine: quarantine(),
  guard: process.env.PINNED_FFI_GUARD === '1',
  lane: lane(),
  deepbind: deepbind(),
  trace: process.env.PINNED_FFI_TRACE === '1',
};
