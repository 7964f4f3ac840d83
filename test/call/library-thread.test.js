'use strict';
// lib.thread(): the calls of a dedicated thread. And close(), while calls are under way.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { ffi, fixture, bind, throws, runs, gc, collect } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const { JSCallback, dlopen } = ffi;
const timeout = 20_000;

const declarations = {
  add_i32: { args: ['i32', 'i32'], returns: 'i32' },
  add_i32_later: { args: ['i32', 'i32', 'u32'], returns: 'i32' },
  sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
  call_i32: { args: ['function', 'i32'], returns: 'i32' },
  bump_thread: { returns: 'i32' },
  get_thread: { returns: 'u64' },
  sleep_ms: { args: ['u32'] },
  signal_and_wait: { args: ['ptr'], returns: 'bool' },
};
const symbols = bind(declarations);
const i32 = { args: ['i32'], returns: 'i32' };

const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const open = () => dlopen(fixture, declarations);

describe('a thread of its own', () => {
  test('a library thread runs all calls of its handle, in the order they were made, and no other', async () => {
    const library = open();
    const [first, second] = [library.thread(), library.thread()];
    const order = [];
    const calls = Array.from({ length: 100 }, (_, i) =>
      first.symbols.add_i32_later(i, 0, i % 3).then((value) => order.push(value)),
    );
    const numbers = await Promise.all(Array.from({ length: 50 }, () => first.symbols.bump_thread()));
    await Promise.all(calls);
    assert.deepEqual(
      order,
      calls.map((_, i) => i),
    );
    assert.deepEqual(
      numbers,
      numbers.map((_, i) => i + 1),
    );
    assert.equal(await second.symbols.bump_thread(), 1);
    const threads = await Promise.all([first, first, second].map((thread) => thread.symbols.get_thread()));
    assert.equal(threads[0], threads[1]);
    assert.equal(new Set([...threads, symbols.get_thread()]).size, 3);
    for (const thread of [first, second]) thread.close();
    library.close();
  });

  test('the functions of a library thread have the names and lengths of the library, and null for what is missing', () => {
    const library = dlopen(fixture, { add_i32: declarations.add_i32, no_such: { optional: true } });
    const thread = library.thread();
    assert.equal(thread.symbols.no_such, null);
    assert.deepEqual([thread.symbols.add_i32.name, thread.symbols.add_i32.length], ['add_i32', 2]);
    assert.deepEqual(Object.keys(thread.symbols), ['add_i32', 'no_such']);
    thread.close();
    library.close();
  });

  test('a rejected call does not hold up the next', async () => {
    const thread = open().thread();
    const callback = new JSCallback(() => {
      throw new Error('boom');
    }, i32);
    const calls = [
      thread.symbols.call_i32(callback, 1),
      thread.symbols.add_i32('x', 1),
      thread.symbols.add_i32(20, 22),
    ];
    const results = await Promise.allSettled(calls);
    assert.deepEqual(
      results.map(({ reason, value }) => reason?.message.slice(0, 8) ?? value),
      ['boom', 'add_i32:', 42],
    );
    callback.close();
    thread.close();
  });

  test('callbacks reach JavaScript from a library thread, and may use it again', async () => {
    const thread = open().thread();
    let more;
    const callback = new JSCallback((value) => {
      more = thread.symbols.add_i32(value, 1);
      return value;
    }, i32);
    assert.equal(await thread.symbols.call_i32(callback, 41), 41);
    assert.equal(await more, 42);
    callback.close();
    thread.close();
  });

  test('close lets the queued calls run, refuses new ones by name, and may be repeated', async () => {
    const thread = open().thread();
    const calls = Array.from({ length: 20 }, (_, i) => thread.symbols.add_i32_later(i, 1, 5));
    assert.equal(thread.close(), undefined);
    thread.close();
    thread[Symbol.dispose]();
    await assert.rejects(thread.symbols.add_i32(1, 2), (error) => {
      assert.match(error.code, /^ERR_FFI_(?!INTERNAL)/);
      assert.match(error.message, /^add_i32: /);
      return true;
    });
    assert.deepEqual(
      await Promise.all(calls),
      calls.map((_, i) => i + 1),
    );
  });

  test('the buffers of queued calls are held while they wait, dropped and collected', async () => {
    const thread = open().thread();
    const start = (i) => thread.symbols.sum_bytes_later(new Uint8Array(1000).fill(i), 1000, 10);
    const calls = Array.from({ length: 20 }, (_, i) => start(i));
    for (let i = 0; i < 10; i++) {
      collect();
      Array.from({ length: 50 }, () => new Uint8Array(1000).fill(255));
      await wait(10);
    }
    assert.deepEqual(
      await Promise.all(calls),
      calls.map((_, i) => BigInt(i * 1000)),
    );
    thread.close();
  });

  test('a handle that is dropped with calls in its queue lets them end', async () => {
    const start = () => {
      const library = open();
      const thread = library.thread();
      return Array.from({ length: 10 }, (_, i) => thread.symbols.add_i32_later(i, 1, 10));
    };
    const calls = start();
    await gc();
    assert.deepEqual(
      await Promise.all(calls),
      calls.map((_, i) => i + 1),
    );
  });

  test('calls under way keep the process alive, an idle library thread does not', async () => {
    const stdout = await runs(
      `
      const library = ffi.dlopen(h.fixture, { add_i32_later: { args: ['i32', 'i32', 'u32'], returns: 'i32' } });
      const thread = library.thread();
      thread.symbols.add_i32_later(20, 22, 200).then(console.log);
    `,
      { timeout },
    );
    assert.equal(stdout, '42');
  });

  test('two hundred threads are made, used and closed, and their memory goes', async () => {
    const library = open();
    const round = async () => {
      const threads = Array.from({ length: 50 }, () => library.thread());
      const ids = await Promise.all(threads.map((thread) => thread.symbols.get_thread()));
      assert.equal(new Set(ids).size, 50);
      for (const thread of threads) thread.close();
    };
    for (let i = 0; i < 4; i++) await round();
    const count = () => fs.readdirSync('/proc/self/task').length;
    if (process.platform === 'linux') {
      const end = Date.now() + timeout;
      while (count() > 40) {
        assert.ok(Date.now() < end, `${count()} threads are left`);
        await wait(10);
      }
    }
    library.close();
  });
});

describe('close', () => {
  test('close() returns undefined while no call is under way', () => {
    const library = open();
    assert.equal(library.close(), undefined);
    assert.equal(library.close(), undefined);
  });

  test('close() waits for calls under way, refuses new ones at once, and tells when it is done', async () => {
    const library = open();
    const order = [];
    const call = library.symbols.add_i32_later.async(20, 22, 100).then((value) => order.push(value));
    assert.equal(library.close(), undefined);
    assert.equal(library.close(), undefined);
    const closing = library.closed;
    assert.ok(closing instanceof Promise);
    assert.equal(library.closed, closing);
    throws(() => library.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
    await assert.rejects(library.symbols.add_i32.async(1, 2), { code: 'ERR_FFI_LIBRARY_CLOSED' });
    await closing.then(() => order.push('closed'));
    await call;
    assert.deepEqual(order.sort(), [42, 'closed']);
    assert.equal(library.close(), undefined);
  });

  test('close() waits for the calls in the queue of a thread', async () => {
    const library = open();
    const thread = library.thread();
    const calls = Array.from({ length: 5 }, (_, i) => thread.symbols.add_i32_later(i, 0, 20));
    let done = 0;
    for (const call of calls) call.then(() => done++);
    library.close();
    await library.closed;
    await null;
    assert.equal(done, 5);
    await assert.rejects(thread.symbols.add_i32(1, 2), { code: 'ERR_FFI_LIBRARY_CLOSED' });
    thread.close();
  });

  test('close() waits for a call that fails, too', async () => {
    const library = dlopen(fixture, {
      set_errno_later: { args: ['i32', 'i32', 'u32'], returns: 'i32', fails: 'negative' },
    });
    const call = library.symbols.set_errno_later.async(2, -1, 50);
    library.close();
    const closing = library.closed;
    await assert.rejects(call, { code: 'ENOENT' });
    await closing;
  });

  test('closed is the same Promise from the start, and resolves without a call as well', async () => {
    const library = open();
    const { closed } = library;
    let isClosed = false;
    closed.then(() => (isClosed = true));
    await null;
    assert.equal(isClosed, false);
    library.close();
    await closed;
    const add = ffi.CFunction({ ptr: open().symbols.add_i32_later.ptr, args: ['i32', 'i32', 'u32'], returns: 'i32' });
    const call = add.async(20, 22, 20);
    assert.equal(add.close(), undefined);
    await add.closed;
    assert.equal(await call, 42);
  });

  test('Symbol.dispose closes', () => {
    const first = open();
    first[Symbol.dispose]();
    throws(() => first.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('Symbol.asyncDispose closes when the calls have returned', { skip: onlyOn('asyncDispose') }, async () => {
    const second = open();
    let done = false;
    second.symbols.sleep_ms.async(50).then(() => (done = true));
    await second[Symbol.asyncDispose]();
    await null;
    assert.equal(done, true);
  });

  test('close() is refused inside a callback of a call with threads: true, by name', () => {
    const library = dlopen(fixture, {
      call_on_thread_i32: { args: ['function', 'i32'], returns: 'i32', threads: true },
    });
    const callback = new JSCallback((value) => {
      throws(() => library.close(), 'ERR_FFI_LIBRARY_BUSY', /libfixture/);
      return value;
    }, i32);
    assert.equal(library.symbols.call_on_thread_i32(callback, 3), 3);
    assert.equal(library.close(), undefined);
    callback.close();
  });

  test(
    'close() unloads after the last call and not before; functions keep an open library loaded',
    { skip: onlyOn('unloads') },
    async () => {
      const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-'));
      const copy = path.join(directory, `copy.${ffi.suffix}`);
      fs.copyFileSync(fixture, copy);
      try {
        const isLoaded = () =>
          process.platform !== 'linux' || fs.readFileSync('/proc/self/maps', 'utf8').includes(copy);
        const library = dlopen(copy, declarations);
        const flag = new Int32Array(new SharedArrayBuffer(4));
        const promise = library.symbols.signal_and_wait.async(flag);
        library.close();
        const closing = library.closed;
        await gc();
        assert.equal(isLoaded(), true);
        Atomics.store(flag, 0, 2);
        assert.equal(await promise, true);
        await closing;
        if (process.platform === 'linux') assert.equal(isLoaded(), false);

        const makeFunction = () => dlopen(copy, declarations).symbols.add_i32;
        const add = makeFunction();
        await gc();
        assert.equal(isLoaded(), true);
        assert.equal(add(20, 22), 42);
        assert.equal(await add.async(20, 22), 42);
      } finally {
        fs.rmSync(directory, { recursive: true });
      }
    },
  );
});
