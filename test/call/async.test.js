'use strict';
// Calls that do not block: nonblocking and .async. What is passed lives, and stays where it is, meanwhile.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { ffi, fixture, bind, bindOne, throws, runs, gc, collect, optimize, makeDetached } = require('../helpers.js');
const { transferAborts } = require('../../lib/native/runtime.js');
const { byScale } = require('../scale.js');

const { JSCallback, dlopen, linkSymbols, CFunction, ptr } = ffi;
const hasDetachKeys = Number(process.versions.modules) >= 137;
const timeout = 20_000;

const declarations = {
  add_i32: { args: ['i32', 'i32'], returns: 'i32' },
  add_i32_later: { args: ['i32', 'i32', 'u32'], returns: 'i32' },
  sum_bytes: { args: ['ptr', 'u64'], returns: 'u64' },
  sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
  fill_bytes_later: { args: ['ptr', 'u64', 'u8', 'u32'] },
  measure_cstring_later: { args: ['cstring', 'u32'], returns: 'i32' },
  skip_first_later: { args: ['cstring', 'u32'], returns: 'cstring' },
  identity_cstring: { args: ['cstring'], returns: 'cstring' },
  call_i32: { args: ['function', 'i32'], returns: 'i32' },
  call_i32_later: { args: ['function', 'i32', 'u32'], returns: 'i32' },
  call_void: { args: ['function'] },
  bump_thread: { returns: 'i32' },
  get_thread: { returns: 'u64' },
  flip_at: { args: ['ptr', 'i64', 'u64'] },
  sleep_ms: { args: ['u32'] },
  signal_and_wait: { args: ['ptr'], returns: 'bool' },
  get_text: { returns: 'cstring' },
  get_null: { returns: 'cstring' },
};
const symbols = bind(declarations);
const later = Object.fromEntries(Object.entries(symbols).map(([name, call]) => [name, call.async]));
const i32 = { args: ['i32'], returns: 'i32' };

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const open = () => dlopen(fixture, declarations);
const SLOW = 150;

describe('the two ways to call asynchronously', () => {
  test('nonblocking: true makes a function that returns a Promise', async () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32', { nonblocking: true });
    const promise = add(20, 22);
    assert.ok(promise instanceof Promise);
    assert.equal(await promise, 42);
  });

  test('every bound function has async, always the same one, of the same name and length', async () => {
    const linked = linkSymbols({ plus: { ptr: symbols.add_i32.ptr, ...declarations.add_i32 } });
    const single = CFunction({ ptr: symbols.add_i32.ptr, ...declarations.add_i32 });
    const nonblocking = bindOne('add_i32', ['i32', 'i32'], 'i32', { nonblocking: true });
    for (const call of [symbols.add_i32, linked.symbols.plus, single, nonblocking]) {
      assert.equal(call.async, call.async);
      assert.equal(call.async.name, call.name);
      assert.equal(call.async.length, 2);
      assert.equal(await call.async(20, 22), 42);
    }
    linked.close();
    single.close();
  });

  test('the call runs on another thread, and the event loop goes on', async () => {
    let ticks = 0;
    const timer = setInterval(() => ticks++, 5);
    const flag = new Int32Array(new SharedArrayBuffer(4));
    const call = later.signal_and_wait(flag);
    const end = Date.now() + timeout;
    while (ticks <= 5 && Date.now() < end) await wait(5);
    assert.ok(ticks > 5, `${ticks} ticks`);
    assert.equal(Atomics.load(flag, 0), 1);
    Atomics.store(flag, 0, 2);
    assert.equal(await call, true);
    clearInterval(timer);
    assert.notEqual(await later.get_thread(), symbols.get_thread());
  });

  test('the call goes out at once, and settles never before the current code has ended', async () => {
    const started = new Int32Array(new SharedArrayBuffer(4));
    let settled = false;
    const signal = bindOne('signal_and_sleep_ms', ['ptr', 'u32'], 'void', { nonblocking: true });
    const promise = signal(started, 0).then(() => (settled = true));
    const end = Date.now() + timeout;
    while (Atomics.load(started, 0) === 0) assert.ok(Date.now() < end, 'the call did not start');
    assert.equal(settled, false);
    await promise;
  });

  for (const [type, value] of [
    ['i8', -128],
    ['u16', 65535],
    ['i32', -(2 ** 31)],
    ['u64', 2n ** 64n - 1n],
    ['i64', -(2n ** 63n)],
    ['f32', -0.5],
    ['f64', 1.5e300],
    ['bool', true],
    ['ptr', 4096],
    ['cstring', 'grüß € 🎉'],
  ]) {
    test(`${type} goes in and comes out`, async () => {
      assert.equal(await bindOne(`identity_${type}`, [type], type).async(value), value);
    });
  }

  test('void resolves to undefined, NULL to null', async () => {
    assert.equal(await later.sleep_ms(0), undefined);
    assert.equal(await later.get_null(), null);
    assert.equal(await later.get_text(), 'plain text');
  });

  for (const size of ['2', '6']) {
    test(`UV_THREADPOOL_SIZE=${size} is how many calls run at once`, async () => {
      const stdout = await runs(
        `
        const s = h.bind({ run_until_release: { nonblocking: true }, get_running: { returns: 'i32' }, release_running: {} });
        const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
        const calls = Array.from({ length: 12 }, () => s.run_until_release());
        (async () => {
          while (s.get_running() < ${size}) await wait(1);
          // Another call would start now, if it could.
          await wait(30);
          console.log(s.get_running());
          s.release_running();
          await Promise.all(calls);
        })();
      `,
        { env: { UV_THREADPOOL_SIZE: size }, timeout },
      );
      assert.equal(stdout, size);
    });
  }
});

describe('many calls at once', () => {
  const { AsyncLocalStorage } = require('node:async_hooks');

  test('many calls all go out although JavaScript stands still, and those that wait do not hold up the others', async () => {
    const flags = Array.from({ length: 20 }, () => new Int32Array(new SharedArrayBuffer(4)));
    const promises = flags.map((flag) => later.signal_and_wait(flag));
    const end = Date.now() + timeout;
    // The first three wait until the last has come to its end.
    for (const flag of [...flags.slice(3), ...flags.slice(0, 3)]) {
      while (Atomics.load(flag, 0) === 0) assert.ok(Date.now() < end, 'a call has not started');
      Atomics.store(flag, 0, 2);
    }
    assert.deepEqual(new Set(await Promise.all(promises)), new Set([true]));
  });

  test('each of many calls settles when it is done, not when those after it are', () =>
    runs(
      `const { sleep_ms, signal_and_wait } = h.bind({ sleep_ms: { args: ['u32'], nonblocking: true },
        signal_and_wait: { args: ['ptr'], returns: 'bool', nonblocking: true } });
      const flag = new Int32Array(new SharedArrayBuffer(4));
      const order = [];
      for (const [name, ms] of [['first', 0], ['second', 20]]) sleep_ms(ms).then(() => {
        order.push(name);
        if (order.length < 2) return;
        // The last call says that it runs before it waits.
        while (Atomics.load(flag, 0) !== 1) Atomics.wait(flag, 0, Atomics.load(flag, 0), 1);
        Atomics.store(flag, 0, 2);
      });
      signal_and_wait(flag).then((isReleased) => order.push(isReleased));
      process.on('exit', () => { if (order.join() !== 'first,second,true') process.exit(5); });`,
      { env: { UV_THREADPOOL_SIZE: '1' }, timeout },
    ));

  test('many calls at once leave the threads of the pool to others', () =>
    runs(
      `const { sleep_ms } = h.bind({ sleep_ms: { args: ['u32'], nonblocking: true } });
      let done = 0;
      const all = Promise.all(Array.from({ length: 100 }, () => sleep_ms(5).then(() => done++)));
      require('node:fs').stat('.', () => { if (done > 50) process.exit(4); });
      all.then(() => { if (done !== 100) process.exit(5); });`,
      { env: { UV_THREADPOOL_SIZE: '1' }, timeout },
    ));

  test('each of many calls gives its own result, in every order of their ends', async () => {
    const results = Array.from({ length: 300 }, (_, i) =>
      i % 3 === 0
        ? later.add_i32_later(i, 1, i % 7)
        : i % 3 === 1
          ? later.add_i32(i, 1)
          : later.identity_cstring(`text ${i}`),
    );
    (await Promise.all(results)).forEach((result, i) => assert.equal(result, i % 3 === 2 ? `text ${i}` : i + 1));
  });

  test('a thousand after each other and a thousand at once make no difference to what they give', async () => {
    let sum = 0;
    for (let i = 0; i < 1000; i++) sum += await later.add_i32(i, 0);
    const all = await Promise.all(Array.from({ length: 1000 }, (_, i) => later.add_i32(i, 0)));
    assert.deepEqual([sum, all.reduce((a, b) => a + b)], [499500, 499500]);
  });

  test('the code after an await runs in the asynchronous context of the code that awaits', async () => {
    const storage = new AsyncLocalStorage();
    const seen = await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        storage.run(i, async () => {
          await later.add_i32(i, 1);
          const first = storage.getStore();
          await later.add_i32_later(i, 1, 1);
          return [first, storage.getStore()];
        }),
      ),
    );
    assert.deepEqual(
      seen,
      Array.from({ length: 50 }, (_, i) => [i, i]),
    );
  });

  test('a result whose `then` calls and waits does not mix them up', async () => {
    const { symbols: points } = dlopen(fixture, declarations);
    const many = Array.from({ length: 20 }, (_, i) =>
      points.add_i32.async(i, 0).then((value) => ({
        then(resolve) {
          resolve(points.add_i32(value, 100));
        },
      })),
    );
    assert.deepEqual(
      await Promise.all(many),
      Array.from({ length: 20 }, (_, i) => i + 100),
    );
  });

  test('a process ends when its calls have settled, and not before', async () => {
    const stdout = await runs(
      `const { add_i32 } = h.bind({ add_i32: { args: ['i32', 'i32'], returns: 'i32', nonblocking: true } });
      let before = 0;
      process.on('beforeExit', () => { if (before++ < 3) add_i32(before, 1).then((sum) => console.log(sum)); });
      add_i32(40, 2).then(console.log);`,
      { timeout },
    );
    assert.equal(stdout, '42\n2\n3\n4');
  });
});

describe('what is wrong rejects the Promise', () => {
  test('a wrong argument rejects the Promise with the error that the synchronous call throws', async () => {
    for (const args of [[1], [1, 2, 3], ['x', 1], [2 ** 31, 1], [1.5, 1], [undefined, 1]]) {
      let thrown;
      try {
        symbols.add_i32(...args);
      } catch (error) {
        thrown = error;
      }
      await assert.rejects(later.add_i32(...args), (error) => {
        assert.deepEqual(
          [error.code, error.message, error.constructor],
          [thrown.code, thrown.message, thrown.constructor],
        );
        return true;
      });
    }
  });

  test('a detached, resizable or shared and growable buffer rejects the Promise', async () => {
    const name = /^sum_bytes: argument 0/;
    await assert.rejects(later.sum_bytes(makeDetached(), 0), { code: 'ERR_INVALID_ARG_VALUE', message: name });
    const resizable = new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }));
    await assert.rejects(later.sum_bytes(resizable, 8), { code: 'ERR_INVALID_ARG_VALUE', message: name });
    const growable = new Uint8Array(new SharedArrayBuffer(8, { maxByteLength: 16 }));
    await assert.rejects(later.sum_bytes(growable, 8), { code: 'ERR_INVALID_ARG_VALUE', message: name });
  });

  test('an argument whose conversion throws rejects the Promise, and nothing stays locked', async () => {
    const boom = new Error('getter');
    const view = new Uint8Array(8);
    const bad = {
      get ptr() {
        throw boom;
      },
    };
    const two = bindOne('same_ptr', ['ptr', 'ptr'], 'bool', { nonblocking: true });
    await assert.rejects(two(view, bad), (error) => error === boom);
    assert.equal(structuredClone(view.buffer, { transfer: [view.buffer] }).byteLength, 8);
  });

  test('a buffer that is refused leaves the others of its call unlocked', async () => {
    const view = new Uint8Array(8);
    const two = bindOne('same_ptr', ['ptr', 'ptr'], 'bool', { nonblocking: true });
    await assert.rejects(two(view, makeDetached()), { code: 'ERR_INVALID_ARG_VALUE' });
    if (view.buffer.transfer !== undefined) assert.equal(view.buffer.transfer().byteLength, 8);
    assert.equal(Object.getOwnPropertyNames(view.buffer).length, 0);
  });

  test('a call of a closed library rejects the Promise', async () => {
    const library = open();
    const { async } = library.symbols.add_i32;
    library.close();
    for (const call of [async, library.symbols.add_i32.async]) {
      await assert.rejects(call(1, 2), { code: 'ERR_FFI_LIBRARY_CLOSED', message: /^add_i32: / });
    }
  });

  test('a closed callback rejects the Promise', async () => {
    const callback = new JSCallback((value) => value, i32);
    callback.close();
    await assert.rejects(later.call_i32(callback, 1), {
      code: 'ERR_FFI_CALLBACK_CLOSED',
      message: /^call_i32: argument 0/,
    });
  });

  test('a wrong argument is an unhandled rejection where nobody listens', async () => {
    await runs("h.bindOne('add_i32', ['i32', 'i32'], 'i32', { nonblocking: true })('x', 1);", { exit: 1, timeout });
  });
});

describe('memory during a call', () => {
  test('a buffer that is dropped and collected meanwhile is read whole', async () => {
    const start = () => later.sum_bytes_later(new Uint8Array(1000).fill(3), 1000, SLOW);
    const promises = Array.from({ length: 4 }, start);
    while ((await Promise.race([Promise.all(promises), wait(20)])) === undefined) {
      collect();
      Array.from({ length: 50 }, () => new Uint8Array(1000).fill(255));
    }
    assert.deepEqual(await Promise.all(promises), Array(4).fill(3000n));
  });

  test('a buffer that is dropped and collected during a call is read whole in a caller that V8 has optimised', async () => {
    const sum = later.sum_bytes_later;
    let milliseconds = 0;
    const start = () => {
      const view = new Uint8Array(2000).fill(1);
      return sum(view, 2000, milliseconds);
    };
    optimize(start);
    milliseconds = SLOW;
    const promise = start();
    for (let i = 0; i < 10; i++) {
      collect();
      Array.from({ length: 50 }, () => new Uint8Array(2000).fill(255));
      await wait(10);
    }
    assert.equal(await promise, 2000n);
  });

  // Node 22 has no lock against the function of the prototype: there the quarantine holds the memory until C is done.
  test('a buffer that is moved away by the function of its prototype, and collected, is read whole', async () => {
    const moves = (buffer) => {
      try {
        // Some releases of V8 end the process where that function meets a lock.
        if (transferAborts) buffer.transfer();
        else ArrayBuffer.prototype.transfer?.call(buffer);
      } catch (error) {
        assert.ok(error instanceof TypeError, error);
      }
    };
    const start = (size) => {
      const view = new Uint8Array(size).fill(1);
      const promise = later.sum_bytes_later(view, size, SLOW);
      moves(view.buffer);
      return promise;
    };
    const promises = [2000, 1_000_000].map(start);
    for (let i = 0; i < 10; i++) {
      collect();
      for (const size of [2000, 1_000_000]) new Uint8Array(size).fill(255);
      await wait(10);
    }
    assert.deepEqual(await Promise.all(promises), [2000n, 1_000_000n]);
  });

  test('a slice of the pool, a small array and a DataView that are dropped are read whole as well', async () => {
    const makers = [
      () => Buffer.from([1, 2, 3, 4]),
      () => new Uint8Array([1, 2, 3, 4]),
      () => new DataView(new Uint8Array([9, 1, 2, 3, 4]).buffer, 1),
      () => new Uint8Array([1, 2, 3, 4]).buffer,
      () =>
        ffi
          .alloc(4)
          .fill(2.5)
          .map((_, i) => i + 1),
    ];
    const promises = makers.map((make) => later.sum_bytes_later(make(), 4, 100));
    for (let i = 0; i < 5; i++) {
      collect();
      Array.from({ length: 1000 }, () => Buffer.from([255, 255, 255, 255]));
      await wait(10);
    }
    assert.deepEqual(
      await Promise.all(promises),
      makers.map(() => 10n),
    );
  });

  test('a text that is dropped and collected meanwhile is read whole', async () => {
    const promise = later.measure_cstring_later('€'.repeat(1000), SLOW);
    for (let i = 0; i < 10; i++) {
      collect();
      symbols.identity_cstring('other text');
      await wait(10);
    }
    assert.equal(await promise, 3000);
  });

  test('a text that points into its own argument comes out', async () => {
    const promises = Array.from({ length: 20 }, (_, i) => later.skip_first_later(`a text of ${i}`, i));
    collect();
    assert.deepEqual(
      await Promise.all(promises),
      promises.map((_, i) => ` text of ${i}`),
    );
  });

  test('numbers and pointers are those at the time of the call', async () => {
    const view = new Uint8Array(100).fill(1);
    const address = { ptr: ptr(view) };
    const promise = later.sum_bytes_later(address, 100, 50);
    address.ptr = 4096;
    assert.equal(await promise, 100n);
    assert.equal(view.length, 100);
  });

  test('the same bytes are seen on both sides: what C writes is there when the call settles', async () => {
    const view = new Uint8Array(5000);
    const promise = later.fill_bytes_later(view, 5000, 7, 50);
    assert.equal(view[0], 0);
    view[0] = 1;
    await promise;
    assert.ok(view.every((value) => value === 7));
  });

  test('a buffer can neither be transferred nor moved meanwhile, and both afterwards', async () => {
    const { buffer } = new Uint8Array(1000).fill(2);
    const promises = [1, 2].map((i) => later.sum_bytes_later(new Uint8Array(buffer), 1000, i * 100));
    const refuses = () => {
      let clone = null;
      try {
        clone = structuredClone(buffer, { transfer: [buffer] });
      } catch (error) {
        assert.match(error.name, /DataCloneError|TypeError|Error/);
      }
      // Node 20 copies what may not be transferred.
      assert.ok(clone === null || clone.byteLength === 1000);
      if (buffer.transfer !== undefined) {
        assert.throws(() => buffer.transfer(), TypeError);
        assert.throws(() => buffer.transferToFixedLength(), TypeError);
      }
      assert.equal(buffer.byteLength, 1000);
    };
    refuses();
    await promises[0];
    refuses();
    assert.deepEqual(await Promise.all(promises), [2000n, 2000n]);
    if (buffer.transfer !== undefined) assert.equal(buffer.transfer().byteLength, 1000);
    else if (hasDetachKeys) assert.fail('this Node has no transfer()');
  });

  test('a fence that the call breaks rejects it, with the sizes and a repaired fence', async () => {
    const thread = open().thread();
    for (const flip of [later.flip_at, thread.symbols.flip_at]) {
      for (const [view, code, from, firstBadOffset] of [
        [Buffer.alloc(96), 'ERR_FFI_BUFFER_OVERFLOW', 0n, 96],
        [ffi.alloc(96), 'ERR_FFI_BUFFER_OVERFLOW', 0n, 96],
        [Buffer.alloc(96), 'ERR_FFI_BUFFER_UNDERFLOW', -8n, -1],
      ]) {
        const count = firstBadOffset < 0 ? 8n : 112n;
        await assert.rejects(flip(view, from, count), (error) => {
          assert.deepEqual(
            [error.code, error.symbol, error.argument, error.byteLength, error.firstBadOffset],
            [code, 'flip_at', 0, 96, firstBadOffset],
          );
          assert.ok(error instanceof RangeError);
          return true;
        });
        await later.sum_bytes(view, 96n);
      }
    }
    thread.close();
    assert.equal(ffi.checkFences(), 0);
  });
});

describe('many calls', () => {
  test('a thousand in flight all settle, in bounded memory, while the event loop lives', async () => {
    const round = async () => {
      let ticks = 0;
      const flag = new Int32Array(new SharedArrayBuffer(4));
      // One of the calls ends when the event loop has turned some times.
      const held = later.signal_and_wait(flag);
      const timer = setInterval(() => {
        if (++ticks > 10) Atomics.store(flag, 0, 2);
      }, 1);
      const calls = Array.from({ length: 1000 }, (_, i) =>
        later.sum_bytes_later(new Uint8Array(1000).fill(i % 256), 1000, 1),
      );
      const sums = await Promise.all(calls);
      assert.equal(await held, true);
      clearInterval(timer);
      assert.deepEqual(
        sums,
        sums.map((_, i) => BigInt((i % 256) * 1000)),
      );
    };
    await round();
    await gc();
    const before = process.memoryUsage.rss();
    for (let i = 0; i < byScale(2, 4); i++) await round();
    await gc();
    const grown = process.memoryUsage.rss() - before;
    assert.ok(grown < 48 * 2 ** 20, `grew by ${grown} bytes`);
  });

  test('thousands whose Promises nobody keeps do their work, and their memory goes', async () => {
    const count = bindOne('count_start');
    const started = bindOne('get_started', [], 'i32');
    const before = started();
    let peak = 0;
    const rounds = byScale(5, 10);
    for (let i = 0; i < rounds; i++) {
      for (let j = 0; j < 1000; j++) count.async();
      await gc();
      peak = Math.max(peak, started() - before);
    }
    const end = Date.now() + timeout;
    while (started() - before < 1000 * rounds) {
      assert.ok(Date.now() < end, `${started() - before} of ${1000 * rounds} ran`);
      await wait(5);
    }
    assert.ok(peak > 0);
  });

  test('callbacks of a thousand calls all run, each with its own value', async () => {
    const callback = new JSCallback((value) => value * 2, i32);
    const results = await Promise.all(Array.from({ length: 1000 }, (_, i) => later.call_i32(callback, i)));
    assert.deepEqual(
      results,
      results.map((_, i) => i * 2),
    );
    callback.close();
  });
});

describe('callbacks of asynchronous calls', () => {
  test('callbacks of asynchronous calls run on the JavaScript thread, in the same realm, between other work', async () => {
    const seen = [];
    const callback = new JSCallback((value) => (seen.push([symbols.get_thread(), value]), 1), i32);
    await later.call_i32(callback, 5);
    assert.deepEqual(seen, [[symbols.get_thread(), 5]]);
    callback.close();
  });

  test('callbacks of asynchronous calls may call functions, synchronous and not, with callbacks of their own', async () => {
    const inner = new JSCallback((value) => value + 1, i32);
    const outer = new JSCallback(async (value) => symbols.call_i32(inner, await later.call_i32(inner, value)), i32);
    assert.equal(await later.call_i32(outer, 40), 42);
    inner.close();
    outer.close();
  });

  test('callbacks that JavaScript has dropped are held as long as they are open', async () => {
    const start = () => later.call_i32_later(new JSCallback((value) => value + 1, i32), 41, 100);
    const promise = start();
    await gc();
    assert.equal(await promise, 42);
  });

  test('callbacks of asynchronous calls may close the library, which is unloaded once the call is done', async () => {
    const library = open();
    let closing;
    const callback = new JSCallback((value) => {
      library.close();
      closing = library.closed;
      throws(() => library.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
      return value + 1;
    }, i32);
    assert.equal(await library.symbols.call_i32.async(callback, 41), 42);
    assert.equal(await closing, undefined);
    callback.close();
  });

  test('callbacks of asynchronous calls keep an exception apart from a broken fence: it is the cause', async () => {
    const view = Buffer.alloc(96);
    const boom = new Error('boom');
    const callback = new JSCallback(() => {
      throw boom;
    }, {});
    const call = bindOne('flip_then_call', ['ptr', 'i64', 'u64', 'function'], 'void', { nonblocking: true });
    await assert.rejects(
      call(view, 96n, 4n, callback),
      (error) => error.code === 'ERR_FFI_BUFFER_OVERFLOW' && error.cause === boom,
    );
    callback.close();
  });

  test('callbacks of asynchronous calls get their errors surfaced in async/await with the stack of the callback', async () => {
    const callback = new JSCallback(function thrower() {
      throw new Error('where');
    }, i32);
    await assert.rejects(later.call_i32(callback, 1), (error) => /thrower/.test(error.stack));
    callback.close();
  });
});
