'use strict';
// Callbacks that native threads call: real pthreads, pools, libc's qsort_r, sqlite. What might hang runs in a child.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, bind, bindOne, throws, run, runs, gc, makeFolder } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const { JSCallback, dlopen, read, ptr } = ffi;
const i32 = { args: ['i32'], returns: 'i32' };
const hasDetachKeys = Number(process.versions.modules) >= 137;
const { transferAborts } = require('../../lib/native/runtime.js');
/** A child that hangs is ended after this time; loaded machines are slow. */
const timeout = 20_000;

const join = { args: ['function', 'i32', 'i32'], returns: 'i64' };
const onThread = bind({
  join_threads_i32: { ...join, threads: true },
  join_threads_void: { ...join, threads: true },
  join_threads_and_call_i32: { ...join, threads: true },
  map_threads_i32: { args: ['ptr', 'i32', 'function', 'i32'], threads: true },
  call_on_thread_i32: { args: ['function', 'i32'], returns: 'i32', threads: true },
  call_mixed_on_thread: { args: ['function'], returns: 'u64', threads: true },
  call_with_text_on_thread: { args: ['function'], returns: 'i32', threads: true },
  call_when_thread_ends: { args: ['function', 'i32', 'bool'], returns: 'i32', threads: true },
});
const nonblocking = bind({
  join_threads_i32: { ...join, nonblocking: true },
  join_threads_void: { ...join, nonblocking: true },
  call_on_thread_i32: { args: ['function', 'i32'], returns: 'i32', nonblocking: true },
});
const plain = bind({
  join_threads_i32: join,
  join_threads_void: join,
  hand_text_and_free: { args: ['function'] },
  call_i32: { args: ['function', 'i32'], returns: 'i32' },
  start_ticker: { args: ['function', 'u32', 'i32'], returns: 'i32' },
  stop_ticker: { args: ['i32'] },
  is_ticker_over: { args: ['i32'], returns: 'bool' },
  count_ticks: { args: ['i32'], returns: 'i64' },
});

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Waits until something is so; fails after some seconds. */
async function until(done, what) {
  const end = Date.now() + timeout;
  while (!done()) {
    assert.ok(Date.now() < end, `waited in vain for ${what}`);
    await wait(2);
  }
}

/** A callback that notes what it is called with: every value once, those of one thread in their order. */
function makeRecorder(threads, times, options = {}) {
  const seen = new Uint8Array(threads * times);
  const last = new Int32Array(threads).fill(-1);
  let disorder = 0;
  let calls = 0;
  const callback = new JSCallback(
    (value) => {
      calls++;
      seen[value]++;
      const thread = Math.floor(value / times);
      if (value <= last[thread]) disorder++;
      last[thread] = value;
      return value;
    },
    { ...i32, ...options },
  );
  const check = () => {
    assert.equal(calls, threads * times);
    assert.ok(
      seen.every((count) => count === 1),
      'a call was lost or came twice',
    );
    assert.equal(disorder, 0, 'the calls of one thread came out of order');
    callback.close();
  };
  return { callback, check, count: () => calls };
}

const sumTo = (count) => (BigInt(count) * BigInt(count - 1)) / 2n;

describe('threads that call back', () => {
  for (const [threads, times] of [
    [1, byScale(2000, 10_000)],
    [4, byScale(2000, 10_000)],
    [64, byScale(200, 10_000)],
  ]) {
    const title = `${threads} thread${threads > 1 ? 's' : ''} calling ${times} times each`;

    test(`${title} get every result while a call with threads: true waits for them`, () => {
      const { callback, check } = makeRecorder(threads, times);
      assert.equal(onThread.join_threads_i32(callback, threads, times), sumTo(threads * times));
      check();
    });

    test(`${title} do not wait with threadsafe: true, and every call arrives`, async () => {
      const { callback, check, count } = makeRecorder(threads, times, { threadsafe: true, returns: 'void' });
      assert.equal(plain.join_threads_void(callback, threads, times), BigInt(threads * times));
      assert.equal(count(), 0);
      await until(() => count() === threads * times, 'all calls');
      check();
    });

    test(`${title} get every result while a nonblocking call waits for them, and timers run`, async () => {
      const { callback, check } = makeRecorder(threads, times);
      let ticks = 0;
      const timer = setInterval(() => ticks++, 1);
      const sum = await nonblocking.join_threads_i32(callback, threads, times);
      clearInterval(timer);
      assert.equal(sum, sumTo(threads * times));
      assert.ok(ticks > 0);
      check();
    });

    test(`${title} call a void callback while a call with threads: true waits for them`, () => {
      const { callback, check } = makeRecorder(threads, times, { returns: 'void' });
      assert.equal(onThread.join_threads_void(callback, threads, times), BigInt(threads * times));
      check();
    });
  }

  for (const [threads, times] of [
    [1, byScale(2000, 10_000)],
    [4, byScale(2000, 10_000)],
    [64, byScale(200, 1000)],
  ]) {
    test(`${threads} thread${threads > 1 ? 's' : ''} calling ${times} times each call a void callback asynchronously`, async () => {
      const { callback, check } = makeRecorder(threads, times, { returns: 'void' });
      assert.equal(await nonblocking.join_threads_void(callback, threads, times), BigInt(threads * times));
      check();
    });
  }

  test('a threadsafe callback with a result gives C zero at once', async () => {
    const { callback, check, count } = makeRecorder(4, 100, { threadsafe: true });
    assert.equal(callback.threadsafe, true);
    assert.equal(plain.join_threads_i32(callback, 4, 100), 0n);
    assert.equal(count(), 0);
    await until(() => count() === 400, 'all calls');
    check();
  });

  test('a threadsafe callback on the JavaScript thread is an ordinary one', () => {
    const callback = new JSCallback((value) => value + 1, { ...i32, threadsafe: true });
    assert.equal(plain.call_i32(callback, 41), 42);
    callback.close();
  });

  test('one call may come back on its own thread and on others', () => {
    const seen = [];
    const callback = new JSCallback((value) => (seen.push(value), value), i32);
    assert.equal(onThread.join_threads_and_call_i32(callback, 2, 3), 13n);
    assert.deepEqual([seen[0], seen.at(-1), seen.length], [-1, -1, 8]);
    callback.close();
  });

  test('a map over 4 threads changes an array in place', () => {
    const values = Int32Array.from({ length: 10_000 }, (_, i) => i);
    const callback = new JSCallback((value) => value * 2, i32);
    onThread.map_threads_i32(values, values.length, callback, 4);
    callback.close();
    assert.ok(values.every((value, i) => value === i * 2));
  });

  test('a callback may call the function that waits for it, fifty levels deep', () => {
    const callback = new JSCallback(
      (depth) => (depth === 0 ? 0 : onThread.call_on_thread_i32(callback, depth - 1) + 1),
      i32,
    );
    assert.equal(onThread.call_on_thread_i32(callback, 50), 50);
    callback.close();
  });

  test('callbacks of 64 threads may each wait for threads of their own', () => {
    const leaf = new JSCallback(() => 1, i32);
    const callback = new JSCallback(() => Number(onThread.join_threads_i32(leaf, 2, 3)), i32);
    assert.equal(onThread.join_threads_i32(callback, 64, 5), BigInt(64 * 5 * 6));
    callback.close();
    leaf.close();
  });

  test('nesting without an end is a RangeError, and the function works afterwards', () => {
    const callback = new JSCallback(
      (value) => (value < 0 ? onThread.call_on_thread_i32(callback, value - 1) : value),
      i32,
    );
    assert.throws(() => onThread.call_on_thread_i32(callback, -1), RangeError);
    assert.equal(onThread.call_on_thread_i32(callback, 7), 7);
    callback.close();
  });

  test('a callback is reached from the destructor of a thread that ends', () => {
    const callback = new JSCallback((value) => value + 1, i32);
    assert.equal(onThread.call_when_thread_ends(callback, 41, true), 42);
    assert.equal(onThread.call_when_thread_ends(callback, 41, false), 42);
    callback.close();
  });

  test('timers and I/O go on while threads that never rest call', async () => {
    const callback = new JSCallback(() => 1, i32);
    const numbers = Array.from({ length: 64 }, () => plain.start_ticker(callback, 0, 0));
    try {
      let ticks = 0;
      const timer = setInterval(() => ticks++, 5);
      await until(() => ticks > 5, 'timers');
      await fs.promises.readFile(__filename);
      await until(() => numbers.every((number) => plain.count_ticks(number) > 10n), 'calls of every thread');
      const before = ticks;
      await until(() => ticks > before, 'timers after many calls');
      clearInterval(timer);
    } finally {
      for (const number of numbers) plain.stop_ticker(number);
      await until(() => numbers.every((number) => plain.is_ticker_over(number)), 'the threads to stop');
      callback.close();
    }
  });

  test('work that JavaScript has queued is not delayed by many calls', async () => {
    const callback = new JSCallback((value) => value, i32);
    const times = [];
    // On a busy machine a turn may be late for other reasons, but not each of them.
    while (times.length < 5) {
      const start = performance.now();
      onThread.join_threads_i32(callback, 4, byScale(1000, 5000));
      const end = performance.now();
      await wait(1);
      times.push(`the calls took ${end - start} ms, the next turn ${performance.now() - end} ms`);
      if (performance.now() - end < end - start) break;
    }
    callback.close();
    assert.ok(times.length < 5, times.join('\n'));
  });
});

describe('values on foreign threads', () => {
  const values = {
    i8: [-128, 127],
    u16: [0, 65535],
    i32: [-(2 ** 31), 2 ** 31 - 1],
    u64: [0n, 2n ** 64n - 1n],
    f32: [-0.5, Infinity],
    f64: [-1.5e300, NaN],
    bool: [true, false],
    ptr: [null, 4096, 2n ** 64n - 1n],
    cstring: [null, '', 'grüß € 🎉'],
  };
  for (const [type, list] of Object.entries(values)) {
    test(`${type} goes into a callback and comes back`, async () => {
      const declaration = { args: ['function', type], returns: type };
      const sync = bindOne(`call_on_thread_${type}`, declaration.args, type, { threads: true });
      const async = bindOne(`call_on_thread_${type}`, declaration.args, type, { nonblocking: true });
      for (const value of list) {
        const seen = [];
        const callback = new JSCallback((received) => (seen.push(received), received), { args: [type], returns: type });
        assert.ok(Object.is(sync(callback, value), value));
        assert.ok(Object.is(await async(callback, value), value));
        assert.deepEqual(seen, [value, value]);
        callback.close();
      }
    });
  }

  test('ten arguments arrive exactly, those on the stack too', () => {
    let seen;
    const args = ['i32', 'f64', 'u8', 'f32', 'i64', 'i16', 'ptr', 'bool', 'u64', 'i8'];
    const callback = new JSCallback((...all) => ((seen = all), 2n ** 64n - 1n), { args, returns: 'u64' });
    assert.equal(onThread.call_mixed_on_thread(callback), 2n ** 64n - 1n);
    const most = 2n ** 64n - 1n;
    assert.deepEqual(seen, [-(2 ** 31), -1.5e300, 255, 0.5, -(2n ** 63n), -32768, 4096, true, most, -128]);
    callback.close();
  });

  test('a text on the stack of a thread is there while the thread waits', () => {
    let seen;
    const callback = new JSCallback((text) => ((seen = text), text.length), { args: ['cstring'], returns: 'i32' });
    assert.equal(onThread.call_with_text_on_thread(callback), 24);
    assert.equal(seen, 'on the stack of a thread');
    callback.close();
  });

  test('a text for a threadsafe callback is copied before C goes on and frees it', async () => {
    const seen = [];
    const callback = new JSCallback((text) => void seen.push(text), { args: ['cstring'], threadsafe: true });
    for (let i = 0; i < 5; i++) plain.hand_text_and_free(callback);
    await until(() => seen.length === 5, 'five calls');
    callback.close();
    assert.deepEqual(seen, Array(5).fill('a text that is freed at once'));
  });
});

describe('memory during calls with threads', () => {
  test('a callback may write the neighbours of a pooled argument', () => {
    Buffer.poolSize ||= 8192; // PINNED_FFI_GUARD=1 turns the pool off.
    const [values, neighbour] = [Buffer.from('12345678'), Buffer.from('next')];
    assert.equal(values.buffer, neighbour.buffer);
    const callback = new JSCallback((value) => (neighbour.write('NEXT'), value), i32);
    onThread.map_threads_i32(values, 2, callback, 1);
    callback.close();
    assert.equal(neighbour.toString(), 'NEXT');
    assert.equal(values.toString(), '12345678');
  });

  test('a callback cannot take away the buffer that native threads write', async () => {
    const values = new Int32Array(10_000).fill(7);
    let refused = 0;
    let moved = null;
    const callback = new JSCallback((value) => {
      try {
        moved ??= structuredClone(values.buffer, { transfer: [values.buffer] });
      } catch {
        refused++;
      }
      return value;
    }, i32);
    onThread.map_threads_i32(values, values.length, callback, 4);
    callback.close();
    // Node 24 before 24.15 ends the process where transfer() meets a detach key: there the storage is held.
    if (hasDetachKeys && !transferAborts) assert.equal(refused, 10_000);
    const result = moved === null ? values : new Int32Array(moved);
    assert.equal(result.length, 10_000);
    assert.ok(result.every((value) => value === 7));
    await gc();
    assert.equal(ffi.checkFences(), 0);
  });

  test('an overflow by native threads is found when the call returns', () => {
    const values = new Int32Array(100);
    const callback = new JSCallback(() => -1, i32);
    const error = throws(
      () => onThread.map_threads_i32(values, 104, callback, 4),
      'ERR_FFI_BUFFER_OVERFLOW',
      /^map_threads_i32: native code wrote 16 bytes past the end of argument 0/,
    );
    assert.equal(error.firstBadOffset, 400);
    callback.close();
  });
});

describe('exceptions on foreign threads', () => {
  test('exceptions on foreign threads surface from a call with threads: true, and C gets zero for them', () => {
    const callback = new JSCallback((value) => {
      if (value % 2 === 0) throw new Error(`even ${value}`);
      return value;
    }, i32);
    assert.throws(() => onThread.join_threads_i32(callback, 1, 4), /^Error: even 0$/);
    const values = new Int32Array([2, 3, 2, 3]);
    assert.throws(() => onThread.map_threads_i32(values, 4, callback, 4), /^Error: even 2$/);
    for (const [i, value] of values.entries())
      assert.ok(value === 0 || value === [2, 3][i % 2], `value ${i} is ${value}`);
    assert.equal(values[0] + values[2], 0);
    callback.close();
  });

  test("exceptions on an asynchronous call's own thread reject it", async () => {
    const boom = new Error('boom');
    const callback = new JSCallback(() => {
      throw boom;
    }, i32);
    await assert.rejects(plain.call_i32.async(callback, 1), (error) => error === boom);
    callback.close();
  });

  test('exceptions of two asynchronous calls at once reject each its own', async () => {
    const callback = new JSCallback((value) => {
      throw new Error(`of ${value}`);
    }, i32);
    const calls = Array.from({ length: 20 }, (_, i) => plain.call_i32.async(callback, i));
    const results = await Promise.allSettled(calls);
    assert.deepEqual(
      results.map(({ reason }) => reason.message),
      results.map((_, i) => `of ${i}`),
    );
    callback.close();
  });

  test('a result of the wrong kind rejects as an exception does', async () => {
    const callback = new JSCallback(() => 'text', i32);
    await assert.rejects(plain.call_i32.async(callback, 1), {
      code: 'ERR_INVALID_ARG_TYPE',
      message: /^JSCallback: return value/,
    });
    throws(() => onThread.call_on_thread_i32(callback, 1), 'ERR_INVALID_ARG_TYPE', /^JSCallback: return value/);
    callback.close();
  });
});

describe('callbacks that return a Promise', () => {
  test('the native caller waits until the Promise of a callback settles', async () => {
    const callback = new JSCallback(async (value) => {
      await wait(20);
      return value + 1;
    }, i32);
    assert.equal(await plain.call_i32.async(callback, 41), 42);
    assert.equal(await nonblocking.call_on_thread_i32(callback, 1), 2);
    assert.equal(await nonblocking.join_threads_i32(callback, 16, 2), sumTo(32) + 32n);
    callback.close();
  });

  test('a hundred callbacks that return Promises wait at once, and settle in whatever order', async () => {
    const waiting = [];
    const callback = new JSCallback((value) => new Promise((resolve) => waiting.push(() => resolve(value))), i32);
    const sum = nonblocking.join_threads_i32(callback, 64, 1);
    await until(() => waiting.length === 64, '64 calls');
    for (const settle of waiting.reverse()) {
      settle();
      await null;
    }
    assert.equal(await sum, sumTo(64));
    callback.close();
  });

  test('a rejection of the Promise that a callback returns rejects the call, and C gets zero', async () => {
    const callback = new JSCallback(async () => {
      await wait(1);
      throw new Error('later');
    }, i32);
    await assert.rejects(plain.call_i32.async(callback, 1), /^Error: later$/);
    callback.close();
  });

  test('the value of a Promise that a callback returns is checked as any result is', async () => {
    const callback = new JSCallback(async () => 2 ** 40, i32);
    await assert.rejects(plain.call_i32.async(callback, 1), {
      code: 'ERR_OUT_OF_RANGE',
      message: /^JSCallback: return value/,
    });
    callback.close();
  });

  test('a void callback that returns a Promise is waited for as well', async () => {
    let ended = false;
    const callback = new JSCallback(async () => {
      await wait(30);
      ended = true;
    }, {});
    const call = bindOne('call_void', ['function'], 'void', { nonblocking: true });
    await call(callback);
    assert.equal(ended, true);
    callback.close();
  });

  test('text and memory that a Promise of a callback resolves to reach C', async () => {
    const call = bindOne('call_on_thread_cstring', ['function', 'cstring'], 'cstring', { nonblocking: true });
    const callback = new JSCallback(async (text) => `${text}, answered`, { args: ['cstring'], returns: 'cstring' });
    assert.equal(await call(callback, 'asked'), 'asked, answered');
    callback.close();
  });

  test('a callback may be closed while C waits for its Promise', async () => {
    const callback = new JSCallback(async (value) => {
      await wait(10);
      callback.close();
      await wait(10);
      return value;
    }, i32);
    assert.equal(await plain.call_i32.async(callback, 7), 7);
  });

  test('a callback that returns a Promise under a call with threads: true does not hang', async () => {
    const stdout = await runs(
      `
      const call = h.bindOne('call_on_thread_i32', ['function', 'i32'], 'i32', { threads: true });
      const callback = new ffi.JSCallback(async (value) => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        return value;
      }, { args: ['i32'], returns: 'i32' });
      try {
        console.log('returned', call(callback, 1));
      } catch (error) {
        console.log('threw', error instanceof Error && typeof error.code);
      }
    `,
      { timeout },
    );
    assert.match(stdout, /^(returned 1|threw string)$/);
  });
});

describe('libc', () => {
  test('qsort_r sorts by a callback and hands its argument through, sync, async and with threads', async () => {
    const declaration = { args: ['ptr', 'usize', 'usize', 'function', 'ptr'] };
    const { qsort_r: sort } = dlopen(null, { qsort_r: declaration }).symbols;
    const { qsort_r: sortWithThreads } = dlopen(null, { qsort_r: { ...declaration, threads: true } }).symbols;
    const make = () => Int32Array.from({ length: 2000 }, (_, i) => (i * 7919) % 2003);
    const wanted = [...make()].sort((a, b) => a - b);
    const context = Buffer.alloc(8);
    const seen = new Set();
    const compare = new JSCallback(
      (a, b, given) => {
        seen.add(given);
        return read.i32(a) - read.i32(b);
      },
      { args: ['ptr', 'ptr', 'ptr'], returns: 'i32' },
    );
    for (const how of [sort, sort.async, sortWithThreads]) {
      const values = make();
      await how(values, values.length, 4, compare, context);
      assert.deepEqual([...values], wanted);
    }
    assert.deepEqual([...seen], [ptr(context)]);
    compare.close();
  });
});

describe('timers of libc', { skip: onlyOn('linux') }, () => {
  const { struct, array } = ffi;
  const Event = struct(
    {
      value: 'u64',
      signo: 'int',
      notify: 'int',
      function: 'function',
      attributes: 'ptr',
      rest: array('int', 8),
    },
    { name: 'struct sigevent' },
  );
  const Interval = struct({ interval: array('i64', 2), value: array('i64', 2) }, { name: 'struct itimerspec' });
  const { timer_create, timer_settime, timer_delete } = dlopen(null, {
    timer_create: { args: ['int', ffi.pointer(Event), ffi.out('ptr')], returns: 'int', fails: 'nonzero' },
    timer_settime: { args: ['ptr', 'int', ffi.pointer(Interval), 'ptr'], returns: 'int', fails: 'nonzero' },
    timer_delete: { args: ['ptr'], returns: 'int', fails: 'nonzero' },
  }).symbols;
  const [CLOCK_MONOTONIC, SIGEV_THREAD] = [1, 2];

  for (const threadsafe of [false, true]) {
    test(`timers of libc tick on threads of their own, and hand their value over (threadsafe: ${threadsafe})`, async () => {
      const seen = [];
      const callback = new JSCallback((value) => void seen.push(value), { args: ['u64'], threadsafe });
      const event = Event.alloc({
        value: 2n ** 63n,
        signo: 0,
        notify: SIGEV_THREAD,
        function: callback.ptr,
        attributes: null,
        rest: Array(8).fill(0),
      });
      const {
        out: [timer],
      } = timer_create(CLOCK_MONOTONIC, event);
      const every = [0n, 2_000_000n];
      timer_settime(timer, 0, Interval.alloc({ interval: every, value: every }), null);
      await until(() => seen.length >= 20, 'twenty ticks');
      timer_delete(timer);
      // What has started already comes to its end before the callback goes.
      await wait(50);
      callback.close();
      assert.ok(seen.every((value) => value === 2n ** 63n));
    });
  }
});

describe('a thread pool of C', () => {
  const pool = { open_pool: { args: ['i32'], returns: 'ptr' }, submit_pool: { args: ['ptr', 'function', 'i32'] } };
  const ending = { join_pool: { args: ['ptr'], returns: 'i64' }, close_pool: { args: ['ptr'] } };
  const { open_pool: open, submit_pool: submit } = bind(pool);

  test('a thread pool of C works while a join with threads: true waits', () => {
    const [joinPool, closePool] = Object.entries(ending).map(([name, { args, returns }]) =>
      bindOne(name, args, returns, { threads: true }),
    );
    const handle = open(8);
    const callback = new JSCallback((value) => value * 2, i32);
    for (let i = 0; i < 1000; i++) submit(handle, callback, i);
    assert.equal(joinPool(handle), sumTo(1000) * 2n);
    for (let i = 0; i < 1000; i++) submit(handle, callback, i);
    assert.equal(joinPool(handle), sumTo(1000) * 4n);
    closePool(handle);
    callback.close();
  });

  test('a thread pool of C works while an asynchronous join waits, and takes work from callbacks', async () => {
    const { join_pool: joinPool, close_pool: closePool } = bind(ending);
    const handle = open(4);
    const callback = new JSCallback((value) => {
      if (value >= 100) submit(handle, callback, value - 100);
      return 1;
    }, i32);
    for (let i = 0; i < 200; i++) submit(handle, callback, i + 100);
    assert.equal(await joinPool.async(handle), 500n);
    await closePool.async(handle);
    callback.close();
  });

  test('callbacks of a thread pool are answered when JavaScript never joins', async () => {
    const handle = open(4);
    let ran = 0;
    const callback = new JSCallback(() => ++ran, i32);
    for (let i = 0; i < 100; i++) submit(handle, callback, i);
    await until(() => ran === 100, 'a hundred calls');
    await bind(ending).close_pool.async(handle);
    callback.close();
  });
});

describe('sqlite', () => {
  const OK = 0;
  const BUSY = 5;
  const INTERRUPT = 9;
  const directory = makeFolder('pinned-ffi');
  const exec = { args: ['ptr', 'cstring', 'function', 'ptr', 'ptr'], returns: 'i32' };
  const skip = needs('sqlite3');
  const openSqlite = (symbols) => (skip ? {} : dlopen('sqlite3', symbols).symbols);
  const sqlite = openSqlite({
    sqlite3_open: { args: ['cstring', 'ptr'], returns: 'i32' },
    sqlite3_close: { args: ['ptr'], returns: 'i32' },
    sqlite3_exec: exec,
    sqlite3_busy_handler: { args: ['ptr', 'function', 'ptr'], returns: 'i32' },
    sqlite3_progress_handler: { args: ['ptr', 'i32', 'function', 'ptr'] },
  });

  function open(name) {
    const handle = new BigUint64Array(1);
    assert.equal(sqlite.sqlite3_open(name === ':memory:' ? name : path.join(directory, name), handle), OK);
    return handle[0];
  }
  const execute = (db, sql) => assert.equal(sqlite.sqlite3_exec(db, sql, null, null, null), OK, sql);

  /** Two connections of one database, the first of which holds a lock. */
  function makeLocked(name) {
    const [first, second] = [open(name), open(name)];
    execute(first, 'CREATE TABLE t (x); INSERT INTO t VALUES (1); BEGIN EXCLUSIVE');
    return [first, second];
  }

  test('rows reach a callback, sync, async and with threads', { skip }, async () => {
    const db = open(':memory:');
    execute(db, "CREATE TABLE t (id, name); INSERT INTO t VALUES (1, 'one'), (2, 'zwölf'), (3, NULL)");
    const rows = [];
    const callback = new JSCallback(
      (_, count, values) => {
        rows.push(Array.from({ length: count }, (_, i) => read.cstring(values, i * 8)));
        return 0;
      },
      { args: ['ptr', 'i32', 'ptr', 'ptr'], returns: 'i32' },
    );
    const { sqlite3_exec: withThreads } = dlopen('sqlite3', { sqlite3_exec: { ...exec, threads: true } }).symbols;
    for (const how of [sqlite.sqlite3_exec, sqlite.sqlite3_exec.async, withThreads]) {
      rows.length = 0;
      assert.equal(await how(db, 'SELECT id, name FROM t ORDER BY id', callback, null, null), OK);
      assert.deepEqual(rows, [
        ['1', 'one'],
        ['2', 'zwölf'],
        ['3', null],
      ]);
    }
    assert.equal(sqlite.sqlite3_close(db), OK);
    callback.close();
  });

  test('a busy handler is asked with the count, and its zero ends the waiting', { skip }, async () => {
    const [first, second] = makeLocked('busy.db');
    for (const how of [sqlite.sqlite3_exec, sqlite.sqlite3_exec.async]) {
      const counts = [];
      const handler = new JSCallback((_, count) => (counts.push(count), count < 3 ? 1 : 0), {
        args: ['ptr', 'i32'],
        returns: 'i32',
      });
      sqlite.sqlite3_busy_handler(second, handler, null);
      assert.equal(await how(second, 'SELECT * FROM t', null, null, null), BUSY);
      assert.deepEqual(counts, [0, 1, 2, 3]);
      sqlite.sqlite3_busy_handler(second, null, null);
      handler.close();
    }
    execute(first, 'COMMIT');
    for (const db of [first, second]) assert.equal(sqlite.sqlite3_close(db), OK);
  });

  test('an asynchronous query waits for a busy handler that returns a Promise', { skip }, async () => {
    const [first, second] = makeLocked('patient.db');
    const handler = new JSCallback(
      async () => {
        await wait(30);
        execute(first, 'COMMIT');
        return 1;
      },
      { args: ['ptr', 'i32'], returns: 'i32' },
    );
    sqlite.sqlite3_busy_handler(second, handler, null);
    assert.equal(await sqlite.sqlite3_exec.async(second, 'INSERT INTO t VALUES (2)', null, null, null), OK);
    sqlite.sqlite3_busy_handler(second, null, null);
    handler.close();
    for (const db of [first, second]) assert.equal(sqlite.sqlite3_close(db), OK);
  });

  test('a progress handler interrupts a query, and its exception surfaces', { skip }, async () => {
    const db = open(':memory:');
    const endless = 'WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n';
    let calls = 0;
    const handler = new JSCallback(() => (++calls === 10 ? 1 : 0), { args: ['ptr'], returns: 'i32' });
    sqlite.sqlite3_progress_handler(db, 1000, handler, null);
    assert.equal(sqlite.sqlite3_exec(db, endless, null, null, null), INTERRUPT);
    assert.equal(calls, 10);
    calls = 0;
    assert.equal(await sqlite.sqlite3_exec.async(db, endless, null, null, null), INTERRUPT);
    assert.equal(calls, 10);
    handler.close();
    const failing = new JSCallback(
      () => {
        calls++;
        if (calls === 15) throw new Error('no patience');
        return calls < 20 ? 0 : 1;
      },
      { args: ['ptr'], returns: 'i32' },
    );
    sqlite.sqlite3_progress_handler(db, 1000, failing, null);
    await assert.rejects(sqlite.sqlite3_exec.async(db, endless, null, null, null), /^Error: no patience$/);
    sqlite.sqlite3_progress_handler(db, 0, null, null);
    failing.close();
    assert.equal(sqlite.sqlite3_close(db), OK);
  });
});

describe('the warning of a stall', { concurrency: 3 }, () => {
  const env = { PINNED_FFI_STALL_MS: '100' };

  test('the warning of a stall names the function and the callback where a synchronous call waits for its threads', async () => {
    const { code, stdout, stderr } = await run({
      code: `
        const wait = h.bindOne('wait_for_thread', ['function', 'i32', 'u32'], 'i32');
        const callback = new ffi.JSCallback(function double(value) { return value * 2; }, { args: ['i32'], returns: 'i32' });
        console.log(wait(callback, 21, 600));
      `,
      env,
      timeout,
    });
    assert.deepEqual([code, stdout], [0, '-1\n'], stderr);
    const warnings = stderr.split('\n').filter((line) => /Warning/.test(line));
    assert.equal(warnings.length, 1, stderr);
    assert.match(warnings[0], /JSCallback double .*wait_for_thread.*threads: true.*nonblocking: true/);
  });

  test('the warning of a stall comes for every function that stalls, and the time is configurable', async () => {
    const { stdout, stderr } = await run({
      code: `
        const wait = h.bindOne('wait_for_thread', ['function', 'i32', 'u32'], 'i32');
        const callback = new ffi.JSCallback((value) => value, { args: ['i32'], returns: 'i32' });
        console.log(wait(callback, 1, 500));
      `,
      env: { PINNED_FFI_STALL_MS: '5000' },
      timeout,
    });
    assert.equal(stdout.trim(), '-1');
    assert.doesNotMatch(stderr, /Warning/);
  });

  test('the warning of a stall does not come where nothing stalls: with threads: true, asynchronously, or in plain JavaScript', async () => {
    const { code, stdout, stderr } = await run({
      code: `
        const block = (ms) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
        const types = [['function', 'i32', 'i32'], 'i64'];
        const callback = new ffi.JSCallback((value) => { if (value === 0) block(300); return value; },
          { args: ['i32'], returns: 'i32' });
        const slow = new ffi.JSCallback(async (value) => {
          await new Promise((resolve) => setTimeout(resolve, 300));
          return value;
        }, { args: ['i32'], returns: 'i32' });
        console.log(h.bindOne('join_threads_i32', ...types, { threads: true })(callback, 4, 2));
        (async () => {
          const join = h.bindOne('join_threads_i32', ...types, { nonblocking: true });
          console.log(await join(callback, 4, 2), await join(slow, 4, 1));
        })();
      `,
      env,
      timeout,
    });
    assert.deepEqual([code, stdout], [0, '28n\n28n 6n\n'], stderr);
    assert.doesNotMatch(stderr, /Warning/);
  });
});

describe('closing in the middle of what threads of C do', { concurrency: 4 }, () => {
  const SOURCE = `
#include <pthread.h>
#include <unistd.h>
typedef int (*callback)(int);
static void *run(void *call) {
  for (int i = 1; i <= 10; i++) ((callback)call)(i);
  return 0;
}
int start(callback call) {
  pthread_t thread;
  return pthread_create(&thread, 0, run, (void *)call) || pthread_detach(thread);
}
static callback queued;
static int count;
static void *queue(void *data) { for (int i = 0; i < count; i++) queued(i); return 0; }
int queue_all(callback call, int n) {
  pthread_t thread;
  queued = call;
  count = n;
  return pthread_create(&thread, 0, queue, 0) || pthread_join(thread, 0);
}
int late(void) { return queued(-1); }`;
  const OPEN = `const { symbols, close } = ffi.cc({ library: 'pthread', source: ${JSON.stringify(SOURCE)}, symbols: {
    start: { args: ['function'], returns: 'int' }, queue_all: { args: ['function', 'int'], returns: 'int' },
    late: { returns: 'int' } } });`;

  for (const [when, last, body] of [
    ['the last callback', 10, 'cb.close(); close();'],
    ['a callback in the middle', 5, 'cb.close(); close();'],
    [
      'a callback that returns a Promise',
      10,
      'return new Promise((resolve) => setTimeout(() => { cb.close(); close(); resolve(1); }, 5));',
    ],
  ]) {
    test(`a library that ${when} closes stays under the thread that returns into it`, async () => {
      const said = await runs(`${OPEN}
        const cb = new ffi.JSCallback((n) => { if (n === ${last}) { setTimeout(() => { console.log('alive'); process.exit(); }, 100); ${body} } return n; },
          { args: ['int'], returns: 'int' }).ref();
        symbols.start(cb);`);
      assert.equal(said, 'alive');
    });
  }

  test('a threadsafe callback gets all that C has called before its close, and the warning is for what comes later', async () => {
    const said = await runs(`${OPEN}
      const warnings = [];
      process.on('warning', ({ code }) => warnings.push(code));
      const seen = [];
      const cb = new ffi.JSCallback((n) => seen.push(n), { args: ['int'], returns: 'int', threadsafe: true });
      symbols.queue_all(cb, 50);
      cb.close();
      setTimeout(() => {
        const before = warnings.length;
        symbols.late();
        setTimeout(() => { console.log(seen.length, seen[49], before, warnings.length); process.exit(); }, 50);
      }, 50);`);
    assert.equal(said, '50 49 0 1');
  });
});
