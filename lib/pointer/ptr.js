'use strict';
// ptr(): the address of a view's storage.

const { atCaller } = require('../errors.js');
const access = require('../memory/access.js');
const { storageOf } = require('../types/pointers.js');

/** The address of a view's storage. It is valid as long as the view lives. */
function ptr(view, byteOffset = 0) {
  try {
    if (ArrayBuffer.isView(view)) return access.addressOf(view, byteOffset ?? 0, 'ptr');
    const storage = typeof view === 'object' && view !== null ? view[storageOf] : undefined;
    const isAddress = typeof storage === 'number' || typeof storage === 'bigint';
    if (!isAddress) return access.addressOf(storage ?? view, byteOffset ?? 0, 'ptr');
    return access.checkedAddress(storage, byteOffset ?? 0, 'ptr');
  } catch (error) {
    throw atCaller(error, ptr); // node-do-not-add-exception-line
  }
}

module.exports = { ptr };
