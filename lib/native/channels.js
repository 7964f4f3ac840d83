'use strict';
// The channels of node:diagnostics_channel on which the package publishes what happens. docs/debugging.md describes
// them.

const { channel } = require('node:diagnostics_channel');

const libraryOpen = channel('pinned-ffi:library:open');
const libraryClose = channel('pinned-ffi:library:close');
const libraryDied = channel('pinned-ffi:library:died');
const fenceBreach = channel('pinned-ffi:fence:breach');

/** A fence was breached: `found` says when that was noticed, `error` is the exception or the warning. */
function publishBreach(found, error) {
  if (!fenceBreach.hasSubscribers) return;
  const { code, symbol, argument, byteLength, firstBadOffset, bytesPast } = error;
  fenceBreach.publish({ code, found, symbol, argument, byteLength, firstBadOffset, bytesPast, error });
}

/** The processes whose death was published last: every later call of their libraries fails as well. */
const dead = new Set();
const MOST_DEAD = 64;

/** The process of isolated libraries has ended under a call, or before it: `error` is the exception of the call. */
function publishDeath(error) {
  if (!libraryDied.hasSubscribers) return;
  const { code, symbol, pid, generation, signal, exitCode } = error;
  const key = `${pid} ${generation}`;
  if (dead.has(key)) return;
  if (dead.size >= MOST_DEAD) dead.delete(dead.values().next().value);
  dead.add(key);
  libraryDied.publish({ code, symbol, pid, generation, signal, exitCode, error });
}

const BREACHES = new Set(['ERR_FFI_BUFFER_OVERFLOW', 'ERR_FFI_BUFFER_UNDERFLOW']);

/** A call throws an error that channels publish. */
function publishFailure(error) {
  if (BREACHES.has(error.code)) publishBreach('call', error);
  else publishDeath(error);
}

module.exports = { libraryOpen, libraryClose, publishBreach, publishFailure };
