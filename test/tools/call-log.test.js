'use strict';
// PINNED_FFI_TRACE=log: each call is a line on stderr.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { fixture, run } = require('../helpers.js');

const TIME = /<\d+\.\d{3} ms>$/;
const DECLARATIONS = `
  const { dlopen, isFFIError, opaque, out, read } = require('./index.js');
  const { symbols, thread } = dlopen(null, \`
    size_t strlen(const char *s); void *memset(void *s, int c, size_t n); int abs(int); void free(void *);
    typedef struct { int quot; int rem; } div_t; div_t div(int a, int b);
    void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
    long long atoll(const char *); int printf(const char *, ...); time_t time(_Out_ time_t *t);
  \`);`;

/** Runs `code` with a setting of PINNED_FFI_TRACE; gives the lines on stderr, whose times are left out once checked. */
async function logOf(code, setting = 'log', flags = []) {
  const script = `${DECLARATIONS}\n${code}`;
  const { stderr, stdout } = await run({ code: script, isBare: true, flags, env: { PINNED_FFI_TRACE: setting } });
  const lines = stderr.split('\n').filter((line) => line !== '');
  for (const line of lines) {
    if (!line.endsWith('<unfinished ...>') && !/^\s/.test(line) && / (=|threw) /.test(line)) assert.match(line, TIME);
  }
  return { lines: lines.map((line) => line.replace(TIME, '').trimEnd()), stdout };
}

describe('the log of calls', { concurrency: 4 }, () => {
  test('the log of calls shows arguments and results as they are declared', async () => {
    const { lines } = await logOf(`
      symbols.strlen('four');
      symbols.abs(-7);
      symbols.div(17, 5);
      symbols.free(null);
      symbols.atoll('12345678901234567890'.slice(0, 12));
      symbols.memset(Buffer.alloc(96), 65, 96);
      symbols.strlen('x'.repeat(100));`);
    assert.match(lines[5], /^memset\(\[Buffer of 96 bytes\], 65, 96\) = 0x[0-9a-f]+$/);
    lines.splice(5, 1);
    assert.deepEqual(lines, [
      'strlen("four") = 4',
      'abs(-7) = 7',
      'div(17, 5) = { quot: 3, rem: 2 }',
      'free(NULL) = void',
      'atoll("123456789012") = 123456789012',
      `strlen("${'x'.repeat(64)}"...) = 100`,
    ]);
  });

  test('the log of calls shows out-parameters, extra arguments and the library', async () => {
    const { lines, stdout } = await logOf(`
      symbols.time();
      symbols.printf('%d %s\\n', ['int', 5], ['cstring', 'x']);
      dlopen(${JSON.stringify(fixture)}, { add_i32: { args: ['i32', 'i32'], returns: 'i32' } }).symbols.add_i32(1, 2);`);
    assert.match(lines[0], /^time\(\) = \d+, out: \[\d+\]$/);
    assert.equal(lines[1], 'printf("%d %s\\n", 5, "x") = 4');
    assert.match(lines[2], /^libfixture\.\w+: add_i32\(1, 2\) = 3$/);
    assert.match(stdout, /5 x/);
  });

  test('the log of calls shows calls that callbacks make inside of the call, which goes on afterwards', async () => {
    const { lines } = await logOf(`
      symbols.qsort(Int32Array.of(2, 1), 2, 4, function compare(a, b) {
        symbols.abs(-3);
        return read.i32(a) - read.i32(b);
      });`);
    assert.deepEqual(
      lines.map((line) => line.replaceAll(/0x[0-9a-f]+/g, '0x1').replace(/ <\d.*/, '')),
      [
        'qsort([Int32Array of 8 bytes], 2, 4, [function compare]) <unfinished ...>',
        '  callback compare(0x1, 0x1) <unfinished ...>',
        '    abs(-3) = 3',
        '  <... callback compare resumed> = 1',
        '<... qsort resumed> = void',
      ],
    );
  });

  test('the log of calls shows calls of callbacks with their arguments, results and exceptions', async () => {
    const { lines, stdout } = await logOf(`
      const { JSCallback, CFunction } = require('./index.js');
      const types = { args: ['cstring', 'int'], returns: 'int' };
      const half = new JSCallback(function half(text, n) { return n / 2; }, types);
      const call = CFunction({ ptr: half.ptr, ...types });
      console.log(call('a', 4));
      try { call('b', 5); } catch (error) { console.log(error.code); }
      const later = new JSCallback(async () => 1, { returns: 'void' });
      CFunction({ ptr: later.ptr })();`);
    const calls = lines.map((line) => line.trim()).filter((line) => /^callback|^<... callback/.test(line));
    assert.deepEqual(calls.slice(0, 3), [
      'callback half("a", 4) = 2',
      'callback half("b", 5) = 2.5',
      'callback (anonymous)() = promise 1',
    ]);
    assert.equal(stdout, '2\nERR_OUT_OF_RANGE\n');
  });

  test('the log of calls is limited to callbacks that a list names', async () => {
    const code = `symbols.qsort(Int32Array.of(2, 1), 2, 4, function compare() { return 0; });`;
    assert.equal((await logOf(code, 'log:comp*')).lines.length, 1);
    assert.equal((await logOf(code, 'log:!compare')).lines.length, 1);
  });

  test('the log of calls shows what was thrown, and throws it', async () => {
    const { lines, stdout } = await logOf(`
      try { symbols.abs('x'); } catch (error) { console.log(error.code); }
      symbols.qsort(Int32Array.of(2, 1), 2, 4, () => { throw new Error('mine'); });`);
    lines[2] = lines[2].replaceAll(/0x[0-9a-f]+/g, '0x1');
    assert.match(lines[0], /^abs\("x"\) threw ERR_INVALID_ARG_TYPE: abs: argument 0 must be .+$/);
    assert.deepEqual(lines.slice(2, 4), [
      '  callback (anonymous)(0x1, 0x1) threw mine',
      '<... qsort resumed> threw mine',
    ]);
    assert.equal(stdout, 'ERR_INVALID_ARG_TYPE\n');
  });

  test('the log of calls shows asynchronous calls when they start and when they settle', async () => {
    const { lines, stdout } = await logOf(`
      (async () => {
        console.log(await symbols.abs.async(-7));
        await symbols.abs.async('x').catch((error) => console.log(error.code));
        const { symbols: apart, close } = thread();
        console.log(await apart.abs(-8));
        close();
      })();`);
    assert.deepEqual(lines.slice(0, 3), [
      'abs.async(-7) = promise 1',
      'abs.async (promise 1) = 7',
      'abs.async("x") = promise 2',
    ]);
    assert.match(lines[3], /^abs\.async \(promise 2\) threw ERR_INVALID_ARG_TYPE: /);
    assert.deepEqual(lines.slice(4), ['abs.async(-8) = promise 3', 'abs.async (promise 3) = 8']);
    assert.equal(stdout, '7\nERR_INVALID_ARG_TYPE\n8\n');
  });

  test('an unhandled rejection stays one', async () => {
    const { lines } = await logOf("symbols.abs.async('x');");
    assert.ok(lines.some((line) => /ERR_INVALID_ARG_TYPE/.test(line)));
    assert.ok(
      lines.some((line) => /^Node\.js v/.test(line)),
      lines.join('\n'),
    );
  });

  test('the log of calls leaves functions as they are: name, number of arguments, address', async () => {
    const code = 'console.log(symbols.abs.name, symbols.abs.length, symbols.abs.ptr > 4096);';
    assert.equal((await logOf(code)).stdout, 'abs 1 true\n');
  });

  test('the log of calls has the last call on its last line when the process crashes', async () => {
    const { lines } = await logOf('symbols.abs(-1); symbols.memset(8, 0, 1);');
    assert.deepEqual(lines.slice(0, 2), ['abs(-1) = 1', 'memset(0x8, 0, 1)']);
  });

  test('the log of calls is limited to the functions that a list names', async () => {
    const code = "symbols.strlen('x'); symbols.abs(-1); symbols.div(7, 2);";
    assert.deepEqual((await logOf(code, 'log:str*,abs')).lines, ['strlen("x") = 1', 'abs(-1) = 1']);
    assert.deepEqual((await logOf(code, 'log:!abs, !d*')).lines, ['strlen("x") = 1']);
    assert.deepEqual((await logOf(code, 'log:nothing')).lines, []);
    assert.deepEqual((await logOf(code, '0')).lines, []);
  });

  test('the log of calls names the worker that makes a call', async () => {
    const { lines } = await logOf(`
      const { Worker } = require('node:worker_threads');
      const program = "require('./index.js').dlopen(null, 'int abs(int);').symbols.abs(-7);";
      new Worker(program, { eval: true });`);
    assert.deepEqual(lines, ['[worker 1] abs(-7) = 7']);
  });

  test('the log of calls is refused for any other setting, which the message names', async () => {
    const { stderr } = await run({
      code: "require('./index.js')",
      isBare: true,
      env: { PINNED_FFI_TRACE: 'yes' },
    });
    assert.match(stderr, /PINNED_FFI_TRACE must be 0, 1, log or log:NAMES, received 'yes'/);
  });
});
