// Functions that the cases share. A case is a default export:
//   title       what is measured; `{}` stands for the parameter
//   params      the same case with different numbers or words; left out: one row
//   peers       for each `peer` of variants.js that can do it, or
//   settings    for each setting of variants.js: a function (peer, library, param) that gives what `loop` gets, the
//               first being what the others are held against; where the case measures itself, it gives a number
//   loop        from that to a batch, (count) => result, which may be a Promise; the result must be the same each time
//   model       from the parameter to the same as a peer's function gives, in plain JavaScript: the result of its loop
//               is what that of the peer must be
//   operations  how many of what is measured are in one turn of the loop; left out: 1
//   unit        ns (an operation), calls/s or bytes; left out: ns
//   clock       cpu, or wall for what waits; left out: cpu
//   library     a file of lib/; left out: calls
//   needs       further files of lib/, which are compiled beside it
//   note        what a reader has to know
//   isCold      a process measures once
//   isAlone     the peer is not loaded before

import { TYPES, has } from './peers/types.mjs';

/** Eight values that a loop goes round. */
export const eight = (make) => Array.from({ length: 8 }, (_, i) => make(i));

/**
 * For every peer that has the types: a function of the library, and after it what `inputs` gives.
 * @param inputs from the parameter to the further inputs of the loop
 */
export function calling(name, args, returns, inputs = () => []) {
  const peers = Object.keys(TYPES).filter((peer) => has(peer, [...args, returns]));
  return forPeers(peers, (peer, library, param) => [bound(peer, library, name, args, returns), ...inputs(param)]);
}

export const forPeers = (peers, make) => Object.fromEntries(peers.map((peer) => [peer, make]));

/** One function of a library, with a peer's module. `more` is the peer's own. */
export const bound = (peer, library, name, args, returns, more) =>
  peer.open(library, { [name]: { args, returns } }, more)[name];

/** The declarations of `count` functions of lib/symbols.c. */
export const declareSymbols = (count) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`add_${1000 + i}`, { args: ['i32', 'i32'], returns: 'i32' }]),
  );

/** Whether each of those adds: the number in its name is added, too. */
export function checkSymbols(symbols, count) {
  for (let i = 1000; i < 1000 + count; i++) {
    if (symbols[`add_${i}`](20, 22) !== 42 + i) throw new Error(`add_${i} does not add`);
  }
}

/** Nanoseconds that something takes. */
export function timeOf(run) {
  const start = performance.now();
  run();
  return (performance.now() - start) * 1e6;
}

/** Collects all garbage, in every runtime. */
export const collect = () => (globalThis.gc ? globalThis.gc() : globalThis.Bun.gc(true));

/** Collects what was made of late, in every runtime: else that falls into what is timed next, or it does not. */
export const collectYoung = () => (globalThis.gc ? globalThis.gc({ type: 'minor' }) : globalThis.Bun.gc(false));

/** The growth of the process's resident memory, in bytes, while something is made that stays. */
export function memoryOf(make) {
  collect();
  const before = process.memoryUsage().rss;
  const kept = make();
  collect();
  return { bytes: process.memoryUsage().rss - before, kept };
}
