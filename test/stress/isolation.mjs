// A soak of isolated libraries: some live and are used, others die in every way and are started again, while Buffers
// come and go. Prints resident memory, descriptors, threads and mappings every minute. Fails when one of them is not
// flat, a byte is wrong, or an end is no exception.
//   npm run soak -- --isolate [--minutes 10]
//   node --expose-gc test/stress/isolation.mjs [--restarts 10000]      only restarts, as fast as they go

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { findGrowth, measure } from './growth.mjs';

const require = createRequire(import.meta.url);
const { collect, makeRandom } = require('../helpers.js');
const { children, ffi, library, until } = require('../isolate/helpers.js');

const i32 = { args: ['i32'], returns: 'i32' };
const sharing = {
  add: { args: ['i32', 'i32'], returns: 'i32' },
  each: { args: ['i32', 'function'], returns: 'i32' },
  fill_bytes: { args: ['buffer', 'usize', 'u8'] },
  sum_bytes: { args: ['buffer', 'usize'], returns: 'u64_fast' },
  make_text: { args: ['i32'], returns: { type: 'cstring', free: 'free_text' } },
  call_in_threads: { args: ['i32', 'i32', 'function'], returns: 'i32', threads: true },
};
const deaths = {
  die_segv: {},
  die_abort: {},
  die_exit: { args: ['i32'] },
  double_free: {},
  stack_overflow: { args: ['u64'], returns: 'u64' },
  endless_loop: { timeout: 10 },
  die_in_thread: { args: ['i32', 'i32'] },
  sleep_ms: { args: ['i32'] },
};

/** An end of a library that is no exception of this kind is a fault. */
function dies(fn) {
  assert.throws(fn, ({ code }) => code === 'ERR_FFI_LIBRARY_DIED' || code === 'ERR_FFI_TIMEOUT');
}

/** Everything that is done in turn. Each gives what it waits for, or nothing. */
function makeSteps(random) {
  const below = (most) => Math.floor(random() * most);
  const open = (name, symbols, isolate = {}) =>
    ffi.dlopen(library(name), symbols, { isolate: { stderr: 'ignore', ...isolate } });
  const [living, apart] = [open('sharing', sharing), open('sharing', sharing, { share: 'own' })];
  const dying = open('deaths', deaths);
  const callback = new ffi.JSCallback((value) => living.symbols.add(value, 1) - 1, i32);
  const plain = new ffi.JSCallback((value) => value, i32);
  const kept = [];
  const useBytes = ({ symbols }, length) => {
    const bytes = Buffer.alloc(length);
    symbols.fill_bytes(bytes, length, 3);
    assert.equal(symbols.sum_bytes(bytes, length), 3 * length);
    kept.push(bytes);
    if (kept.length > 50) assert.ok(kept.splice(below(50), 1)[0].every((byte) => byte === 3));
  };
  const die = (name, ...args) => {
    dies(() => dying.symbols[name](...args));
    dying.restart();
  };
  return {
    end: () => [living, apart, dying].forEach((each) => each.close()),
    steps: [
      () => useBytes(living, 1 + below(100_000)),
      () => useBytes(apart, 1 + below(20_000)),
      () => assert.equal(living.symbols.each(5, callback), 10),
      () => assert.equal(living.symbols.make_text(below(3000)).length >= 0, true),
      () => living.symbols.call_in_threads(2, 3, plain),
      () => Promise.all([1, 2, 3].map((value) => living.symbols.add.async(value, 1))),
      () => die('die_segv'),
      () => die('die_abort'),
      () => die('die_exit', 3),
      () => die('double_free'),
      () => die('stack_overflow', 0),
      () => die('endless_loop'),
      () => die('die_in_thread', below(4), 5),
      () => dying.kill() ?? dying.restart(),
      () => dying.restart(),
      async () => {
        const pending = Promise.allSettled([1, 2].map(() => dying.symbols.sleep_ms.async(60_000)));
        setTimeout(() => dying.kill(), below(3));
        for (const { reason } of await pending) assert.equal(reason?.code, 'ERR_FFI_LIBRARY_DIED');
        dying.restart();
      },
      () => {
        const other = open('sharing', sharing, below(2) === 0 ? {} : { share: 'own' });
        assert.equal(other.symbols.add(1, 2), 3);
        if (below(2) === 0) other.kill();
        other.close();
      },
    ],
  };
}

/** Whether all was well. */
export async function soakIsolation({ minutes, seed }) {
  const began = Date.now();
  const random = makeRandom(seed);
  console.log(JSON.stringify({ node: process.version, minutes, seed, isolate: true, ...ffi.fences() }));
  const { steps, end } = makeSteps(random);
  const samples = [];
  const faults = [];
  let [count, shown] = [0, began];
  for (let sampled = 0; Date.now() < began + minutes * 60_000;) {
    await steps[Math.floor(random() * steps.length)]();
    count += 1;
    const now = Date.now();
    if (now - sampled < Math.min(1000, minutes * 3000)) continue;
    sampled = now;
    collect();
    await new Promise((resolve) => setImmediate(resolve));
    samples.push({ at: (now - began) / 1000, ...measure() });
    if (now - shown < 60_000) continue;
    shown = now;
    console.log(JSON.stringify({ ...samples.at(-1), steps: count }));
  }
  faults.push(...findGrowth(samples, minutes));
  end();
  await until(() => children().length === 0, 'a process is left');
  for (const fault of faults) console.error(fault);
  console.log(`${count} steps`);
  return faults.length === 0;
}

/** Restarts, half of them after a kill. Whether descriptors, threads and memory are flat. */
async function restart(count) {
  const lib = ffi.dlopen(library('sharing'), sharing, { isolate: { stderr: 'ignore' } });
  const settle = async () => {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 100));
    return measure();
  };
  const began = Date.now();
  let first;
  for (let i = 0; i <= count; i += 1) {
    if (i === Math.ceil(count / 10)) first = await settle();
    if (i % 2 === 0) lib.kill();
    lib.restart();
    assert.equal(lib.symbols.add(i, 1), i + 1);
  }
  const last = await settle();
  console.log(JSON.stringify({ node: process.version, restarts: count, seconds: (Date.now() - began) / 1000 }));
  console.log(JSON.stringify({ first, last }));
  assert.ok(last.fds <= first.fds && last.threads <= first.threads, 'descriptors and threads are flat');
  assert.ok(last.rssMB <= first.rssMB + 8 && last.mappings <= first.mappings + 30, 'memory is flat');
  lib.close();
  assert.deepEqual(children(), []);
}

if (import.meta.filename === process.argv[1] || import.meta.url.endsWith(process.argv[1])) {
  const { values } = parseArgs({ options: { restarts: { type: 'string', default: '10000' } } });
  await restart(Number(values.restarts));
}
