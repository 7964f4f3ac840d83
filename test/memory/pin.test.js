'use strict';
// Guarantee 2: while native code may use an address, its storage is neither freed, detached nor resized.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { MessageChannel } = require('node:worker_threads');
const { ffi, bind, throws, gc, collect, optimize, runs, makeDetached } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const { pin, ptr, read, JSCallback } = ffi;
const native = bind({
  call_then_sum: { args: ['function', 'ptr', 'u64'], returns: 'u64' },
  call_then_flip: { args: ['function', 'ptr', 'i64', 'u64'] },
  fill_at: { args: ['ptr', 'i64', 'u8', 'u64'] },
  peek_at: { args: ['ptr', 'i64'], returns: 'u8' },
  keep_ptr: { args: ['ptr'] },
  peek_kept: { args: ['i64'], returns: 'u8' },
});
/** Node 24 and 26 lock a buffer by V8's detach key; 20 and 22 in JavaScript. */
const locksInV8 = Number(process.versions.modules) >= 137;
const { transferAborts } = require('../../lib/native/runtime.js');
const hasTransfer = typeof ArrayBuffer.prototype.transfer === 'function';

describe('the arguments of a call', () => {
  let churns = true;
  const churn = () => {
    if (!churns) return;
    collect();
    // Whoever gets the memory of a collected argument overwrites it.
    for (let i = 0; i < 50; i++) new Uint8Array(64).fill(238).buffer;
    collect();
  };
  const callback = new JSCallback(churn, {});

  /** Makes a view and lets it go in the same call; `make` becomes part of the optimised caller. */
  const callersOf = () => [
    function small() {
      return native.call_then_sum(callback, new Uint8Array(64).fill(7), 64);
    },
    function large() {
      return native.call_then_sum(callback, new Uint8Array(5000).fill(7), 64);
    },
    function slow() {
      return native.call_then_sum(callback, Buffer.allocUnsafeSlow(64).fill(7), 64);
    },
    function pooled() {
      return native.call_then_sum(callback, Buffer.from('\x07'.repeat(64)), 64);
    },
    function view() {
      return native.call_then_sum(callback, new DataView(new Uint8Array(64).fill(7).buffer), 64);
    },
    function buffer() {
      return native.call_then_sum(callback, new Uint8Array(64).fill(7).buffer, 64);
    },
    function sub() {
      return native.call_then_sum(callback, new Uint8Array(100).fill(7).subarray(20, 84), 64);
    },
    function own() {
      return native.call_then_sum(callback, ffi.alloc(64).fill(7), 64);
    },
  ];

  test('the arguments of a call are not collected during it, although the optimised caller never uses them again', () => {
    for (const caller of callersOf()) {
      churns = false;
      optimize(caller);
      churns = true;
      for (let i = 0; i < byScale(6, 20); i++) assert.equal(caller(), 448n, caller.name);
    }
    assert.equal(ffi.checkFences(), 0);
  });

  test('a view of which only the address is passed is collected: the collection in the test is real', async () => {
    const output = await runs(
      `
      const { call_then_sum: sum } = h.bind({ call_then_sum: { args: ['function', 'ptr', 'u64'], returns: 'u64' } });
      let isOptimised = false;
      const callback = new ffi.JSCallback(() => { if (isOptimised) { h.collect(); h.collect(); } }, {});
      // A frame of its own, which is gone when C is called: optimised code may hold what it has inlined for longer.
      const place = () => ffi.ptr(new Uint8Array(64).fill(7));
      new Function('place', '%NeverOptimizeFunction(place)')(place);
      const caller = () => sum(callback, place(), 64);
      h.optimize(caller);
      isOptimised = true;
      const seen = new Set();
      for (let i = 0; i < ${byScale(10, 30)}; i++) seen.add(Number(caller()));
      console.log(seen.size > 1 || !seen.has(448), [...seen].some((sum) => sum >= 64 * 0x80));
    `,
      { flags: ['--expose-gc', '--allow-natives-syntax'] },
    );
    assert.equal(output, 'true true', 'a collected view is poisoned');
  });

  test('the arguments of a call are the same memory after a collection in the middle of the call', () => {
    const view = new Uint8Array(64);
    const write = new JSCallback(() => {
      collect();
      view[0] = 41;
    }, {});
    assert.equal(native.call_then_sum(write, view, 64), 41n);
    native.call_then_flip(write, view, 0, 1);
    assert.equal(view[0], 41 ^ 255);
    write.close();
  });

  test('the arguments of a call cannot be transferred away and freed by a callback, whatever their size', async () => {
    for (const size of [100, 1 << 20, 64 << 20]) {
      const output = await runs(`
        const { call_then_sum: sum } = h.bind({ call_then_sum: { args: ['function', 'ptr', 'u64'], returns: 'u64' } });
        let view;
        const locks = Number(process.versions.modules) >= 137 && !${transferAborts};
        const moves = [() => structuredClone(view.buffer, { transfer: [view.buffer] }),
          () => new MessageChannel().port1.postMessage(view.buffer, [view.buffer]),
          () => view.buffer.transfer?.()];
        for (const move of moves) {
          view = new Uint8Array(${size}).fill(1);
          const callback = new ffi.JSCallback(() => {
            try { move(); } catch {}
            for (let i = 0; i < ${byScale(2, 5)}; i++) h.collect();
          }, {});
          const summed = sum(callback, view, ${size});
          if (summed !== ${size}n) throw new Error(move + ' leaves native code with other bytes: ' + summed);
          if (locks && view.byteLength !== ${size}) throw new Error(move + ' was not refused');
        }
        console.log('whole');
        process.exit();
      `);
      assert.equal(output, 'whole');
    }
  });
});

describe('pin', () => {
  test('pin() holds a view of which only the address is left, until it is released', async () => {
    let collected = 0;
    const registry = new FinalizationRegistry(() => collected++);
    const make = (view) => {
      registry.register(view);
      return pin(view.fill(33));
    };
    const pins = [make(new Uint8Array(40)), make(Buffer.alloc(5000)), make(ffi.alloc(96))];
    await gc();
    await gc();
    assert.equal(collected, 0);
    assert.deepEqual(
      pins.map((held) => held.byteLength),
      [40, 5000, 96],
    );
    for (const held of pins) {
      assert.equal(read.u8(held.ptr, held.byteLength - 1), 33);
      native.fill_at(held.ptr, 0, 34, held.byteLength);
      assert.equal(read.u8(held.ptr, held.byteLength - 1), 34);
      held.release();
    }
    await gc(() => collected === 3);
  });

  test('pin() holds a view even when the pin itself is dropped', async () => {
    (() => native.keep_ptr(pin(new Uint8Array(40).fill(55)).ptr))();
    await gc();
    await gc();
    assert.equal(native.peek_kept(39), 55);
  });

  test('pin() has the address that ptr() gives, and none after its release', () => {
    const view = new Uint8Array(100).subarray(3, 50);
    const held = pin(view);
    assert.deepEqual([held.ptr, held.byteLength], [ptr(view), 47]);
    held.release();
    held.release();
    assert.deepEqual([held.ptr, held.byteLength], [null, 0]);
    const disposed = pin(view);
    if (Symbol.dispose) {
      disposed[Symbol.dispose]();
      assert.equal(disposed.ptr, null);
    } else {
      disposed.release();
    }
  });

  test('pin() refuses what has no storage, what can be resized and what is no view', () => {
    const resizable = new ArrayBuffer(8, { maxByteLength: 16 });
    const growable = new SharedArrayBuffer(8, { maxByteLength: 16 });
    const uses = [(view) => pin(view), (view) => ptr(view), (view) => native.peek_at(view, 0)];
    for (const [index, use] of uses.entries()) {
      const place = [/^pin: view/, /^ptr: view/, /^peek_at: argument 0/];
      for (const [index2, make] of [() => makeDetached(), () => new DataView(makeDetached().buffer)].entries()) {
        if (index2 === 1) assert.throws(make, TypeError);
        else throws(() => use(make()), 'ERR_INVALID_ARG_VALUE', /attached|detached/);
      }
      for (const view of [
        resizable,
        new Uint8Array(resizable),
        new DataView(resizable),
        new Uint8Array(resizable, 2, 2),
        growable,
        new Uint8Array(growable),
      ]) {
        const error = throws(() => use(view), 'ERR_INVALID_ARG_VALUE', /resized/);
        assert.match(error.message, place[index]);
      }
    }
    for (const value of [null, undefined, 1, 'x', {}, [], () => 1]) throws(() => pin(value), 'ERR_INVALID_ARG_TYPE');
    throws(() => pin(new Uint8Array(0)), 'ERR_INVALID_ARG_VALUE');
  });
});

describe('a pinned buffer', () => {
  const port = new MessageChannel().port1;
  port.unref();

  test('a pinned buffer cannot be transferred by any way', () => {
    for (const make of [
      () => new Uint8Array(40),
      () => new Uint8Array(5000),
      () => Buffer.allocUnsafeSlow(70),
      () => new Uint8Array(100).subarray(10, 20),
    ]) {
      const view = make().fill(5);
      const length = view.byteLength;
      const held = pin(view);
      const moves = [
        () => structuredClone(view.buffer, { transfer: [view.buffer] }),
        () => port.postMessage(view.buffer, [view.buffer]),
        ...(hasTransfer
          ? [() => view.buffer.transfer(), () => view.buffer.transferToFixedLength(), () => view.buffer.transfer(1)]
          : []),
      ];
      moves.forEach((move, index) => {
        // Node 20's structuredClone and postMessage copy what is marked, without a word.
        const copies = index < 2 && process.versions.modules === '115';
        if (copies) move();
        else assert.throws(move, (error) => /TypeError|DataCloneError/.test(error.name), String(move));
        assert.equal(view.byteLength, length);
        assert.equal(native.peek_at(held.ptr, length - 1), 5);
      });
      held.release();
    }
  });

  test('a pinned buffer can be transferred again after the last of its pins was released', () => {
    const first = new Uint8Array(64).fill(6);
    const pins = [pin(first), pin(first.buffer), pin(first.subarray(8))];
    if (hasTransfer) {
      for (const held of pins) {
        assert.throws(() => first.buffer.transfer(), TypeError);
        held.release();
      }
      const moved = new Uint8Array(first.buffer.transfer());
      assert.equal(moved[63], 6);
      assert.equal(first.byteLength, 0);
    }
    // On Node 20 and 22 a mark is permanent: docs/memory.md.
    if (!locksInV8) return;
    const second = new Uint8Array(64).fill(8);
    pin(second).release();
    assert.equal(new Uint8Array(structuredClone(second.buffer, { transfer: [second.buffer] }))[63], 8);
    assert.equal(second.byteLength, 0);
  });

  describe('that is frozen, sealed or not extensible', () => {
    const ways = [Object.preventExtensions, Object.seal, Object.freeze];
    /** Node 22 and the first of 24 have transfer(), and no way to lock such a buffer against it. */
    const isRefused = hasTransfer && (!locksInV8 || transferAborts);
    const refusal = {
      code: 'ERR_INVALID_ARG_VALUE',
      message: /must be of an ArrayBuffer that takes new properties, received a frozen/,
    };

    test('a pinned buffer that is frozen, sealed or not extensible is locked, or refused by name', () => {
      for (const close of ways) {
        for (const size of [40, 5000]) {
          const view = new Uint8Array(size).fill(5);
          close(view.buffer);
          if (isRefused) {
            assert.throws(() => pin(view), { ...refusal, message: /^pin: view must be of/ });
            continue;
          }
          const held = pin(view);
          if (hasTransfer) assert.throws(() => view.buffer.transfer(), TypeError);
          assert.equal(native.peek_at(held.ptr, size - 1), 5);
          held.release();
          if (hasTransfer) assert.equal(view.buffer.transfer().byteLength, size);
        }
      }
    });

    test('a pinned buffer that is frozen, sealed or not extensible goes to an asynchronous call, or is refused by name; what was locked before is let go', async () => {
      const { copy_bytes: copy } = bind({ copy_bytes: { args: ['ptr', 'ptr', 'u64'] } });
      for (const close of ways) {
        const [to, from] = [new Uint8Array(64), new Uint8Array(64).fill(3)];
        close(from.buffer);
        if (isRefused) {
          await assert.rejects(copy.async(to, from, 64), { ...refusal, message: /^copy_bytes: each view must be of/ });
          assert.equal(Object.hasOwn(to.buffer, 'transfer'), false);
          assert.equal(to.buffer.transfer().byteLength, 64);
          continue;
        }
        await copy.async(to, from, 64);
        assert.equal(to[63], 3);
      }
    });

    test('memory of the package or of C is held by its pin whatever becomes of the buffer', () => {
      const memory = ffi.alloc(64);
      Object.freeze(memory.buffer);
      if (isRefused) assert.throws(() => pin(memory), refusal);
      else pin(memory).release();
    });
  });

  test('a pinned buffer has the methods of its own again when it was released', () => {
    for (const make of [() => new Uint8Array(64), () => ffi.alloc(64)]) {
      const view = make();
      const own = { value: () => 'mine', writable: false, enumerable: true, configurable: true };
      Object.defineProperty(view.buffer, 'transfer', own);
      const [first, second] = [pin(view), pin(view)];
      first.release();
      second.release();
      assert.deepEqual(Object.getOwnPropertyDescriptor(view.buffer, 'transfer'), own);
      assert.equal(Object.hasOwn(view.buffer, 'transferToFixedLength'), false);
      assert.equal(view.buffer.transfer(), 'mine');
    }
  });

  test('a pinned buffer keeps a method of its own that cannot be replaced', () => {
    const view = new Uint8Array(64);
    Object.defineProperty(view.buffer, 'transfer', { value: () => 'mine' });
    pin(view).release();
    assert.equal(view.buffer.transfer(), 'mine');
  });

  test(
    'a pinned buffer that is frozen while it is pinned can be transferred when it was released',
    { skip: onlyOn('transfer') },
    () => {
      for (const make of [() => new Uint8Array(64), () => ffi.alloc(64)]) {
        const view = make();
        const held = pin(view);
        Object.freeze(view.buffer);
        assert.throws(() => view.buffer.transfer(), TypeError);
        held.release();
        if (make().buffer.byteLength === 64) assert.equal(view.buffer.transfer().byteLength, 64);
      }
    },
  );

  test('a pinned buffer stays usable from JavaScript, and is found by a call that writes past its end', () => {
    const view = new Uint8Array(50);
    const held = pin(view);
    native.fill_at(held.ptr, 0, 9, 50);
    assert.ok(view.every((byte) => byte === 9));
    const error = throws(() => native.fill_at(held.ptr, 0, 9, 60), 'ERR_FFI_BUFFER_OVERFLOW');
    assert.deepEqual([error.byteLength, error.firstBadOffset, error.bytesPast], [50, 50, 10]);
    held.release();
  });

  test("a pinned buffer is locked where Node's own Buffers have no fences, and what Node or V8 detach themselves is left alone", async () => {
    const output = await runs(
      `
      const { Worker } = require('node:worker_threads');
      const { call_then_sum: sum } = h.bind({ call_then_sum: { args: ['function', 'ptr', 'u64'], returns: 'u64' } });
      const locks = Number(process.versions.modules) >= 137 && !${transferAborts};
      const move = (view) => {
        try { structuredClone(view.buffer, { transfer: [view.buffer] }); } catch {}
        return view.byteLength !== 0;
      };
      const view = new Uint8Array(64).fill(1);
      const held = [ffi.pin(view), ffi.pin(view.subarray(8))];
      const seen = [move(view)];
      held.forEach((pin) => pin.release());
      seen.push(!locks || !move(view));
      const handed = new Uint8Array(64).fill(1);
      const callback = new ffi.JSCallback(() => { seen.push(!locks || move(handed)); }, {});
      seen.push(sum(callback, locks ? handed : new Uint8Array(64).fill(1), 64) === 64n, !locks || !move(handed));
      // A key on these would end the process: when memory grows, and when a worker ends with a pin held.
      const memory = new WebAssembly.Memory({ initial: 1 });
      ffi.pin(new Uint8Array(memory.buffer, 0, 16));
      memory.grow(1);
      seen.push(memory.buffer.byteLength === 131072);
      new Worker(\`
        const { ffi } = require(\${JSON.stringify(${JSON.stringify(require.resolve('../helpers.js'))})});
        ffi.pin(ffi.alloc(64));
        const borrowed = ffi.alloc(64);
        ffi.pin(ffi.toBuffer(ffi.ptr(borrowed), 0, 64));
        ffi.pin(Buffer.from('pool'));
        ffi.pin(new Uint8Array(64));
        process.exit();\`, { eval: true }).on('exit', (code) => console.log(seen.every(Boolean), seen.length, code));
    `,
      { env: { PINNED_FFI_FENCE: 'off' } },
    );
    assert.equal(output, 'true 6 0');
  });
});
