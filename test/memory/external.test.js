'use strict';
// Guarantee 1: the address of a view lies outside of V8's heap, does not move, and both sides see the same bytes.
// The storage of a process with fences is counted, aligned, zeroed and transferable as without.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, throws, gc, collect, optimize, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const { ptr } = ffi;
const native = bind({
  // What keeps an address must not be given a copy's, where PINNED_FFI_GUARD=1 makes any.
  keep_ptr: { args: ['ptr'], guard: false },
  fill_kept: { args: ['i64', 'u8', 'u64'] },
  peek_kept: { args: ['i64'], returns: 'u8' },
  peek_at: { args: ['ptr', 'i64'], returns: 'u8' },
  copy_bytes: { args: ['ptr', 'ptr', 'u64'] },
  fill_on_thread: { args: ['ptr', 'i64', 'u8', 'u64'], returns: 'i32' },
  start_writer: { args: ['ptr', 'i64', 'u8', 'u64', 'u32'], returns: 'i32', guard: false },
  join_writer: { returns: 'i32' },
});

/** Every kind of view of `size` bytes, all over zeroed or random memory of their own. */
const makersOf = (size) => [
  () => new Uint8Array(size),
  () => new Uint8ClampedArray(size),
  () => new Int8Array(size),
  ...(size % 8 === 0 ? [() => new Float64Array(size / 8), () => new BigInt64Array(size / 8)] : []),
  () => Buffer.alloc(size),
  () => Buffer.allocUnsafe(size),
  () => Buffer.allocUnsafeSlow(size),
  () => Buffer.from('x'.repeat(size)),
  () => Buffer.from(Array.from({ length: size }, (_, i) => i & 255)),
  () => new DataView(new ArrayBuffer(size)),
  () => new ArrayBuffer(size),
  () => new SharedArrayBuffer(size),
  () => new Uint8Array(new SharedArrayBuffer(size)),
  () => new Uint8Array(size + 9).subarray(5, 5 + size),
  () => new DataView(new ArrayBuffer(size + 9), 5, size),
  () => ffi.alloc(size),
];

/** The bytes of any view, as JavaScript sees them. */
const bytesOf = (view) =>
  ArrayBuffer.isView(view) ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : new Uint8Array(view);

describe('the address of a view', () => {
  test('the address of a view lies in no mapping that holds objects of V8', async () => {
    // V8 says where objects are; the mappings they are in are its heap.
    const code = `
      const print = new Function('value', '%DebugPrint(value)');
      const views = [];
      for (let size = 1; size <= 64; size++) {
        views.push(new Uint8Array(size), Buffer.alloc(size), Buffer.allocUnsafe(size), Buffer.from('x'.repeat(size)),
          new DataView(new ArrayBuffer(size)), new ArrayBuffer(size), new SharedArrayBuffer(size),
          new Uint8Array(size + 1).subarray(1), ffi.alloc(size));
      }
      const addresses = views.map((view) => ffi.ptr(view));
      h.collect();
      for (const view of views) print(view);
      process.stdout.write('\\n' + JSON.stringify({ addresses, again: views.map((view) => ffi.ptr(view)),
        maps: require('node:fs').readFileSync('/proc/self/maps', 'latin1') }));
    `;
    const output = await runs(code, { flags: ['--allow-natives-syntax'] });
    const { addresses, again, maps } = JSON.parse(output.slice(output.lastIndexOf('\n') + 1));
    const objects = [...output.matchAll(/(0x[0-9a-f]+)[ :].*(?:Uint8Array|DataView|ArrayBuffer|JSTypedArray)/g)].map(
      ([, address]) => Number(address),
    );
    assert.ok(objects.length >= addresses.length, `V8 printed ${objects.length} objects of ${addresses.length}`);
    const ranges = maps
      .trim()
      .split('\n')
      .map((line) => /^([0-9a-f]+)-([0-9a-f]+)/.exec(line))
      .map(([, from, to]) => [parseInt(from, 16), parseInt(to, 16)]);
    const rangeOf = (address) => ranges.findIndex(([from, to]) => address >= from && address < to);
    const heap = new Set(objects.map(rangeOf));
    assert.ok(!heap.has(-1), 'an object of V8 lies in no mapping');
    for (const address of addresses)
      assert.ok(!heap.has(rangeOf(address)), `0x${address.toString(16)} is in V8's heap`);
    assert.deepEqual(again, addresses);
  });

  test('the address of a view takes the storage of a small typed array out of the heap, by account, once', async () => {
    const view = new Uint8Array(48);
    await gc();
    collect();
    const before = process.memoryUsage().arrayBuffers;
    const address = ptr(view);
    assert.equal(process.memoryUsage().arrayBuffers - before, 48);
    assert.equal(ptr(view), address);
    assert.equal(ptr(view.buffer), address);
    assert.equal(process.memoryUsage().arrayBuffers - before, 48);
  });

  test('the address of a view stays over collections, .buffer and optimisation, and shows the same bytes to both sides', async () => {
    const store = (view, value) => {
      view[0] = value;
    };
    optimize(store, () => store(new Uint8Array(8), 1));
    for (const size of [1, 2, 7, 8, 16, 31, 32, 40, 63, 64, 65, 200]) {
      const views = makersOf(size).map((make) => make());
      const addresses = views.map((view) => ptr(view));
      const junk = Array.from({ length: byScale(500, 2000) }, (_, i) => new Uint8Array(i & 63));
      collect();
      await gc();
      junk.length = 0;
      views.forEach((view, i) => {
        assert.equal(ptr(view), addresses[i]);
        const bytes = bytesOf(view);
        store(bytes, 171);
        assert.equal(native.peek_at(view, 0), 171);
        assert.equal(native.peek_at(addresses[i], 0), 171);
        bytes[size - 1] = 205;
        assert.equal(native.peek_at(addresses[i], size - 1), 205);
        assert.equal(ptr(bytes), addresses[i]);
      });
    }
  });

  test('the address of a view is a multiple of 16 for whole buffers, as malloc gives it', () => {
    for (let size = 1; size < 600; size += 7) {
      for (const view of [
        new ArrayBuffer(size),
        new Uint8Array(size),
        Buffer.alloc(size),
        new SharedArrayBuffer(size),
      ]) {
        assert.equal(ptr(view) % 16, 0);
      }
    }
    for (const size of [65536, 1e6, 5e7]) assert.equal(ptr(Buffer.allocUnsafeSlow(size)) % 16, 0);
  });

  test('the address of a view cannot be asked for outside of the view', () => {
    for (const make of makersOf(16)) {
      const view = make();
      assert.equal(ptr(view, 16), ptr(view) + 16);
      for (const offset of [-1, 17, 1e9, -(2 ** 53), NaN, 0.5]) throws(() => ptr(view, offset), 'ERR_OUT_OF_RANGE');
    }
  });
});

describe('native code that keeps an address', () => {
  test('native code that keeps an address writes and reads the same bytes later, also after collections', async () => {
    for (const make of [...makersOf(8), ...makersOf(64), ...makersOf(1000)]) {
      const view = make();
      native.keep_ptr(view);
      const bytes = bytesOf(view);
      bytes.fill(1);
      assert.equal(native.peek_kept(bytes.length - 1), 1);
      collect();
      native.fill_kept(1, 2, bytes.length - 2);
      assert.deepEqual([...bytes], [1, ...Array(bytes.length - 2).fill(2), 1]);
      bytes[3] = 9;
      assert.equal(native.peek_kept(3), 9);
    }
    await gc();
    assert.equal(ffi.checkFences(), 0);
  });

  test('native code that keeps an address sees two overlapping arguments as one memory', () => {
    for (const size of [10, 64, 1000]) {
      const view = Uint8Array.from({ length: size }, (_, i) => i);
      native.copy_bytes(view.subarray(3), view, size - 3);
      assert.deepEqual(
        [...view.subarray(3)],
        Array.from({ length: size - 3 }, (_, i) => i & 255),
      );
      native.copy_bytes(new DataView(view.buffer), new Uint8Array(view.buffer, 3, size - 3), size - 3);
      assert.deepEqual(
        [...view.subarray(0, size - 3)],
        Array.from({ length: size - 3 }, (_, i) => i & 255),
      );
      const slice = Buffer.from('abcdef');
      native.copy_bytes(slice.subarray(2), slice, 4);
      assert.equal(slice.toString(), 'ababcd');
    }
  });

  test('native code that keeps an address writes from its own thread, during a call and after it', async () => {
    for (const make of makersOf(40)) {
      const view = make();
      assert.equal(native.fill_on_thread(view, 0, 77, 40), 0);
      assert.ok(bytesOf(view).every((byte) => byte === 77));
    }
    const view = new Uint8Array(40);
    assert.equal(native.start_writer(view, 0, 78, 40, 20), 0);
    await gc(() => view[39] === 78);
    assert.equal(native.join_writer(), 0);
    assert.ok(view.every((byte) => byte === 78));
  });
});

describe('the storage of a process under the fence', () => {
  const account = `
    const zlib = require('node:zlib'), crypto = require('node:crypto');
    const sizes = [1, 7, 8, 63, 64, 65, 96, 1000, 4095, 4096, 65536, 1000003];
    const figures = [], kept = [];
    for (let i = 0; i < 5; i++) h.collect();
    setTimeout(() => {
    for (let i = 0; i < 5; i++) h.collect();
    const start = process.memoryUsage().arrayBuffers;
    const note = (label) => figures.push([label, process.memoryUsage().arrayBuffers - start]);
    for (const size of sizes) { kept.push(new ArrayBuffer(size)); note('ArrayBuffer ' + size); }
    for (const size of sizes) { kept.push(new SharedArrayBuffer(size)); note('SharedArrayBuffer ' + size); }
    for (const size of sizes) { kept.push(Buffer.allocUnsafeSlow(size)); note('allocUnsafeSlow ' + size); }
    for (const size of sizes) { kept.push(Buffer.alloc(size).buffer); note('alloc ' + size); }
    for (const size of sizes) { kept.push(new Float32Array(size)); note('Float32Array ' + size); }
    for (const size of sizes) { kept.push(new Uint8Array(size).buffer); note('buffer ' + size); }
    kept.push(structuredClone(kept[3])); note('structuredClone');
    kept.push(structuredClone(new ArrayBuffer(500), { transfer: [] })); note('clone');
    const moved = new ArrayBuffer(700); kept.push(structuredClone(moved, { transfer: [moved] })); note('transfer');
    kept.push(zlib.deflateRawSync(Buffer.alloc(100000))); kept.push(crypto.randomBytes(1000));
    kept.push(new ArrayBuffer(10, { maxByteLength: 100 })); note('resizable');
    try { new ArrayBuffer(2 ** 52); } catch { note('failed'); }
    if (kept[0].transfer) { kept.push(kept[0].transfer(5000)); note('longer'); kept.push(kept[5].transfer(10)); note('shorter'); }
    kept.length = 0;
    setImmediate(() => { h.collect(); h.collect(); setTimeout(() => {
      note('freed'); process.stdout.write(JSON.stringify(figures)); }, 50); });
    }, 100);
  `;

  test('the storage of a process under the fence is counted in process.memoryUsage() as without the fence', async () => {
    const [on, off] = await Promise.all([
      runs(`process.exitCode = ffi.fences().installed ? 0 : 3; ${account}`, { env: { PINNED_FFI_FENCE: '' } }),
      runs(account, { env: { PINNED_FFI_FENCE: 'off' } }),
    ]);
    assert.ok(JSON.parse(off).length > 70);
    assert.deepEqual(JSON.parse(on), JSON.parse(off));
  });

  test('the storage of a process under the fence is zeroed where it must be, also after blocks are reused', () => {
    for (let i = 0; i < byScale(8000, 20_000); i++) {
      const size = 1 + ((i * 37) % 3000);
      assert.ok(Buffer.alloc(size).every((byte) => byte === 0));
      if (i % 20 !== 0) continue;
      Buffer.allocUnsafeSlow(size).fill(255);
      new Uint8Array(size).fill(255);
      assert.ok(new Uint8Array(size).every((byte) => byte === 0));
    }
  });
});
