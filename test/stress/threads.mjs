// The essentials of threads, asynchronous calls and endings in one short run, for `npm run test:valgrind`: every path
// by which memory changes hands between threads. Checks its results, and ends with code 0.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import { JSCallback, alloc, dlopen, errno, pin, suffix } from '../../index.mjs';

const fixture = fileURLToPath(new URL(`../fixtures/build/libfixture.${suffix}`, import.meta.url));
const i32 = { args: ['i32'], returns: 'i32' };
const join = { args: ['function', 'i32', 'i32'], returns: 'i64' };
const open = () =>
  dlopen(fixture, {
    join_threads_i32: join,
    join_with_threads: { ...join, name: 'join_threads_i32', threads: true },
    join_threads_void: join,
    map_threads_i32: { args: ['ptr', 'i32', 'function', 'i32'], threads: true },
    call_i32: { args: ['function', 'i32'], returns: 'i32' },
    call_i32_later: { args: ['function', 'i32', 'u32'], returns: 'i32' },
    call_with_text_on_thread: { args: ['function'], returns: 'i32', threads: true },
    hand_text_and_free: { args: ['function'] },
    call_when_thread_ends: { args: ['function', 'i32', 'bool'], returns: 'i32', threads: true },
    sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
    fill_bytes_later: { args: ['ptr', 'u64', 'u8', 'u32'] },
    skip_first_later: { args: ['cstring', 'u32'], returns: 'cstring' },
    set_errno_i32: { args: ['i32', 'i32'], returns: 'i32', fails: 'negative' },
    start_ticker: { args: ['function', 'u32', 'i32'], returns: 'i32' },
    stop_ticker: { args: ['i32'] },
    is_ticker_over: { args: ['i32'], returns: 'bool' },
    sleep_ms: { args: ['u32'] },
  });

if (!isMainThread) {
  const { symbols, thread } = open();
  const callback = new JSCallback(() => 1, i32);
  const number = symbols.start_ticker(callback.ref(), 500, 0);
  symbols.sum_bytes_later.async(new Uint8Array(5000), 5000, 1000);
  thread().symbols.fill_bytes_later(new Uint8Array(5000), 5000, 1, 2000);
  thread().symbols.skip_first_later('a text', 2000);
  parentPort.postMessage(number);
} else {
  await runAll();
}

async function runAll() {
  const library = open();
  const { symbols } = library;
  const identity = new JSCallback((value) => value, i32);
  const sum = (count) => (BigInt(count) * BigInt(count - 1)) / 2n;

  for (const [threads, times] of [
    [1, 100],
    [4, 50],
    [32, 4],
  ]) {
    assert.equal(symbols.join_with_threads(identity, threads, times), sum(threads * times));
    assert.equal(await symbols.join_threads_i32.async(identity, threads, times), sum(threads * times));
  }
  let count = 0;
  const counting = new JSCallback(() => void count++, { args: ['i32'], threadsafe: true });
  symbols.join_threads_void(counting, 4, 50);
  while (count < 200) await wait(1);
  counting.close();

  const values = Int32Array.from({ length: 200 }, (_, i) => i);
  symbols.map_threads_i32(values, 200, identity, 4);
  assert.ok(values.every((value, i) => value === i));

  const texts = new JSCallback((text) => text.length, { args: ['cstring'], returns: 'i32' });
  assert.equal(symbols.call_with_text_on_thread(texts), 24);
  texts.close();
  const seen = [];
  const later = new JSCallback((text) => void seen.push(text), { args: ['cstring'], threadsafe: true });
  symbols.hand_text_and_free(later);
  while (seen.length < 1) await wait(1);
  assert.equal(seen[0], 'a text that is freed at once');
  later.close();
  assert.equal(symbols.call_when_thread_ends(identity, 42, false), 42);

  const slow = new JSCallback(async (value) => (await wait(2), value + 1), i32);
  const failing = new JSCallback(async () => Promise.reject(new Error('boom')), i32);
  assert.equal(await symbols.call_i32.async(slow, 41), 42);
  await assert.rejects(symbols.call_i32.async(failing, 1), /boom/);

  const thread = library.thread();
  const calls = Array.from({ length: 40 }, (_, i) => [
    symbols.sum_bytes_later.async(new Uint8Array(500).fill(1), 500, 1),
    thread.symbols.sum_bytes_later(alloc(500).fill(1), 500, 0),
    symbols.call_i32_later.async(identity, 500, i % 2).then(BigInt),
  ]);
  globalThis.gc?.();
  assert.ok((await Promise.all(calls.flat())).every((value) => value === 500n));
  assert.equal(await thread.symbols.skip_first_later('a text', 1), ' text');
  thread.symbols.sleep_ms(5);
  thread.close();

  assert.throws(() => symbols.set_errno_i32(2, -1), { code: 'ENOENT' });
  await assert.rejects(symbols.set_errno_i32.async(13, -1), { code: 'EACCES' });
  assert.equal(errno(), 13);

  for (let i = 0; i < 50; i++) new JSCallback((value) => value, i32).close();
  const { ptr } = slow;
  slow.close();
  assert.equal(symbols.join_with_threads(ptr, 4, 5), 0n);

  for (let i = 0; i < 2; i++) {
    const worker = new Worker(new URL(import.meta.url));
    const [number] = await once(worker, 'message');
    await worker.terminate();
    // Longer than the calls of the worker's own threads, which go on: what they write must still be there.
    await wait(2500);
    symbols.stop_ticker(number);
    while (!symbols.is_ticker_over(number)) await wait(1);
  }

  pin(new Uint8Array(100)).release();
  const closing = [symbols.sleep_ms.async(10), library.close()];
  await Promise.all(closing);
  const other = open();
  const number = other.symbols.start_ticker(identity, 1000, 0);
  await wait(20);
  console.log(`all is well; ticker ${number} goes on calling`);
}
