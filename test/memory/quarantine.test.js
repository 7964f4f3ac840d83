'use strict';
// Breaches that are found too late for an exception: on free, in quarantine, by checkFences(). Each is a process
// warning.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, bind, gc, run, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const { fences, checkFences } = ffi;
const native = bind({
  keep_ptr: { args: ['ptr'] },
  flip_kept: { args: ['i64', 'u64'] },
  fill_kept: { args: ['i64', 'u8', 'u64'] },
  start_writer: { args: ['ptr', 'i64', 'u8', 'u64', 'u32'], returns: 'i32' },
  join_writer: { returns: 'i32' },
});

const warnings = [];
process.on('warning', (warning) => {
  if (warning.name === 'FFIWarning') warnings.push(warning);
});
const figures = ({ code, found, byteLength, firstBadOffset, bytesPast, symbol }) => [
  code,
  found,
  byteLength,
  firstBadOffset,
  bytesPast,
  symbol,
];
/** The warnings since the last time, at least `count`. */
async function warned(count) {
  await gc(() => warnings.length >= count);
  return warnings.splice(0).map(figures);
}
const OVER = 'ERR_FFI_BUFFER_OVERFLOW';
const UNDER = 'ERR_FFI_BUFFER_UNDERFLOW';

/** Every maker's view of `size` bytes is given to keep_ptr() and let go. */
const makers = [
  (size) => new Uint8Array(size),
  (size) => Buffer.alloc(size),
  (size) => new ArrayBuffer(size),
  (size) => ffi.alloc(size),
];

/** A child's beginning: prints what `seen` holds at the end. */
const prelude = `
  const native = h.bind({ keep_ptr: { args: ['ptr'] }, flip_kept: { args: ['i64', 'u64'] }, peek_kept: { args: ['i64'], returns: 'u8' } });
  const seen = [];
  process.on('warning', (warning) => seen.push([warning.found, warning.byteLength, warning.firstBadOffset, warning.bytesPast].join()));
  const settle = async () => { for (let i = 0; i < ${byScale(2, 4)}; i++) await h.gc(); };
  const show = () => console.log(JSON.stringify(seen));
`;

describe('checkFences', () => {
  test('checkFences() finds what was written later through a kept address, repairs it and warns with what is known', async () => {
    for (const make of makers) {
      const view = make(70);
      native.keep_ptr(view);
      for (const [offset, count, wanted] of [
        [70, 1, [OVER, 'checked', 70, 70, 1]],
        [70, 128, [OVER, 'checked', 70, 70, 128]],
        [100, 10, [OVER, 'checked', 70, 100, 40]],
        [-1, 1, [UNDER, 'checked', 70, -1, 1]],
        [-64, 64, [UNDER, 'checked', 70, -1, 64]],
      ]) {
        native.flip_kept(offset, count);
        assert.equal(checkFences(), 1);
        assert.equal(checkFences(), 0);
        assert.deepEqual(await warned(1), [[...wanted, 'keep_ptr']]);
      }
      assert.ok(view.byteLength === 70);
    }
  });

  test('checkFences() finds a write before the start that reaches beyond the fence, too', async () => {
    for (const make of makers) {
      const view = make(70);
      native.keep_ptr(view);
      for (const count of [65, 72, 80]) {
        native.flip_kept(-count, count);
        assert.equal(checkFences(), 1, `${count} bytes before the start were not found`);
        assert.equal(checkFences(), 0);
        const [[code, found, byteLength, firstBadOffset]] = await warned(1);
        assert.deepEqual([code, found, byteLength, firstBadOffset], [UNDER, 'checked', 70, -1]);
      }
      assert.ok(view.byteLength === 70);
    }
  });

  test('checkFences() finds what a thread has written after the call, and says so in the text', async () => {
    const view = new Uint8Array(33);
    // Late enough for a busy machine: what is written before the call has returned is thrown by it.
    assert.equal(native.start_writer(view, 30, 0, 10, 100), 0);
    assert.equal(native.join_writer(), 0);
    assert.equal(checkFences(), 1);
    await gc(() => warnings.length > 0);
    const [warning] = warnings.splice(0);
    assert.match(
      warning.message,
      /wrote 7 bytes past the end of a Buffer of 33 bytes .*checkFences\(\); .* passed to start_writer/,
    );
    assert.equal(warning.name, 'FFIWarning');
    assert.ok(warning instanceof Error);
    assert.ok(view[32] === 0);
  });

  test('checkFences() counts every broken buffer', async () => {
    const views = Array.from({ length: 30 }, () => new Uint8Array(20));
    for (const view of views) {
      native.keep_ptr(view);
      native.flip_kept(20, 2);
    }
    assert.equal(checkFences(), 30);
    assert.equal((await warned(30)).length, 30);
    assert.equal(views.length, 30);
  });
});

describe('a Buffer that is collected', () => {
  test('a Buffer that is collected with a broken fence is reported when it is freed', async () => {
    for (const make of makers) {
      (() => native.keep_ptr(make(80)))();
      native.flip_kept(80, 11);
      assert.deepEqual(await warned(1), [[OVER, 'freed', 80, 80, 11, 'keep_ptr']]);
    }
  });

  test('a Buffer that is collected is poisoned and held back: a late write hits no other memory and is reported', async () => {
    for (const make of makers) {
      await gc();
      const { heldCount } = fences().quarantine;
      (() => native.keep_ptr(make(90)))();
      await gc(() => fences().quarantine.heldCount > heldCount);
      native.fill_kept(7, 1, 3);
      assert.equal(checkFences(), 1);
      assert.equal(checkFences(), 0);
      assert.deepEqual(await warned(1), [[OVER, 'quarantine', 90, 7, 3, 'keep_ptr']]);
      native.flip_kept(90, 4);
      assert.equal(checkFences(), 1);
      assert.deepEqual(await warned(1), [[OVER, 'quarantine', 90, 90, 4, 'keep_ptr']]);
    }
  });

  test('a Buffer that is collected shows poison to native code that still reads it', async () => {
    const output = await runs(`${prelude}
      (async () => {
        (() => native.keep_ptr(new Uint8Array(64).fill(1)))();
        await settle();
        for (let i = 0; i < 64; i++) seen.push(native.peek_kept(i));
        show();
      })();`);
    const bytes = JSON.parse(output);
    assert.ok(bytes.length === 64 && bytes.every((byte) => byte >= 0x80), 'each byte has its highest bit set');
    assert.ok(new Set(bytes).size > 16, 'the bytes differ from one another');
  });

  test('a Buffer that is collected is not held when its address was never taken', async () => {
    await gc();
    const { heldCount } = fences().quarantine;
    for (let i = 0; i < 100; i++) new Uint8Array(2000).buffer;
    await gc();
    await gc();
    assert.ok(fences().quarantine.heldCount <= heldCount);
  });
});

describe('the quarantine', () => {
  test('the quarantine keeps to its bounds, and a block that is pushed out with a late write is reported', async () => {
    const output = await runs(
      `${prelude}
      (async () => {
        let most = [0, 0];
        const look = () => {
          const { heldBytes, heldCount } = ffi.fences().quarantine;
          most = [Math.max(most[0], heldBytes), Math.max(most[1], heldCount)];
        };
        (() => native.keep_ptr(new Uint8Array(500)))();
        await settle();
        native.flip_kept(3, 2);
        for (let i = 0; i < ${byScale(100, 300)}; i++) {
          ffi.ptr(new Uint8Array(1 + i));
          ffi.ptr(ffi.alloc(100));
          if (i % 20 === 0) { await settle(); look(); }
        }
        seen.push(most[0] <= 10000, most[1] <= 30, most[1] > 5, ffi.fences().quarantine.bytes, ffi.fences().quarantine.count);
        ffi.ptr(new Uint8Array(1e6));
        await settle();
        look();
        seen.push(most[0] <= 10000);
        show();
      })();`,
      { env: { PINNED_FFI_QUARANTINE: '10000,30' } },
    );
    assert.deepEqual(JSON.parse(output), ['quarantine,500,3,2', true, true, true, 10000, 30, true]);
  });

  test('the quarantine is of 16 MiB and 4096 blocks by default, of BYTES alone, or off', async () => {
    const state = `console.log(JSON.stringify(ffi.fences().quarantine));`;
    const bounds = async (setting) => {
      const { bytes, count } = JSON.parse(await runs(state, { env: { PINNED_FFI_QUARANTINE: setting } }));
      return [bytes, count];
    };
    assert.deepEqual(await bounds(''), [16777216, 4096]);
    assert.deepEqual(await bounds('5000'), [5000, 4096]);
    assert.deepEqual(await bounds('5000,7'), [5000, 7]);
    assert.equal((await bounds('off'))[0], 0);
    const held = `${prelude} (async () => {
      for (const size of [1, 100, 1e6]) ffi.ptr(new Uint8Array(size));
      ffi.ptr(ffi.alloc(10)); ffi.ptr(new SharedArrayBuffer(10));
      await settle(); console.log(ffi.fences().quarantine.heldCount, ffi.fences().quarantine.heldBytes); })();`;
    assert.equal(await runs(held, { env: { PINNED_FFI_QUARANTINE: 'off' } }), '0 0');
    assert.equal(await runs(held), '5 1000121');
  });

  test('the quarantine refuses other settings by name', async () => {
    for (const setting of ['much', '-1', '1,', ',1', '1.5', '1,2,3']) {
      // helpers.js loads the package, so that the child ends with its error.
      const { stderr, code: exit } = await run({ code: '', env: { PINNED_FFI_QUARANTINE: setting } });
      assert.equal(exit, 1);
      assert.match(stderr, /PINNED_FFI_QUARANTINE must be off, BYTES or BYTES,COUNT, received '/);
    }
  });

  test('the quarantine does not keep process.memoryUsage().arrayBuffers up', async () => {
    const output = await runs(`${prelude} (async () => {
      await settle();
      const before = process.memoryUsage().arrayBuffers;
      (() => { for (let i = 0; i < 20; i++) ffi.ptr(new Uint8Array(100000)); })();
      await settle();
      console.log(process.memoryUsage().arrayBuffers - before, ffi.fences().quarantine.heldBytes >= 2e6); })();`);
    const [grown, held] = output.split(' ');
    assert.ok(Number(grown) <= 0, `${grown} bytes are still counted`);
    assert.equal(held, 'true');
  });
});
