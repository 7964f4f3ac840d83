'use strict';
// cc(): C that is compiled while the program runs, and its errors.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { describe, test } = require('node:test');
const { ffi, fixture, throws } = require('../helpers.js');
const { folder, value, write } = require('./own-cache.js');
const { onlyOn } = require('../requirements.js');

const { cc } = ffi;
const add = { args: ['i32', 'i32'], returns: 'i32' };
const number = { returns: 'i32' };

describe('what is compiled', () => {
  test('C text becomes functions', () => {
    const library = cc({ source: 'int add(int a, int b) { return a + b; }', symbols: { add } });
    assert.equal(library.symbols.add(20, 22), 42);
    library.close();
    throws(() => library.symbols.add(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('a source may be a path, a file: URL or a file: string', () => {
    const file = write('a b ü.c', 'int f(void) { return 7; }');
    for (const source of [file, pathToFileURL(file), pathToFileURL(file).href]) assert.equal(value({ source }), 7);
  });

  test('several sources are linked together', () => {
    const other = write('other.c', 'int other(void) { return 5; }');
    const source = ['int other(void);\nint f(void) { return other() + 1; }', other];
    assert.equal(value({ source }), 6);
  });

  test('a path that exists is a path, even where it looks like C', () => {
    assert.equal(value({ source: write('odd;{}.c', 'int f(void) { return 8; }') }), 8);
  });

  test('macros, headers and flags reach the compiler in the order they were given', () => {
    const [first, second] = ['first', 'second'].map((name) => path.join(folder, name));
    [first, second].forEach((directory, index) => {
      fs.mkdirSync(directory, { recursive: true });
      fs.writeFileSync(path.join(directory, 'which.h'), `#define WHICH ${index + 1}\n`);
    });
    const source = '#include "which.h"\nint f(void) { return WHICH * SCALE + EXTRA; }';
    const options = { source, define: { SCALE: '10', EXTRA: '(1 + 2)' } };
    assert.equal(value({ ...options, include: [first, second] }), 13);
    assert.equal(value({ ...options, include: [second, first] }), 23);
    assert.equal(value({ source, include: first, flags: '-DSCALE=100  -DEXTRA=4' }), 104);
    assert.equal(value({ source, include: first, flags: ['-DSCALE=100', '-DEXTRA=5'] }), 105);
  });

  test('a library is linked by its name or by its path', { skip: onlyOn('posix') }, () => {
    const source = '#include <math.h>\nint f(void) { volatile double x = 0; return (int)cos(x); }';
    assert.equal(value({ source, library: 'm', flags: '-Wl,-z,defs'.repeat(process.platform === 'linux') }), 1);
    const calls = 'int add_i32(int, int);\nint f(void) { return add_i32(20, 22); }';
    assert.equal(value({ source: calls, library: fixture }), 42);
    assert.equal(value({ source: calls, library: [fixture] }), 42);
  });

  test('a symbol that the source does not have is an error', () => {
    const make = () => cc({ source: 'int f(void) { return 1; }', symbols: { g: number } });
    throws(make, 'ERR_FFI_SYMBOL_NOT_FOUND', /g/);
  });

  test('a warning is not an error and says nothing', async () => {
    const script =
      `require(${JSON.stringify(require.resolve('../../lib/cc/compile.js'))})` +
      ".compile({ source: 'int f(void) { int unused; return 1; }', symbols: {}, flags: '-Wall' })";
    const child = spawn(process.execPath, ['-e', script]);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    }
    const [exitCode] = await once(child, 'close');
    assert.deepEqual([exitCode, output], [0, '']);
  });
});

describe('errors', () => {
  test("source that does not compile is an error with the compiler's diagnostics", () => {
    const make = () => value({ source: 'int f(void) {\n  return missing_name;\n}' });
    const error = throws(make, 'ERR_FFI_COMPILE_FAILED', /missing_name/);
    assert.match(error.diagnostics, /<source>:2:\d+: error: .*missing_name/);
    assert.ok(Array.isArray(error.command) && error.command.length > 3);
  });

  test('a header or a library that is missing is named', () => {
    const include = '#include <no_such_header.h>\nint f;';
    throws(() => value({ source: include }), 'ERR_FFI_COMPILE_FAILED', /no_such_header\.h/);
    const make = () => value({ source: 'int f(void) { return 1; }', library: 'no_such_library' });
    throws(make, 'ERR_FFI_COMPILE_FAILED', /no_such_library/);
  });

  test('diagnostics name the file and the line of a source that is a file', () => {
    const file = write('broken.c', '\n\nint f(void) { return nothing; }\n');
    const error = throws(() => value({ source: file }), 'ERR_FFI_COMPILE_FAILED');
    assert.match(error.diagnostics, /broken\.c:3:\d+: error/);
  });

  test('a missing compiler is an error that says what was tried and what to install', () => {
    const { PATH, CC } = process.env;
    process.env.PATH = path.join(folder, 'nothing here');
    process.env.CC = 'no-such-cc --flag';
    try {
      const error = throws(() => value({ source: 'int f;' }), 'ERR_FFI_COMPILER_NOT_FOUND', /install/);
      assert.deepEqual(error.tried.slice(0, 1), ['no-such-cc --flag']);
      assert.ok(error.tried.includes('gcc') && error.tried.includes('clang'));
    } finally {
      process.env.PATH = PATH;
      if (CC === undefined) delete process.env.CC;
      else process.env.CC = CC;
    }
  });

  test('nothing in the options reaches a shell', () => {
    const trap = path.join(folder, 'trap');
    const source = 'int f(void) { return 1; }';
    for (const more of [{ flags: [`;touch ${trap}`] }, { library: '$(touch trap)' }, { library: '; touch trap' }]) {
      throws(() => value({ source, ...more }), 'ERR_FFI_COMPILE_FAILED');
    }
    assert.equal(fs.existsSync(trap) || fs.existsSync('trap'), false);
  });

  test('options of the wrong kind are refused by name', () => {
    const source = 'int f(void) { return 1; }';
    const wrong = [
      [{ source: 5 }, /source/],
      [{ source: [source, 5] }, /source\[1\]/],
      [{ source, library: 5 }, /library/],
      [{ source, include: [5] }, /include\[0\]/],
      [{ source, define: [] }, /define/],
      [{ source, define: 'A' }, /define/],
      [{ source, define: { A: 1 } }, /define\.A/],
      [{ source, flags: 5 }, /flags/],
      [{ source, flags: ['-O2', null] }, /flags\[1\]/],
      [{ source, symbols: null }, /symbols/],
      [{}, /source/],
    ];
    for (const [options, message] of wrong) {
      throws(() => cc({ symbols: {}, ...options }), 'ERR_INVALID_ARG_TYPE', message);
    }
    for (const options of [undefined, null, 5, 'int f;', []]) {
      throws(() => cc(options), 'ERR_INVALID_ARG_TYPE', /cc: options/);
    }
  });

  test('options of the right kind with a wrong value are refused by name', () => {
    const source = 'int f(void) { return 1; }';
    const wrong = [
      [{ source, sources: 1 }, /sources/],
      [{ source: [] }, /source/],
      [{ source: '' }, /source/],
      [{ source: 'no-such-file.c' }, /no-such-file\.c/],
      [{ source: `${source}\0` }, /NUL/],
      [{ source, library: '' }, /library/],
      [{ source, library: './no-such.so' }, /no-such\.so/],
      [{ source, define: { '1 A': '' } }, /1 A/],
      [{ source, define: { A: '\0' } }, /define\.A/],
      [{ source, include: ['a\0b'] }, /include\[0\]/],
    ];
    for (const [options, message] of wrong) {
      throws(() => cc({ symbols: {}, ...options }), 'ERR_INVALID_ARG_VALUE', message);
    }
  });
});
