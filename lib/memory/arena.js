'use strict';
// Allocates every later Buffer in the arena, which isolated libraries share.

const binding = require('../native/binding.js');
const { renewPool } = require('./fences.js');

let isMade = false;
let reason;

/** Makes the arena, once. Where the system refuses it, isolated libraries get copies of the memory. */
function makeArena() {
  if (isMade || binding.isolateUnavailable() !== null) return;
  isMade = true;
  reason = binding.makeArena() ?? undefined;
  // The slices of the current slab would be copied for each call.
  if (reason === undefined) renewPool();
}

/** Why there is no arena, where the system has refused it. */
const arenaReason = () => reason;

module.exports = { makeArena, arenaReason };
