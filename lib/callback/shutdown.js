'use strict';
// Ends callbacks from other threads when the process or a worker ends. Loaded with the first callback, so a program
// without callbacks has no listener of this package.

// Not the global: a test may have put fake timers there.
const { setImmediate } = require('node:timers');
const binding = require('../native/binding.js');

/** The listeners of this thread, of which there is one each for all realms and builds that have the package. */
const KEY = Symbol.for('pinned-ffi exit');

/** Runs the calls that other threads have made by now before the process ends, though they do not keep it alive. */
function beforeExit() {
  if (binding.hasWork()) setImmediate(() => {});
}

/**
 * Threads that wait for JavaScript get a zeroed result, so that none keeps the process alive. The event may also be
 * emitted by a program, and a listener that throws keeps a process alive: then other threads are answered again from
 * the next turn on.
 */
function exit() {
  if (/** @type {any} */ (process)._exiting === false) return;
  binding.endQueue();
  setImmediate(() => binding.reopenQueue());
}

function listen() {
  const all = { beforeExit: [], exit: [] };
  // A program that has closed the object to new properties gets no listeners.
  if (!Reflect.defineProperty(process, KEY, { value: all })) return all;
  for (const event of ['beforeExit', 'exit']) process.on(event, () => all[event].forEach((each) => each()));
  return all;
}

const listeners = process[KEY] ?? listen();
listeners.beforeExit.push(beforeExit);
listeners.exit.push(exit);
