'use strict';
// The asynchronous context (AsyncLocalStorage) in which callbacks of other threads run: that of the asynchronous call
// which led to them, or else the one in which they were made. Without it they would run in that of the first one, or in
// none.

const { AsyncResource } = require('node:async_hooks');
const { other } = require('./runtime.js');

/** No `destroy` hook runs when it is collected: tracking that costs more than the rest of the call. */
const OPTIONS = { requireManualDestroy: true };

/** The contexts of the asynchronous calls under way, by their slots: call/async-call.js. */
const contexts = [];

/** The context of now; undefined where the runtime has its own way. */
const currentContext = () => (other === undefined ? new AsyncResource('PINNED_FFI', OPTIONS) : undefined);

const { apply } = Reflect;
const call = (callback, values) => apply(callback, undefined, values);

/** Calls a function in a context. */
function callIn(context, callback, values) {
  return context === undefined ? call(callback, values) : context.runInAsyncScope(call, undefined, callback, values);
}

module.exports = { contexts, currentContext, callIn };
