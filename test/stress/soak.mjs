// A soak: four workers, which come and go, do every operation in every state, and throw, overflow and abandon what they
// began. Prints resident memory, descriptors, threads and mappings every minute; exits 1 when one of them is not flat.
//   npm run soak -- [--minutes 10]
//   npm run soak -- --isolate [--minutes 10]      isolated libraries that die in every way: isolation.mjs

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { findGrowth, measure } from './growth.mjs';

const require = createRequire(import.meta.url);
const { bind, collect, ffi, fixture, makeRandom } = require('../helpers.js');

const WORKERS = 4;
/** A worker lives this many milliseconds, more or less; in a short run a fifth of it, so that workers come and go. */
const LIFE = 4000;
const ENDINGS = ['returns', 'exits', 'is terminated', 'is terminated in a call', 'throws'];
const STATES = ['open', 'closed', 'in a callback', 'detached', 'in an async call', 'on a foreign thread', 'closing'];

if (isMainThread) await main();
else await work();

// ---- a worker -------------------------------------------------------------------------------------------------------

async function work() {
  const { seed, life, ending } = workerData;
  const random = makeRandom(seed);
  const pick = (list) => list[Math.floor(random() * list.length)];
  const counts = new Int32Array(workerData.counts);
  ffi.JSCallback = class extends ffi.JSCallback {
    constructor(...args) {
      super(...args);
      Atomics.add(counts, 1, 1);
    }
  };
  // Takes the class above.
  const { operations, runInState } = require('../fixtures/operations.js');
  const symbols = bind({
    flip_at: { args: ['ptr', 'i64', 'u64'] },
    sleep_ms: { args: ['u32'] },
    call_void: { args: [ffi.fn({})] },
    store_i32: { args: [ffi.out('i32'), 'i32'] },
    sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
    get_null: { returns: 'cstring' },
    call_on_thread_i32: { args: ['function', 'i32'], returns: 'i32', threads: true },
  });
  const Point = ffi.struct({ x: 'f64', text: 'cstring', bytes: ffi.array('u8', 40) });
  const more = [
    () => assert.throws(() => symbols.flip_at(new Uint8Array(50), 50, 9), { code: 'ERR_FFI_BUFFER_OVERFLOW' }),
    () => assert.throws(() => symbols.flip_at(Buffer.from('a slice'), 7, 1), { code: 'ERR_FFI_BUFFER_OVERFLOW' }),
    () =>
      assert.throws(
        () =>
          symbols.call_void(() => {
            throw new RangeError('of the user');
          }),
        RangeError,
      ),
    () => assert.throws(() => symbols.flip_at('x', 0, 0), TypeError),
    () => assert.throws(() => ffi.dlopen('nonesuch', {}), { code: 'ERR_FFI_LIBRARY_NOT_FOUND' }),
    () => assert.throws(() => ffi.alloc(2 ** 52), { code: /^ERR_(OUT_OF_RANGE|FFI_MEMORY_EXHAUSTED)$/ }),
    () => assert.deepEqual(symbols.store_i32(7), { returns: undefined, out: [7] }),
    () => {
      Point.alloc({ x: 1, text: 'a text', bytes: Array(40).fill(1) }).text = 'another';
    },
    () => {
      ffi.alloc(Math.floor(random() ** 4 * 1e6)).fill(1);
    },
    () => ffi.ptr(new Uint8Array(1 + Math.floor(random() * 3000))),
    () => ffi.pin(new Uint8Array(100)).release(),
    () => symbols.sum_bytes_later.async(new Uint8Array(500), 500, 1),
    () => {
      symbols.sum_bytes_later.async(new Uint8Array(500), 500, 5);
    },
    () => collect(),
  ];
  for (const end = Date.now() + life; Date.now() < end;) {
    await runInState(pick(Object.keys(operations)), pick(STATES));
    await pick(more)();
    Atomics.add(counts, 0, 1);
  }
  if (ending === 'returns') return;
  if (ending === 'exits') process.exit(0);
  if (ending === 'throws') throw new Error('the worker throws');
  // What is under way when the worker is terminated.
  const thread = ffi.dlopen(fixture, { sleep_ms: { args: ['u32'] } }).thread();
  thread.symbols.sleep_ms(50);
  symbols.sum_bytes_later.async(new Uint8Array(500), 500, 50);
  ffi.pin(new Uint8Array(100));
  parentPort.postMessage('ready');
  if (ending === 'is terminated in a call') symbols.sleep_ms(100);
  await wait(10_000);
}

// ---- the process ----------------------------------------------------------------------------------------------------

async function employ(state, number, random) {
  for (let i = 0; Date.now() < state.end; i++) {
    const ending = ENDINGS[(i + number) % ENDINGS.length];
    const life = Math.min(Math.min(LIFE, state.length / 5) * (0.5 + random()), Math.max(0, state.end - Date.now()));
    const data = { seed: Math.floor(random() * 2 ** 31), life, ending, counts: state.counts.buffer };
    const worker = new Worker(new URL(import.meta.url), { workerData: data });
    worker.on('error', (error) => {
      if (error.message !== 'the worker throws') state.faults.push(error.stack);
    });
    worker.once('message', () => worker.terminate());
    await new Promise((resolve) => worker.once('exit', resolve));
    state.workers += 1;
  }
}

async function main() {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '10' },
      seed: { type: 'string' },
      isolate: { type: 'boolean', default: false },
    },
  });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  assert.ok(minutes > 0 && Number.isSafeInteger(seed), '--minutes is a number above 0, --seed an integer');
  if (values.isolate) {
    const { soakIsolation } = await import('./isolation.mjs');
    process.exit((await soakIsolation({ minutes, seed })) ? 0 : 1);
  }
  const began = Date.now();
  const state = {
    length: minutes * 60_000,
    end: began + minutes * 60_000,
    workers: 0,
    faults: [],
    counts: new Int32Array(new SharedArrayBuffer(8)),
  };
  process.on('warning', (warning) => state.faults.push(String(warning.stack)));
  console.log(JSON.stringify({ node: process.version, minutes, seed, ...ffi.fences() }));
  const samples = [];
  const timer = setInterval(
    () => {
      collect();
      samples.push({
        at: (Date.now() - began) / 1000,
        ...measure(),
        rounds: state.counts[0],
        callbacks: state.counts[1],
      });
    },
    Math.min(1000, minutes * 3000),
  );
  const show = setInterval(() => say({ ...samples.at(-1) }), 60_000);
  const rounded = (object) =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, Number(value.toFixed(1))]));
  const say = (figures) => console.log(JSON.stringify({ ...rounded(figures), workers: state.workers }));

  const random = makeRandom(seed);
  await Promise.all(Array.from({ length: WORKERS }, (_, number) => employ(state, number, random)));
  clearInterval(timer);
  clearInterval(show);
  const broken = ffi.checkFences();
  if (broken !== 0) state.faults.push(`${broken} fences were broken at the end`);
  state.faults.push(...findGrowth(samples, minutes));
  for (const fault of state.faults) console.error(fault);
  process.exit(state.faults.length === 0 && state.workers >= WORKERS ? 0 : 1);
}
