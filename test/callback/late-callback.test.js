'use strict';
// Callbacks that no call of JavaScript waits for, or that are closed when C calls: each test is a child process.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { byScale } = require('../scale.js');
const { ends, inWorker } = require('../process/endings.js');

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
