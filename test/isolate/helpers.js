'use strict';
// Helpers of the tests of isolated libraries: the fixtures of test/fixtures/isolate/, and the resources of processes.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const ffi = require('../../index.js');

/** The file of a fixture. */
const library = (name) => path.join(__dirname, '..', 'fixtures', 'build', `isolate-${name}.${ffi.suffix}`);

/** Opens a fixture in a process that ends with the test. */
function open(t, name, symbols, isolate = {}) {
  const opened = ffi.dlopen(library(name), symbols, { isolate: { stderr: 'ignore', ...isolate } });
  t.after(() => opened.close());
  return opened;
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something holds, and fails where it does not within ten seconds. */
async function until(holds, what) {
  for (const end = Date.now() + 10_000; !holds();) {
    assert.ok(Date.now() < end, typeof what === 'function' ? what() : what);
    await sleep(2);
  }
}

/** The same without the event loop: the state of a process is noticed on another thread. */
function untilNow(holds, what) {
  const word = new Int32Array(new SharedArrayBuffer(4));
  for (const end = Date.now() + 10_000; !holds();) {
    assert.ok(Date.now() < end, what);
    Atomics.wait(word, 0, 0, 1);
  }
}

/** The text of a file, which may be gone by now. */
function textOf(file) {
  try {
    return fs.readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/** The state of a process: a letter of proc(5); X where it is gone. */
const stateOf = (pid) => /^State:\s+(\w)/m.exec(textOf(`/proc/${pid}/status`))?.[1] ?? 'X';

/** Whether a process has ended; a zombie has. */
const isGone = (pid) => 'ZX'.includes(stateOf(pid));

/** Stops a process. The kernel does so a moment after the signal. */
function stop(pid) {
  process.kill(pid, 'SIGSTOP');
  untilNow(() => stateOf(pid) === 'T', 'the process does not stop');
}

/** The process ids of the children of this process, zombies as well. */
const children = () =>
  fs
    .readdirSync('/proc/self/task')
    .flatMap((thread) => textOf(`/proc/self/task/${thread}/children`).split(' '))
    .filter((pid) => pid.trim() !== '');

/** The descriptors of this process that are of files of a name. */
const descriptorsOf = (name) =>
  fs.readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).includes(name);
    } catch {
      return false;
    }
  });

/** What a process has: descriptors, threads, children. */
const resources = () => ({
  descriptors: fs.readdirSync('/proc/self/fd').length,
  threads: fs.readdirSync('/proc/self/task').length,
  children: children().length,
});

/** Waits until this process has no more of anything than before. */
async function untilNoMoreThan(before) {
  const isMore = () => {
    const now = resources();
    return Object.keys(before).filter((name) => now[name] > before[name]);
  };
  const tell = () => `${isMore().join(', ')}: ${JSON.stringify(resources())} after ${JSON.stringify(before)}`;
  await until(() => isMore().length === 0, tell);
}

module.exports = {
  ffi,
  library,
  open,
  sleep,
  until,
  untilNow,
  isGone,
  stop,
  children,
  descriptorsOf,
  resources,
  untilNoMoreThan,
};
