'use strict';
// The module registry is reset: hot reload, `delete require.cache[...]`, jest.resetModules(). The package stays one
// instance.

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, test } = require('node:test');
const { root, fixture, runs } = require('../helpers.js');
const { byScale } = require('../scale.js');

// Each child loads the package by itself, so that nothing is loaded before the scenario wants it.
const SHARED = `
const assert = require('node:assert/strict');
const fixture = ${JSON.stringify(fixture)};
const root = ${JSON.stringify(root)};
const declarations = {
  add_i32: { args: ['i32', 'i32'], returns: 'i32' }, call_i32: { args: ['ptr', 'i32'], returns: 'i32' },
  fill_bytes: { args: ['buffer', 'u64', 'u8'] },
};
const libc = { labs: { args: ['i64'], returns: 'i64' }, abs: { args: ['i32'], returns: 'i32' },
  toupper: { args: ['i32'], returns: 'i32' }, strlen: { args: ['cstring'], returns: 'u64_fast' } };
`;

/** How a registry is reset, as source of `load` and `reset`. */
const REGISTRIES = {
  'require.cache': `
    const load = (name = 'index.js') => require(require('node:path').join(root, name));
    const reset = () => { for (const key of Object.keys(require.cache)) delete require.cache[key]; };`,
  // As test runners have it: modules are evaluated by the runner, and require.cache is not Node's.
  "a registry that is not Node's": `
    const fs = require('node:fs');
    const path = require('node:path');
    const { createRequire } = require('node:module');
    let registry = new Map();
    const loadFile = (file) => {
      if (registry.has(file)) return registry.get(file).exports;
      const module = { exports: {} };
      registry.set(file, module);
      const resolve = createRequire(file);
      const wanted = (name) => (name.startsWith('.') ? loadFile(resolve.resolve(name)) : resolve(name));
      wanted.cache = Object.create(null);
      const parameters = ['module', 'exports', 'require', '__dirname', '__filename'];
      require('node:vm').compileFunction(fs.readFileSync(file, 'utf8'), parameters, { filename: file })(
        module, module.exports, wanted, path.dirname(file), file);
      return module.exports;
    };
    const load = (name = 'index.js') => loadFile(path.join(root, name));
    const reset = () => { registry = new Map(); };`,
};

/** What is loaded late, each used for the first time after a reset: a script that has `ffi`, `symbols` and `load`. */
const LATE = {
  'struct()': `
    const Pair = ffi.struct({ quot: 'i32', rem: 'i32' });
    const { div } = ffi.dlopen('libc.so.6', { div: { args: ['i32', 'i32'], returns: Pair } }).symbols;
    assert.deepEqual({ ...div(17, 5) }, { quot: 3, rem: 2 });`,
  'array() and views': `
    const view = ffi.array(ffi.struct({ a: 'i32' }), 3).alloc([{ a: 1 }, { a: 2 }, { a: 3 }]);
    assert.equal(view.at(2).a, 3);`,
  'pointer(), out() and inout()': `
    const { frexp } = ffi.dlopen('libm.so.6', { frexp: { args: ['f64', ffi.out('i32')], returns: 'f64' } }).symbols;
    assert.deepEqual(frexp(8), { returns: 0.5, out: [4] });
    ffi.dlopen(fixture, { call_i32: { args: [ffi.pointer('i32'), ffi.inout('i32')] } });`,
  'enumeration()': `
    const type = ffi.enumeration({ A: -5 });
    assert.equal(ffi.dlopen('libc.so.6', { abs: { args: [type], returns: 'i32' } }).symbols.abs('A'), 5);`,
  'opaque()': `
    const type = ffi.opaque('Block', { free: 'free' });
    const c = ffi.dlopen('libc.so.6', { malloc: { args: ['u64'], returns: type }, free: { args: [type] } }).symbols;
    const block = c.malloc(8);
    c.free(block);
    assert.throws(() => c.free(block), { code: 'ERR_FFI_INVALID_POINTER' });`,
  'fn()': `
    const type = ffi.fn({ args: ['i32'], returns: 'i32' });
    const { call_i32 } = ffi.dlopen(fixture, { call_i32: { args: [type, 'i32'], returns: 'i32' } }).symbols;
    assert.equal(call_i32((value) => value * 3, 5), 15);`,
  'errno()': `
    const { chdir } = ffi.dlopen('libc.so.6', { chdir: { args: ['cstring'], returns: 'i32', errno: true } }).symbols;
    assert.equal(chdir('/nowhere at all'), -1);
    assert.equal(ffi.errno(), 2);`,
  'cc()': `
    const c = ffi.cc({ source: 'int three(void) { return 3; }', symbols: { three: { returns: 'i32' } } });
    assert.equal(c.symbols.three(), 3);`,
  CString: "assert.equal(String(new ffi.CString(ffi.ptr(Buffer.from('text\\0')))), 'text');",
  JSCallback: `
    const callback = new ffi.JSCallback((value) => value + 1, { args: ['i32'], returns: 'i32' });
    assert.equal(symbols.call_i32(callback, 41), 42);
    callback.close();`,
  'an asynchronous call': 'assert.equal(await symbols.add_i32.async(20, 22), 42);',
  'thread()': 'assert.equal(await ffi.dlopen(fixture, declarations).thread().symbols.add_i32(20, 22), 42);',
  'minBytes and lengthOf': `
    const args = ['buffer', { type: 'u64', lengthOf: 0 }, 'u8'];
    const { fill_bytes } = ffi.dlopen(fixture, { fill_bytes: { args } }).symbols;
    assert.throws(() => fill_bytes(Buffer.alloc(4), 5, 1), { code: 'ERR_OUT_OF_RANGE' });`,
  varargs: `
    const { snprintf } = ffi.dlopen('libc.so.6', {
      snprintf: { args: ['buffer', 'u64', 'cstring'], returns: 'i32', varargs: true } }).symbols;
    assert.equal(snprintf(Buffer.alloc(16), 16, '%d', ['i32', 123]), 3);`,
  'results that are freed': `
    const { strdup } = ffi.dlopen('libc.so.6', {
      strdup: { args: ['cstring'], returns: { type: 'cstring', free: 'free' } } }).symbols;
    assert.equal(strdup('text'), 'text');`,
  'global()': "ffi.dlopen('libc.so.6', {}).global('environ', 'ptr');",
  'C text': `
    const set = ffi.cdef('typedef struct { int quot, rem; } div_t; typedef int (*on_number)(int);');
    const { div } = ffi.dlopen('libc.so.6', [set, 'div_t div(int, int);']).symbols;
    assert.deepEqual(div(17, 5), { quot: 3, rem: 2 });
    assert.equal(ffi.sizeof([set, 'div_t']) + ffi.struct('struct { int a; }').size, 12);
    new ffi.JSCallback((n) => n, [set, 'on_number']).close();
    assert.equal(ffi.read(ffi.ptr(Int32Array.of(7)), 'int'), 7);`,
  koffi: `
    const koffi = load('koffi.js');
    const abs = koffi.load('libc.so.6').func('int abs(int)');
    assert.equal(abs(-5), 5);
    assert.equal(koffi.sizeof(koffi.struct({ a: 'int' })), 4);`,
  'node:ffi': `
    const nodeFfi = load('node-ffi.js');
    const { functions, lib } = nodeFfi.dlopen(fixture, {
      call_i32: { return: 'i32', arguments: ['function', 'i32'] } });
    const callback = lib.registerCallback({ return: 'i32', arguments: ['i32'] }, (value) => value + 1);
    assert.equal(functions.call_i32(callback, 41), 42);
    assert.equal(nodeFfi.getInt32(nodeFfi.getRawPointer(Int32Array.of(7))), 7);`,
  'bun:ffi': `
    const bun = load('bun.js');
    const { add_i32, call_i32 } = bun.dlopen(fixture, declarations).symbols;
    const callback = new bun.JSCallback((value) => add_i32(value, 1), { args: ['i32'], returns: 'i32' });
    assert.equal(call_i32(callback.ptr, 41), 42);`,
};

const TIMES = { timeout: 120_000 };

/** How many of LATE a process uses, one after the other, each after a reset. Alone, each is the first that is used. */
const IN_A_PROCESS = byScale(7, 1);
const late = Object.entries(LATE);
const groups = Array.from({ length: Math.ceil(late.length / IN_A_PROCESS) }, (_, i) =>
  late.slice(i * IN_A_PROCESS, (i + 1) * IN_A_PROCESS),
);

for (const [name, registry] of Object.entries(REGISTRIES)) {
  const isNodes = name === 'require.cache';
  const prelude = `${SHARED}${registry}`;
  const child = (code) =>
    runs(
      `${prelude}
    (async () => { ${code}
    })().then(() => console.log('done'), (error) => { console.error(error); process.exit(1); });`,
      { isBare: true },
    );

  describe(`after a reset of ${name}`, () => {
    test(`the package that is loaded after a reset of ${name} is the same instance`, TIMES, async () => {
      assert.equal(
        await child(`
        const first = load();
        const bun = load('bun.js');
        for (let i = 0; i < 20; i += 1) {
          reset();
          assert.equal(load(), first);
          reset();
          assert.equal(load('bun.js'), bun);
        }`),
        'done',
      );
    });

    test('each function calls the C function that it was bound to', TIMES, async () => {
      assert.equal(
        await child(`
        const first = load();
        const one = first.dlopen('libc.so.6', libc).symbols;
        one.abs(-1);
        reset();
        const second = load();
        const two = second.dlopen('libc.so.6', { toupper: libc.toupper, strlen: libc.strlen, labs: libc.labs }).symbols;
        reset();
        const { labs } = first.dlopen('libc.so.6', { labs: libc.labs }).symbols;
        const { abs } = load().dlopen('libc.so.6', { abs: libc.abs }).symbols;
        for (let i = 0; i < 2e4; i += 1) {
          assert.equal(labs(-5000000000n), 5000000000n);
          assert.equal(two.labs(-5000000001n), 5000000001n);
          assert.equal(one.labs(-5000000002n), 5000000002n);
          assert.equal(one.abs(-i), i);
          assert.equal(abs(-i), i);
          assert.equal(two.toupper(98), 66);
          assert.equal(two.strlen('abc'), 3);
        }`),
        'done',
      );
    });

    test('callbacks and asynchronous calls from before and after it work side by side', TIMES, async () => {
      assert.equal(
        await child(`
        const make = (ffi) => ({ ffi, symbols: ffi.dlopen(fixture, declarations).symbols,
          callback: new ffi.JSCallback((value) => value + 1, { args: ['i32'], returns: 'i32' }) });
        const all = [make(load())];
        assert.equal(await all[0].symbols.add_i32.async(1, 2), 3);
        for (let i = 0; i < 3; i += 1) {
          reset();
          all.push(make(load()));
        }
        for (const { symbols } of all) for (const { callback } of all) assert.equal(symbols.call_i32(callback, 41), 42);
        assert.deepEqual(await Promise.all(all.map(({ symbols }, i) => symbols.add_i32.async(i, 10))), [10, 11, 12, 13]);
        for (const { ffi, callback } of all) {
          assert.ok(callback instanceof load().JSCallback);
          callback.close();
        }`),
        'done',
      );
    });

    if (isNodes) {
      test('a module imports the entries that a script had required before the reset', TIMES, async () => {
        assert.equal(
          await child(`
          const { pathToFileURL } = require('node:url');
          for (const name of ['index', 'bun', 'koffi', 'node-ffi']) {
            const required = load(name + '.js');
            reset();
            const imported = await import(pathToFileURL(root + '/' + name + '.mjs'));
            const key = name === 'koffi' ? 'load' : 'dlopen';
            assert.equal(imported[key], required[key]);
          }`),
          'done',
        );
      });
    }

    for (const group of groups) {
      const names = group.map(([what]) => what);
      test(`${names.join('; ')} work when they are first used after a reset of ${name}`, TIMES, async () => {
        // In the other order for the other registry: what is first there has been loaded in part here, and the reverse.
        const scripts = (isNodes ? group : group.toReversed()).map(
          ([what, code]) => `
          at = ${JSON.stringify(what)};
          reset();
          { ${code} }
          reset();
          { ${code} }`,
        );
        assert.equal(
          await child(`
          let at;
          process.on('exit', (exitCode) => { if (exitCode !== 0) console.error('at ' + at); });
          const ffi = load();
          const { symbols } = ffi.dlopen(fixture, declarations);
          ${scripts.join('')}`),
          'done',
        );
      });
    }
  });
}

test('require.cache has no more and no less than the program left in it', TIMES, async () => {
  assert.equal(
    await runs(
      `${SHARED}${REGISTRIES['require.cache']}
    const ffi = load();
    reset();
    const stranger = { exports: 'a stranger' };
    require.cache[${JSON.stringify(path.join(root, 'lib', 'errors.js'))}] = stranger;
    ffi.struct({ a: 'i32' });
    assert.equal(require.cache[${JSON.stringify(path.join(root, 'lib', 'errors.js'))}], stranger);
    assert.equal(require.cache[${JSON.stringify(path.join(root, 'lib', 'memory', 'arg-buffer.js'))}], undefined);
    console.log('done');`,
      { isBare: true },
    ),
    'done',
  );
});

test('an environment is never replaced', TIMES, async () => {
  assert.equal(
    await runs(
      `${SHARED}${REGISTRIES['require.cache']}
    const ffi = load();
    const binding = load('lib/native/binding.js');
    assert.throws(() => binding.attach(new ArrayBuffer(65536), () => {}), { code: 'ERR_FFI_INTERNAL' });
    assert.equal(ffi.dlopen('libc.so.6', libc).symbols.abs(-3), 3);
    console.log('done');`,
      { isBare: true },
    ),
    'done',
  );
});
