'use strict';
// The channels of node:diagnostics_channel on which the package publishes what happens. docs/debugging.md describes them.

const { channel } = require('node:diagnostics_channel');

const libraryOpen = channel('pinned-ffi:library:open');
const libraryClose = channel('pinned-ffi:library:close');
const fenceBreach = channel('pinned-ffi:fence:breach');

/** A fence was breached: `found` says when that was noticed, `error` is what is thrown or the warning. */
function publishBreach(found, error) {
  if (!fenceBreach.hasSubscribers) return;
  const { code, symbol, argument, byteLength, firstBadOffset, bytesPast } = error;
  fenceBreach.publish({ code, found, symbol, argument, byteLength, firstBadOffset, bytesPast, error });
}

module.exports = { libraryOpen, libraryClose, publishBreach };
