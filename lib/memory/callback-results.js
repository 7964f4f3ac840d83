'use strict';
// Retains the results of callbacks: views, texts, and what the fields of structs point to.
//   - Under a synchronous call until the outermost one has returned.
//   - Under an asynchronous call until that is done.
//   - On a foreign thread, and where this package has not called C, until that thread has returned some more.

const { words } = require('./arg-buffer.js');

/**
 * The words of the argument buffer: how many outermost calls have returned, and who calls back
 * (src/node/callback/arguments.rs).
 */
const RETURNS = 6;
const WHO = 7;
/** The word of the token by which a callback is answered later; negative where it has to be answered at once. */
const TOKEN = 4;
/** The thread number that stands for the outermost call: the result is kept until it returns. */
const RETAINED_FOR_CALL = -1;
const BY_CALL = 0;
const UNDER_CALL = 1 << 29;
const BY_JOB = 1 << 30;

/** The most results kept for one thread of C, and the most threads that are distinguished. */
const MOST_OF_THREAD = 16;
const MOST_THREADS = 256;

let ofCall = [];
let returns = 0;
let willClear = false;

function clear() {
  willClear = false;
  if (words[RETURNS] !== returns) ofCall = [];
}

function retainForCall(retained) {
  if (words[RETURNS] !== returns) {
    returns = words[RETURNS];
    ofCall = [];
  }
  ofCall.push(retained);
  words[WHO] = RETAINED_FOR_CALL;
  if (willClear) return;
  willClear = true;
  endOfTurn.then(clear);
}
const endOfTurn = Promise.resolve();

const ofThreads = new Map();

function retainForThread(retained, thread) {
  const list = ofThreads.get(thread) ?? [];
  // The one that was used longest ago comes first.
  ofThreads.delete(thread);
  ofThreads.set(thread, list);
  if (ofThreads.size > MOST_THREADS) ofThreads.delete(ofThreads.keys().next().value);
  list.push(retained);
  if (list.length > MOST_OF_THREAD) list.shift();
}

/** Whether an asynchronous call has led to a callback, and the slot of that. */
const slotOf = (who) => ((who & BY_JOB) === 0 ? undefined : who & ~BY_JOB);

/** By the slots of asynchronous calls: call/async-call.js. */
const ofJobs = new Map();

/** Keeps a result of a callback that `who` has called. */
function retainFor(retained, who) {
  if (who === BY_CALL) return void retainForCall(retained);
  const slot = slotOf(who);
  if (slot !== undefined) {
    const list = ofJobs.get(slot);
    if (list === undefined) ofJobs.set(slot, [retained]);
    else list.push(retained);
    return undefined;
  }
  retainForThread(retained, who & ~UNDER_CALL);
  if ((who & UNDER_CALL) !== 0) retainForCall(retained);
  return undefined;
}

/** An asynchronous call is done. */
function endJob(slot) {
  ofJobs.delete(slot);
}

module.exports = { retainFor, endJob, slotOf, TOKEN, WHO };
