'use strict';
// How things end while native code is at work: each ending is a child process, whose exit code and stderr are checked.

const assert = require('node:assert/strict');
const { before, describe, test } = require('node:test');
const { run } = require('../helpers.js');
const { byScale } = require('../scale.js');

const helpers = JSON.stringify(require.resolve('../helpers.js'));

/** What the children and their workers share. */
const common = `
const { Worker, parentPort, workerData } = require('node:worker_threads');
const { once } = require('node:events');
const i32 = { args: ['i32'], returns: 'i32' };
const join = { args: ['function', 'i32', 'i32'], returns: 'i64' };
const call = { args: ['function', 'i32'], returns: 'i32' };
const later = { args: ['function', 'i32', 'u32'], returns: 'i32' };
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const declarations = {
  join_threads_i32: join, call_i32: call, call_i32_later: later,
  call_times_i32: { args: ['function', 'i32'], returns: 'i32' },
  start_ticker: { args: ['function', 'u32', 'i32'], returns: 'i32' }, stop_ticker: { args: ['i32'] },
  join_ticker: { args: ['i32'] }, call_ticker: { args: ['i32'], returns: 'i32' },
  is_ticker_over: { args: ['i32'], returns: 'bool' }, count_ticks: { args: ['i32'], returns: 'i64' },
  sum_ticks: { args: ['i32'], returns: 'i64' },
  sum_bytes_later: { args: ['ptr', 'u64', 'u32'], returns: 'u64' },
  fill_bytes_later: { args: ['ptr', 'u64', 'u8', 'u32'] },
  get_last_sum: { returns: 'i64' }, set_last_sum: { args: ['i64'] },
  sleep_ms: { args: ['u32'] }, add_i32: { args: ['i32', 'i32'], returns: 'i32' },
};
const lib = ffi.dlopen(h.fixture, declarations);
const s = lib.symbols;
const withThreads = h.bind({ join_threads_i32: { ...join, threads: true }, call_i32_later: { ...later, threads: true } });
`;
const inWorker = `'use strict'; const h = require(${helpers}); const { ffi } = h;\n${common}`;

/** For a parent: a worker of this code, that is told by its message when it is at work. */
const parent = `
const start = async (code, data) => {
  const worker = new Worker(${JSON.stringify(inWorker)} + code, { eval: true, workerData: data });
  worker.on('error', (error) => console.log('worker:', error.message));
  // A worker that has nothing more to do may end by itself before it is told to.
  worker.ended = once(worker, 'exit');
  const [message] = await once(worker, 'message');
  return [worker, message];
};
const end = async (worker) => { await worker.terminate(); return worker.ended; };
const stopAll = async (numbers) => {
  numbers.forEach((number) => s.stop_ticker(number));
  const late = Date.now() + 5000;
  while (!numbers.every((number) => s.is_ticker_over(number))) {
    if (Date.now() > late) throw new Error('a native thread is stuck in a callback of an environment that is gone');
    await wait(2);
  }
};
const main = async (code) => { await code(); };
`;

/**
 * Tests of one child that goes through cases, one after the other, and says the name of each that was as it should be. A
 * case that ends the process fails, and so do those after it.
 * @param {string[]} names
 * @param {(name: string) => string} titleOf
 * @param {string} code of the child
 */
function eachIn(names, titleOf, code) {
  let result;
  before(async () => {
    result = await run({ code: common + parent + code });
  });
  for (const name of names) {
    test(titleOf(name), () => {
      const { stdout, stderr, code: exit, signal } = result;
      const shown = `the process ended with ${signal ?? exit}\nstderr:\n${stderr}\nstdout:\n${stdout}`;
      assert.ok(stdout.split('\n').includes(name), shown);
      assert.match(stderr, /^$/);
      if (name === names.at(-1)) assert.deepEqual([exit, signal], [0, null], shown);
    });
  }
}

/** A child must end with this code and say this; nothing else may be on its stderr unless it is expected. */
async function ends(code, { exit = 0, stdout = '', stderr = /^$/, timeout = 30_000, ...options } = {}) {
  const result = await run({ code: common + parent + code, timeout, ...options });
  const all = `stderr:\n${result.stderr}\nstdout:\n${result.stdout}`;
  assert.deepEqual({ code: result.code, signal: result.signal }, { code: exit, signal: null }, all);
  if (stdout instanceof RegExp) assert.match(result.stdout.trim(), stdout);
  else assert.equal(result.stdout.trim(), stdout, all);
  assert.match(result.stderr, stderr);
  return result;
}

describe('process.exit', { concurrency: 4 }, () => {
  const exiting = 'const callback = new ffi.JSCallback(() => process.exit(7), i32); callback.ref();';
  for (const [where, code] of [
    ['a callback on the JavaScript thread', 's.call_times_i32(callback, 3);'],
    ['a callback that a foreign thread has called', 's.start_ticker(callback, 100, 0);'],
    ['a callback that 32 foreign threads are calling', 'for (let i = 0; i < 32; i++) s.start_ticker(callback, 0, 0);'],
    ['a callback under a call with threads: true', 'withThreads.join_threads_i32(callback, 8, 100);'],
    ['a callback of a nonblocking call', 's.call_i32.async(callback, 1);'],
    ['a callback of threads that a nonblocking call waits for', 's.join_threads_i32.async(callback, 8, 100);'],
    ['a callback on a dedicated thread', 'lib.thread().symbols.call_i32(callback, 1);'],
  ]) {
    test(`process.exit in ${where} ends the process with that code`, () => ends(`${exiting} ${code}`, { exit: 7 }));
  }

  test('process.exit in a Promise that native code waits for ends the process with that code', () =>
    ends(
      `const callback = new ffi.JSCallback(async () => { await wait(20); process.exit(7); }, i32);
      s.call_i32.async(callback, 1);`,
      { exit: 7 },
    ));

  test('process.exit while native code waits for a Promise that never settles ends the process', () =>
    ends(
      `const callback = new ffi.JSCallback(() => new Promise(() => {}), i32);
      for (let i = 0; i < 8; i++) s.call_i32.async(callback, i);
      setTimeout(() => process.exit(3), 100);`,
      { exit: 3 },
    ));

  test('process.exit while a thousand calls are queued on the pool, each with a callback, ends the process', () =>
    ends(
      `const callback = new ffi.JSCallback((value) => value, i32);
      for (let i = 0; i < 1000; i++) s.call_i32_later.async(callback, i, 1);
      setTimeout(() => process.exit(3), 50);`,
      { exit: 3 },
    ));

  test('process.exit while a thousand calls are queued on a thread of their own ends the process', () =>
    ends(
      `const callback = new ffi.JSCallback((value) => value, i32);
      const thread = lib.thread();
      for (let i = 0; i < 1000; i++) thread.symbols.call_i32_later(callback, i, 1);
      setTimeout(() => process.exit(3), 50);`,
      { exit: 3 },
    ));

  test('process.exit while native threads call and a callback is closed runs the exit handlers first', () =>
    ends(
      `const callback = new ffi.JSCallback(() => 1, i32);
      for (let i = 0; i < 8; i++) s.start_ticker(callback, 50, 0);
      process.on('exit', () => { console.log('exit', s.add_i32(20, 22)); callback.close(); });
      setTimeout(() => process.exit(3), 50);`,
      { exit: 3, stdout: 'exit 42' },
    ));

  test('process.exit in an exit handler of a callback of a native call does not hang', () =>
    ends(
      `const callback = new ffi.JSCallback((value) => value + 1, i32);
      process.on('exit', () => console.log(s.call_i32(callback, 1), withThreads.call_i32_later(callback, 1, 0)));
      setTimeout(() => process.exit(3), 10);`,
      { exit: 3, stdout: '2 2' },
    ));
});

describe('the natural end of the process', { concurrency: 4 }, () => {
  test('the natural end of the process comes while native threads go on calling a callback that nobody holds', () =>
    ends(
      `const callback = new ffi.JSCallback(() => 1, i32);
      for (let i = 0; i < 16; i++) s.start_ticker(callback, i * 10, 0);
      setTimeout(() => console.log('end'), 100);`,
      { stdout: 'end' },
    ));

  test('the natural end of the process comes while native threads go on calling a threadsafe callback', () =>
    ends(
      `const callback = new ffi.JSCallback(() => {}, { args: ['i32'], threadsafe: true });
      for (let i = 0; i < 4; i++) s.start_ticker(callback, 20, 0);
      setTimeout(() => console.log('end'), 100);`,
      { stdout: 'end' },
    ));

  test('the natural end of the process waits for a callback that is ref()ed, and comes after unref() and after close()', () =>
    ends(
      `const first = new ffi.JSCallback((i) => { if (i === 20) { console.log('unref'); first.unref(); second.ref().ref(); } return 1; }, i32);
      const second = new ffi.JSCallback((i) => { if (i === 40) { console.log('close'); second.close(); } return 1; }, i32);
      if (first.ref() !== first) throw new Error('ref() gives the callback');
      s.start_ticker(first, 1000, 0);
      s.start_ticker(second, 2000, 0);`,
      { stdout: 'unref\nclose', stderr: /^$|was called by native code after its close/ },
    ));

  test('the natural end of the process comes while a native thread waits for a Promise that never settles', () =>
    ends(
      `const callback = new ffi.JSCallback(() => new Promise(() => {}), i32);
      s.start_ticker(callback, 0, 0);
      setTimeout(() => console.log('end'), 50);`,
      { stdout: 'end' },
    ));

  test('the natural end of the process comes with pins, buffers of alloc() and open libraries left behind', () =>
    ends(
      `globalThis.kept = [ffi.pin(ffi.alloc(100)), ffi.pin(new Uint8Array(100)), lib.thread(), lib.thread()];
      console.log('end');`,
      { stdout: 'end' },
    ));

  test('the natural end of the process comes after calls of all kinds were made at once and nothing was closed', () =>
    ends(
      `(async () => {
        const callback = new ffi.JSCallback((value) => value, i32);
        const thread = lib.thread();
        await Promise.all([
          s.join_threads_i32.async(callback, 4, 100), s.call_i32.async(callback, 1), thread.symbols.call_i32(callback, 2),
          s.sum_bytes_later.async(ffi.alloc(100), 100, 10), thread.symbols.sum_bytes_later(new Uint8Array(100), 100, 10),
        ]);
        withThreads.join_threads_i32(callback, 4, 100);
        console.log('end');
      })();`,
      { stdout: 'end' },
    ));
});

describe('a worker is terminated', { concurrency: 4 }, () => {
  const ready = "parentPort.postMessage('ready');";
  const workers = {
    'in a synchronous call': `setTimeout(() => s.sleep_ms(300), 1); ${ready}`,
    'in a call with threads: true': `const callback = new ffi.JSCallback(() => 1, i32);
      setTimeout(() => withThreads.call_i32_later(callback, 1, 300), 1); ${ready}`,
    'in a callback without end under threads: true': `const callback = new ffi.JSCallback(() => { for (;;); }, i32);
      setTimeout(() => withThreads.join_threads_i32(callback, 8, 100), 1); ${ready}`,
    'in a callback without end of a nonblocking call': `const callback = new ffi.JSCallback(() => { for (;;); }, i32);
      s.join_threads_i32.async(callback, 8, 100); ${ready}`,
    'in a callback without end of a foreign thread': `const callback = new ffi.JSCallback(() => { for (;;); }, i32);
      s.start_ticker(callback, 100, 20); callback.ref(); ${ready}`,
    'while nonblocking calls wait for callbacks': `const callback = new ffi.JSCallback((value) => value, i32);
      for (let i = 0; i < 300; i++) s.call_i32_later.async(callback, i, 1); ${ready}`,
    'while a nonblocking call waits for a Promise': `const callback = new ffi.JSCallback(() => new Promise(() => {}), i32);
      for (let i = 0; i < 8; i++) s.call_i32.async(callback, i); ${ready}`,
    'while a nonblocking call is slow': `s.sleep_ms.async(200); ${ready}`,
    'while calls are queued on a thread of its own': `const callback = new ffi.JSCallback((value) => value, i32);
      const thread = lib.thread();
      for (let i = 0; i < 300; i++) thread.symbols.call_i32_later(callback, i, 1); ${ready}`,
    'while a thread of its own waits for a Promise': `const callback = new ffi.JSCallback(() => new Promise(() => {}), i32);
      lib.thread().symbols.call_i32(callback, 1); ${ready}`,
    'while its library is closing': `s.sleep_ms.async(100); s.sleep_ms.async(150); lib.close(); ${ready}`,
    'with pins and buffers of calls under way': `globalThis.pin = ffi.pin(ffi.alloc(100));
      s.sum_bytes_later.async(ffi.alloc(1000), 1000, 100); s.sum_bytes_later.async(new Uint8Array(1000), 1000, 100); ${ready}`,
  };
  eachIn(
    Object.keys(workers),
    (state) => `${state}: it ends, and the others go on`,
    `main(async () => {
      for (const [state, code] of Object.entries(${JSON.stringify(workers)})) {
        for (let i = 0; i < ${byScale(1, 2)}; i++) {
          const [worker] = await start(code);
          await wait(50);
          await end(worker);
          if (s.add_i32(20, i) !== 20 + i) throw new Error('add is broken');
          if (await s.add_i32.async(20, i) !== 20 + i) throw new Error('the pool is broken');
        }
        console.log(state);
      }
    });`,
  );

  test('foreign threads that call back while a worker is terminated get zero, at once and from then on', () =>
    ends(
      `main(async () => {
        for (let round = 0; round < ${byScale(3, 6)}; round++) {
          const [worker, numbers] = await start(\`
            const callback = new ffi.JSCallback(() => 1, i32);
            callback.ref();
            parentPort.postMessage(Array.from({ length: 8 }, (_, i) => s.start_ticker(callback, 200 + i * 100, 0)));
          \`);
          await wait(round * 3);
          await end(worker);
          const sums = numbers.map((number) => s.sum_ticks(number));
          const calls = numbers.map((number) => s.count_ticks(number));
          const late = Date.now() + 5000;
          while (!numbers.every((number, i) => s.count_ticks(number) > calls[i] + 2n)) {
            if (Date.now() > late) throw new Error('a thread is stuck');
            await wait(5);
          }
          if (numbers.some((number, i) => s.sum_ticks(number) - sums[i] > 1n)) throw new Error('JavaScript still ran');
          await stopAll(numbers);
        }
        console.log('alive');
      });`,
      { stdout: 'alive' },
    ));

  test('a callback pointer of a terminated worker is harmless on the main thread, and on a new worker', () =>
    ends(
      `main(async () => {
        const code = 'const callback = new ffi.JSCallback((value) => value + 1, i32); parentPort.postMessage(callback.ptr);';
        const [worker, pointer] = await start(code + ' setInterval(() => {}, 1000);');
        await end(worker);
        console.log(s.call_i32(pointer, 1), withThreads.join_threads_i32(pointer, 4, 5), await s.call_i32.async(pointer, 1));
        const [next] = await start(code + 'parentPort.postMessage(s.call_i32(' + pointer + ', 1)); setInterval(() => {}, 1000);');
        await end(next);
      });`,
      { stdout: '0 0n 0' },
    ));

  test('memory that calls of a terminated worker still use is neither freed nor given to others', () =>
    ends(
      `process.on('warning', (warning) => console.log(warning.message));
      main(async () => {
        for (const call of ['thread.symbols.sum_bytes_later', 's.sum_bytes_later.async']) {
          s.set_last_sum(-1n);
          const [worker] = await start(\`
            const thread = lib.thread();
            const view = new Uint8Array(1000000).fill(1);
            \${call}(view, view.length, ${byScale(300, 600)});
            parentPort.postMessage('ready');
          \`);
          while (s.get_last_sum() !== -2n) await wait(1);
          await end(worker);
          for (let i = 0; i < ${byScale(12, 40)}; i++) {
            ffi.ptr(new Uint8Array(1000000).fill(5));
            if (i % ${byScale(4, 10)} === 1) await h.gc();
          }
          while (s.get_last_sum() === -2n) await wait(10);
          console.log(s.get_last_sum());
        }
      });`,
      { stdout: '1000000n\n1000000n' },
    ));

  const LARGE = byScale(4, 64) << 20;
  // Without the fences nothing but the end of the environment can wait for native code: the engine frees the memory.
  // Not guarded, which would copy 64 MB for each of the calls.
  const unfenced = { PINNED_FFI_GUARD: '', PINNED_FFI_FENCE: 'off', PINNED_FFI_QUARANTINE: 'off' };
  for (const [fences, env] of [
    ['with', {}],
    ['without', unfenced],
  ]) {
    test(`the end of a worker waits for a call that fills a large Buffer ${fences} fences`, () =>
      ends(
        `main(async () => {
          for (const call of ['thread.symbols.fill_bytes_later', 's.fill_bytes_later.async']) {
            s.set_last_sum(-1n);
            const [worker] = await start(\`
              const thread = lib.thread();
              const view = Buffer.alloc(${LARGE});
              for (let i = 0; i < 50; i++) \${call}(view, view.length, 7, 100);
              parentPort.postMessage('ready');
            \`);
            while (s.get_last_sum() === -1n) await wait(1);
            await end(worker);
            console.log(s.get_last_sum());
          }
        });`,
        { stdout: `${LARGE}n\n${LARGE}n`, env },
      ));
  }

  const TIMES = byScale(2, 10);

  test(`a worker may be terminated ${4 * TIMES} times, with threads that call at every moment of it`, () =>
    ends(
      `main(async () => {
        const numbers = [];
        await Promise.all(Array.from({ length: 4 }, async (_, turn) => {
          for (let i = 0; i < ${TIMES}; i++) {
            const [worker, number] = await start(\`
              const callback = new ffi.JSCallback(() => 1, i32);
              const number = s.start_ticker(callback, 100, 0);
              s.call_i32_later.async(callback, 1, 1);
              lib.thread().symbols.call_i32_later(callback, 1, 1);
              parentPort.postMessage(number);
            \`);
            numbers.push(number);
            await wait((i + turn) % 4);
            await worker.terminate();
            s.stop_ticker(number);
          }
        }));
        await stopAll(numbers);
        console.log('alive');
      });`,
      { stdout: 'alive', timeout: 60_000 },
    ));
});

describe('process.exit in a worker', () => {
  const places = {
    'a callback on its thread': 's.call_times_i32(callback, 3);',
    'a callback that a foreign thread has called': 's.start_ticker(callback, 100, 50); callback.ref();',
    'a callback under a call with threads: true': 'withThreads.join_threads_i32(callback, 8, 20);',
    'a callback of a nonblocking call': 's.join_threads_i32.async(callback, 8, 20);',
    'a callback on a dedicated thread': 'lib.thread().symbols.call_i32(callback, 1);',
  };
  eachIn(
    Object.keys(places),
    (where) => `in ${where} ends that worker alone, with that code`,
    `main(async () => {
      const exiting = 'const callback = new ffi.JSCallback(() => process.exit(5), i32); ';
      for (const [where, code] of Object.entries(${JSON.stringify(places)})) {
        const worker = new Worker(${JSON.stringify(inWorker)} + exiting + code, { eval: true });
        const [exit] = await once(worker, 'exit');
        if (exit !== 5) throw new Error('the worker ended with ' + exit);
        if (s.add_i32(20, 22) !== 42) throw new Error('add is broken');
        console.log(where);
      }
    });`,
  );
});

describe('an exception with no outer call', { concurrency: 4 }, () => {
  const throwing =
    "const callback = new ffi.JSCallback((i) => { throw new Error('boom ' + i); }, i32); callback.ref();";

  test('an exception with no outer call is an uncaughtException, and the native thread gets zero', () =>
    ends(
      `${throwing}
      const number = s.start_ticker(callback, 500, 3);
      let count = 0;
      process.on('uncaughtException', (error, origin) => {
        console.log(error.message, origin);
        if (++count === 3) {
          callback.close();
          setTimeout(() => console.log(s.sum_ticks(number)), 50);
        }
      });`,
      { stdout: 'boom 0 uncaughtException\nboom 1 uncaughtException\nboom 2 uncaughtException\n0n' },
    ));

  test('an exception with no outer call ends the process with code 1 where nobody listens, as any other does', () =>
    ends(`${throwing} s.start_ticker(callback, 100, 0);`, { exit: 1, stderr: /Error: boom 0\n[^]*at /, stdout: '' }));

  test('a rejection with no outer call is an uncaughtException, too', () =>
    ends(
      `process.on('uncaughtException', (error) => { console.log(error.message); callback.close(); });
      const callback = new ffi.JSCallback(async () => { await wait(1); throw new Error('later'); }, i32);
      callback.ref();
      s.start_ticker(callback, 100, 1);`,
      { stdout: 'later' },
    ));

  test('an exception with no outer call in a worker is its error event', () =>
    ends(
      `const worker = new Worker(${JSON.stringify(inWorker)} + ${JSON.stringify(`${throwing} s.start_ticker(callback, 100, 20);`)}, { eval: true });
      worker.on('error', (error) => console.log(error.message));
      worker.on('exit', (code) => console.log(code, s.add_i32(20, 22)));`,
      { stdout: /^boom 0\n1 42$/ },
    ));

  test('an exception of threads that a nonblocking call waits for does not keep that call from its end', () =>
    ends(
      `let count = 0;
      process.on('uncaughtException', () => count++);
      const callback = new ffi.JSCallback(() => { throw new Error('boom'); }, i32);
      s.join_threads_i32.async(callback, 4, 10).then((sum) => setTimeout(() => console.log(sum, count), 20));`,
      { stdout: '0n 40' },
    ));

  test('an exception of a callback that another environment has called asynchronously is one where it was thrown', () =>
    ends(
      `process.on('uncaughtException', (error) => console.log('main:', error.message));
      const callback = new ffi.JSCallback(() => { throw new Error('boom'); }, i32);
      callback.ref();
      let release;
      const patient = new ffi.JSCallback(() => new Promise((resolve) => { release = () => resolve(1); }), i32);
      s.call_i32.async(patient, 1).then((value) => console.log('mine got', value), (error) => console.log('mine rejected', error.message));
      const worker = new Worker(${JSON.stringify(inWorker)} + \`
        s.call_i32.async(workerData, 1).then((value) => parentPort.postMessage(value));
      \`, { eval: true, workerData: callback.ptr });
      worker.on('message', (value) => console.log('worker got', value));
      worker.on('exit', () => { callback.close(); release(); });`,
      { stdout: 'main: boom\nworker got 0\nmine got 1' },
    ));
});

describe('a closed callback that C still calls', { concurrency: 4 }, () => {
  const place =
    /FFIWarning: a JSCallback named was called by native code after its close\(\), and returned zero; it was created at [^\n]*\[eval\]:\d+/;
  const make =
    'const callback = new ffi.JSCallback(function named() { return 5; }, i32); const pointer = callback.ptr; callback.close();';

  test('a closed callback that C still calls gives zero on the JavaScript thread and one warning with the place of creation', async () => {
    const { stderr } = await ends(
      `${make}
      console.log(s.call_times_i32(pointer, 100), s.call_i32(pointer, 1));`,
      { stdout: '0 0', stderr: place },
    );
    assert.equal(stderr.split('FFIWarning').length, 2);
  });

  test('a closed callback that C still calls is warned of with its place where the program has frozen Error, in a function and in a class of its own', async () => {
    const { stderr } = await ends(
      `Object.freeze(Error);
      class Mine extends ffi.JSCallback {}
      function make() { return [new ffi.JSCallback(() => 5, i32), new Mine(() => 5, i32)]; }
      const made = make();
      const pointers = made.map(({ ptr }) => ptr);
      for (const callback of made) callback.close();
      console.log(pointers.map((pointer) => s.call_i32(pointer, 1)).join(' '));`,
      { stdout: '0 0', stderr: /FFIWarning/ },
    );
    assert.equal(stderr.split(/it was created at make \([^\n]*\[eval\]:\d+/).length, 3);
  });

  test('a closed callback that C still calls is warned of without its place where 256 others were made before it without a pause', async () => {
    const { stderr } = await ends(
      `const made = (count) => Array.from({ length: count }, () => new ffi.JSCallback(() => 5, i32));
      const first = made(257);
      setImmediate(() => {
        const last = made(256);
        const pointers = [first[256], last[255], last[0]].map(({ ptr }) => ptr);
        for (const callback of [...first, ...last]) callback.close();
        console.log(pointers.map((pointer) => s.call_i32(pointer, 1)).join(' '));
      });`,
      { stdout: '0 0 0', stderr: /created without a pause after 256 others, and only of those the place is noted/ },
    );
    assert.equal(stderr.split('FFIWarning').length, 4);
    assert.equal(stderr.split(/it was created at [^\n]*\[eval\]:\d+/).length, 3);
  });

  test('a closed callback that C still calls is warned of in a worker that ends right after', async () => {
    const { stderr } = await ends(
      `const worker = new Worker(${JSON.stringify(inWorker + make + ' s.call_i32(pointer, 1);')}, { eval: true });
      worker.on('exit', (code) => console.log('exit', code));`,
      { stdout: 'exit 0', stderr: /was called by native code after its close\(\)/ },
    );
    assert.equal(stderr.split('FFIWarning').length, 2);
  });

  test('a closed callback that C still calls gives zero a million times within the same memory, and one warning', async () => {
    const { stderr } = await ends(
      `${make}
      const repeat = (count) => { for (let i = 0; i < count; i++) if (s.call_i32(pointer, i) !== 0) process.exit(1); };
      repeat(100_000);
      const before = process.memoryUsage.rss();
      repeat(1_000_000);
      const grown = process.memoryUsage.rss() - before;
      console.log(grown < 8 * 2 ** 20 ? 'bounded' : 'grew by ' + grown);`,
      { stdout: 'bounded', stderr: place },
    );
    assert.equal(stderr.split('FFIWarning').length, 2);
  });

  test('a closed callback that C still calls gives zero on foreign threads and one warning with the place of creation', async () => {
    const { stderr } = await ends(
      `${make}
      console.log(withThreads.join_threads_i32(pointer, 8, 100));
      s.join_threads_i32.async(pointer, 8, 100).then((sum) => setTimeout(() => console.log(sum), 20));`,
      { stdout: '0n\n0n', stderr: place },
    );
    assert.equal(stderr.split('FFIWarning').length, 2);
  });

  test('a call of a closed callback does not wait for JavaScript: a synchronous call that joins such threads returns', () =>
    ends(`${make} console.log(s.join_threads_i32(pointer, 8, 100)); setTimeout(() => {}, 100);`, {
      stdout: '0n',
      stderr: place,
    }));

  test('the warning of a closed callback has a code', () =>
    ends(
      `process.on('warning', ({ name, code }) => console.log(name, code));
      ${make}
      s.call_i32(pointer, 1);`,
      { stdout: 'FFIWarning ERR_FFI_CALLBACK_CLOSED', stderr: place },
    ));

  test('a callback that closes itself, called by a foreign thread, answers that call, and later ones get zero', () =>
    ends(
      `const callback = new ffi.JSCallback((value) => { callback.close(); return 7; }, i32);
      console.log(withThreads.join_threads_i32(callback, 1, 10));
      const next = new ffi.JSCallback((value) => { next.close(); return 7; }, i32);
      s.join_threads_i32.async(next, 16, 10).then((sum) => setTimeout(() => console.log(sum), 20));`,
      { stdout: '7n\n7n', stderr: /FFIWarning/ },
    ));

  test('a callback may be closed by another callback while 8 threads call it', () =>
    ends(
      `const victim = new ffi.JSCallback((value) => value >= 0 ? 1 : 0, i32);
      const closer = new ffi.JSCallback((value) => { if (value === 20) victim.close(); return 1; }, i32);
      main(async () => {
        const sums = await Promise.all([s.join_threads_i32.async(victim, 8, 2000), s.join_threads_i32.async(closer, 2, 500)]);
        console.log(sums[0] > 0n && sums[0] < 16000n, sums[1]);
      });`,
      { stdout: 'true 1000n', stderr: /FFIWarning/ },
    ));

  test('calls of a closed callback that JavaScript has not seen yet do not come to the callback that has its pointer next', () =>
    ends(
      `const joined = ffi.dlopen(h.fixture, { join_threads_i32: join }).symbols.join_threads_i32;
      let strange = 0;
      const first = new ffi.JSCallback(() => 1, { ...i32, threadsafe: true });
      const pointer = first.ptr;
      joined(first, 2, 10);
      first.close();
      Array.from({ length: 1030 }, () => new ffi.JSCallback(() => 1, i32)).forEach((callback) => callback.close());
      const next = Array.from({ length: 5 }, () => new ffi.JSCallback(() => (strange++, 1), i32));
      const isSame = next.some((callback) => callback.ptr === pointer);
      setTimeout(() => console.log(isSame, strange), 50);`,
      { stdout: 'true 0' },
    ));

  test('a closed callback is not called in the place of another: two thousand later callbacks have other addresses or their own functions', () =>
    ends(
      `const old = Array.from({ length: 10 }, () => { const c = new ffi.JSCallback(() => 5, i32); const p = c.ptr; c.close(); return p; });
      const fresh = Array.from({ length: 500 }, (_, i) => new ffi.JSCallback(() => i + 100, i32));
      console.log(old.every((pointer) => s.call_i32(pointer, 1) === 0), fresh.every((callback, i) => s.call_i32(callback, 1) === i + 100));`,
      { stdout: 'true true', stderr: /FFIWarning/ },
    ));
});

describe('many callbacks', () => {
  test('many callbacks that are created and closed keep within bounded memory, and each works', () =>
    ends(
      `const make = (count) => {
        for (let i = 0; i < count; i++) {
          const callback = new ffi.JSCallback((value) => value + 1, i32);
          if (s.call_i32(callback, i) !== i + 1) throw new Error('wrong');
          callback.close();
        }
      };
      main(async () => {
        make(5000);
        await h.gc();
        const before = process.memoryUsage.rss();
        for (let i = 0; i < ${byScale(3, 10)}; i++) { make(10_000); await h.gc(); }
        const grown = process.memoryUsage.rss() - before;
        console.log(grown < 32 * 2 ** 20 ? 'bounded' : 'grew by ' + grown);
      });`,
      { stdout: 'bounded', timeout: 60_000 },
    ));

  test('many callbacks that are created and dropped are warned of once, and cost less than two kilobytes each', () =>
    ends(
      `process.on('warning', ({ name, message }) => console.log(name, /1000 JSCallbacks were dropped without close/.test(message)));
      main(async () => {
        const make = (count) => { for (let i = 0; i < count; i++) new ffi.JSCallback(() => 0, i32); };
        make(1);
        await h.gc();
        const before = process.memoryUsage.rss();
        for (let i = 0; i < ${byScale(4, 20)}; i++) { make(5000); await h.gc(); }
        const each = (process.memoryUsage.rss() - before) / ${byScale(20_000, 100_000)};
        console.log(each < 2048 ? 'bounded' : each + ' bytes each');
      });`,
      { stdout: 'FFIWarning true\nbounded', stderr: /dropped without close/, timeout: 60_000 },
    ));

  test('many callbacks that were closed are no reason to warn', () =>
    ends(
      `main(async () => {
        for (let i = 0; i < 3000; i++) new ffi.JSCallback(() => 0, i32).close();
        await h.gc();
        console.log('quiet');
      });`,
      { stdout: 'quiet' },
    ));
});

describe('everything at once', () => {
  test('everything at once may be collected while it is in flight, and the process ends', () =>
    ends(
      `main(async () => {
        let sum = 0;
        const promises = [];
        const keep = (promise) => promises.push(promise.then((value) => { sum += Number(value); }));
        for (let round = 0; round < 40; round++) {
          (() => {
            const library = ffi.dlopen(h.fixture, declarations);
            const thread = library.thread();
            keep(thread.symbols.sum_bytes_later(new Uint8Array(1000).fill(1), 1000, 2));
            keep(library.symbols.sum_bytes_later.async(new Uint8Array(500).fill(2), 500, 5));
            keep(library.symbols.call_i32_later.async(new ffi.JSCallback((value) => value, i32), 1000, 3));
            library.symbols.sum_bytes_later.async(new Uint8Array(500).fill(2), 500, 5);
            if (round % 3 === 0) library.close();
            if (round % 2 === 0) thread.close();
          })();
          h.collect();
          await null;
        }
        await h.gc();
        await Promise.all(promises);
        console.log(sum, ffi.checkFences());
      });`,
      { stdout: '120000 0' },
    ));

  test('process.exit ends the process with workers, threads, queues and Promises in every state', () =>
    ends(
      `main(async () => {
        const callback = new ffi.JSCallback((value) => value, i32);
        const never = new ffi.JSCallback(() => new Promise(() => {}), i32);
        for (let i = 0; i < 4; i++) s.start_ticker(callback, 50, 0);
        s.start_ticker(never, 0, 0);
        for (let i = 0; i < 50; i++) lib.thread().symbols.call_i32_later(callback, i, 5);
        for (let i = 0; i < 50; i++) s.call_i32_later.async(callback, i, 1);
        s.call_i32.async(never, 1);
        await start("const callback = new ffi.JSCallback(() => 1, i32); callback.ref(); s.start_ticker(callback, 50, 0); s.call_i32_later.async(callback, 1, 100); parentPort.postMessage('ready');");
        await wait(30);
        process.exit(6);
      });`,
      { exit: 6 },
    ));

  test('the process runs the calls that threads of C have made before it ends, though they do not keep it alive', () =>
    ends(
      `const { symbols } = ffi.dlopen(h.fixture, { call_on_thread_i32: call });
      const seen = new ffi.JSCallback((n) => console.log('seen', n), { args: ['i32'], threadsafe: true });
      console.log('C got', symbols.call_on_thread_i32(seen, 7));`,
      { stdout: 'C got 0\nseen 7' },
    ));
});
