'use strict';
// The end of the process while native code is at work: each is a child, whose exit code and stderr are checked.

const { describe, test } = require('node:test');
const { eachIn, ends, inWorker } = require('./endings.js');

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
