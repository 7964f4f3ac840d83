'use strict';
// The arena: memory that the processes of isolated libraries share. arena() and isShared() describe it.

const binding = require('../native/binding.js');
const { wrongType } = require('../errors.js');
const { isView } = require('../memory/array-buffer.js');
const { arenaReason } = require('../memory/arena.js');
const { fences } = require('../memory/fences.js');

/** The state of the arena. */
function arena() {
  const state = binding.isolateUnavailable() === null ? binding.arenaState() : null;
  if (state === null) {
    const reason = binding.isolateUnavailable() ?? arenaReason() ?? 'no isolated library was opened yet';
    return { active: false, buffers: false, reason, size: 0, used: 0 };
  }
  const [, size, used] = state;
  const { installed, reason } = fences();
  return { active: true, buffers: installed, ...(installed ? {} : { reason }), size, used };
}

/** Whether isolated libraries have the bytes of a view at its address: they are not copied. */
function isShared(view) {
  if (!isView(view))
    throw wrongType('isShared: view', 'a typed array, DataView, ArrayBuffer or SharedArrayBuffer', view);
  if (binding.isolateUnavailable() !== null || binding.arenaState() === null) return false;
  return binding.isShared(view);
}

module.exports = { arena, isShared };
