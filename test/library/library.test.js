'use strict';
// dlopen, linkSymbols and CFunction: paths, symbols, flags, close().

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { describe, test } = require('node:test');
const { ffi, fixture, root, bindOne, throws, runs, gc, polluted, makeFolder } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const { dlopen, linkSymbols, CFunction, JSCallback, suffix } = ffi;
const add = { args: ['i32', 'i32'], returns: 'i32' };
const { RTLD_LAZY, RTLD_NOW, RTLD_GLOBAL, RTLD_LOCAL } = os.constants.dlopen;

const folder = makeFolder('pinned ffi ü %20');

describe('paths', () => {
  const opens = (location) => {
    const library = dlopen(location, { add_i32: add });
    assert.equal(library.symbols.add_i32(20, 22), 42);
    const { path: opened } = library;
    library.close();
    return opened;
  };

  test('an absolute path, a relative path, a file: URL and a file: string open the same library', () => {
    const relative = `./${path.relative(process.cwd(), fixture)}`;
    for (const location of [fixture, relative, pathToFileURL(fixture), pathToFileURL(fixture).href]) {
      assert.equal(fs.realpathSync(opens(location)), fs.realpathSync(fixture));
    }
  });

  test('a path with spaces, percent signs and other letters is opened as a string and as a URL', () => {
    const copy = path.join(folder, `libä b%20.${suffix}`);
    fs.copyFileSync(fixture, copy);
    assert.equal(opens(copy), copy);
    assert.equal(opens(pathToFileURL(copy)), copy);
    assert.equal(opens(pathToFileURL(copy).href), copy);
  });

  test('null is the process itself', () => {
    const library = dlopen(null, { strlen: { args: ['cstring'], returns: 'usize' }, getpid: { returns: 'i32' } });
    assert.equal(library.path, null);
    assert.equal(library.symbols.strlen('four'), 4n);
    assert.equal(library.symbols.getpid(), process.pid);
    library.close();
    throws(() => library.symbols.getpid(), 'ERR_FFI_LIBRARY_CLOSED', /^getpid: /);
  });

  test('bare names find the libraries of the C library', () => {
    const math = dlopen('m', { cos: { args: ['f64'], returns: 'f64' } });
    assert.equal(math.symbols.cos(0), 1);
    assert.match(math.path, /libm\b/);
    const libc = dlopen('c', { abs: { args: ['i32'], returns: 'i32' } });
    assert.equal(libc.symbols.abs(-42), 42);
    assert.match(libc.path, /libc\b/);
    for (const library of [math, libc]) library.close();
  });

  test('a bare name finds a library that has a versioned file only', { skip: needs('sqlite3') }, () => {
    const sqlite = dlopen('sqlite3', { sqlite3_libversion: { returns: 'cstring' } });
    assert.match(sqlite.symbols.sqlite3_libversion(), /^3\.\d+/);
    assert.match(sqlite.path, /libsqlite3\b/);
    sqlite.close();
  });

  test('a library that is nowhere is an error that lists everything that was tried', () => {
    for (const name of ['surely_no_such_library', './surely/no/such.so', '/surely/no/such.so']) {
      const error = throws(() => dlopen(name, { add_i32: add }), 'ERR_FFI_LIBRARY_NOT_FOUND', /surely/);
      assert.equal(Array.isArray(error.tried), true);
      assert.ok(error.tried.length > 0);
      for (const tried of error.tried) {
        assert.equal(typeof tried, 'string');
        assert.ok(error.message.includes(tried), `${tried} is not in: ${error.message}`);
      }
    }
    const { tried } = throws(() => dlopen('surely_no_such_library', {}), 'ERR_FFI_LIBRARY_NOT_FOUND');
    assert.ok(
      tried.some((name) => name.includes(`libsurely_no_such_library.${suffix}`)),
      tried.join(),
    );
  });

  test('a file that is no library is an error with the text of the loader', () => {
    const text = path.join(folder, `libtext.${suffix}`);
    fs.writeFileSync(text, 'this is text\n');
    throws(() => dlopen(text, { add_i32: add }), 'ERR_FFI_LIBRARY_INVALID', /libtext/);
    const empty = path.join(folder, `libempty.${suffix}`);
    fs.writeFileSync(empty, '');
    throws(() => dlopen(empty, { add_i32: add }), 'ERR_FFI_LIBRARY_INVALID', /libempty/);
    const foreign = path.join(folder, `libforeign.${suffix}`);
    const image = fs.readFileSync(fixture);
    // The machine field of an ELF header, or anything in the header of another format.
    image.writeUInt16LE(0x1234, 18);
    fs.writeFileSync(foreign, image);
    throws(() => dlopen(foreign, { add_i32: add }), 'ERR_FFI_LIBRARY_INVALID', /libforeign/);
    throws(() => dlopen(folder, { add_i32: add }), ['ERR_FFI_LIBRARY_INVALID', 'ERR_FFI_LIBRARY_NOT_FOUND']);
  });

  test('a value that is no path is refused', () => {
    for (const value of [undefined, 7, 1n, true, {}, [], Symbol('s'), () => 1, Buffer.from(fixture)]) {
      throws(() => dlopen(value, { add_i32: add }), 'ERR_INVALID_ARG_TYPE');
    }
    throws(() => dlopen('', { add_i32: add }), 'ERR_INVALID_ARG_VALUE');
    throws(() => dlopen('a\0b', { add_i32: add }), 'ERR_INVALID_ARG_VALUE');
    throws(() => dlopen(new URL('https://example.org/lib.so'), { add_i32: add }), 'ERR_INVALID_ARG_VALUE');
  });

  test('a failed open leaves nothing open', () => {
    throws(() => dlopen(fixture, { add_i32: add, no_such_symbol: {} }), 'ERR_FFI_SYMBOL_NOT_FOUND');
    throws(() => dlopen(fixture, { add_i32: { args: ['nonsense'] } }), 'ERR_INVALID_ARG_VALUE');
    assert.equal(opens(fixture), fixture);
  });
});

describe('symbols', () => {
  test('a missing symbol is an error that names it and the library', () => {
    const error = throws(() => dlopen(fixture, { no_such_symbol: {} }), 'ERR_FFI_SYMBOL_NOT_FOUND');
    assert.ok(error.message.startsWith(`Symbol "no_such_symbol" not found in "${fixture}"`), error.message);
    throws(
      () => dlopen(fixture, { here: { name: 'no_such_symbol' } }),
      'ERR_FFI_SYMBOL_NOT_FOUND',
      /^Symbol "no_such_symbol" not found/,
    );
    throws(() => dlopen(fixture, { 'a\0b': {} }), ['ERR_FFI_SYMBOL_NOT_FOUND', 'ERR_INVALID_ARG_VALUE']);
  });

  test('a missing optional symbol is null', () => {
    const { symbols } = dlopen(fixture, { no_such_symbol: { optional: true }, add_i32: { ...add, optional: true } });
    assert.equal(symbols.no_such_symbol, null);
    assert.equal(symbols.add_i32(1, 2), 3);
    assert.equal(dlopen(fixture, { mine: { name: 'no_such_symbol', optional: true } }).symbols.mine, null);
    throws(() => dlopen(fixture, { no_such_symbol: { optional: false } }), 'ERR_FFI_SYMBOL_NOT_FOUND');
  });

  test('a symbol may have another name in JS', () => {
    const { symbols } = dlopen(fixture, {
      plus: { name: 'add_i32', ...add },
      wide: { name: 'add_i64', args: ['i64', 'i64'], returns: 'i64' },
    });
    assert.equal(symbols.plus(20, 22), 42);
    assert.equal(symbols.wide(20, 22), 42n);
    assert.equal(Object.keys(symbols).join(), 'plus,wide');
  });

  test('a ptr is used instead of looking the name up', () => {
    const address = bindOne('get_add_i32', [], 'ptr')();
    const { symbols } = dlopen(fixture, { whatever: { ptr: address, ...add }, big: { ptr: BigInt(address), ...add } });
    assert.equal(symbols.whatever(20, 22), 42);
    assert.equal(symbols.big(20, 22), 42);
    assert.equal(symbols.whatever.ptr, address);
  });

  test('a bound function has its name, its length, its address and itself', () => {
    const { add_i32: fn, do_nothing: nothing } = dlopen(fixture, { add_i32: add, do_nothing: {} }).symbols;
    assert.equal(typeof fn, 'function');
    assert.equal(fn.name, 'add_i32');
    assert.equal(fn.length, 2);
    assert.equal(nothing.length, 0);
    assert.equal(fn.ptr, bindOne('get_add_i32', [], 'ptr')());
    assert.equal(fn.native, fn);
    assert.throws(() => {
      fn.ptr = 1;
    }, TypeError);
    assert.equal(fn(1, 2), 3);
  });

  test('symbols named like properties of Object are symbols', () => {
    const declaration = { optional: true };
    const { symbols } = dlopen(fixture, {
      constructor: declaration,
      toString: declaration,
      valueOf: declaration,
      hasOwnProperty: declaration,
    });
    for (const name of ['constructor', 'toString', 'valueOf', 'hasOwnProperty']) assert.equal(symbols[name], null);
  });

  test('a library without declarations opens', () => {
    const library = dlopen(fixture, {});
    assert.deepEqual(Object.keys(library.symbols), []);
    library.close();
  });

  test('functions work when only they are kept, not the library', async () => {
    const fn = (() => dlopen(fixture, { add_i32: add }).symbols.add_i32)();
    await gc();
    await gc();
    assert.equal(fn(20, 22), 42);
    const stdout = await runs(`
      const fn = (() => ffi.dlopen(h.fixture, { add_i32: { args: ['i32', 'i32'], returns: 'i32' } }).symbols.add_i32)();
      h.gc().then(() => console.log(fn(20, 22)));
    `);
    assert.equal(stdout, '42');
  });
});

describe('flags', () => {
  test('the flags of os.constants.dlopen are taken', () => {
    for (const flags of [undefined, 0, RTLD_NOW, RTLD_LAZY, RTLD_NOW | RTLD_LOCAL, RTLD_LAZY | RTLD_GLOBAL]) {
      const library = dlopen(fixture, { add_i32: add }, { flags });
      assert.equal(library.symbols.add_i32(1, 2), 3);
      library.close();
    }
  });

  test('symbols are local by default, and global with RTLD_GLOBAL', async () => {
    const stdout = await runs(`
      const { RTLD_NOW, RTLD_GLOBAL } = require('node:os').constants.dlopen;
      const find = () => ffi.dlopen(null, { bump_static: { returns: 'i32', optional: true } }).symbols.bump_static;
      const seen = [find() === null];
      ffi.dlopen(h.fixture, {});
      seen.push(find() === null);
      ffi.dlopen(h.fixture, {}, { flags: RTLD_NOW | RTLD_GLOBAL });
      seen.push(find() === null, find()());
      console.log(seen.join());
    `);
    assert.equal(stdout, 'true,true,false,1');
  });

  test('flags that are none are refused', () => {
    for (const flags of ['1', null, {}, 1n, true])
      throws(() => dlopen(fixture, {}, { flags }), 'ERR_INVALID_ARG_TYPE', /flags/);
    for (const flags of [-1, 0.5, NaN, 2 ** 32])
      throws(() => dlopen(fixture, {}, { flags }), 'ERR_OUT_OF_RANGE', /flags/);
    for (const options of [7, 'x', true]) throws(() => dlopen(fixture, {}, options), 'ERR_INVALID_ARG_TYPE');
  });
});

describe('close', () => {
  test('a call after close is an error that names the function and the library', () => {
    const library = dlopen(fixture, { add_i32: add });
    const { add_i32: fn } = library.symbols;
    assert.equal(library.close(), undefined);
    const error = throws(() => fn(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
    assert.equal(error.message, `add_i32: the library "${fixture}" is closed`);
    throws(() => library.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('close may be repeated, and Symbol.dispose is close', () => {
    const library = dlopen(fixture, { add_i32: add });
    assert.equal(library[Symbol.dispose](), undefined);
    throws(() => library.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
    assert.equal(library[Symbol.dispose](), undefined);
    assert.equal(library.close(), undefined);
  });

  test('close and dispose work without their library as this', () => {
    const { close, symbols } = dlopen(fixture, { add_i32: add });
    close();
    throws(() => symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('closing one opening of a library leaves the others open', () => {
    const [first, second] = [dlopen(fixture, { add_i32: add }), dlopen(fixture, { add_i32: add })];
    first.close();
    throws(() => first.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
    assert.equal(second.symbols.add_i32(1, 2), 3);
    second.close();
  });

  test('close unloads the library, and opening it again starts afresh', { skip: onlyOn('unloads') }, async () => {
    const stdout = await runs(`
      const open = () => ffi.dlopen(h.fixture, { bump_static: { returns: 'i32' } });
      const first = open();
      const seen = [first.symbols.bump_static(), first.symbols.bump_static()];
      first.close();
      const second = open();
      seen.push(second.symbols.bump_static());
      console.log(seen.join());
    `);
    assert.equal(stdout, '1,2,1');
  });

  test('close inside a callback that the library is running is refused, and works afterwards', () => {
    const library = dlopen(fixture, { call_void: { args: ['function'] }, add_i32: add });
    let ran = 0;
    const callback = new JSCallback(() => {
      ran++;
      throws(() => library.close(), 'ERR_FFI_LIBRARY_BUSY');
      throws(() => library[Symbol.dispose](), 'ERR_FFI_LIBRARY_BUSY');
      assert.equal(library.symbols.add_i32(1, 2), 3);
    }, {});
    library.symbols.call_void(callback);
    assert.equal(ran, 1);
    assert.equal(library.symbols.add_i32(1, 2), 3);
    library.close();
    throws(() => library.symbols.call_void(callback), 'ERR_FFI_LIBRARY_CLOSED', /^call_void: /);
    callback.close();
  });

  test('a library that JS has forgotten stays loaded: its addresses may still be in use', async () => {
    const stdout = await runs(`
      const address = (() => ffi.dlopen(h.fixture, { get_add_i32: { returns: 'ptr' } }).symbols.get_add_i32())();
      (async () => {
        await h.gc();
        await h.gc();
        console.log(ffi.CFunction({ ptr: address, args: ['i32', 'i32'], returns: 'i32' })(20, 22));
      })();
    `);
    assert.equal(stdout, '42');
  });

  test('a library whose call failed can be closed', () => {
    const library = dlopen(fixture, { call_void: { args: ['function'] }, add_i32: add });
    const throwing = new JSCallback(() => {
      throw new Error('boom');
    }, {});
    assert.throws(() => library.symbols.call_void(throwing), /boom/);
    throws(() => library.symbols.add_i32('x', 1), 'ERR_INVALID_ARG_TYPE');
    library.close();
    throwing.close();
    throws(() => library.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('a library can be closed inside the callback of another', () => {
    const other = dlopen(fixture, { add_i32: add });
    const library = dlopen(fixture, { call_void: { args: ['function'] } });
    const callback = new JSCallback(() => other.close(), {});
    library.symbols.call_void(callback);
    throws(() => other.symbols.add_i32(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
    callback.close();
    library.close();
  });

  const countOf = (file) => fs.readdirSync(file).length;
  const mappings = () =>
    fs
      .readFileSync('/proc/self/maps', 'latin1')
      .split('\n')
      .filter((line) => line.includes('libfixture')).length;

  const CYCLES = byScale(3000, 10_000);

  test(`${CYCLES} opens and closes leave no handle, no mapping and no memory behind`, async () => {
    const cycle = () => {
      const library = dlopen(fixture, { add_i32: add });
      if (library.symbols.add_i32(1, 2) !== 3) assert.fail('add_i32');
      library.close();
    };
    // Finalizers run between turns of the event loop, so a turn of this length has its own high-water mark.
    for (let turn = 0; turn < 3; turn++) {
      for (let i = 0; i < CYCLES; i++) cycle();
      await gc();
    }
    const before = { handles: countOf('/proc/self/fd'), mappings: mappings(), rss: process.memoryUsage.rss() };
    for (let i = 0; i < CYCLES; i++) cycle();
    await gc();
    assert.equal(countOf('/proc/self/fd'), before.handles);
    assert.equal(mappings(), before.mappings);
    const grown = process.memoryUsage.rss() - before.rss;
    assert.ok(grown < 32 * 2 ** 20, `grew by ${grown} bytes`);
  });

  test(`${CYCLES} cycles that really load and unload leave no handle behind`, { skip: onlyOn('unloads') }, async () => {
    const stdout = await runs(`
      const fs = require('node:fs');
      const handles = () => fs.readdirSync('/proc/self/fd').length;
      const before = handles();
      for (let i = 0; i < ${CYCLES}; i++) {
        const library = ffi.dlopen(h.fixture, { bump_static: { returns: 'i32' } });
        if (library.symbols.bump_static() !== 1) throw new Error('it stayed loaded');
        library.close();
      }
      console.log(handles() - before, fs.readFileSync('/proc/self/maps', 'latin1').includes('libfixture'));
    `);
    assert.equal(stdout, '0 false');
  });
});

describe('linkSymbols', () => {
  const address = bindOne('get_add_i32', [], 'ptr')();

  test('linkSymbols() makes functions of addresses', () => {
    const library = linkSymbols({ plus: { ptr: address, ...add }, same: { ptr: BigInt(address), ...add } });
    assert.equal(library.symbols.plus(20, 22), 42);
    assert.equal(library.symbols.same(20, 22), 42);
    assert.equal(library.symbols.plus.name, 'plus');
    assert.equal(library.symbols.plus.ptr, address);
    library.close();
    throws(() => library.symbols.plus(1, 2), 'ERR_FFI_LIBRARY_CLOSED', /^plus: /);
    library.close();
    library[Symbol.dispose]();
  });

  test('linkSymbols() needs a ptr that is an address', () => {
    for (const ptr of [undefined, null])
      throws(
        () => linkSymbols({ plus: { ptr, ...add } }),
        ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'],
        /plus.*ptr/,
      );
    throws(() => linkSymbols({ plus: add }), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'], /plus.*ptr/);
    for (const ptr of ['x', {}, true])
      throws(() => linkSymbols({ plus: { ptr, ...add } }), 'ERR_INVALID_ARG_TYPE', /plus.*ptr/);
    for (const ptr of [0, 0n, -1, NaN, 0.5, 2n ** 64n]) {
      throws(
        () => linkSymbols({ plus: { ptr, ...add } }),
        ['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE', 'ERR_FFI_INVALID_POINTER'],
        /plus/,
      );
    }
    polluted({ ptr: address }, () =>
      throws(() => linkSymbols({ plus: add }), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE']),
    );
  });
});

describe('CFunction', () => {
  const address = bindOne('get_add_i32', [], 'ptr')();

  test('CFunction() makes one function of an address, with or without new', () => {
    for (const fn of [CFunction({ ptr: address, ...add }), new CFunction({ ptr: address, ...add })]) {
      assert.equal(fn(20, 22), 42);
      assert.equal(fn.length, 2);
      assert.equal(fn.ptr, address);
      throws(() => fn('x', 1), 'ERR_INVALID_ARG_TYPE', /argument 0 must be /);
      throws(() => fn(1), 'ERR_INVALID_ARG_VALUE', /expects 2 arguments, received 1/);
      fn.close();
      throws(() => fn(1, 2), 'ERR_FFI_LIBRARY_CLOSED');
      fn.close();
    }
  });

  test('CFunction() calls the code of a JSCallback', () => {
    const callback = new JSCallback((a, b) => a * b, add);
    const fn = CFunction({ ptr: callback.ptr, ...add });
    assert.equal(fn(6, 7), 42);
    fn.close();
    callback.close();
  });

  test('CFunction() needs a ptr', () => {
    throws(() => CFunction(add), ['ERR_INVALID_ARG_TYPE', 'ERR_INVALID_ARG_VALUE'], /ptr/);
    throws(
      () => CFunction({ ptr: 0, ...add }),
      ['ERR_OUT_OF_RANGE', 'ERR_INVALID_ARG_VALUE', 'ERR_FFI_INVALID_POINTER'],
    );
    for (const value of [undefined, null, 7, 'x']) throws(() => CFunction(value), 'ERR_INVALID_ARG_TYPE');
  });
});

describe('the package', () => {
  const names = [
    'CFunction',
    'CString',
    'FFIType',
    'JSCallback',
    'cc',
    'dlopen',
    'linkSymbols',
    'ptr',
    'read',
    'suffix',
    'toArrayBuffer',
    'toBuffer',
    'write',
  ];

  test('the package has the same names for require, for import and on the default export', async () => {
    const module = await import('../../index.mjs');
    for (const name of names) {
      assert.notEqual(ffi[name], undefined, name);
      assert.equal(module[name], ffi[name], name);
      assert.equal(module.default[name], ffi[name], name);
    }
    assert.deepEqual(
      Object.keys(module)
        .filter((name) => name !== 'default')
        .sort(),
      Object.keys(ffi).sort(),
    );
  });

  test('exports can be replaced one by one, as tests mock modules, before and after they were first asked for', async () => {
    const stdout = await runs(`
      const entry = require('./index.js');
      const asked = entry.JSCallback;
      for (const name of Object.keys(entry)) entry[name] = name;
      console.log(typeof asked === 'function' && Object.entries(entry).every(([name, value]) => name === value));
    `);
    assert.equal(stdout, 'true');
  });

  test('the exports can be frozen before all of them were asked for, and inherited from', async () => {
    const stdout = await runs(`
      const entry = require('./index.js');
      const own = Object.create(entry);
      own.JSCallback = 1;
      require('node:test').mock.method(entry, 'errno', () => 'mocked');
      Object.freeze(entry);
      console.log(typeof entry.JSCallback, typeof entry.CString, own.JSCallback, entry.errno());
    `);
    assert.equal(stdout, 'function function 1 mocked');
  });

  test("a library's global() is its own whatever Object.prototype has", () => {
    let assigned = 0;
    Object.defineProperty(Object.prototype, 'global', {
      set() {
        assigned += 1;
      },
      configurable: true,
    });
    try {
      assert.ok(Object.hasOwn(ffi.dlopen(fixture, {}), 'global'));
    } finally {
      delete Object.prototype.global;
    }
    assert.equal(assigned, 0);
  });

  test('suffix is that of the platform', () => {
    assert.equal(suffix, { darwin: 'dylib', win32: 'dll' }[process.platform] ?? 'so');
  });

  test("FFIType has bun's names, aliases and tags", () => {
    const tags = {
      char: 0,
      i8: 1,
      int8_t: 1,
      u8: 2,
      uint8_t: 2,
      i16: 3,
      int16_t: 3,
      u16: 4,
      uint16_t: 4,
      i32: 5,
      int32_t: 5,
      int: 5,
      c_int: 5,
      u32: 6,
      uint32_t: 6,
      c_uint: 6,
      i64: 7,
      int64_t: 7,
      isize: 7,
      u64: 8,
      uint64_t: 8,
      usize: 8,
      f64: 9,
      double: 9,
      f32: 10,
      float: 10,
      bool: 11,
      ptr: 12,
      pointer: 12,
      'void*': 12,
      'char*': 12,
      void: 13,
      cstring: 14,
      i64_fast: 15,
      u64_fast: 16,
      function: 17,
      callback: 17,
      fn: 17,
      napi_env: 18,
      napi_value: 19,
      buffer: 20,
      buffer_length: 21,
      buffer_bytelength: 21,
    };
    for (const [name, tag] of Object.entries(tags)) assert.equal(ffi.FFIType[name], tag, name);
    for (let tag = 0; tag <= 17; tag++) assert.equal(ffi.FFIType[tag], tag, `key ${tag}`);
  });

  test('the package loads from any working directory', async () => {
    const stdout = await runs(`process.chdir('/'); console.log(h.bindOne('add_i32', ['i32', 'i32'], 'i32')(20, 22));`);
    assert.equal(stdout, '42');
    assert.equal(path.isAbsolute(root), true);
  });
});
