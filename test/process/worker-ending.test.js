'use strict';
// The end of a worker while native code is at work: the process and other workers go on.

const { describe, test } = require('node:test');
const { byScale } = require('../scale.js');
const { eachIn, ends } = require('./endings.js');

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
