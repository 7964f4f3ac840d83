'use strict';
// The settings of the process: what the PINNED_FFI_* environment variables say, read and checked once.

/** The variables, in the order of the table in docs/api.md. PINNED_FFI_ADDON is read by addon.js. */
const VARIABLES = [
  'PINNED_FFI_FENCE',
  'PINNED_FFI_QUARANTINE',
  'PINNED_FFI_GUARD',
  'PINNED_FFI_CALL_PATH',
  'PINNED_FFI_LANE',
  'PINNED_FFI_DEEPBIND',
  'PINNED_FFI_AS_BUN',
  'PINNED_FFI_TRACE',
  'PINNED_FFI_ISOLATE',
  'PINNED_FFI_ARENA',
];

/**
 * The settings where no variable is set.
 * @type {{
 *   fence: { off: boolean, width?: number },
 *   quarantine: { bytes: number, count?: number } | undefined,
 *   guard: boolean,
 *   callPath: string | undefined,
 *   callPathSetting: string | undefined,
 *   deepbind: boolean | undefined,
 *   asBun: string | undefined,
 *   trace: boolean,
 *   log: string[] | undefined,
 *   isolate: boolean,
 *   arena: boolean,
 * }}
 */
const defaults = {
  fence: { off: false },
  quarantine: undefined,
  guard: false,
  callPath: undefined,
  callPathSetting: undefined,
  deepbind: undefined,
  asBun: undefined,
  trace: false,
  log: undefined,
  // Whether every library is isolated, and whether Buffers are born in shared memory from the start.
  isolate: false,
  arena: false,
};

/** A variable that is set to nothing counts as one that is not set. */
const isAnySet = VARIABLES.some((name) => process.env[name]);

module.exports = isAnySet ? require('./settings.js').readSettings() : defaults;
