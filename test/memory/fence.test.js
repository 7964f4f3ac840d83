'use strict';
// Guarantee 3: a native write outside of a Buffer damages nothing else, and is found, repaired and thrown.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, bind, throws, gc, collect, run } = require('../helpers.js');
const { byScale } = require('../scale.js');

const { JSCallback, ptr, pin, fences, checkFences } = ffi;
const native = bind({
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  flip_at: { args: ['ptr', 'i64', 'u64'] },
  flip_two_at: { args: ['ptr', 'i64', 'ptr', 'i64', 'u64'] },
  flip_ninth_at: { args: [...Array(9).fill('ptr'), 'i64', 'u64'] },
  flip_then_call: { args: ['ptr', 'i64', 'u64', 'function'] },
  call_then_flip: { args: ['function', 'ptr', 'i64', 'u64'] },
  fill_on_thread: { args: ['ptr', 'i64', 'u8', 'u64'], returns: 'i32' },
});
const over = (fn) => throws(fn, 'ERR_FFI_BUFFER_OVERFLOW');
const under = (fn) => throws(fn, 'ERR_FFI_BUFFER_UNDERFLOW');
const figures = ({ symbol, argument, byteLength, firstBadOffset, bytesPast }) => [
  symbol,
  argument,
  byteLength,
  firstBadOffset,
  bytesPast,
];

const eventSource = `
  #include <string.h>
  int next_event(void *event) { memset(event, 0x58, 192); return 192; }
  int small_event(void *event) { memset(event, 0x45, 96); return 96; }
`;

describe('the regression of a 96-byte Buffer that is given to a function that writes 192', () => {
  const WRITES = byScale(500, 5000);

  test(`${WRITES} writes inside and past small buffers, by C compiled here, leave every other buffer alone`, async () => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-'));
    const source = path.join(directory, 'event.c');
    fs.writeFileSync(source, eventSource);
    const library = ffi.cc({
      source,
      symbols: { next_event: { args: ['ptr'], returns: 'i32' }, small_event: { args: ['ptr'], returns: 'i32' } },
    });
    const { next_event: next, small_event: small } = library.symbols;
    const others = Array.from({ length: 400 }, (_, i) => new Uint8Array(96).fill(i));
    let thrown = 0;
    for (let i = 0; i < WRITES; i++) {
      const event = i % 2 ? new Uint8Array(96) : Buffer.alloc(96);
      const text = Buffer.from('a neighbour of the pool');
      assert.equal(small(event), 96);
      assert.ok(event.every((byte) => byte === 0x45));
      const error = over(() => next(event));
      assert.deepEqual(figures(error), ['next_event', 0, 96, 96, 96]);
      thrown++;
      assert.ok(
        event.every((byte) => byte === 0x58),
        'what C wrote inside is kept',
      );
      assert.equal(next(new Uint8Array(192)), 192);
      assert.equal(text.toString(), 'a neighbour of the pool');
      others[i % 400] = new Uint8Array(96).fill(i);
      if (i % 50 !== 0) continue;
      collect();
      for (let k = 0; k < 400; k++) {
        const wanted = (k <= i % 400 ? i - (i % 400) + k : Math.max(k, i - (i % 400) - 400 + k)) & 255;
        assert.ok(
          others[k].every((byte) => byte === wanted),
          `buffer ${k} has changed in round ${i}`,
        );
      }
    }
    assert.equal(thrown, WRITES);
    await gc();
    assert.equal(checkFences(), 0);
    library.close();
    fs.rmSync(directory, { recursive: true });
  });
});

describe('an overflow', () => {
  test('an overflow becomes an error that names the function, the argument, the size and the first bad offset', () => {
    const error = over(() => native.fill_at(new Uint8Array(96), 0, 0x58, 192));
    assert.deepEqual(
      { ...error },
      {
        code: 'ERR_FFI_BUFFER_OVERFLOW',
        symbol: 'fill_at',
        argument: 0,
        byteLength: 96,
        firstBadOffset: 96,
        bytesPast: 96,
      },
    );
    assert.ok(error instanceof RangeError);
    assert.equal(
      error.message,
      'fill_at: native code wrote 96 bytes past the end of argument 0, which has 96 bytes ' +
        '(first bad offset 96); nothing else was hit and the fence is repaired',
    );
    assert.equal('cause' in error, false);
  });

  test('an overflow is measured where it begins and where it ends, also when it does not begin at the end', () => {
    for (const size of [1, 5, 8, 15, 16, 17, 40, 96, 1000, 65536, 5e6]) {
      for (const [offset, count] of [
        [0, 1],
        [0, 16],
        [0, 17],
        [3, 1],
        [15, 2],
        [50, 40],
        [0, 128],
        [127, 1],
      ]) {
        const error = over(() => native.flip_at(new Uint8Array(size), size + offset, count));
        assert.deepEqual(figures(error), ['flip_at', 0, size, size + offset, offset + count]);
      }
    }
  });

  test('an overflow before the first byte is an underflow, by as much as the fence and what lies before it', () => {
    for (const size of [1, 8, 17, 96, 5000]) {
      for (const [offset, count] of [
        [-1, 1],
        [-16, 16],
        [-64, 64],
        [-64, 1],
        [-33, 5],
        [-80, 80],
        [-88, 88],
      ]) {
        const view = new Uint8Array(size);
        const error = under(() => native.flip_at(view, offset, count));
        assert.deepEqual(figures(error), ['flip_at', 0, size, offset + count - 1, -offset]);
        assert.ok(view.every((byte) => byte === 0));
      }
    }
  });

  test('an overflow that destroys the header of a text is measured by the text', () => {
    const { flip_at: flip } = bind({ flip_at: { args: ['cstring', 'i64', 'u64'] } });
    for (const [text, size] of [
      ['', 1],
      ['abc', 4],
      ['\xe9'.repeat(30), 61],
      ['x'.repeat(3000), 3001],
    ]) {
      for (let i = 0; i < 2; i += 1) {
        assert.deepEqual(figures(under(() => flip(text, -70, 1))), ['flip_at', 0, size, -65, 70]);
        flip(text, 0, 0);
      }
    }
  });

  test('an overflow is found for a view of no bytes, by one byte', () => {
    for (const view of [new Uint8Array(0), new ArrayBuffer(0), Buffer.alloc(0), new DataView(new ArrayBuffer(0))]) {
      assert.equal(over(() => native.flip_at(view, 0, 1)).byteLength, 0);
      assert.equal(under(() => native.flip_at(view, -1, 1)).firstBadOffset, -1);
    }
  });

  test('an overflow is found again in the same buffer, a hundred times, and a proper call succeeds in between', () => {
    const view = new Uint8Array(24);
    for (let i = 1; i <= 100; i++) {
      assert.equal(over(() => native.flip_at(view, 24, i)).bytesPast, i);
      native.fill_at(view, 0, i, 24);
      assert.ok(view.every((byte) => byte === i));
      assert.equal(under(() => native.flip_at(view, -1, 1)).bytesPast, 1);
    }
    assert.equal(checkFences(), 0);
  });

  test('an overflow on both sides is repaired on both sides', () => {
    const view = new Uint8Array(24);
    over(() => native.flip_at(view, -30, 84));
    assert.ok(view.every((byte) => byte === 255));
    native.fill_at(view, 0, 1, 24);
    assert.equal(checkFences(), 0);
  });

  test('an overflow names the argument it was of, in registers and on the stack', () => {
    const views = Array.from({ length: 9 }, (_, i) => new Uint8Array(10 + i));
    assert.deepEqual(figures(over(() => native.flip_ninth_at(...views, 18, 5))), ['flip_ninth_at', 8, 18, 18, 5]);
    const [a, b] = [new Uint8Array(10), new Uint8Array(20)];
    assert.equal(over(() => native.flip_two_at(a, 0, b, 20, 1)).argument, 2);
    assert.equal(over(() => native.flip_two_at(a, 10, b, 0, 1)).argument, 0);
    // Both at once: the first is named, both are repaired.
    assert.equal(over(() => native.flip_two_at(a, 10, b, 20, 1)).argument, 0);
    assert.equal(checkFences(), 0);
  });

  test('an overflow is measured from a sub-view, within whose buffer it may write', () => {
    const whole = new Uint8Array(64);
    const tail = whole.subarray(40);
    assert.deepEqual(figures(over(() => native.flip_at(tail, 24, 7))).slice(2), [24, 24, 7]);
    assert.equal(over(() => native.flip_at(new DataView(whole.buffer, 40, 24), 24, 7)).firstBadOffset, 24);
    const head = whole.subarray(0, 16);
    assert.equal(over(() => native.flip_at(head, 64, 7)).firstBadOffset, 64);
    assert.equal(under(() => native.flip_at(tail, -42, 2)).firstBadOffset, -41);
  });

  test('an overflow through an address that ptr() or pin() gave out is found too, at its start, inside and at its end', () => {
    const view = new Uint8Array(48);
    const held = pin(view);
    for (const address of [ptr(view), BigInt(ptr(view)), held.ptr, ptr(view, 10), ptr(view, 48)]) {
      const offset = 48 - (Number(address) - ptr(view));
      assert.deepEqual(figures(over(() => native.flip_at(address, offset, 9))), ['flip_at', 0, 48, 48, 9]);
    }
    held.release();
  });

  test('an overflow by a thread of C during the call is found', () => {
    assert.equal(over(() => native.fill_on_thread(new Uint8Array(30), 30, 0, 20)).bytesPast, 20);
  });

  test('an overflow carries what a callback threw in the same call as its cause', () => {
    const fault = new TypeError('thrown by the callback');
    const callback = new JSCallback(() => {
      throw fault;
    }, {});
    for (const call of [
      (view) => native.flip_then_call(view, 12, 4, callback),
      (view) => native.call_then_flip(callback, view, 12, 4),
    ]) {
      const error = over(() => call(new Uint8Array(12)));
      assert.equal(error.cause, fault);
      assert.equal(error.bytesPast, 4);
      assert.throws(() => call(new Uint8Array(16)), fault);
    }
    callback.close();
  });

  test('an overflow in a call inside a callback is thrown there, and the outer call goes on', () => {
    const inner = [];
    const view = new Uint8Array(12);
    const callback = new JSCallback(() => {
      inner.push(over(() => native.flip_at(view, 12, 3)).bytesPast);
    }, {});
    native.call_then_flip(callback, new Uint8Array(12), 0, 12);
    assert.equal(over(() => native.call_then_flip(callback, view, 12, 5)).bytesPast, 5);
    assert.deepEqual(inner, [3, 3]);
    callback.close();
  });
});

describe('under load', () => {
  const OVERFLOWS = byScale(10_000, 1_000_000);
  const SECONDS = byScale(1, 20);

  const stress = async (file, args, timeout) => {
    const result = await run({ file, args, flags: ['--expose-gc', '--allow-natives-syntax'], timeout });
    assert.equal(
      `${result.signal ?? result.code}`,
      '0',
      `${result.stdout.slice(-2000)}\n${result.stderr.slice(-2000)}`,
    );
    return result.stdout.trim().split('\n').at(-1);
  };

  test(`${OVERFLOWS} overflows and underflows of every kind of view are as many exceptions and nothing else`, async (t) => {
    const last = await stress('test/stress/million.mjs', [String(OVERFLOWS)], 300_000);
    const { exceptions, faults } = JSON.parse(last);
    t.diagnostic(last);
    assert.deepEqual([exceptions, faults], [OVERFLOWS, 0]);
  });

  test(`workers, transfers, zlib, crypto and http run for ${SECONDS} seconds in flat memory`, async (t) => {
    t.diagnostic(await stress('test/stress/fence.mjs', [String(SECONDS)], 120_000));
  });

  test('workers that come and go, threads that free, a worker alone with the addon: nothing breaks', async (t) => {
    t.diagnostic(await stress('test/stress/workers.mjs', [], 200_000));
  });

  test('the fence is installed here', () => {
    assert.deepEqual([fences().installed, fences().before, fences().after], [true, 64, 128]);
  });
});
