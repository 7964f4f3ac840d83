'use strict';

/** What a process of `isolate: true` is started with, as native code has it (src/node/exports/isolate.rs). */
const DEFAULTS = Object.freeze({
  environment: undefined,
  folder: undefined,
  command: Object.freeze([]),
  inheritsStderr: true,
  restarts: false,
  spins: true,
  keepsMalloc: false,
  isApart: false,
  timeout: undefined,
  sandbox: '',
});

module.exports = { DEFAULTS };
