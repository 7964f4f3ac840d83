'use strict';
// Guarantee 4: memory without a fence is copied into fenced memory for the length of a call, and addresses are checked.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, fixture, throws, gc, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const { JSCallback, ptr, toArrayBuffer } = ffi;
const declarations = {
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  flip_at: { args: ['ptr', 'i64', 'u64'] },
  flip_two_at: { args: ['ptr', 'i64', 'ptr', 'i64', 'u64'] },
  copy_bytes: { args: ['ptr', 'ptr', 'u64'] },
  call_then_sum: { args: ['function', 'ptr', 'u64'], returns: 'u64' },
  call_then_flip: { args: ['function', 'ptr', 'i64', 'u64'] },
  flip_then_call: { args: ['ptr', 'i64', 'u64', 'function'] },
  same_ptr: { args: ['ptr', 'ptr'], returns: 'bool' },
  identity_ptr: { args: ['ptr'], returns: 'ptr' },
  distance_ptr: { args: ['ptr', 'ptr'], returns: 'i64' },
};
const guarded = ffi.dlopen(fixture, declarations, { guard: true }).symbols;
const { alloc_bytes: allocate } = bind({ alloc_bytes: { args: ['u64'], returns: 'ptr' } });

/** A view over memory of C, which has no fence of its own, with 400 bytes on both sides that can be looked at. */
function makeForeign(size) {
  const address = allocate(size + 800);
  const whole = new Uint8Array(toArrayBuffer(address, 0, size + 800)).fill(1);
  // A buffer of its own, so that the view's buffer ends where the view does.
  return {
    view: new Uint8Array(toArrayBuffer(address, 400, size)),
    sides: [whole.subarray(0, 400), whole.subarray(400 + size)],
  };
}
const isWhole = ({ sides }) =>
  assert.ok(
    sides.every((side) => side.every((byte) => byte === 1)),
    'foreign memory has changed',
  );
const figures = ({ symbol, argument, byteLength, firstBadOffset, bytesPast }) => [
  symbol,
  argument,
  byteLength,
  firstBadOffset,
  bytesPast,
];

describe('a guarded function', () => {
  test('a guarded function contains what is written outside of memory that has no fence', () => {
    for (const size of [1, 7, 64, 96, 5000, 200_000]) {
      const foreign = makeForeign(size);
      for (const count of [1, 16, 96, 128]) {
        const over = throws(() => guarded.flip_at(foreign.view, size, count), 'ERR_FFI_BUFFER_OVERFLOW');
        assert.deepEqual(figures(over), ['flip_at', 0, size, size, count]);
      }
      const under = throws(() => guarded.flip_at(foreign.view, -64, 64), 'ERR_FFI_BUFFER_UNDERFLOW');
      assert.deepEqual(figures(under), ['flip_at', 0, size, -1, 64]);
      assert.ok(foreign.view.every((byte) => byte === 1));
      isWhole(foreign);
      guarded.fill_at(foreign.view, 0, 9, size);
      assert.ok(foreign.view.every((byte) => byte === 9));
      isWhole(foreign);
    }
  });

  test('a guarded function shows callbacks the same bytes, and takes what they write', () => {
    const foreign = makeForeign(40);
    const seen = [];
    const callback = new JSCallback(() => {
      seen.push(foreign.view[0]);
      foreign.view.fill(3);
    }, {});
    guarded.flip_then_call(foreign.view, 0, 1, callback);
    assert.deepEqual(seen, [254]);
    assert.ok(foreign.view.every((byte) => byte === 3));
    foreign.view.fill(1);
    assert.equal(guarded.call_then_sum(callback, foreign.view, 40), 120n);
    guarded.call_then_flip(callback, foreign.view, 5, 1);
    assert.deepEqual([...foreign.view.subarray(4, 7)], [3, 252, 3]);
    callback.close();
  });

  test('a guarded function shows nested calls and callbacks the same bytes', () => {
    const foreign = makeForeign(16);
    const nothing = new JSCallback(() => {}, {});
    const callback = new JSCallback(() => {
      foreign.view.fill(4);
      guarded.call_then_sum(nothing, new Uint8Array(4), 4);
      assert.ok(
        foreign.view.every((byte) => byte === 4),
        'what the callback wrote was taken back',
      );
      guarded.fill_at(foreign.view, 0, 5, 8);
    }, {});
    assert.equal(guarded.call_then_sum(callback, foreign.view, 16), 8n * 5n + 8n * 4n);
    assert.deepEqual([...foreign.view], [...Array(8).fill(5), ...Array(8).fill(4)]);
    callback.close();
    nothing.close();
  });

  test('a guarded function shows overlapping arguments one memory', () => {
    const { view } = makeForeign(64);
    view.set(Array.from({ length: 64 }, (_, i) => i));
    guarded.copy_bytes(view.subarray(3), view, 61);
    assert.deepEqual(
      [...view.subarray(3)],
      Array.from({ length: 61 }, (_, i) => i),
    );
    assert.equal(guarded.same_ptr(view, new DataView(view.buffer, view.byteOffset, 4)), true);
    guarded.flip_two_at(view.subarray(0, 40), 10, view.subarray(20), 0, 1);
    assert.deepEqual([view[10], view[20]], [7 ^ 255, 17 ^ 255]);
  });

  test('a guarded function shows a Buffer with a fence and a part of it one memory', () => {
    const whole = Uint8Array.from({ length: 96 }, (_, i) => i);
    const part = whole.subarray(3);
    assert.equal(guarded.same_ptr(whole.subarray(0, 4), whole), true);
    assert.equal(guarded.same_ptr(part, ptr(part)), true);
    guarded.copy_bytes(part, whole, 93);
    assert.deepEqual(
      [...part],
      Array.from({ length: 93 }, (_, i) => i),
    );
    assert.equal(ffi.checkFences(), 0);
  });

  test('a guarded function takes a number inside an argument, or at its end, for that argument', () => {
    const foreign = makeForeign(40);
    const at = ptr(foreign.view);
    for (const offset of [0, 7, 39, 40]) assert.equal(guarded.distance_ptr(foreign.view, at + offset), BigInt(offset));
    guarded.flip_two_at(foreign.view, 0, at, 1, 1);
    assert.deepEqual([...foreign.view.subarray(0, 3)], [254, 254, 1]);
  });

  test('a guarded function contains what is written through a number that ptr() has given', () => {
    const foreign = makeForeign(40);
    const at = ptr(foreign.view);
    assert.deepEqual(figures(throws(() => guarded.flip_at(at, 40, 16), 'ERR_FFI_BUFFER_OVERFLOW')), [
      'flip_at',
      0,
      40,
      40,
      16,
    ]);
    assert.deepEqual(figures(throws(() => guarded.flip_at(at + 39, -47, 8), 'ERR_FFI_BUFFER_UNDERFLOW')), [
      'flip_at',
      0,
      40,
      -1,
      8,
    ]);
    isWhole(foreign);
    const callback = new JSCallback(() => foreign.view.fill(3), {});
    guarded.flip_then_call(at + 4, 0, 1, callback);
    assert.ok(foreign.view.every((byte) => byte === 3));
    callback.close();
    guarded.fill_at(at + 4, 0, 9, 36);
    assert.deepEqual([foreign.view[3], foreign.view[4], foreign.view[39]], [3, 9, 9]);
    isWhole(foreign);
  });

  test('a guarded function leaves the address of memory of C to a function that may free it', () => {
    const { free_bytes: free } = ffi.dlopen(fixture, { free_bytes: { args: ['ptr'] } }, { guard: true }).symbols;
    const address = allocate(64);
    const buffer = ffi.toBuffer(address, 0, 64);
    assert.equal(ptr(buffer), address);
    guarded.fill_at(address, 0, 9, 64);
    assert.equal(buffer[63], 9);
    free(address);
  });

  test('a guarded function takes a number for an address again once the memory of ptr() is gone', async () => {
    const address = allocate(64);
    let isGone = false;
    const registry = new FinalizationRegistry(() => (isGone = true));
    const at = (() => {
      const view = new Uint8Array(toArrayBuffer(address, 0, 64));
      registry.register(view.buffer);
      const taken = ptr(view);
      assert.notEqual(guarded.identity_ptr(taken), taken);
      return taken;
    })();
    await gc(() => isGone);
    assert.equal(guarded.identity_ptr(at), at);
  });

  test('a guarded function does not copy what C may have kept the address of: what is pinned, and what a struct points to', () => {
    const pinned = makeForeign(40).view;
    const held = ffi.pin(pinned);
    const pointed = makeForeign(40).view;
    const pair = ffi.struct({ first: 'ptr', second: 'i32' }).alloc({ first: pointed, second: 1 });
    for (const view of [pinned, pointed]) {
      const at = ptr(view);
      assert.equal(guarded.identity_ptr(view), at);
      assert.equal(guarded.identity_ptr(view.subarray(8)), at + 8);
      assert.equal(guarded.identity_ptr(at + 8), at + 8);
    }
    assert.equal(pair.first, ptr(pointed));
    held.release();
  });

  test('a guarded function writes back only what C has changed', async () => {
    const { view } = makeForeign(40);
    // A number that is not declared as a pointer: C writes to the memory itself, as through an address that it has
    // kept.
    const both = ffi.dlopen(
      fixture,
      { flip_two_at: { args: ['ptr', 'i64', 'u64', 'i64', 'u64'] } },
      { guard: true },
    ).symbols;
    both.flip_two_at(view, 0, ptr(view), 5, 1);
    assert.deepEqual([view[0], view[4], view[5]], [254, 1, 254]);
    const output = await runs(`
      const { symbols } = ffi.dlopen('libc.so.6', {
        mmap: { args: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' },
        strnlen: { args: ['ptr', 'size_t'], returns: 'size_t' },
      }, { guard: true });
      const PROT_READ = 1, MAP_PRIVATE_ANONYMOUS = 0x22;
      const readOnly = ffi.toBuffer(symbols.mmap(0, 4096, PROT_READ, MAP_PRIVATE_ANONYMOUS, -1, 0), 0, 4096);
      console.log(symbols.strnlen(readOnly, 4096));`);
    assert.equal(output, '0n');
  });

  test('a guarded function leaves a Buffer with a fence of its own where it is', () => {
    const fenced = [ffi.alloc(96), ...(ffi.fences().installed ? [new Uint8Array(96)] : [])];
    for (const view of fenced) {
      assert.equal(guarded.identity_ptr(view), ptr(view));
      assert.deepEqual(figures(throws(() => guarded.flip_at(view, 96, 96), 'ERR_FFI_BUFFER_OVERFLOW')), [
        'flip_at',
        0,
        96,
        96,
        96,
      ]);
    }
  });

  test('a guarded function checks that the text it returns is mapped', () => {
    const text = ffi.dlopen(fixture, { identity_ptr: { args: ['u64'], returns: 'cstring' } }, { guard: true }).symbols;
    for (const address of [1, 64, 2 ** 47, 2n ** 63n])
      throws(() => text.identity_ptr(address), 'ERR_FFI_INVALID_POINTER');
  });

  test('a guarded function does not leak: copies of many calls are given back', async () => {
    const { view } = makeForeign(50_000);
    for (let i = 0; i < 500; i++) guarded.fill_at(view, 0, i & 255, 50_000);
    await gc();
    const before = process.memoryUsage().rss;
    for (let i = 0; i < byScale(3000, 10_000); i++) guarded.fill_at(view, 0, i & 255, 50_000);
    assert.ok(process.memoryUsage().rss - before < 20e6);
  });
});

describe('guard', () => {
  test('the option guard is set for a library, and for a symbol against the library', () => {
    const foreign = makeForeign(8);
    const at = ptr(foreign.view);
    const isCopied = (symbols, key = 'identity_ptr') => symbols[key](foreign.view) !== at;
    const one = { identity_ptr: declarations.identity_ptr };
    const open = (declaration, options) =>
      ffi.dlopen(fixture, { identity_ptr: { ...one.identity_ptr, ...declaration } }, options).symbols;
    assert.equal(isCopied(open({})), process.env.PINNED_FFI_GUARD === '1');
    assert.equal(isCopied(open({}, { guard: true })), true);
    assert.equal(isCopied(open({}, { guard: false })), false);
    assert.equal(isCopied(open({ guard: true })), true);
    assert.equal(isCopied(open({ guard: false }, { guard: true })), false);
    throws(() => open({}, { guard: 1 }), 'ERR_INVALID_ARG_TYPE', /guard/);
    throws(() => open({ guard: 'yes' }), 'ERR_INVALID_ARG_TYPE', /guard/);
  });
});

describe('PINNED_FFI_GUARD=1', () => {
  const env = { PINNED_FFI_GUARD: '1' };

  test('fences every Buffer of the process where the allocator is left alone, and has no pool', async () => {
    for (const fence of ['', 'off']) {
      const output = await runs(
        `
        const { flip_at: flip } = h.bind({ flip_at: { args: ['ptr', 'i64', 'u64'] } });
        let thrown = 0;
        const others = Array.from({ length: 300 }, () => new Uint8Array(40).fill(5));
        for (let i = 0; i < 2000; i++) {
          for (const view of [new Uint8Array(96), Buffer.from('text'), Buffer.allocUnsafe(9), new DataView(new ArrayBuffer(33)), ffi.alloc(5)]) {
            try { flip(view, view.byteLength, 96); } catch (error) { if (error.bytesPast === 96) thrown++; }
          }
          others[i % 300] = new Uint8Array(40).fill(5);
        }
        if (!others.every((other) => other.every((byte) => byte === 5))) throw new Error('a neighbour has changed');
        console.log(thrown, Buffer.poolSize);`,
        { env: { ...env, PINNED_FFI_FENCE: fence } },
      );
      assert.equal(output, '10000 0');
    }
  });

  test('PINNED_FFI_GUARD=1 refuses addresses that are not mapped, instead of ending the process', async () => {
    const output = await runs(
      `
      const { read, write, CString, toBuffer, toArrayBuffer, ptr } = ffi;
      const { symbols } = ffi.dlopen('libc.so.6', { mmap: { args: ['u64', 'u64', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' },
        munmap: { args: ['ptr', 'u64'], returns: 'i32' }, mprotect: { args: ['ptr', 'u64', 'i32'], returns: 'i32' } });
      const map = (pages, access = 3) => symbols.mmap(0, pages * 4096, access, 0x22, -1, 0);
      const block = map(3);
      symbols.mprotect(block + 8192, 4096, 0);
      const readOnly = map(1, 1);
      const text = h.bind({ identity_ptr: { args: ['u64'], returns: 'cstring' } }).identity_ptr;
      const code = (fn) => { try { fn(); return 'ok'; } catch (error) { return error.code; } };
      const faults = [];
      const expect = (wanted, name, fn) => { const got = code(fn); if (got !== wanted) faults.push(name + ': ' + got); };
      const bad = 'ERR_FFI_INVALID_POINTER';
      // Last, so that nothing else is put where it was.
      const gone = map(1000);
      symbols.munmap(gone, 1000 * 4096);
      const low = [1, 64, 4095, 1n];
      for (const address of [...low, gone, gone + 5000, 2 ** 47, 2n ** 63n, 2n ** 64n - 8n, 0x123456789000]) {
        const name = String(address);
        expect(bad, 'read ' + name, () => read.u8(address));
        expect(bad, 'read f64 ' + name, () => read.f64(address));
        expect(bad, 'write ' + name, () => write.u8(address, 0, 1));
        expect(bad, 'CString ' + name, () => new CString(address));
        expect(bad, 'CString of 4 ' + name, () => CString(address, 0, 4));
        expect(bad, 'toBuffer ' + name, () => toBuffer(address, 0, 8));
        expect(bad, 'read.bytes ' + name, () => read.bytes(address, 0, 8));
        expect(bad, 'write.bytes ' + name, () => write.bytes(address, 0, new Uint8Array(8)));
        expect(bad, 'toArrayBuffer ' + name, () => toArrayBuffer(address, 0, 8));
        expect(bad, 'toBuffer to NUL ' + name, () => toBuffer(address));
        expect(bad, 'cstring ' + name, () => text(address));
      }
      expect('ok', 'last byte', () => read.u8(block + 8191));
      expect(bad, 'across the end', () => read.u32(block + 8190));
      expect(bad, 'write across the end', () => write.u64(block + 8188, 0, 1n));
      expect('ok', 'write the last', () => write.u64(block + 8184, 0, 1n));
      expect(bad, 'a length that runs off', () => toBuffer(block, 0, 8193));
      expect('ok', 'a length that fits', () => toBuffer(block, 0, 8192));
      expect(bad, 'bytes that run off', () => read.bytes(block, 0, 8193));
      expect('ok', 'bytes that fit', () => read.bytes(block, 0, 8192));
      expect('ok', 'bytes that may be written', () => write.bytes(block, 0, new Uint8Array(8192)));
      write.u8(block + 8191, 0, 65);
      expect(bad, 'a text without an end', () => new CString(block + 8191));
      expect(bad, 'a text of more bytes', () => CString(block + 8191, 0, 2));
      expect('ok', 'a text of one byte', () => CString(block + 8191, 0, 1));
      expect('ok', 'read what may be read', () => read.u8(readOnly));
      expect(bad, 'write what may only be read', () => write.u8(readOnly, 0, 1));
      expect(bad, 'write bytes that may only be read', () => write.bytes(readOnly, 0, new Uint8Array(4)));
      const view = new Uint8Array(16);
      expect('ok', 'a view', () => write.u64(ptr(view), 8, 1n));
      console.log(JSON.stringify(faults));`,
      { env },
    );
    assert.deepEqual(JSON.parse(output), []);
  });
});
