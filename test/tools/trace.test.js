'use strict';
// The flight recorder: each crash is a child process, whose signal and stderr are checked.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { findCompiler } = require('../../scripts/build.js');
const { ffi, root, run, runs } = require('../helpers.js');

const source = path.join(__dirname, '..', 'fixtures', 'trace', 'handlers.c');
let folder;
let handlers;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-trace-'));
  handlers = path.join(folder, `libhandlers.${ffi.suffix}`);
  const [command, ...more] = findCompiler();
  // The handlers stay when Node closes the library, which is no addon.
  const stay = process.platform === 'linux' ? ['-Wl,-z,nodelete'] : [];
  const kind = ['-shared', '-fPIC', '-pthread', '-O0', '-Wno-infinite-recursion', ...stay];
  const args = [...more, ...kind, '-o', handlers, source];
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

const on = { PINNED_FFI_TRACE: '1' };

/** What the children share. */
const common = () => `
const { Worker } = require('node:worker_threads');
const BAD = 4096;
const i32 = { args: ['i32'], returns: 'i32' };
const lib = ffi.dlopen('c', {
  abs: i32, raise: i32, abort: {}, strlen: { args: ['ptr'], returns: 'usize' },
  memset: { args: ['ptr', 'i32', 'usize'], returns: 'ptr' },
  mmap: { args: ['ptr', 'usize', 'i32', 'i32', 'i32', 'i64'], returns: 'ptr' },
  qsort: { args: ['ptr', 'usize', 'usize', 'function'] },
});
const more = ffi.dlopen(${JSON.stringify(handlers)}, {
  divide_i32: { args: ['i32', 'i32'], returns: 'i32' }, recurse_forever: i32, crash_on_foreign_thread: {},
  map_closed_page: { returns: 'ptr' },
});
const s = lib.symbols;
const comparing = (callback) => new ffi.JSCallback(callback, { args: ['ptr', 'ptr'], returns: 'i32' });
`;

const crash = (code, { env = on, ...options } = {}) => run({ code: common() + code, env, ...options });

/** The child dies by this signal, having said all this on stderr. */
async function dies(code, signal, ...said) {
  const result = await crash(code);
  assert.equal(result.signal, signal, `stderr:\n${result.stderr}\nstdout:\n${result.stdout}\ncode: ${result.code}`);
  for (const pattern of said) assert.match(result.stderr, pattern);
  return result.stderr;
}

describe('a crash in native code', { concurrency: 2 }, () => {
  test('a crash by SIGSEGV prints the function, the kinds of its arguments and the place of the call', async () => {
    const said = await dies(
      "s.strlen(Buffer.from('12345678\\0'));\ns.memset(BAD, 1, 5);",
      'SIGSEGV',
      /^pinned-ffi: SIGSEGV at address 0x1000 on thread \d+, inside memset\. The last calls, newest last:$/m,
      /^ {2}strlen\(ptr: a Buffer of 9 bytes\) of \S*libc\S* at \[eval\]:\d+:3, thread \d+ \(main\): returned$/m,
      /^> memset\(ptr: number, i32: number, u(?:size|64): number\) of \S*libc\S* at \[eval\]:\d+:3, .*: inside$/m,
    );
    assert.equal(said.trim().split('\n').length, 3, said);
  });

  test('a crash by SIGFPE is reported', () =>
    dies('more.symbols.divide_i32(1, 0);', 'SIGFPE', /SIGFPE on thread \d+, inside divide_i32\./, /^> divide_i32/m));

  test('a crash by SIGABRT is reported', () =>
    dies('s.abort();', 'SIGABRT', /SIGABRT on thread \d+, inside abort\./, /^> abort\(\) of /m));

  test('a crash by SIGBUS is reported', () =>
    dies(
      `const fd = require('node:fs').openSync(${JSON.stringify(path.join(folder, 'empty'))}, 'w+');
      s.strlen(s.mmap(null, 4096, 1, 1, fd, 0));`,
      'SIGBUS',
      /SIGBUS at address 0x[0-9a-f]+ on thread \d+, inside strlen\./,
      /^ {2}mmap\(ptr: null, .*: returned$/m,
      /^> strlen/m,
    ));

  test('a crash by a signal that was sent, not caused, is reported', () =>
    dies('s.raise(11);', 'SIGSEGV', /SIGSEGV on thread \d+, inside raise\./));

  test('a crash by a recursion without end, which leaves no stack, is reported', () =>
    dies('more.symbols.recurse_forever(0);', 'SIGSEGV', /inside recurse_forever\./));

  test('a crash on a thread that is not ours is reported', () =>
    dies(
      'more.symbols.crash_on_foreign_thread();',
      'SIGSEGV',
      /which is inside no recorded call\. The last calls/,
      /^ {2}crash_on_foreign_thread\(\) .*: inside$/m,
    ));

  test('a crash in a worker is reported', () =>
    dies(
      `new Worker(\`const ffi = require(${JSON.stringify(root)});
        ffi.dlopen('c', { strlen: { args: ['ptr'], returns: 'usize' } }).symbols.strlen(4096);\`, { eval: true });`,
      'SIGSEGV',
      /inside strlen\./,
      /^> strlen\(ptr: number\) .* at \[worker eval\]:2:\d+, thread \d+ \(worker 1\): inside$/m,
    ));

  test('a crash in an asynchronous call is reported', () =>
    dies(
      's.strlen.async(BAD);',
      'SIGSEGV',
      /^> strlen\(.* at \[eval\]:\d+:\d+, thread \d+ \(pool, asynchronous\): inside$/m,
    ));

  test('a crash on the thread of `thread()` is reported', () =>
    dies(
      'lib.thread().symbols.strlen(BAD);',
      'SIGSEGV',
      /^> strlen\(.*, thread \d+ \(thread, asynchronous\): inside$/m,
    ));

  test('a crash in a call with `threads: true` is reported', () =>
    dies(
      "ffi.dlopen('c', { strlen: { args: ['ptr'], returns: 'usize', threads: true } }).symbols.strlen(BAD);",
      'SIGSEGV',
      /^> strlen\(.* at \[eval\]:\d+:\d+, thread \d+ \(helper\): inside$/m,
    ));

  test('a crash in a callback is reported under the call that led to it', () =>
    dies(
      `s.qsort(new Int32Array(4), 4, 4, comparing(() => s.strlen(BAD)));`,
      'SIGSEGV',
      /inside strlen\./,
      /^ {2}qsort\(.*function: .*\) .*: inside$/m,
      /^> strlen\(/m,
    ));

  test('a crash after more calls than are recorded names a function that is still inside', () =>
    dies(
      `const compare = comparing(() => { for (let i = 0; i < 100; i++) s.abs(i); process.abort(); });
      s.qsort(new Int32Array(4), 4, 4, compare);`,
      'SIGABRT',
      /inside qsort\. The last calls, newest last:\n> qsort\(/,
    ).then((said) => assert.equal(said.match(/: returned$/gm).length, 63)));

  test('process.abort() ends as it does without the recorder, and the report says that no call was recorded', () =>
    dies(
      'process.abort();',
      'SIGABRT',
      /SIGABRT on thread \d+, which is inside no recorded call\. No call was recorded\.\n/,
    ));
});

describe('other signal handlers', { concurrency: 2 }, () => {
  const first = () => `try { process.dlopen({ exports: {} }, ${JSON.stringify(handlers)}); } catch {}\n`;
  /** The handlers are installed before the addon is loaded, which a child of `run` has done already. */
  const behind = async (kind, code) => {
    const file = path.join(folder, `${kind}.js`);
    fs.writeFileSync(file, `${first()}const ffi = require(${JSON.stringify(root)});\n${common()}${code}`);
    return run({ file: path.relative(root, file), env: { ...on, TRACE_HANDLER: kind } });
  };

  test('other signal handlers get the signal after it was printed', async () => {
    const { code, stderr } = await behind('simple', 's.strlen(BAD);');
    assert.deepEqual([code, stderr.split('\n').at(-2)], [42, 'simple handler: SIGSEGV'], stderr);
    assert.match(stderr, /inside strlen\./);
  });

  test('other signal handlers get all that the kernel says of it', async () => {
    const { code, stderr } = await behind('detailed', 's.strlen(BAD);');
    assert.deepEqual([code, stderr.split('\n').at(-2)], [43, 'detailed handler: as it should be'], stderr);
  });

  test('other signal handlers may correct the cause, more than once', async () => {
    const { code, stderr, stdout } = await behind(
      'resolve',
      `
      for (let i = 0; i < 2; i++) {
        const page = s.memset(more.symbols.map_closed_page(), 7, 4096);
        console.log(ffi.toBuffer(page, 0, 4096)[4095]);
      }`,
    );
    assert.deepEqual([code, stdout], [0, '7\n7\n'], stderr);
    assert.equal(stderr.match(/SIGSEGV at address/g).length, 2, stderr);
  });

  test("V8's handlers for WebAssembly are not disturbed, and nothing is printed", async () => {
    const { code, stderr, stdout } = await crash(`
      const bytes = Buffer.from('0061736d0100000001060160017f017f030201000503010001'
        + '070801046c6f616400000a0901070020002802000b', 'hex');
      const { load } = new WebAssembly.Instance(new WebAssembly.Module(bytes)).exports;
      s.abs(-1);
      for (let i = 0; i < 3; i++) try { load(-8); } catch (error) { console.log(error.constructor.name); }
      console.log(load(0), s.abs(-2));`);
    assert.deepEqual([code, stdout, stderr], [0, 'RuntimeError\nRuntimeError\nRuntimeError\n0 2\n', '']);
  });

  test("Node's handlers for signals that a program listens to still work", () =>
    runs(
      `process.once('SIGUSR2', () => { console.log('heard'); clearInterval(timer); });
      const timer = setInterval(() => {}, 1000); process.kill(process.pid, 'SIGUSR2');`,
      { env: on },
    ).then((said) => assert.equal(said, 'heard')));
});

describe('lib.trace()', { concurrency: 2 }, () => {
  const prints = async (code, options) => JSON.parse(await runs(`${common()}${code}`, { env: on, ...options }));

  test('lib.trace() gives the calls of the library, newest last', async () => {
    const calls = await prints(`s.abs(-5); more.symbols.divide_i32(4, 2); try { s.abs('5'); } catch {}
      s.strlen(Buffer.from('x\\0')); console.log(JSON.stringify(lib.trace()));`);
    assert.deepEqual(
      calls.map((call) => [call.symbol, call.arguments, call.state, call.thread, call.async]),
      [
        ['abs', ['i32: number'], 'returned', 'main', false],
        ['abs', ['i32: a string of 1'], 'threw', 'main', false],
        ['strlen', ['ptr: a Buffer of 2 bytes'], 'returned', 'main', false],
      ],
    );
    for (const { library, site } of calls) assert.match(`${library} ${site}`, /libc\S* \[eval\]:\d+:\d+$/);
  });

  test('lib.trace() has the calls that are inside, as a callback sees them', async () => {
    const calls = await prints(`let seen;
      const compare = comparing(() => { seen = lib.trace(); return 0; });
      s.qsort(new Int32Array(2), 2, 4, compare); console.log(JSON.stringify([...seen, ...lib.trace()]));`);
    assert.deepEqual(
      calls.map(({ symbol, state }) => `${symbol} ${state}`),
      ['qsort inside', 'qsort returned'],
    );
  });

  test('lib.trace() has the asynchronous calls with the thread they ran on and the place that made them', async () => {
    const calls = await prints(`(async () => { await s.abs.async(-1);
      const thread = lib.thread(); await thread.symbols.abs(-2); thread.close();
      console.log(JSON.stringify(lib.trace())); })();`);
    assert.deepEqual(
      calls.map(({ symbol, thread, async, state }) => [symbol, thread, async, state]),
      [
        ['abs', 'pool', true, 'returned'],
        ['abs', 'thread', true, 'returned'],
      ],
    );
    for (const { site } of calls) assert.match(site, /^\[eval\]:\d+:\d+$/);
  });

  test('lib.trace() has what was passed to variadic functions and out parameters', async () => {
    const calls = await prints(`const { symbols, trace } = ffi.dlopen('c', {
        snprintf: { args: ['ptr', 'usize', 'cstring'], returns: 'i32', varargs: true },
        frexp: { args: ['f64', ffi.out('i32')], returns: 'f64' } });
      symbols.snprintf(Buffer.alloc(8), 8, '%d', ['i32', 5]); symbols.frexp(8);
      console.log(JSON.stringify(trace()));`);
    assert.equal(calls[0].arguments.at(-1), 'i32: number');
    assert.equal(calls[0].arguments[2], 'cstring: a string of 2');
    assert.equal(calls[1].arguments.length, 2);
  });

  test('lib.trace() keeps 64 calls, and cuts what is long', async () => {
    const calls = await prints(`const key = 'abs_' + 'x'.repeat(500);
      const long = ffi.dlopen('c', { [key]: { name: 'abs', args: ['i32'], returns: 'i32' } });
      for (let i = 0; i < 100; i++) long.symbols[key](i);
      console.log(JSON.stringify(long.trace()));`);
    assert.equal(calls.length, 64);
    assert.equal(calls[0].symbol.length, 128);
  });

  test('lib.trace() names the file of an ES module, and leaves what a program has set of Error', async () => {
    const file = path.join(folder, 'site.mjs');
    fs.writeFileSync(
      file,
      `import { createRequire } from 'node:module';
const ffi = createRequire(import.meta.url)(${JSON.stringify(root)});
Error.prepareStackTrace = () => 'mine';
Error.stackTraceLimit = 0;
const { symbols, trace } = ffi.dlopen('c', { abs: { args: ['i32'], returns: 'i32' } });
   symbols.abs(1);
[2].map((value) => symbols.abs(value));
console.log(new Error('x').stack, Error.stackTraceLimit, ...trace().map(({ site }) => site));`,
    );
    const { stdout, stderr } = await run({ file: path.relative(root, file), env: on });
    assert.equal(stdout.trim(), `mine 0 ${file}:6:12 ${file}:7:28`, stderr);
  });

  test('lib.trace() works for a program that has frozen Error', () =>
    prints('Object.freeze(Error); s.abs(1); console.log(JSON.stringify(lib.trace()));').then(([call]) =>
      assert.equal(call.symbol, 'abs'),
    ));
});

describe('without PINNED_FFI_TRACE', () => {
  const off = { PINNED_FFI_TRACE: '' };

  test('nothing is printed, and the process dies as it would', async () => {
    const { signal, stderr } = await crash('s.abs(1); s.strlen(BAD);', { env: off });
    assert.deepEqual([signal, stderr], ['SIGSEGV', '']);
  });

  test('no function goes through the recorder, and lib.trace() is empty', async () => {
    const code = `s.abs(1); let stack;
      const compare = comparing(() => { stack = new Error().stack; return 0; });
      s.qsort(new Int32Array(2), 2, 4, compare);
      console.log(JSON.stringify([lib.trace(), /recorder\\.js/.test(stack)]));`;
    assert.deepEqual(JSON.parse(await runs(common() + code, { env: off })), [[], false]);
    assert.deepEqual(JSON.parse(await runs(common() + code, { env: on }))[1], true);
  });
});
