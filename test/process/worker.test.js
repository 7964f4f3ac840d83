'use strict';
// Worker threads and the end of a process. What might crash runs in a child process, whose exit is checked.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { describe, test } = require('node:test');
const { Worker } = require('node:worker_threads');
const { ffi, fixture, bind, bindOne, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

const helpers = JSON.stringify(require.resolve('../helpers.js'));
const prelude = `'use strict'; const h = require(${helpers}); const { ffi } = h;
const { parentPort, workerData } = require('node:worker_threads');\n`;

/** Runs code in a worker; gives its messages and its exit code. */
function inWorker(code, workerData) {
  return new Promise((resolve, reject) => {
    const messages = [];
    const worker = new Worker(prelude + code, { eval: true, workerData });
    worker.on('message', (message) => messages.push(message));
    worker.once('error', reject);
    worker.once('exit', (exitCode) => resolve({ messages, exitCode }));
  });
}

/** For a child process: a function that starts a worker of this code and waits for its first message. */
const startWorker = `
  const { Worker } = require('node:worker_threads');
  const { once } = require('node:events');
  const start = async (code, workerData) => {
    const worker = new Worker(${JSON.stringify(prelude)} + code, { eval: true, workerData });
    // A worker that ends at once has ended by the time its message is there.
    worker.exited = new Promise((resolve) => worker.once('exit', resolve));
    await once(worker, 'message');
    return worker;
  };
`;

describe('workers', () => {
  test('eight workers at once call, are called back and use memory, each for itself', async () => {
    const code = `
      const { add_i32: add, call_i32: call, identity_cstring: text, sum_bytes: sum } = h.bind({
        add_i32: { args: ['i32', 'i32'], returns: 'i32' },
        call_i32: { args: ['function', 'i32'], returns: 'i32' },
        identity_cstring: { args: ['cstring'], returns: 'cstring' },
        sum_bytes: { args: ['buffer', 'u64'], returns: 'u64' },
      });
      const callback = new ffi.JSCallback((value) => value + workerData, { args: ['i32'], returns: 'i32' });
      const faults = [];
      for (let i = 0; i < ${byScale(1500, 5000)}; i++) {
        const view = new Uint8Array(32).fill(workerData);
        if (add(i, workerData) !== i + workerData) faults.push('add');
        if (call(callback, i) !== i + workerData) faults.push('call');
        if (text('worker ' + workerData) !== 'worker ' + workerData) faults.push('text');
        if (sum(view, 32) !== BigInt(32 * workerData)) faults.push('sum');
        if (ffi.read.u8(ffi.ptr(view), 31) !== workerData) faults.push('read');
      }
      callback.close();
      parentPort.postMessage(faults);
    `;
    const results = await Promise.all(Array.from({ length: 8 }, (_, i) => inWorker(code, i + 1)));
    for (const { messages, exitCode } of results) {
      assert.deepEqual(messages, [[]]);
      assert.equal(exitCode, 0);
    }
  });

  test('the main thread works while and after workers come and go', async () => {
    const add = bindOne('add_i32', ['i32', 'i32'], 'i32');
    for (let round = 0; round < byScale(2, 5); round++) {
      const workers = Array.from({ length: 4 }, () =>
        inWorker(`h.bindOne('add_i32', ['i32', 'i32'], 'i32')(1, 2); parentPort.postMessage('ran');`),
      );
      for (let i = 0; i < 1000; i++) assert.equal(add(i, 1), i + 1);
      for (const { messages, exitCode } of await Promise.all(workers)) {
        assert.deepEqual(messages, ['ran']);
        assert.equal(exitCode, 0);
      }
    }
    assert.equal(add(20, 22), 42);
  });

  test('closing a library in a worker leaves it open for the others', async () => {
    const library = ffi.dlopen(fixture, { add_i32: { args: ['i32', 'i32'], returns: 'i32' } });
    const { messages } = await inWorker(`
      const library = ffi.dlopen(h.fixture, { add_i32: { args: ['i32', 'i32'], returns: 'i32' } });
      library.close();
      parentPort.postMessage(h.outcome(() => library.symbols.add_i32(1, 2)));
    `);
    assert.deepEqual(messages, ['ERR_FFI_LIBRARY_CLOSED']);
    assert.equal(library.symbols.add_i32(1, 2), 3);
    library.close();
  });

  test('an error in a worker has its code and message there', async () => {
    const { messages } = await inWorker(`
      const add = h.bindOne('add_i32', ['i32', 'i32'], 'i32');
      try {
        add('x', 1);
      } catch (error) {
        parentPort.postMessage([error.code, error.message, error instanceof TypeError]);
      }
      const throwing = new ffi.JSCallback(() => { throw new Error('boom'); }, { args: ['i32'], returns: 'i32' });
      try {
        h.bindOne('call_i32', ['function', 'i32'], 'i32')(throwing, 1);
      } catch (error) {
        parentPort.postMessage(error.message);
      }
    `);
    assert.match(messages[0][1], /^add_i32: argument 0 must be an integer/);
    assert.deepEqual([messages[0][0], messages[0][2], messages[1]], ['ERR_INVALID_ARG_TYPE', true, 'boom']);
  });

  test('owned memory of a worker is deallocated once when the worker ends', async () => {
    const { count_deallocations: count } = bind({ count_deallocations: { returns: 'i32' } });
    const before = count();
    const { exitCode } = await inWorker(`
      const { alloc_bytes: alloc, deallocate_bytes: free } = h.bind({
        alloc_bytes: { args: ['u64'], returns: 'ptr' }, deallocate_bytes: { args: ['ptr', 'ptr'] },
      });
      globalThis.kept = [ffi.toBuffer(alloc(64), 0, 64, free.ptr), ffi.toArrayBuffer(alloc(64), 0, 64, free.ptr)];
    `);
    assert.equal(exitCode, 0);
    assert.equal(count() - before, 2);
  });

  test('a worker that leaves everything open ends without harm', async () => {
    const stdout = await runs(`${startWorker}
      (async () => {
        for (let i = 0; i < 10; i++) {
          const worker = await start(\`
            globalThis.library = ffi.dlopen(h.fixture, { call_void: { args: ['function'] } });
            globalThis.callbacks = Array.from({ length: 50 }, () => new ffi.JSCallback(() => {}, {}));
            for (const callback of callbacks) library.symbols.call_void(callback);
            parentPort.postMessage('ready');
          \`);
          await worker.exited;
        }
        console.log('alive');
      })();
    `);
    assert.equal(stdout, 'alive');
  });
});

describe('what a worker leaves', () => {
  test('callbacks of workers that have ended give zero, and their code is used again, late', async () => {
    const COUNT = 1100;
    // As within one environment: docs/callbacks.md.
    const LATE = 1024;
    const call = bindOne('call_i32', ['ptr', 'i32'], 'i32');
    const all = [];
    for (let i = 0; i < 5; i++) {
      const { messages, exitCode } = await inWorker(`
        const call = h.bindOne('call_i32', ['function', 'i32'], 'i32');
        const declaration = { args: ['i32'], returns: 'i32' };
        globalThis.callbacks = Array.from({ length: ${COUNT} }, (_, i) => new ffi.JSCallback(() => i + 1, declaration));
        const results = callbacks.map((callback) => call(callback, 0));
        parentPort.postMessage([callbacks.map(({ ptr }) => ptr), results.every((result, i) => result === i + 1)]);
      `);
      const [pointers, areRight] = messages[0];
      assert.deepEqual([exitCode, areRight, new Set(pointers).size], [0, true, COUNT]);
      assert.ok(pointers.every((pointer) => call(pointer, 7) === 0));
      const newest = new Set(all.slice(-LATE));
      assert.ok(!pointers.some((pointer) => newest.has(pointer)), 'a pointer was used again too early');
      all.push(...pointers);
    }
    assert.ok(new Set(all).size <= COUNT + LATE, `${new Set(all).size} pointers were made`);
  });

  test('a late call on another thread through a pointer of a worker that has ended gives zero', async () => {
    const { messages } = await inWorker(`
      globalThis.callback = new ffi.JSCallback(() => 5, { args: ['i32'], returns: 'i32' });
      parentPort.postMessage(callback.ptr);
    `);
    const call = bindOne('call_i32', ['ptr', 'i32'], 'i32');
    assert.deepEqual([call(messages[0], 1), await call.async(messages[0], 1)], [0, 0]);
  });

  test('the code that was generated for a worker is unmapped when it ends', async () => {
    // Linux lists the mappings: those for generated code have no file, and are not writable as V8's own are.
    const isGenerated = (line) => / r-xp 00000000 00:00 0 *$/.test(line);
    const bytes = (line) => line.split(/[- ]/, 2).reduce((from, to) => parseInt(to, 16) - parseInt(from, 16));
    const generated = () => {
      const lines = process.platform === 'linux' ? fs.readFileSync('/proc/self/maps', 'utf8').split('\n') : [];
      return lines.filter(isGenerated).reduce((sum, line) => sum + bytes(line), 0);
    };
    const before = generated();
    for (let i = 0; i < 5; i++) {
      const { messages } = await inWorker(`
        const { add_i32: add, identity_f64: same } = h.bind({
          add_i32: { args: ['i32', 'i32'], returns: 'i32' }, identity_f64: { args: ['f64'], returns: 'f64' } });
        parentPort.postMessage(add(40, 2) + same(0.5));
      `);
      assert.deepEqual(messages, [42.5]);
    }
    assert.equal(generated(), before);
  });
});

describe('terminating a worker', () => {
  const exits = async (workerCode, more = '') => {
    const stdout = await runs(`${startWorker}
      (async () => {
        const add = h.bindOne('add_i32', ['i32', 'i32'], 'i32');
        for (let i = 0; i < ${byScale(1, 5)}; i++) {
          const shared = new Int32Array(new SharedArrayBuffer(8));
          const worker = await start(${JSON.stringify(workerCode)}, shared);
          while (Atomics.load(shared, 0) === 0) await new Promise((resolve) => setTimeout(resolve, 5));
          const ended = once(worker, 'exit');
          await worker.terminate();
          await ended;
          ${more}
          if (add(i, 1) !== i + 1) throw new Error('add is broken');
        }
        console.log('alive');
      })();
    `);
    assert.equal(stdout, 'alive');
  };

  test('terminating a worker in the middle of a call of C does no harm', () =>
    exits(`
      const sleep = h.bindOne('signal_and_sleep_ms', ['ptr', 'u32']);
      parentPort.postMessage('ready');
      sleep(workerData, 300);
    `));

  test('terminating a worker in the middle of a callback does no harm', () =>
    exits(`
      const call = h.bindOne('call_i32', ['function', 'i32'], 'i32');
      const callback = new ffi.JSCallback(() => {
        Atomics.store(workerData, 0, 1);
        for (;;);
      }, { args: ['i32'], returns: 'i32' });
      parentPort.postMessage('ready');
      setImmediate(() => { for (;;) call(callback, 1); });
    `));

  test('terminating a worker in the middle of a callback that waits does no harm', () =>
    exits(`
      const call = h.bindOne('call_times_i32', ['function', 'i32'], 'i32');
      const callback = new ffi.JSCallback(() => {
        Atomics.store(workerData, 0, 1);
        Atomics.wait(workerData, 1, 0);
        return 1;
      }, { args: ['i32'], returns: 'i32' });
      parentPort.postMessage('ready');
      setImmediate(() => call(callback, 1000));
    `));

  test('terminating a worker in the middle of a deep recursion through C does no harm', () =>
    exits(`
      const recurse = h.bindOne('recurse_i32', ['function', 'i32'], 'i32');
      const callback = new ffi.JSCallback((depth) => {
        if (depth > 0) return recurse(callback, depth - 1);
        Atomics.store(workerData, 0, 1);
        for (;;);
      }, { args: ['i32'], returns: 'i32' });
      parentPort.postMessage('ready');
      setImmediate(() => recurse(callback, 100));
    `));

  test('terminating a worker that calls without end does no harm', () =>
    exits(`
      const add = h.bindOne('add_i32', ['i32', 'i32'], 'i32');
      const text = h.bindOne('identity_cstring', ['cstring'], 'cstring');
      parentPort.postMessage('ready');
      setImmediate(() => {
        Atomics.store(workerData, 0, 1);
        for (;;) {
          add(1, 2);
          text('text');
          new ffi.JSCallback(() => {}, {}).close();
        }
      });
    `));
});

describe('the end of the process', () => {
  test('process.exit in a callback ends it with that code', async () => {
    const stdout = await runs(
      `
      const call = h.bindOne('call_times_i32', ['function', 'i32'], 'i32');
      const callback = new ffi.JSCallback(() => {
        process.on('exit', () => console.log('exit event'));
        process.exit(7);
      }, { args: ['i32'], returns: 'i32' });
      call(callback, 3);
      console.log('not reached');
    `,
      { exit: 7 },
    );
    assert.equal(stdout, 'exit event');
  });

  test('process.exit deep inside calls and callbacks ends it with that code', async () => {
    const stdout = await runs(
      `
      const recurse = h.bindOne('recurse_i32', ['function', 'i32'], 'i32');
      const callback = new ffi.JSCallback((depth) => {
        if (depth === 0) process.exit(9);
        return recurse(callback, depth - 1);
      }, { args: ['i32'], returns: 'i32' });
      recurse(callback, 50);
    `,
      { exit: 9 },
    );
    assert.equal(stdout, '');
  });

  test('process.exit in a callback of a worker ends only the worker', async () => {
    const stdout = await runs(`
      const { Worker } = require('node:worker_threads');
      const worker = new Worker(${JSON.stringify(prelude)} + \`
        const call = h.bindOne('call_times_i32', ['function', 'i32'], 'i32');
        const callback = new ffi.JSCallback(() => process.exit(5), { args: ['i32'], returns: 'i32' });
        call(callback, 3);
      \`, { eval: true });
      worker.on('exit', (code) => console.log(code, h.bindOne('add_i32', ['i32', 'i32'], 'i32')(20, 22)));
    `);
    assert.equal(stdout, '5 42');
  });

  test('process.exit while workers are inside C and callbacks does no harm', async () => {
    const stdout = await runs(
      `${startWorker}
      (async () => {
        const shared = new Int32Array(new SharedArrayBuffer(4));
        await start(\`
          const sleep = h.bindOne('signal_and_sleep_ms', ['ptr', 'u32']);
          parentPort.postMessage('ready');
          sleep(workerData, 300);
        \`, shared);
        await start(\`
          const call = h.bindOne('call_void', ['function']);
          const callback = new ffi.JSCallback(() => { parentPort.postMessage('ready'); for (;;); }, {});
          call(callback);
        \`);
        console.log('exiting');
        process.exit(3);
      })();
    `,
      { exit: 3 },
    );
    assert.equal(stdout, 'exiting');
  });

  test('an uncaught exception of a callback ends the process as any other does', async () => {
    await runs(
      `
      const call = h.bindOne('call_i32', ['function', 'i32'], 'i32');
      const callback = new ffi.JSCallback(() => { throw new Error('uncaught'); }, { args: ['i32'], returns: 'i32' });
      call(callback, 1);
    `,
      { exit: 1 },
    );
  });

  test('everything may be left open at the end', async () => {
    const stdout = await runs(`
      globalThis.library = ffi.dlopen(h.fixture, {
        add_i32: { args: ['i32', 'i32'], returns: 'i32' },
        keep_callback: { args: ['function'] },
      });
      globalThis.callback = new ffi.JSCallback(() => {}, {});
      library.symbols.keep_callback(callback);
      console.log(library.symbols.add_i32(20, 22));
    `);
    assert.equal(stdout, '42');
  });
});
