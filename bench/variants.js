'use strict';
// The variants of a case: a peer, or a setting of the package. Each says in which process the case's function runs:
//   label    what the tables call it
//   peer     the module of peers/ that the process loads first, and hands to the function; null: none
//   runtime  whose binary runs it: node (the one that is asked for), node:ffi's, bun's, deno's
//   env      the environment variables
//   asked    runs only where it is asked for by name
//   isOnOne  runs on one processor

/** Packages that are measured against each other. A case has a function for each `peer` that can do it. */
const peers = {
  pinned: { label: 'pinned-ffi', peer: 'pinned', runtime: 'node', env: {} },
  generic: {
    label: 'pinned-ffi, generic call',
    peer: 'pinned',
    runtime: 'node',
    env: { PINNED_FFI_CALL_PATH: 'generic' },
  },
  v8: { label: 'pinned-ffi, fast call', peer: 'pinned', runtime: 'node', env: { PINNED_FFI_LANE: 'v8' }, asked: true },
  koffi: { label: 'koffi', peer: 'koffi', runtime: 'node', env: {} },
  koffiLayer: { label: 'pinned-ffi/koffi', peer: 'koffiLayer', runtime: 'node', env: {} },
  nodeffi: { label: 'node:ffi', peer: 'nodeffi', runtime: 'nodeffi', env: {} },
  deno: { label: 'Deno.dlopen', peer: 'deno', runtime: 'deno', env: {} },
  bun: { label: 'bun:ffi', peer: 'bun', runtime: 'bun', env: {} },
  ffirs: { label: 'ffi-rs', peer: 'ffirs', runtime: 'node', env: {} },
  builtin: { label: "Node's module", peer: null, runtime: 'node', env: {} },
  betterSqlite3: { label: 'better-sqlite3', peer: null, runtime: 'node', env: {} },
  addon: { label: 'an addon in C', peer: null, runtime: 'node', env: {} },
  byHand: { label: 'JavaScript alone', peer: null, runtime: 'node', env: {}, asked: true },
};

const alone = (label) => ({ label, peer: null, runtime: 'node', env: {} });
const one = (variant) => ({ ...variant, label: `${variant.label}, on one processor`, isOnOne: true });
const ours = (label, env = {}) => ({ label, peer: 'pinned', runtime: 'node', env });

/** The package in different settings. A case has a function for each of these by name. */
const settings = {
  // No package at all: what everything else is held against where the question is whether it costs anything.
  none: alone('Node alone, without the package'),
  wide: alone('Node alone, 320 bytes: as many as with the default fences'),

  // The package, by what its settings say.
  off: ours('`PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  fenced: ours('fences of 64 before, 128 after (default)'),
  fence128: ours('fences of 128 / 128', { PINNED_FFI_FENCE: '128' }),
  fence256: ours('fences of 256 / 256', { PINNED_FFI_FENCE: '256' }),
  fence4096: ours('fences of 4096 / 4096', { PINNED_FFI_FENCE: '4096' }),
  unquarantined: ours('default fences, no quarantine', { PINNED_FFI_QUARANTINE: 'off' }),

  // Calls, by their arguments.
  bufferOff: ours('a Buffer, `PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  buffer: ours('a Buffer, its fences checked after the call'),
  guardOff: ours('a Buffer without fences, `{ guard: true }`: copied in and out', { PINNED_FFI_FENCE: 'off' }),
  guard: ours('a Buffer with fences, `{ guard: true }`: not copied'),
  sliceOff: ours('a slice of the pool, `PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  slice: ours('a slice of the pool, its neighbourhood compared'),
  numberOff: ours('a number, `PINNED_FFI_FENCE=off`', { PINNED_FFI_FENCE: 'off' }),
  number: ours('a number that no `ptr()` has given'),
  numberGiven: ours('a number from `ptr(view)`, the fences of its view checked'),
  numberSlice: ours('a number from `ptr(slice of the pool)`, its neighbourhood compared'),

  // Where the library runs.
  inProcess: ours('in the process'),
  isolated: ours('isolated'),
  isolatedTwo: { ...ours('isolated, each process on its own processor'), isOnOne: true },
  isolatedOne: one(ours('isolated')),
  worker: alone('koffi in a worker'),
  workerOne: one(alone('koffi in a worker')),
  child: alone('koffi in a child process, over IPC'),
  childOne: one(alone('koffi in a child process, over IPC')),
};

module.exports = { peers, settings };
