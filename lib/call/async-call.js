'use strict';
// Asynchronous calls. JavaScript keeps the state of each in a table and gives native code the index of its slot; calls
// that are done are settled together.

const { atAwait, nameParameter } = require('../errors.js');
const binding = require('../native/binding.js');
const { contexts, contextOfCall } = require('../native/async-context.js');
const { bytesAt } = require('../memory/arg-buffer.js');
const { decode } = require('../codegen/read-values.js');
const { release } = require('../memory/retained.js');
const { placeInexact } = require('../exact-numbers.js');
const { copyAllBack, startCall } = require('./generic-call.js');
const { lockAll } = require('../memory/pin.js');
const { endJob } = require('../memory/callback-results.js');

/** A call on another thread: its arguments stay alive, and locked, until its Promise settles. */
class AsyncCall {
  constructor(resolve, reject, callTarget, check, lifetime, retained, values) {
    this.resolve = resolve;
    this.reject = reject;
    this.callTarget = callTarget;
    this.check = check;
    this.lifetime = lifetime;
    this.retained = retained;
    this.values = values;
    this.unlock = undefined;
  }

  end() {
    this.unlock?.();
    if (this.retained.length > 0) release(this.retained);
    this.lifetime.end();
  }
}

const slots = [];
const freeSlots = [];

/** Takes the call out of a slot, which is free then. */
function takeSlot(slot) {
  const call = slots[slot];
  slots[slot] = undefined;
  endJob(slot);
  contexts[slot]?.end();
  contexts[slot] = undefined;
  freeSlots.push(slot);
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

const { apply } = Reflect;
const { then } = Promise.prototype;

/** Rejects what a call returns. */
function locate(error) {
  throw atAwait(error, locate); // node-do-not-add-exception-line
}

/**
 * Starts a call on another thread: that of `thread`, or one of libuv's pool. Returns undefined if other code has
 * written the argument buffer since `epoch`.
 */
function launcher(callTarget, name, signature, check, lifetime, thread) {
  signature.resultBytes ??= bytesAt(signature.resultAt, signature.result.size);
  return (pins, retained, values, epoch) => {
    const promise = new Promise(capture);
    const call = new AsyncCall(resolveNext, rejectNext, callTarget, check, lifetime, retained, values);
    const slot = freeSlots.length > 0 ? freeSlots.pop() : slots.length;
    slots[slot] = call;
    contexts[slot] = contextOfCall();
    lifetime.begin();
    try {
      if (pins.length > 0) call.unlock = lockAll(pins, name);
      if (!startCall(callTarget, signature, slot, thread, pins, epoch)) {
        call.retained = [];
        takeSlot(slot).end();
        return undefined;
      }
    } catch (error) {
      call.retained = [];
      takeSlot(slot).end();
      throw error;
    }
    return apply(then, promise, [undefined, locate]);
  };
}

// ---- settling -------------------------------------------------------------------------------------------------------

/** `value` is the result as the native entry gives it, `bytes` is a copy of one in the argument buffer. */
function settle(slot, isFailed, value, bytes) {
  const call = takeSlot(slot);
  try {
    if (isFailed) return void call.reject(nameParameter(value, call.callTarget.name, call.callTarget.parameterOf));
    const { check } = call;
    const { signature } = call.callTarget;
    const result = bytes === undefined ? value : decode(signature.result, bytes);
    if (call.values.length > 0) copyAllBack(signature, call.values, call.callTarget.name);
    call.resolve(check ? check(result) : result);
  } catch (error) {
    call.reject(placeInexact(error, call.callTarget.name, 'result'));
  } finally {
    call.end();
  }
  return undefined;
}

/** Settles all calls that are done. Native code calls it, and gives one after the other. */
function settleAll() {
  for (let taken = next(); taken !== undefined; taken = next()) {
    if (typeof taken === 'number') {
      // The result is in the argument buffer, and is copied at once (memory/arg-buffer.js).
      const { result, resultBytes } = slots[taken].callTarget.signature;
      const bytes = new Uint8Array(resultBytes);
      settle(taken, false, undefined, result.returnedByEntry ? undefined : bytes);
    } else settle(taken[0], taken[1], taken[2]);
  }
}

const next = binding.settleBy(settleAll);

module.exports = { launcher };
