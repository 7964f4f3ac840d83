'use strict';
// The asynchronous context (AsyncLocalStorage) in which callbacks of other threads run: that of the asynchronous call
// which led to them, or else the one in which they were made. Without it they would run in that of the first one, or in
// none.

const { AsyncResource } = require('node:async_hooks');
const { other } = require('./runtime.js');

/** The resource of an asynchronous call or a callback for hooks of `node:async_hooks`. */
class Context extends AsyncResource {
  /** Whether it keeps the process alive. */
  isRef;

  constructor(isCall) {
    super('PINNED_FFI', { requireManualDestroy: isCall });
    this.isRef = isCall;
  }

  /** Test runners call it before they report a resource as an open handle. */
  hasRef() {
    return this.isRef;
  }

  /** The call is done. */
  end() {
    this.isRef = false;
    this.emitDestroy();
  }
}

/** The contexts of the asynchronous calls under way, by their slots: call/async-call.js. */
const contexts = [];

/** The current context, for an asynchronous call; undefined where the runtime keeps contexts itself. */
const contextOfCall = () => (other === undefined ? new Context(true) : undefined);
/** The same for a callback. Its `destroy` hook runs when it is collected. */
const contextOfCallback = () => (other === undefined ? new Context(false) : undefined);

const { apply } = Reflect;
const call = (callback, values) => apply(callback, undefined, values);

/** Calls a function in a context. */
function callIn(context, callback, values) {
  return context === undefined ? call(callback, values) : context.runInAsyncScope(call, undefined, callback, values);
}

module.exports = { contexts, contextOfCall, contextOfCallback, callIn };
