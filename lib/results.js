'use strict';
// How long what callbacks have returned is kept: views, texts, and what the fields of structs point to.
//   - Under a synchronous call until the outermost one has returned.
//   - Under an asynchronous call until that is done.
//   - On a thread of C's own, and where nothing of ours has called C, until that thread has returned some more.

const { words } = require('./frame');

/** The words of the frame: how many outermost calls have returned, and who calls back (src/node/callback/arguments.rs). */
const RETURNS = 6;
const WHO = 7;
/** What is written over who calls: the result is kept for the outermost call. */
const KEEPS = -1;
const BY_CALL = 0;
const UNDER_CALL = 1 << 29;
const BY_JOB = 1 << 30;

/** The most results kept for one thread of C, and the most threads that are told apart. */
const MOST_OF_THREAD = 16;
const MOST_THREADS = 256;

let ofCall = [];
let returns = 0;
let willClear = false;

function clear() {
  willClear = false;
  if (words[RETURNS] !== returns) ofCall = [];
}

function keepForCall(kept) {
  if (words[RETURNS] !== returns) {
    returns = words[RETURNS];
    ofCall = [];
  }
  ofCall.push(kept);
  words[WHO] = KEEPS;
  if (willClear) return;
  willClear = true;
  endOfTurn.then(clear);
}
const endOfTurn = Promise.resolve();

const ofThreads = new Map();

function keepForThread(kept, thread) {
  const list = ofThreads.get(thread) ?? [];
  // The one that was used longest ago comes first.
  ofThreads.delete(thread);
  ofThreads.set(thread, list);
  if (ofThreads.size > MOST_THREADS) ofThreads.delete(ofThreads.keys().next().value);
  list.push(kept);
  if (list.length > MOST_OF_THREAD) list.shift();
}

/** Whether an asynchronous call has led to a callback, and the slot of that. */
const slotOf = (who) => ((who & BY_JOB) === 0 ? undefined : who & ~BY_JOB);

/** By the slots of asynchronous calls: pending.js. */
const ofJobs = new Map();

/** Keeps a result of a callback that `who` has called. */
function keepFor(kept, who) {
  if (who === BY_CALL) return void keepForCall(kept);
  const slot = slotOf(who);
  if (slot !== undefined) {
    const list = ofJobs.get(slot);
    if (list === undefined) ofJobs.set(slot, [kept]);
    else list.push(kept);
    return undefined;
  }
  keepForThread(kept, who & ~UNDER_CALL);
  if ((who & UNDER_CALL) !== 0) keepForCall(kept);
  return undefined;
}

/** An asynchronous call is done. */
function endJob(slot) {
  ofJobs.delete(slot);
}

module.exports = { keepFor, endJob, slotOf, WHO };
