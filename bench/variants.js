'use strict';
// What a case can be run as. A case exports a function under the name of each variant it has; a variant says in which
// process that function runs. A peer is a variant, too: its case function imports the peer from bench/node_modules, and
// `command` is its runtime where that is not Node.

const ours = (label, env = {}) => ({ label, env, load: true });

module.exports = {
  // No package at all: what everything else is held against where the question is whether it costs anything.
  none: { label: 'Node alone, without the package', env: {}, load: false },

  wide: { label: 'Node alone, 320 bytes: as many as with the default fences', env: {}, load: false },

  // The package, by what its settings say.
  off: ours('`PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  fenced: ours('fences of 64 before, 128 after (default)'),
  fence128: ours('fences of 128 / 128', { PINNED_FFI_FENCE: '128' }),
  fence256: ours('fences of 256 / 256', { PINNED_FFI_FENCE: '256' }),
  fence4096: ours('fences of 4096 / 4096', { PINNED_FFI_FENCE: '4096' }),
  unquarantined: ours('default fences, no quarantine', { PINNED_FFI_QUARANTINE: 'off' }),

  // Calls, by what they are given.
  bufferOff: ours('a Buffer, `PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  buffer: ours('a Buffer, its fences checked after the call'),
  guardOff: ours('a Buffer without fences, `{ guard: true }`: copied in and out', { PINNED_FFI_FENCE: 'off' }),
  guard: ours('a Buffer with fences, `{ guard: true }`: not copied'),
  sliceOff: ours('a slice of the pool, `PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  slice: ours('a slice of the pool, its neighbourhood compared'),
  numberOff: ours('a number, `PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  number: ours('a number that no `ptr()` has given'),
  numberGiven: ours('a number from `ptr(view)`, the fences of its view checked'),
};
