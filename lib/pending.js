'use strict';
// Asynchronous calls under way: a table of what JavaScript keeps of each, so that native code has no more of it than the
// number of its slot; and how they are settled, all that are done at once.

const binding = require('./binding');
const { release } = require('./kept');
const { startCall } = require('./marshal');
const { lockAll } = require('./pin');

/** A call on another thread: what is passed stays alive, and locked, until its Promise settles. */
class Pending {
  constructor(resolve, reject, shape, check, lifetime, kept, held) {
    this.resolve = resolve;
    this.reject = reject;
    this.shape = shape;
    this.check = check;
    this.lifetime = lifetime;
    this.kept = kept;
    this.held = held;
    this.unlock = undefined;
  }

  end() {
    this.unlock?.();
    if (this.kept.length > 0) release(this.kept);
    this.lifetime.end();
  }
}

const slots = [];
const free = [];

/** The call of a slot, which is free again. */
function take(slot) {
  const call = slots[slot];
  slots[slot] = undefined;
  free.push(slot);
  return call;
}

// ---- starting -------------------------------------------------------------------------------------------------------

let resolveNext;
let rejectNext;
/** A Promise runs it before its constructor returns, so that one function serves all. */
const capture = (resolve, reject) => {
  resolveNext = resolve;
  rejectNext = reject;
};

/** What starts a call on another thread: on that of `thread`, or on libuv's pool. */
function launcher(target, name, shape, check, lifetime, thread) {
  return (pins, kept, held) => {
    const promise = new Promise(capture);
    const call = new Pending(resolveNext, rejectNext, shape, check, lifetime, kept, held);
    const slot = free.length > 0 ? free.pop() : slots.length;
    slots[slot] = call;
    lifetime.begin();
    try {
      if (pins.length > 0) call.unlock = lockAll(pins, name);
      startCall(target, slot, thread, pins);
    } catch (error) {
      take(slot).end();
      call.reject(error);
    }
    return promise;
  };
}

// ---- settling -------------------------------------------------------------------------------------------------------

function settle(slot, isFailed, value) {
  const call = take(slot);
  try {
    if (isFailed) return void call.reject(value);
    const { shape, check } = call;
    // The result lies in the frame until the next call.
    const result = shape.result.returnedByEntry ? value : shape.decode();
    call.resolve(check ? check(result) : result);
  } catch (error) {
    call.reject(error);
  } finally {
    call.end();
  }
  return undefined;
}

/** Settles all calls that are done. Native code calls it, and gives one after the other. */
function settleAll() {
  for (let taken = next(); taken !== undefined; taken = next()) {
    if (typeof taken === 'number') settle(taken, false, undefined);
    else settle(taken[0], taken[1], taken[2]);
  }
}

const next = binding.settleBy(settleAll);

module.exports = { launcher };
