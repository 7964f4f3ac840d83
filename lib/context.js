'use strict';
// The asynchronous context (AsyncLocalStorage) in which callbacks of other threads run: that of the asynchronous call which led
// to them, or else the one in which they were made. To note it is dear, so it is noted only where there is any.

const binding = require('./binding');
const { other, modules } = require('./engine');
const { AsyncLocalStorage, executionAsyncResource } = require('node:async_hooks');

const hasFrame = other === undefined ? binding.makeHasContext() : () => undefined;
/** Whether V8 has all of it. An option of Node 24 has it as before. */
const isInV8 = Number(modules) >= 137
  && ![...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) => option.includes('no-async-context-frame'));
const isStore = (symbol) => symbol.description === 'kResourceStore';

/** Whether there is a context that is not empty. Up to Node 22 it lies in the resource under way, from Node 24 on in V8. */
function isInContext() {
  if (hasFrame() !== undefined) return true;
  if (isInV8) return false;
  const symbols = Object.getOwnPropertySymbols(executionAsyncResource());
  return symbols.length > 0 && symbols.some(isStore);
}

/** Runs functions where there is no context. */
let empty;

/** What runs a function in the context of now; undefined where that is empty. */
function currentContext() {
  const takes = AsyncLocalStorage.snapshot !== undefined && other === undefined;
  if (!takes) return undefined;
  if (isInContext()) return AsyncLocalStorage.snapshot();
  empty ??= AsyncLocalStorage.snapshot();
  return undefined;
}

const call = (callback, values) => Reflect.apply(callback, undefined, values);

/** Calls a function in a context that was captured. */
function callIn(context, callback, values) {
  const run = context ?? (empty !== undefined && isInContext() ? empty : undefined);
  return run === undefined ? call(callback, values) : run(call, callback, values);
}

module.exports = { currentContext, callIn };
