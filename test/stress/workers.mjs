// Workers that come and go under the fence; each scene runs in this process, one after the other. Exits 1 on a fault.
//   node --expose-gc test/stress/workers.mjs
//
// The main thread loads the package last: until then only workers have it, whose buffers outlive them here.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import v8 from 'node:v8';
import vm from 'node:vm';
import { Worker } from 'node:worker_threads';

v8.setFlagsFromString('--expose-gc');
const collect = vm.runInNewContext('gc');
// Loads nothing of the package.
const { byScale } = createRequire(import.meta.url)('../scale.js');
/** Each begins and ends some workers. */
const ROUNDS = byScale(1, 5);
const AT_ONCE = byScale(5, 10);
/** Overflows of each of these workers. */
const OVERFLOWS = byScale(100, 500);
const helpers = fileURLToPath(new URL('../helpers.js', import.meta.url));
const isWhole = (buffer, value) => Buffer.alloc(buffer.byteLength, value).equals(new Uint8Array(buffer));

const start = (code, workerData) =>
  new Worker(
    `
  const { ffi, bind, collect } = require(${JSON.stringify(helpers)});
  const { parentPort, workerData } = require('node:worker_threads');
  const { flip_at: flip, fill_at: fill } = bind({
    flip_at: { args: ['ptr', 'i64', 'u64'] }, fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] } });
  const overflow = (view) => {
    try { flip(view, view.byteLength, 5); } catch (error) { if (error.bytesPast === 5) return; throw error; }
    throw new Error('no exception');
  };
  ${code}`,
    { eval: true, workerData },
  );

const makeBuffers = `
  const buffers = [];
  for (const size of [1, 8, 64, 96, 5000, 300000, 1.5e6]) {
    const view = new Uint8Array(size);
    fill(view, 0, workerData, size);
    overflow(view);
    buffers.push(view.buffer);
    const shared = new Uint8Array(new SharedArrayBuffer(size)).fill(workerData);
    overflow(shared);
    buffers.push(shared.buffer);
  }
  parentPort.postMessage(buffers, buffers.filter((buffer) => buffer instanceof ArrayBuffer));
`;

const results = {};

/** The addon is loaded in a worker only, which ends; its buffers are read, moved, copied and freed afterwards. */
async function outlive() {
  const kept = [];
  for (let value = 1; value <= 5; value++) {
    const worker = start(makeBuffers, value);
    worker.on('message', (buffers) => kept.push(...buffers.map((buffer) => ({ buffer, value }))));
    const [code] = await once(worker, 'exit');
    assert.equal(code, 0);
  }
  collect();
  await sleep(50);
  assert.equal(kept.length, 70);
  for (const { buffer, value } of kept) assert.ok(isWhole(buffer, value));
  for (const { buffer, value } of kept) {
    if (buffer instanceof ArrayBuffer) assert.ok(isWhole(structuredClone(buffer, { transfer: [buffer] }), value));
  }
  results.outlived = kept.length;
  kept.length = 0;
  for (let i = 0; i < 5; i++) {
    collect();
    // V8 frees what was collected on threads of its own.
    await sleep(20);
  }
}

/** Some workers at a time, one in five terminated in the middle of it. */
async function comeAndGo() {
  let ended = 0;
  const one = async (value) => {
    const worker = start(
      `${makeBuffers}
      for (let i = 0; i < ${OVERFLOWS}; i++) overflow(new Uint8Array(1 + i % 200));
      ${value % 5 === 0 ? 'setInterval(() => { for (let i = 0; i < 50; i++) overflow(Buffer.from("text")); }, 1);' : ''}`,
      value,
    );
    worker.on('error', (error) => {
      throw error;
    });
    const exit = once(worker, 'exit');
    const [buffers] = await once(worker, 'message');
    for (const buffer of buffers) assert.ok(isWhole(buffer, value));
    if (value % 5 === 0) {
      await sleep(30);
      await worker.terminate();
    } else {
      await exit;
    }
    for (const buffer of buffers) assert.ok(isWhole(buffer, value));
    ended++;
  };
  for (let i = 0; i < ROUNDS; i++)
    await Promise.all(Array.from({ length: AT_ONCE }, (_, k) => one(1 + i * AT_ONCE + k)));
  results.workers = ended;
}

/** Buffers of the main thread that are freed by a worker, and the other way round, while both make more. */
async function passAround(ffi) {
  const worker = start(`
    parentPort.on('message', (buffers) => {
      for (const buffer of buffers) overflow(new Uint8Array(buffer));
      const back = buffers.filter((_, i) => i % 2).concat(Array.from({ length: 5 }, (_, i) => new Uint8Array(1000 * i + 1).buffer));
      parentPort.postMessage(back, back);
      collect();
    });`);
  for (let i = 0; i < byScale(50, 150); i++) {
    const buffers = Array.from({ length: 20 }, (_, k) => new Uint8Array(1 + ((i * k * 37) % 70000)).buffer);
    const answer = once(worker, 'message');
    worker.postMessage(buffers, buffers);
    results.passed = (results.passed ?? 0) + (await answer)[0].length;
    if (i % 10 === 0) collect();
  }
  // A worker reports what is found while the main thread checks all fences.
  assert.equal(ffi.checkFences(), 0);
  await worker.terminate();
}

process.on('warning', (warning) => {
  console.error(String(warning));
  process.exitCode = 1;
});
await outlive();
await comeAndGo();
const { ffi } = createRequire(import.meta.url)(helpers);
assert.equal(ffi.fences().installed, true);
await outlive();
await comeAndGo();
await passAround(ffi);
const settled = process.memoryUsage().rss;
await comeAndGo();
for (let i = 0; i < 5; i++) {
  collect();
  await sleep(50);
}
results.grownMB = (process.memoryUsage().rss - settled) / 1e6;
assert.ok(results.grownMB < 150, `resident memory has grown by ${results.grownMB} MB over ${AT_ONCE * ROUNDS} workers`);
assert.equal(ffi.checkFences(), 0);
console.log(JSON.stringify(results));
