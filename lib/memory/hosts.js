'use strict';
// Addresses in the processes of isolated libraries: of processes that have ended, and pointers that such a process
// could not follow. Checked only once a process was started.

const { makeError, locationOf, hex } = require('../errors.js');
const binding = require('../native/binding.js');

let isAny = false;

/** A process of isolated libraries is about to start. */
function noteHost() {
  isAny = true;
}

/** Whether there is, or was, any. */
const hasHosts = () => isAny;

/** The error of an address whose process has ended; undefined for any other. */
function staleError(name, address) {
  if (!isAny || !binding.isStale(address)) return undefined;
  return makeError(
    'ERR_FFI_STALE_POINTER',
    `${name}: ptr is ${hex(address)}, a pointer of a process of an isolated library that has ended; get it again from ` +
      'the library',
  );
}

/** Whether memory at an address comes and goes with a process of isolated libraries. */
const isOfHost = (address) => isAny && binding.isOfHost(address);

/**
 * Throws for a pointer of a value that is about to be stored at an address, if the process there could not follow it.
 */
function checkStored(target, pointers, view, at, name, position) {
  for (const { offset } of pointers) {
    const value = view.getBigUint64(at + offset, true);
    if (value === 0n || !binding.isPrivateAt(target, value)) continue;
    throw makeError(
      'ERR_FFI_NOT_SHARED',
      `${locationOf(name, position)} must be a pointer to memory that the process of the library shares, received ` +
        `${hex(value)} of memory that it does not; make the Buffer by alloc(), or set PINNED_FFI_ARENA=1 ` +
        "(with share: 'own', use memory that the library has allocated)",
    );
  }
}

module.exports = { noteHost, hasHosts, staleError, isOfHost, checkStored };
