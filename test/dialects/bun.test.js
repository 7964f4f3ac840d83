'use strict';
// pinned-ffi/bun where it differs from bun: refusals, causes of errors, and the name `bun:ffi`.
// test/runtimes/runtimes.test.js compares the rest with Bun itself.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { inspect, promisify } = require('node:util');
const { ffi: main, fixture, root, throws, makeDetached } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const ffi = require('../../bun.js');

const { CFunction, CString, JSCallback, dlopen, linkSymbols, ptr, read, toBuffer } = ffi;
const bindOne = (name, args, returns) => dlopen(fixture, { [name]: { args, returns } }).symbols[name];
const add = { args: ['i32', 'i32'], returns: 'i32' };
const address = bindOne('get_add_i32', [], 'ptr')();

describe("the dialect's errors", () => {
  test("the dialect's errors have what the main entry says, with function and argument, as their cause", () => {
    const error = throws(
      () => bindOne('identity_u8', ['u8'], 'u8')('x'),
      'ERR_INVALID_ARG_TYPE',
      /^bun:ffi cannot convert argument to 'u8'$/,
    );
    assert.match(error.cause.message, /^identity_u8: argument 0 must be .* received the string 'x'/);
    const missing = throws(
      () => dlopen('/no/such/library.so', { a: {} }),
      'ERR_DLOPEN_FAILED',
      /^Failed to open library "\/no\/such\/library.so": /,
    );
    assert.equal(missing.cause.code, 'ERR_FFI_LIBRARY_NOT_FOUND');
    const symbol = throws(
      () => dlopen(fixture, { nothing: {} }),
      'ERR_INVALID_ARG_TYPE',
      /^Symbol "nothing" not found in "/,
    );
    assert.equal(symbol.cause.code, 'ERR_FFI_SYMBOL_NOT_FOUND');
  });

  test("the dialect's errors are thrown by ptr(), which returns them in bun", () => {
    throws(() => ptr(5), 'ERR_INVALID_ARG_TYPE', /^Expected ArrayBufferView but received 5$/);
    throws(() => ptr(new Uint8Array(0)), 'ERR_INVALID_ARG_TYPE', /length > 0/);
  });

  test('errors that a value itself throws are passed on', () => {
    const mine = new Error('mine');
    const value = {
      valueOf() {
        throw mine;
      },
    };
    assert.throws(
      () => bindOne('identity_i32', ['i32'], 'i32')(value),
      (error) => error === mine,
    );
  });
});

describe('what would end the process of bun', () => {
  test('a call after close() is an error', () => {
    const library = dlopen(fixture, { add_i32: add });
    library.close();
    throws(() => library.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED', /add_i32/);
    const linked = CFunction({ ...add, ptr: address });
    linked.close();
    throws(() => linked(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('an address of the first page is an error', () => {
    for (const low of [1, 64, 4095, 8n]) {
      throws(() => read.u8(low), 'ERR_FFI_INVALID_POINTER');
      throws(() => toBuffer(low, 0, 8), 'ERR_FFI_INVALID_POINTER');
      throws(() => CString(low), 'ERR_FFI_INVALID_POINTER');
      throws(() => linkSymbols({ a: { ...add, ptr: low } }), 'ERR_OUT_OF_RANGE');
    }
    throws(() => bindOne('identity_ptr', ['ptr'], 'cstring')(5), 'ERR_FFI_INVALID_POINTER');
  });

  test('a detached or resizable view, or a closed callback, is an error', () => {
    for (const type of ['ptr', 'buffer', 'cstring']) {
      const take = bindOne('identity_ptr', [type], 'ptr');
      throws(() => take(makeDetached()), 'ERR_INVALID_ARG_VALUE', /^identity_ptr: argument 0/);
      throws(() => take(new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }))), 'ERR_INVALID_ARG_VALUE');
    }
    const callback = new JSCallback((n) => n, { args: ['i32'], returns: 'i32' });
    callback.close();
    throws(() => bindOne('call_i32', ['function', 'i32'], 'i32')(callback, 1), 'ERR_FFI_CALLBACK_CLOSED');
  });

  test('a number that is no address is an error, and so are bytes in place of a function', () => {
    for (const value of [NaN, Infinity, 1e30])
      throws(() => bindOne('identity_ptr', ['ptr'], 'ptr')(value), 'ERR_OUT_OF_RANGE');
    throws(() => bindOne('call_i32', ['function', 'i32'], 'i32')(new Uint8Array(64), 1), 'ERR_INVALID_ARG_TYPE');
    throws(() => ptr(new Uint8Array(8), -1), 'ERR_INVALID_ARG_TYPE', /^byteOffset out of bounds$/);
  });

  test('a write past a Buffer is an error that names the function', { skip: onlyOn('fences') }, () => {
    const view = Buffer.alloc(100);
    const fill = dlopen(fixture, { fill_bytes: { args: ['ptr', 'u64', 'u8'] } }).symbols.fill_bytes;
    throws(() => fill(view, 104, 7), 'ERR_FFI_BUFFER_OVERFLOW', /^fill_bytes: /);
  });
});

describe('beside the dialect', () => {
  test('the types of the main entry work in the dialect, and so does every name it has', () => {
    const DivT = main.struct({ quot: 'int', rem: 'int' });
    assert.deepEqual(dlopen('libc.so.6', { div: { args: ['int', 'int'], returns: DivT } }).symbols.div(17, 5), {
      quot: 3,
      rem: 2,
    });
    assert.equal(bindOne('identity_short', ['short'], 'short')(65537), 1);
    assert.equal(bindOne('sum_bytes', [ffi.FFIType.buffer, 'u64'], 'u64')(Buffer.from([1, 2]), 2), 3n);
  });

  test('the declarations of the main entry stay strict', () => {
    const strict = main.dlopen(fixture, { add_i32: add }).symbols.add_i32;
    throws(() => strict(2 ** 31, 0), 'ERR_OUT_OF_RANGE');
    throws(() => strict(1, 2, 3), 'ERR_INVALID_ARG_VALUE');
  });

  test('new CString() is a String with the members of bun 1.3, and prints as bun prints it', () => {
    const bytes = Buffer.from('hello world\0');
    const text = new CString(ptr(bytes), 6);
    assert.ok(text instanceof String && text instanceof CString);
    assert.deepEqual(
      [text.ptr, text.byteOffset, text.byteLength, `${text}`, text.length],
      [ptr(bytes), 6, 5, 'world', 5],
    );
    assert.equal(Buffer.from(text.arrayBuffer).toString(), 'world');
    assert.equal(inspect(text), 'world');
    assert.equal(inspect([text]), "[ 'world' ]");
    assert.equal(CString(ptr(bytes), 6), 'world');
  });

  test('a warning of a closed callback names the place that made it', async () => {
    const call = bindOne('call_i32', ['function', 'i32'], 'i32');
    const warned = new Promise((resolve) => process.once('warning', resolve));
    const callback = new JSCallback(() => 1, { args: ['i32'], returns: 'i32' });
    const code = callback.ptr;
    callback.close();
    assert.equal(call(code, 1), 0);
    assert.match((await warned).message, /bun\.test\.js/);
  });

  test('viewSource says what a declaration was read as', () => {
    assert.match(ffi.viewSource({ add_i32: add })[0], /^\/\/ i32 add_i32\(i32, i32\) /);
    assert.match(ffi.viewSource({ args: ['cstring'] }, true), /^\/\/ void callback\(cstring\) /);
  });
});

describe('the name bun:ffi', () => {
  const run = promisify(execFile);
  let folder;
  const node = async (args) => (await run(process.execPath, args, { cwd: folder })).stdout.trim();

  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-bun-'));
    fs.mkdirSync(path.join(folder, 'node_modules'));
    fs.symlinkSync(root, path.join(folder, 'node_modules', 'pinned-ffi'), 'junction');
    const files = {
      'import.mjs':
        "import { suffix } from 'bun:ffi'; import ffi from 'bun:ffi'; console.log(suffix === ffi.suffix, ffi.suffix);",
      'require.cjs':
        "console.log(require('bun:ffi') === require('pinned-ffi/bun'), require.resolve('bun:ffi').endsWith('bun.js'));",
      'dynamic.cjs': "import('bun:ffi').then(({ suffix }) => console.log(suffix));",
      'later.mjs': "import { dlopen } from 'pinned-ffi/bun'; console.log((await import('bun:ffi')).dlopen === dlopen);",
      'worker.mjs':
        "import { Worker } from 'node:worker_threads'; new Worker(new URL('./import.mjs', import.meta.url));",
      'missing.mjs': "import 'bun:sqlite';",
    };
    for (const [name, code] of Object.entries(files)) fs.writeFileSync(path.join(folder, name), code);
  });

  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  const { suffix } = ffi;
  const printed = {
    'import.mjs': `true ${suffix}`,
    'require.cjs': 'true true',
    'dynamic.cjs': suffix,
    'later.mjs': 'true',
    'worker.mjs': `true ${suffix}`,
  };
  for (const [name, wanted] of Object.entries(printed)) {
    test(`the name bun:ffi means the package in ${name}, with --import pinned-ffi/bun`, async () => {
      assert.equal(await node(['--import', 'pinned-ffi/bun', name]), wanted);
    });
  }

  test('the name bun:ffi means the package with --require, too, and from the import of the package on', async () => {
    assert.equal(await node(['--require', 'pinned-ffi/bun', 'import.mjs']), `true ${suffix}`);
    assert.equal(await node(['later.mjs']), 'true');
  });

  test('bun:ffi is the only name that is resolved', async () => {
    await assert.rejects(node(['--import', 'pinned-ffi/bun', 'missing.mjs']), /'bun:'/);
    await assert.rejects(node(['import.mjs']), /'bun:'/);
  });
});

describe('what bun says and is asked for', () => {
  test('cc names the symbol that its source lacks in the words of bun', () => {
    const { cc } = require('../../bun.js');
    const error = throws(
      () => cc({ source: 'int add(int a) { return a; }', symbols: { subtract: { returns: 'int' } } }),
      'ERR_FFI_SYMBOL_NOT_FOUND',
      /^"subtract" is missing from the source\. Was it included in the source code\?$/,
    );
    assert.match(error.cause.message, /^Symbol "subtract" not found/);
  });

  describe('cc with functions that use Node-API', () => {
    const { cc } = require('../../bun.js');
    const source = `
typedef void *napi_env, *napi_value;
extern int napi_create_string_utf8(napi_env, const char *, __SIZE_TYPE__, napi_value *);
extern int napi_get_value_double(napi_env, napi_value, double *);
extern int napi_create_double(napi_env, double, napi_value *);
extern int napi_throw_error(napi_env, const char *, const char *);
extern int napi_call_function(napi_env, napi_value, napi_value, __SIZE_TYPE__, const napi_value *, napi_value *);
napi_value hello(napi_env env) {
  napi_value text;
  napi_create_string_utf8(env, "Hello, Napi!", -1, &text);
  return text;
}
napi_value scale(napi_env env, napi_value number, int by, const char *text, double *sum) {
  double value;
  napi_value result;
  napi_get_value_double(env, number, &value);
  *sum += value * by + text[0];
  napi_create_double(env, *sum, &result);
  return result;
}
napi_value same(napi_value value) { return value; }
long long wide(napi_env env) { return env == 0 ? 0 : -5000000000; }
void fail(napi_env env) { napi_throw_error(env, "EMINE", "mine"); }
napi_value call(napi_env env, napi_value function) {
  napi_value result = 0;
  napi_call_function(env, function, function, 0, 0, &result);
  return result;
}
int plain(int n) { return n + 1; }`;
    const open = () =>
      cc({
        source,
        symbols: {
          hello: { args: ['napi_env'], returns: 'napi_value' },
          scale: { args: ['napi_env', 'napi_value', 'int', 'cstring', 'ptr'], returns: 'napi_value' },
          same: { args: [19], returns: 19 },
          wide: { args: [18], returns: 'i64' },
          fail: { args: ['napi_env'] },
          call: { args: ['napi_env', 'napi_value'], returns: 'napi_value' },
          plain: { args: ['int'], returns: 'int' },
        },
      });

    test('cc of functions that use Node-API passes the environment and values of JavaScript as they are', () => {
      const { symbols } = open();
      assert.equal(symbols.hello(null), 'Hello, Napi!');
      assert.equal(symbols.hello(), 'Hello, Napi!');
      const object = {};
      assert.equal(symbols.same(object), object);
      assert.equal(symbols.same(), undefined);
      assert.deepEqual([symbols.wide(), symbols.plain(1)], [-5000000000n, 2]);
      const sum = Float64Array.of(0.5);
      assert.equal(symbols.scale(null, 2, 10, 'A', sum), 85.5);
      assert.equal(sum[0], 85.5);
      throws(() => symbols.scale(null, 2, 'x', 'A', sum), 'ERR_INVALID_ARG_TYPE', /cannot convert argument to 'i32'/);
    });

    test('cc of functions that use Node-API passes exceptions on, also those of functions that C calls', () => {
      const { symbols } = open();
      assert.throws(() => symbols.fail(), { code: 'EMINE', message: 'mine' });
      assert.equal(
        symbols.call(null, () => symbols.call(null, () => symbols.hello())),
        'Hello, Napi!',
      );
      const error = new Error('inner');
      assert.throws(
        () =>
          symbols.call(null, () => {
            throw error;
          }),
        error,
      );
    });

    test('cc of functions that use Node-API refuses calls after close(), types that it cannot pass, and a missing function', () => {
      const library = open();
      library.close();
      throws(() => library.symbols.hello(), 'ERR_FFI_LIBRARY_CLOSED', /^hello: the library/);
      const declare = (symbols) => () => cc({ source, symbols });
      throws(declare({ lost: { args: ['napi_env'] } }), 'ERR_FFI_SYMBOL_NOT_FOUND', /^"lost" is missing from/);
      const { dlopen } = require('../../bun.js');
      throws(() => dlopen('libc.so.6', { abs: { args: ['napi_env'] } }), 'ERR_INVALID_ARG_TYPE', /only supported in/);
    });
  });

  test('dlopen takes the options of the main entry', () => {
    const { dlopen } = require('../../bun.js');
    const { RTLD_LAZY } = require('node:os').constants.dlopen;
    const { symbols } = dlopen(
      'libc.so.6',
      { abs: { args: ['i32'], returns: 'i32' } },
      { flags: RTLD_LAZY, guard: true },
    );
    assert.equal(symbols.abs(-2), 2);
    throws(() => dlopen('libc.so.6', { abs: {} }, { flag: 1 }), 'ERR_INVALID_ARG_VALUE', /Did you mean 'flags'/);
  });

  test('process.versions.bun is there where PINNED_FFI_AS_BUN asks for it, and nowhere else', async () => {
    const code = "require('./bun.js'); console.log(process.versions.bun, require('bun:ffi').dlopen !== undefined);";
    const run = async (setting) =>
      (
        await promisify(execFile)(process.execPath, ['-e', code], {
          cwd: root,
          env: { ...process.env, PINNED_FFI_AS_BUN: setting },
        })
      ).stdout.trim();
    assert.equal(await run('1'), '1.4.5 true');
    assert.equal(await run('1.3.0'), '1.3.0 true');
    assert.equal(await run(''), 'undefined true');
    await assert.rejects(run('yes'), /PINNED_FFI_AS_BUN must be 0, 1 or a version/);
  });
});
