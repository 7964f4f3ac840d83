'use strict';
// pinned-ffi/node-ffi: compared with node:ffi where this Node has it, and its errors where Node ends the process.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { promisify } = require('node:util');
const { ffi: main, gc, root, runs, throws, tryOptimize } = require('../helpers.js');
const { outcomesOf } = require('./node-ffi/outcomes.js');
const { needs, onlyOn } = require('../requirements.js');
const ffi = require('../../node-ffi.js');

const source = path.join(__dirname, 'node-ffi', 'library.c');
const library = main.cc({ source, symbols: { add_i32: { args: ['i32', 'i32'], returns: 'i32' } } }).path;
const lib = new ffi.DynamicLibrary(library);
const int = { return: 'i32', arguments: ['i32'] };
const add = lib.getFunction('add_i32', { return: 'i32', arguments: ['i32', 'i32'] });
const pointer = lib.getFunction('identity_pointer', { return: 'pointer', arguments: ['pointer'] });
const callInt = lib.getFunction('call_i32', { return: 'i32', arguments: ['function', 'i32'] });
const onThread = lib.getFunction('call_on_thread', { return: 'i32', arguments: ['function', 'i32'], threads: true });

/** Labels of the calls that have another outcome here, on purpose: docs/node-ffi.md. */
const DIFFERENT = ['i32 -0', 'u32 -0', 'a resizable ArrayBuffer'];

describe('compared with node:ffi of Node 26.12', { skip: onlyOn('nodeFfi') }, () => {
  test('four thousand calls have the same results and messages', () => {
    const expected = outcomesOf(process.getBuiltinModule('node:ffi'), library);
    const outcomes = outcomesOf(ffi, library);
    assert.ok(expected.size > 4000);
    const different = [...expected].filter(([label, outcome]) => outcomes.get(label) !== outcome);
    assert.deepEqual(
      different.map(([label]) => label),
      DIFFERENT,
    );
    assert.match(outcomes.get('a resizable ArrayBuffer'), /^ERR_INVALID_ARG_VALUE: .* must be of a fixed size/);
  });

  test('the exports have the same names', () => {
    assert.deepEqual(Object.keys(ffi).sort(), Object.keys(process.getBuiltinModule('node:ffi')).sort());
  });
});

describe('calls', () => {
  test('calls have the same outcomes where code generation is disallowed, and on the generic path', async () => {
    const code = `
      const { outcomesOf } = require('./test/dialects/node-ffi/outcomes.js');
      const outcomes = outcomesOf(require('./node-ffi.js'), ${JSON.stringify(library)});
      console.log(require('node:crypto').createHash('sha256').update(JSON.stringify([...outcomes])).digest('hex'));`;
    const [here, plain, generic] = await Promise.all([
      runs(code),
      runs(code, { flags: ['--disallow-code-generation-from-strings'] }),
      runs(code, { env: { PINNED_FFI_CALL_PATH: 'generic' } }),
    ]);
    assert.equal(plain, here);
    assert.equal(generic, here);
  });

  test('calls have the same results in optimised code', () => {
    const length = lib.getFunction('text_length', { return: 'u64', arguments: ['string'] });
    const bytes = Buffer.from('text\0');
    const address = ffi.getRawPointer(bytes);
    const values = ['text', bytes, address, null, undefined, '', 'grüße'];
    const call = (value) => length(value);
    const expected = values.map(call);
    tryOptimize(call, () => values.forEach(call), 10);
    assert.deepEqual(values.map(call), expected);
    assert.deepEqual(expected, [4n, 4n, 4n, 0n, 0n, 0n, 7n]);
    for (const wrong of [5, -1n, 2n ** 64n, true, {}, Symbol('a'), 'a\0b'])
      throws(() => call(wrong), 'ERR_INVALID_ARG_VALUE', /^Argument 0 must /);

    const wide = lib.getFunction('identity_u64', { return: 'u64', arguments: ['u64'] });
    const same = (value) => wide(value);
    tryOptimize(same, () => [5, 5n, 2n ** 64n - 1n].forEach(same), 10);
    assert.deepEqual([5, 5n, 2n ** 64n - 1n, 2 ** 53 - 1].map(same), [5n, 5n, 2n ** 64n - 1n, BigInt(2 ** 53 - 1)]);
    for (const wrong of [-1, 1.5, 2 ** 53, -1n, 2n ** 64n, '5', null])
      throws(() => same(wrong), 'ERR_INVALID_ARG_VALUE', /^Argument 0 must be a uint64$/);
  });

  test('calls pass an address above 2^53, and give it back', () => {
    for (const address of [2n ** 53n, 2n ** 63n, 2n ** 64n - 1n]) assert.equal(pointer(address), address);
  });

  test('a function has its address, and an asynchronous form that Node has not', async () => {
    assert.equal(add.pointer, lib.getSymbol('add_i32'));
    assert.equal(await add.async(20, 22), 42);
    await assert.rejects(add.async(20, 'x'), { code: 'ERR_INVALID_ARG_VALUE', message: 'Argument 1 must be an int32' });
  });

  test('calls after close() throw, with the error of the main entry as the cause', () => {
    const { lib: other, functions } = ffi.dlopen(library, { add_i32: { return: 'i32', arguments: ['i32', 'i32'] } });
    assert.equal(functions.add_i32(1, 2), 3);
    other[Symbol.dispose ?? Symbol.for('nodejs.dispose')]();
    const error = throws(() => functions.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED', /^Library is closed$/);
    assert.match(error.cause.message, /^add_i32: the library .* is closed$/);
  });

  test('a library that does not load says so in the loader’s words', () => {
    const error = throws(() => ffi.dlopen('/no/such.so'), 'ERR_FFI_CALL_FAILED', /^dlopen failed: \/no\/such\.so: /);
    assert.equal(error.cause.code, 'ERR_FFI_LIBRARY_NOT_FOUND');
    const symbol = throws(
      () => lib.getSymbol('no_such'),
      'ERR_FFI_CALL_FAILED',
      /^dlsym failed: .*: undefined symbol: no_such$/,
    );
    assert.equal(symbol.cause.code, 'ERR_FFI_SYMBOL_NOT_FOUND');
  });

  test('dlclose() and dlsym() refuse what is no library', () => {
    for (const wrong of [undefined, null, 1, {}]) {
      throws(() => ffi.dlclose(wrong), 'ERR_INVALID_ARG_TYPE', /^The "handle" argument must be an instance of Dyn/);
      throws(() => ffi.dlsym(wrong, 'add_i32'), 'ERR_INVALID_ARG_TYPE', /"handle"/);
    }
  });

  test('a function keeps the library object alive', async () => {
    const make = () => {
      const other = new ffi.DynamicLibrary(library);
      return [other.getFunction('add_i32', { return: 'i32', arguments: ['i32', 'i32'] }), new WeakRef(other)];
    };
    const [call, weak] = make();
    await gc();
    assert.ok(weak.deref() instanceof ffi.DynamicLibrary);
    assert.equal(call(1, 2), 3);
  });
});

describe('where Node ends the process or corrupts memory', () => {
  const registered = (signature, callback) => lib.registerCallback(signature, callback);

  test('an exception of a callback arrives at its call', () => {
    const mine = new Error('mine');
    const callback = registered(int, () => {
      throw mine;
    });
    assert.throws(
      () => callInt(callback, 1),
      (error) => error === mine,
    );
    lib.unregisterCallback(callback);
  });

  test('a result that does not fit and a Promise are errors', () => {
    for (const value of [1.5, 2 ** 31, 'x', 1n, undefined, null]) {
      const callback = registered(int, () => value);
      throws(
        () => callInt(callback, 1),
        'ERR_INVALID_ARG_VALUE',
        /^Callback returned invalid value for declared FFI type$/,
      );
      lib.unregisterCallback(callback);
    }
    const promised = registered(int, async () => 5);
    throws(() => callInt(promised, 1), 'ERR_INVALID_ARG_VALUE', /^Callbacks cannot return promises$/);
    lib.unregisterCallback(promised);
    const text = registered({ return: 'pointer', arguments: ['pointer'] }, () => 'text');
    const call = lib.getFunction('call_pointer', { return: 'pointer', arguments: ['function', 'pointer'] });
    throws(() => call(text, null), 'ERR_INVALID_ARG_VALUE', /^Callback returned invalid value/);
    lib.unregisterCallback(text);
  });

  test('a callback may be called from any thread; a call that waits for one is declared `threads: true`', async () => {
    const callback = registered(int, (value) => value * 2);
    assert.equal(onThread(callback, 21), 42);
    assert.equal(await onThread.async(callback, 21), 42);
    lib.unregisterCallback(callback);
  });

  test('a call of a callback that was unregistered, or whose library is closed, gives zero', async () => {
    const code = `
      const ffi = require('./node-ffi.js');
      const lib = new ffi.DynamicLibrary(${JSON.stringify(library)});
      const other = new ffi.DynamicLibrary(${JSON.stringify(library)});
      const int = { return: 'i32', arguments: ['i32'] };
      const call = lib.getFunction('call_i32', { return: 'i32', arguments: ['function', 'i32'] });
      const callbacks = [lib.registerCallback(int, () => 5), other.registerCallback(int, () => 6)];
      lib.unregisterCallback(callbacks[0]);
      other.close();
      console.log(callbacks.map((callback) => call(callback, 1)).join());`;
    assert.equal(await runs(code, { isBare: true }), '0,0');
  });

  test('a callback may unregister itself while it runs', () => {
    const callback = registered(int, (value) => {
      lib.unregisterCallback(callback);
      return value + 1;
    });
    assert.equal(callInt(callback, 1), 2);
  });

  test('a library is not closed under a call of it', () => {
    const other = new ffi.DynamicLibrary(library);
    const call = other.getFunction('call_i32', { return: 'i32', arguments: ['function', 'i32'] });
    const callback = other.registerCallback(int, (value) => {
      throws(() => other.close(), 'ERR_FFI_LIBRARY_BUSY');
      return value;
    });
    assert.equal(call(callback, 5), 5);
    assert.equal(call(callback, 6), 6);
    other.close();
    throws(() => call(callback, 5), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('a callback’s function is held until unrefCallback(), and collected then', async () => {
    let isCollected = false;
    // A WeakRef that is asked keeps its target.
    const registry = new FinalizationRegistry(() => {
      isCollected = true;
    });
    const make = () => {
      const callback = (value) => value + 1;
      registry.register(callback);
      return registered(int, callback);
    };
    const callback = make();
    await gc();
    assert.equal(callInt(callback, 1), 2);
    lib.unrefCallback(callback);
    await gc(() => isCollected);
    assert.equal(callInt(callback, 1), 0);
    throws(() => lib.refCallback(callback), 'ERR_INVALID_ARG_VALUE', /^Callback not found$/);
    throws(() => lib.unrefCallback(callback), 'ERR_INVALID_ARG_VALUE', /^Callback not found$/);
    lib.unregisterCallback(callback);
  });

  test('an overflow of a Buffer is found', { skip: onlyOn('fences') }, () => {
    const fill = lib.getFunction('fill', { arguments: ['buffer', 'u64', 'u32'] });
    const bytes = Buffer.alloc(16);
    throws(
      () => fill(bytes, 17, 1),
      'ERR_FFI_BUFFER_OVERFLOW',
      /^fill: native code wrote 1 byte past the end of argument 0/,
    );
    fill(bytes, bytes.length, 7);
    assert.deepEqual(bytes, Buffer.alloc(16, 7));
  });

  test('addresses in the first page are refused', () => {
    throws(() => ffi.getInt8(4095n), 'ERR_FFI_INVALID_POINTER', /first page/);
    throws(() => ffi.setInt8(1n, 0, 1), 'ERR_FFI_INVALID_POINTER', /first page/);
    throws(() => ffi.toString(1n), 'ERR_FFI_INVALID_POINTER', /first page/);
    throws(() => ffi.toBuffer(8n, 4), 'ERR_FFI_INVALID_POINTER', /first page/);
    throws(() => ffi.exportString('x', 8n, 4), 'ERR_FFI_INVALID_POINTER', /first page/);
    for (const type of ['string', 'str', 'buffer', 'arraybuffer', 'pointer', 'ptr', 'function']) {
      const call = new ffi.DynamicLibrary(library).getFunction('identity_pointer', {
        return: 'pointer',
        arguments: [type],
      });
      const isAnyNumber = ['pointer', 'ptr', 'function'].includes(type);
      for (const value of [1n, 12n, 4095n]) {
        if (isAnyNumber) assert.equal(call(value), value);
        else throws(() => call(value), 'ERR_FFI_INVALID_POINTER', /^identity_pointer: argument 0 .* first page$/);
      }
      for (let i = 0; i < 5000; i += 1) assert.equal(call(4096n), 4096n);
      assert.deepEqual([call(0n), call(null), call(undefined)], [0n, 0n, 0n]);
      if (!isAnyNumber) throws(() => call(12n), 'ERR_FFI_INVALID_POINTER');
    }
  });

  test('the address of a view stays the same', async () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    const address = ffi.getRawPointer(bytes);
    assert.equal(ffi.getUint32(address), 0x04030201);
    await gc();
    bytes[0] = 5;
    assert.equal(ffi.getUint8(address), 5);
    assert.equal(ffi.getRawPointer(bytes), address);
  });
});

describe('memory', () => {
  test('values are written and read at addresses, with offsets', () => {
    const bytes = Buffer.alloc(32);
    const address = ffi.getRawPointer(bytes);
    ffi.setInt32(address, 4, -5);
    ffi.setUint64(address, 8, 2n ** 63n);
    ffi.setFloat32(address, 16, 0.1);
    assert.equal(bytes.readInt32LE(4), -5);
    assert.equal(ffi.getUint64(address, 8), 2n ** 63n);
    assert.equal(ffi.getInt64(address, 8), -(2n ** 63n));
    assert.equal(ffi.getFloat32(address, 16), Math.fround(0.1));
    assert.equal(ffi.getFloat32(address + 16n), Math.fround(0.1));
  });

  test('buffers are copies, or the memory itself', () => {
    const bytes = Buffer.from('grüße\0');
    const address = ffi.getRawPointer(bytes);
    assert.equal(ffi.toString(address), 'grüße');
    const copy = ffi.toBuffer(address, 4);
    const itself = ffi.toArrayBuffer(address, 4, false);
    bytes[0] = 0x47;
    assert.equal(copy[0], 0x67);
    assert.equal(new Uint8Array(itself)[0], 0x47);
    ffi.exportString('ab', address, bytes.length);
    assert.equal(ffi.toString(address), 'ab');
    ffi.exportBuffer(Buffer.from('cd'), address, 2);
    ffi.exportArrayBuffer(Uint8Array.of(0x65).buffer, address + 2n, 1);
    ffi.exportArrayBufferView(Uint16Array.of(0x66), address + 3n, 2);
    assert.equal(ffi.toString(address), 'cdef');
  });
});

describe('the permission model', { skip: onlyOn('allowFfi') }, () => {
  const code = `
    const outcome = (run) => { try { return typeof run(); } catch (error) { return [error.code, error.permission].join(); } };
    const ffi = require('./node-ffi.js');
    const koffi = require('./koffi.js');
    console.log(outcome(() => ffi.dlopen(null)), outcome(() => new ffi.DynamicLibrary(null)), outcome(() => ffi.getInt8(0n)),
      outcome(() => koffi.load(null)), outcome(() => koffi.decode(0n, 'int')));`;
  const flags = ['--permission', '--allow-addons', '--allow-fs-read=*'];

  test('the permission model refuses both dialects without --allow-ffi', async () => {
    const denied = 'ERR_ACCESS_DENIED,FFI';
    assert.equal(await runs(code, { flags, isBare: true }), Array(5).fill(denied).join(' '));
  });

  test('the permission model allows them with it', async () => {
    const pointers = 'ERR_FFI_INVALID_POINTER,';
    const allowed = `object object ${pointers} object ${pointers}`;
    assert.equal(await runs(code, { flags: [...flags, '--allow-ffi'], isBare: true }), allowed);
    assert.equal(await runs(code, { flags: ['--permission-audit', '--allow-addons'], isBare: true }), allowed);
  });

  test('the permission model names the flag that addons need', async () => {
    const load = `try { require('./node-ffi.js'); } catch (error) { console.log(error.message); }`;
    const without = ['--permission', '--allow-ffi', '--allow-fs-read=*'];
    assert.match(await runs(load, { flags: without, isBare: true }), /; start Node with --allow-addons$/);
  });
});

describe('the name node:ffi', () => {
  const programs = {
    'program.cjs': `
      const ffi = require('node:ffi');
      const { functions } = ffi.dlopen(${JSON.stringify(library)}, { add_i32: { return: 'int32', arguments: ['int32', 'int32'] } });
      console.log(functions.add_i32(20, 22), 'async' in functions.add_i32, require('node:ffi') === ffi);
      if (require('node:module').register !== undefined) import('node:ffi').then((imported) => console.log(imported.default === ffi));`,
    'program.mjs': `
      import ffi, { dlopen } from 'node:ffi';
      const { functions } = dlopen(${JSON.stringify(library)}, { add_i32: { return: 'int32', arguments: ['int32', 'int32'] } });
      console.log(functions.add_i32(20, 22), 'async' in functions.add_i32, ffi.dlopen === dlopen);`,
  };
  let folder;
  before(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'node-ffi-'));
    for (const [name, code] of Object.entries(programs)) fs.writeFileSync(path.join(folder, name), code);
  });
  after(() => fs.rmSync(folder, { recursive: true }));
  const start = async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    return stdout.trim().split('\n');
  };

  test('the name node:ffi means the package after --require, in CommonJS and in import()', async () => {
    const lines = await start('--require', './node-ffi.js', path.join(folder, 'program.cjs'));
    assert.deepEqual(lines, onlyOn('register') ? ['42 true true'] : ['42 true true', 'true']);
  });

  test(
    'the name node:ffi means the package after --import, in an ES module',
    { skip: onlyOn('register') },
    async () => {
      assert.deepEqual(await start('--import', './node-ffi.mjs', path.join(folder, 'program.mjs')), ['42 true true']);
    },
  );
});

describe('a program that was written for node:ffi runs unchanged', { skip: onlyOn('linux', 'register') }, () => {
  const PROGRAMS = {
    'libc.mjs': { says: /^sorted true\ntime 2001-09-09 01:46:40\nmemory -42 grüße\nnumber 1257n\s+rest\n/ },
    'sqlite.cjs': { says: /'Mars', '343\.49' .*\n.*'Earth ♁', '182\.628'/, wants: ['sqlite3'] },
    'zlib.mjs': { says: /crc32 cbf43926 .*\npacked 0 true\nunpacked 0 9000n true\n/, wants: ['z'] },
  };
  const start = async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    return stdout;
  };

  for (const [name, { says, wants = [] }] of Object.entries(PROGRAMS)) {
    const file = path.join(__dirname, 'node-ffi', 'programs', name);
    test(`${name}, which was written for node:ffi, runs unchanged`, { skip: needs(...wants) }, async () => {
      const output = await start('--import', './node-ffi.mjs', file);
      assert.match(output, says);
      // What Node itself says, where it has the module.
      if (!onlyOn('nodeFfi')) assert.equal(output, await start('--no-warnings', file));
    });
  }
});
