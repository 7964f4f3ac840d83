'use strict';
// Child processes that end while native code is at work: what they and their workers share.

const assert = require('node:assert/strict');
const { before, test } = require('node:test');
const { run } = require('../helpers.js');

const helpers = JSON.stringify(require.resolve('../helpers.js'));

/** What the children and their workers share. */
const common = `
const { Worker, parentPort, workerData } = require('node:worker_threads');
const { once } = require('node:events');
const i32 = { args: ['i32'], returns: 'i32' };
const join = { args: ['function', 'i32', 'i32'], returns: 'i64' };
const call = { args: ['function', 'i32'], returns: 'i32' };
const later = { args: ['function', 'i32', 'u32'], returns: 'i32' };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const declarations = {
  join_threads_i32: join, call_i32: call, call_i32_later: later,
  call_times_i32: { args: ['function', 'i32'], returns: 'i32' },
  start_ticker: { args: ['function', 'u32', 'i32'], returns: 'i32' }, stop_ticker: { args: ['i32'] },
  join_ticker: { args: ['i32'] }, call_ticker: { args: ['i32'], returns: 'i32' },
  is_ticker_over: { args: ['i32'], returns: 'bool' }, count_ticks: { args: ['i32'], returns: 'i64' },
  sum_ticks: { args: ['i32'], returns: 'i64' },
  sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
  fill_bytes_later: { args: ['ptr', 'u64', 'u8', 'u32'] },
  get_last_sum: { returns: 'i64' }, set_last_sum: { args: ['i64'] },
  sleep_ms: { args: ['u32'] }, add_i32: { args: ['i32', 'i32'], returns: 'i32' },
};
const lib = ffi.dlopen(h.fixture, declarations);
const s = lib.symbols;
const withThreads = h.bind({ join_threads_i32: { ...join, threads: true }, call_i32_later: { ...later, threads: true } });
`;
const inWorker = `'use strict'; const h = require(${helpers}); const { ffi } = h;\n${common}`;

/** For a parent: a worker of this code, that is told by its message when it is at work. */
const parent = `
const start = async (code, data) => {
  const worker = new Worker(${JSON.stringify(inWorker)} + code, { eval: true, workerData: data });
  worker.on('error', (error) => console.log('worker:', error.message));
  // A worker that has nothing more to do may end by itself before it is told to.
  worker.ended = once(worker, 'exit');
  const [message] = await once(worker, 'message');
  return [worker, message];
};
const end = async (worker) => { await worker.terminate(); return worker.ended; };
const stopAll = async (numbers) => {
  numbers.forEach((number) => s.stop_ticker(number));
  const late = Date.now() + 5000;
  while (!numbers.every((number) => s.is_ticker_over(number))) {
    if (Date.now() > late) throw new Error('a native thread is stuck in a callback of an environment that is gone');
    await wait(2);
  }
};
const main = async (code) => { await code(); };
`;

/**
 * Tests of one child that goes through cases, one after the other, and says the name of each that was as it should be.
 * A case that ends the process fails, and so do those after it.
 * @param {string[]} names
 * @param {(name: string) => string} titleOf
 * @param {string} code of the child
 */
function eachIn(names, titleOf, code) {
  let result;
  before(async () => {
    result = await run({ code: common + parent + code });
  });
  for (const name of names) {
    test(titleOf(name), () => {
      const { stdout, stderr, code: exit, signal } = result;
      const shown = `the process ended with ${signal ?? exit}\nstderr:\n${stderr}\nstdout:\n${stdout}`;
      assert.ok(stdout.split('\n').includes(name), shown);
      assert.match(stderr, /^$/);
      if (name === names.at(-1)) assert.deepEqual([exit, signal], [0, null], shown);
    });
  }
}

/** A child must end with this code and say this; nothing else may be on its stderr unless it is expected. */
async function ends(code, { exit = 0, stdout = '', stderr = /^$/, timeout = 30_000, ...options } = {}) {
  const result = await run({ code: common + parent + code, timeout, ...options });
  const all = `stderr:\n${result.stderr}\nstdout:\n${result.stdout}`;
  assert.deepEqual({ code: result.code, signal: result.signal }, { code: exit, signal: null }, all);
  if (stdout instanceof RegExp) assert.match(result.stdout.trim(), stdout);
  else assert.equal(result.stdout.trim(), stdout, all);
  assert.match(result.stderr, stderr);
  return result;
}

module.exports = { inWorker, eachIn, ends };
