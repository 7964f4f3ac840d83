// Everybody writes slices of one slab of Node's Buffer pool at the same time, each its own: Node's file system, crypto
// and zlib, asynchronous calls, a dedicated thread, threads of C, and synchronous calls. No byte may be lost, nothing
// thrown.
//   node test/stress/pool.mjs [synchronous calls = 100000] [seed]

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import zlib from 'node:zlib';
import { bind, ffi, fixture, makeRandom } from '../helpers.js';

const wanted = Number(process.argv[2] ?? 100_000);
const seed = Number(process.argv[3] ?? Date.now() % 1e6);
const random = makeRandom(seed);
const pick = (list) => list[Math.floor(random() * list.length)];

// PINNED_FFI_GUARD=1 turns the pool off.
Buffer.poolSize ||= 8192;
const SIZE = 32;
const { ptr, pin } = ffi;
const later = { args: ['ptr', 'u64', 'u8', 'u32'] };
const native = bind({
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  peek_at: { args: ['ptr', 'i64'], returns: 'u8' },
  copy_bytes: { args: ['ptr', 'ptr', 'u64'] },
  fill_bytes_later: later,
  start_filler: { args: ['ptr', 'u64'], returns: 'ptr' },
  stop_filler: { args: ['ptr'], returns: 'u8' },
});
const thread = ffi.dlopen(fixture, { fill_bytes_later: later }).thread();
const file = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-pool-')), 'bytes');
fs.writeFileSync(file, Buffer.alloc(SIZE, 0x77));
const handle = await fs.promises.open(file);
const isFilled = (view, value) => view.every((byte) => byte === value);

/** Each starts to fill a slice on another thread; its result checks what came of it. */
const fillers = {
  async read(slice) {
    await handle.read(slice, 0, SIZE, 0);
    return () => isFilled(slice, 0x77);
  },
  async readFile() {
    const bytes = await fs.promises.readFile(file);
    return () => isFilled(bytes, 0x77);
  },
  async randomFill(slice) {
    slice.fill(0);
    await promisify(crypto.randomFill)(slice);
    const kept = Buffer.from(slice);
    return () => !isFilled(slice, 0) && kept.equals(slice);
  },
  async zlib(slice) {
    slice.fill(0x31);
    const bytes = await promisify(zlib.inflate)(await promisify(zlib.deflate)(slice));
    return () => isFilled(bytes, 0x31);
  },
  async call(slice) {
    await native.fill_bytes_later.async(slice, SIZE, 0x42, 0);
    return () => isFilled(slice, 0x42);
  },
  async callByAddress(slice) {
    await native.fill_bytes_later.async(ptr(slice), SIZE, 0x44, 0);
    return () => isFilled(slice, 0x44);
  },
  async thread(slice) {
    await thread.symbols.fill_bytes_later(slice, SIZE, 0x43, 0);
    return () => isFilled(slice, 0x43);
  },
  async pinned(slice) {
    const held = pin(slice);
    const filler = native.start_filler(held.ptr, SIZE);
    await new Promise((resolve) => setTimeout(resolve, 1));
    const value = native.stop_filler(filler);
    held.release();
    return () => isFilled(slice, value);
  },
};

/** Slices that lie side by side in one slab. */
function makeSlices(count) {
  for (;;) {
    const slices = Array.from({ length: count }, () => Buffer.allocUnsafe(SIZE));
    if (
      slices.every(
        ({ buffer, byteOffset }, i) => buffer === slices[0].buffer && byteOffset === slices[0].byteOffset + i * SIZE,
      )
    )
      return slices;
  }
}

let calls = 0;
function callSynchronously(slice, spare) {
  const value = calls++ & 0xff;
  const passed = random() < 0.2 ? ptr(slice) : slice;
  native.fill_at(passed, 0, value, SIZE);
  assert.equal(native.peek_at(passed, SIZE - 1), value);
  native.copy_bytes(spare, slice, SIZE);
  assert.ok(isFilled(slice, value) && isFilled(spare, value), 'a synchronous call lost what it wrote');
}

const all = Object.keys(fillers);
// While libuv works for this package only, the surroundings of slices are watched.
const own = ['call', 'callByAddress', 'thread', 'pinned'];
while (calls < wanted) {
  const names = pick([all, own]);
  const slices = makeSlices(16);
  const chosen = slices.filter((_, i) => i % 2 === 1).map((slice) => [pick(names), slice]);
  const running = chosen.map(([name, slice]) => fillers[name](slice));
  let isOver = false;
  const settled = Promise.all(running).finally(() => (isOver = true));
  for (let i = 0; !isOver && i < 400; i++) {
    const at = Math.floor(random() * 7) * 2;
    callSynchronously(slices[at], slices[14]);
    // Now and then the event loop turns, so that some of what was started is done and the rest is not.
    if (i % 20 === 19) await new Promise((resolve) => setImmediate(resolve));
  }
  const checks = await settled;
  checks.forEach((isRight, i) => assert.ok(isRight(), `${chosen[i][0]} lost what it wrote (seed ${seed})`));
}
thread.close();
await handle.close();
fs.rmSync(path.dirname(file), { recursive: true });
console.log(JSON.stringify({ seed, calls }));
