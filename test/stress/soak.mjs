// A soak: four workers, which come and go, do every operation in every state, and throw, overflow and abandon what they
// began. Prints resident memory, descriptors, threads and mappings every minute; exits 1 when one of them is not flat.
//   npm run soak -- [--minutes 10]

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const require = createRequire(import.meta.url);
const { bind, collect, ffi, fixture, makeRandom } = require('../helpers.js');

const WORKERS = 4;
/** A worker lives this many milliseconds, more or less; in a short run a fifth of it, so that workers come and go. */
const LIFE = 4000;
const ENDINGS = ['returns', 'exits', 'is terminated', 'is terminated in a call', 'throws'];
/** What each may grow by over the run, after its first third: in its unit, and as a part of its mean. */
const MOST_GROWTH = { rssMB: [24, 0.1], fds: [3, 0.1], threads: [3, 0.1], mappings: [60, 0.15] };
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

function measure([rounds, callbacks]) {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)[1]);
  const mappings = fs.readFileSync('/proc/self/maps', 'utf8').trimEnd().split('\n');
  return {
    rssMB: field('VmRSS') / 1024,
    fds: fs.readdirSync('/proc/self/fd').length,
    threads: field('Threads'),
    mappings: mappings.length,
    rounds,
    callbacks,
  };
}

/** How much a line through the samples of a name rises from the first to the last. */
function growth(samples, name) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [times, values] = [samples.map(({ at }) => at), samples.map((sample) => sample[name])];
  const [time, value] = [mean(times), mean(values)];
  const slope =
    times.reduce((sum, at, i) => sum + (at - time) * (values[i] - value), 0) /
    times.reduce((sum, at) => sum + (at - time) ** 2, 0);
  return { mean: value, rise: slope * (times.at(-1) - times[0]) };
}

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
  const { values } = parseArgs({ options: { minutes: { type: 'string', default: '10' }, seed: { type: 'string' } } });
  const minutes = Number(values.minutes);
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  assert.ok(minutes > 0 && Number.isSafeInteger(seed), '--minutes is a number above 0, --seed an integer');
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
      samples.push({ at: (Date.now() - began) / 1000, ...measure(state.counts) });
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
  // The last second is that of workers that end.
  const settled = samples.filter(({ at }) => at > minutes * 20 && at < minutes * 60 - 1);
  // A short run has no time to settle.
  const slack = minutes < 2 ? 4 : 1;
  for (const [name, [most, part]] of Object.entries(MOST_GROWTH)) {
    const { mean, rise } = growth(settled, name);
    console.log(`${name}: a mean of ${mean.toFixed(1)}, which has risen by ${rise.toFixed(1)}`);
    if (rise > slack * Math.max(most, mean * part))
      state.faults.push(`${name} is not flat: it has risen by ${rise.toFixed(1)}`);
  }
  for (const fault of state.faults) console.error(fault);
  process.exit(state.faults.length === 0 && state.workers >= WORKERS ? 0 : 1);
}
