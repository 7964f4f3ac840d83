'use strict';
// Reads and checks the PINNED_FFI_* environment variables, once.

const { makeError } = require('../errors.js');

/** @returns {never} */
function refuse(name, expected, received) {
  throw makeError('ERR_INVALID_ARG_VALUE', `${name} must be ${expected}, received '${received}'`);
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

/**
 * PINNED_FFI_QUARANTINE: `off`, BYTES or BYTES,COUNT.
 * @returns {{ bytes: number, count?: number } | undefined}
 */
function quarantine() {
  const setting = process.env.PINNED_FFI_QUARANTINE ?? '';
  if (setting === '') return undefined;
  const match = /^(\d{1,15})(?:,(\d{1,9}))?$/.exec(setting === 'off' ? '0,0' : setting);
  if (match === null) return refuse('PINNED_FFI_QUARANTINE', 'off, BYTES or BYTES,COUNT', setting);
  return { bytes: Number(match[1]), count: match[2] === undefined ? undefined : Number(match[2]) };
}

/**
 * PINNED_FFI_DEEPBIND: whether libraries have their own definitions before Node's; undefined where that is found out.
 */
function deepbind() {
  const setting = process.env.PINNED_FFI_DEEPBIND ?? '';
  if (setting === '') return undefined;
  if (setting !== '0' && setting !== '1') refuse('PINNED_FFI_DEEPBIND', '0 or 1', setting);
  return setting === '1';
}

/** PINNED_FFI_AS_BUN: the version of bun that process.versions names, once pinned-ffi/bun is loaded; `1` is 1.4.5. */
function asBun() {
  const setting = process.env.PINNED_FFI_AS_BUN ?? '';
  if (setting === '' || setting === '0') return undefined;
  if (setting === '1') return '1.4.5';
  if (!/^\d+\.\d+\.\d+$/.test(setting)) refuse('PINNED_FFI_AS_BUN', '0, 1 or a version such as 1.4.5', setting);
  return setting;
}

const CALL_PATHS = ['fast', 'generic', 'node-api', 'libffi'];
/** The values of the variable's earlier name. */
const LANES = { __proto__: null, v8: 'fast', frame: 'generic', 'node-api': 'node-api', libffi: 'libffi' };

/**
 * PINNED_FFI_CALL_PATH: the path that calls take where they could take several; see docs/architecture.md.
 * PINNED_FFI_LANE is its earlier name.
 */
function callPath() {
  const { PINNED_FFI_CALL_PATH: setting = '', PINNED_FFI_LANE: lane = '' } = process.env;
  if (setting !== '') {
    if (!CALL_PATHS.includes(setting)) refuse('PINNED_FFI_CALL_PATH', CALL_PATHS.join(' or '), setting);
    return { callPath: setting, callPathSetting: `PINNED_FFI_CALL_PATH=${setting}` };
  }
  if (lane === '') return { callPath: undefined, callPathSetting: undefined };
  if (LANES[lane] === undefined) refuse('PINNED_FFI_LANE', Object.keys(LANES).join(' or '), lane);
  return { callPath: LANES[lane], callPathSetting: `PINNED_FFI_LANE=${lane}` };
}

/** A variable that is 1, 0 or not set. */
function flag(name) {
  const setting = process.env[name] ?? '';
  if (setting !== '' && setting !== '0' && setting !== '1') refuse(name, '0 or 1', setting);
  return setting === '1';
}

/**
 * PINNED_FFI_TRACE: `1` for the flight recorder, `log` or `log:NAMES` for the live log of calls, of all functions or of
 * those whose names are in the list.
 * @returns {{ trace: boolean, log: string[] | undefined }}
 */
function trace() {
  const setting = process.env.PINNED_FFI_TRACE ?? '';
  if (setting === '' || setting === '0') return { trace: false, log: undefined };
  if (setting === '1') return { trace: true, log: undefined };
  const match = /^log(?::(.*))?$/.exec(setting);
  if (match === null) return refuse('PINNED_FFI_TRACE', '0, 1, log or log:NAMES', setting);
  const names = (match[1] ?? '').split(',').map((name) => name.trim());
  return { trace: false, log: names.filter((name) => name !== '') };
}

module.exports = {
  fence: fence(),
  quarantine: quarantine(),
  guard: process.env.PINNED_FFI_GUARD === '1',
  ...callPath(),
  deepbind: deepbind(),
  asBun: asBun(),
  ...trace(),
  // Whether every library is isolated, and whether all Buffers are allocated in shared memory.
  isolate: flag('PINNED_FFI_ISOLATE'),
  arena: flag('PINNED_FFI_ARENA'),
};
