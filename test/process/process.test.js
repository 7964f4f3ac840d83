'use strict';
// The process is as it was: programs and flags that take something away, listeners, handles, and an exit that does not
// take place.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { fixture, root, runs } = require('../helpers.js');

const TIMES = { timeout: 120_000 };
const isNode20 = process.versions.modules === '115';
const prelude = `
const assert = require('node:assert/strict');
const root = ${JSON.stringify(root)};
const fixture = ${JSON.stringify(fixture)};
const load = () => require(root);
`;
const child = (code, options) => runs(`${prelude}${code}`, { isBare: true, ...options });

const USES = `
const ffi = load();
const { symbols } = ffi.dlopen(fixture, {
  add_i32: { args: ['i32', 'i32'], returns: 'i32' }, call_i32: { args: ['ptr', 'i32'], returns: 'i32' },
  fill_bytes: { args: ['buffer', 'u64', 'u8'] },
});
const bytes = new Uint8Array(64);
symbols.fill_bytes(bytes, 64, 7);
assert.ok(bytes.every((byte) => byte === 7));
const callback = new ffi.JSCallback((value) => value + 1, { args: ['i32'], returns: 'i32' });
assert.equal(symbols.call_i32(callback, 41), 42);
callback.close();
ffi.pin(bytes).release();
ffi.alloc(8);
symbols.add_i32.async(20, 22).then((sum) => console.log(sum));
`;

describe('the package loads and works', () => {
  test('the package loads and works where the program has deleted SharedArrayBuffer', TIMES, async () => {
    assert.equal(
      await child(`delete globalThis.SharedArrayBuffer; ${USES}
      const memory = new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true });
      symbols.fill_bytes(new Uint8Array(memory.buffer, 0, 64), 64, 9);
      assert.equal(new Uint8Array(memory.buffer)[63], 9);
      assert.equal(typeof ffi.ptr(memory.buffer), 'number');`),
      '42',
    );
  });

  const deleted = [
    'Buffer',
    'SharedArrayBuffer',
    'WebAssembly',
    'WeakRef',
    'FinalizationRegistry',
    'URL',
    'setImmediate',
  ];
  const deletes = deleted.map((name) => `delete globalThis.${name};`).join(' ');
  const usesMore = `
    const Handle = ffi.opaque('FILE', { free: 'fclose' });
    const c = ffi.dlopen(null, {
      tmpfile: { returns: Handle }, fclose: { args: [Handle], returns: 'int' },
      strlen: { args: ['cstring'], returns: 'size_t' },
    });
    c.symbols.fclose(c.symbols.tmpfile());
    assert.equal(c.symbols.strlen('text'), 4n);
    assert.equal(ffi.CString(ffi.ptr(bytes), 0, 2), '\\x07\\x07');
    assert.equal(ffi.toBuffer(ffi.ptr(bytes), 0, 4)[3], 7);
    assert.equal(ffi.struct({ n: ffi.text(4) }).alloc({ n: 'é' }).n, 'é');
    assert.throws(() => c.symbols.strlen(c), { code: 'ERR_INVALID_ARG_TYPE' });`;
  for (const [when, code] of [
    ['before', `${deletes} ${USES} ${usesMore}`],
    ['after', `load(); ${deletes} ${USES} ${usesMore}`],
  ]) {
    test(`the package works where the program has deleted globals ${when} it loaded the package`, TIMES, async () => {
      assert.equal(await child(code), '42');
    });
  }

  test(
    'the package loads and works where the program has closed its global object and process to new properties',
    TIMES,
    async () => {
      assert.equal(
        await child(`Object.preventExtensions(globalThis); Object.preventExtensions(process); ${USES}`),
        '42',
      );
    },
  );

  const flags = {
    '--enable-sharedarraybuffer-per-context': true,
    '--no-harmony-rab-gsab': isNode20,
    '--no-expose-wasm': Number(process.versions.modules) < 137,
    '--no-harmony-rab-gsab --no-expose-wasm': isNode20,
  };
  for (const [flag, isKnown] of Object.entries(flags)) {
    test(
      `the package loads and works with ${flag}`,
      { ...TIMES, skip: !isKnown && 'this Node has no such flag' },
      async () => {
        assert.equal(await child(USES, { flags: flag.split(' ') }), '42');
        assert.equal(await child(`delete globalThis.SharedArrayBuffer; ${USES}`, { flags: flag.split(' ') }), '42');
      },
    );
  }

  test(
    'the package loads and works with --abort-on-uncaught-exception, where the first candidates for a name are no libraries',
    TIMES,
    async () => {
      assert.equal(
        await child(
          `${USES}
      ffi.dlopen('c', { strlen: { args: ['cstring'], returns: 'u64_fast' } });
      assert.throws(() => ffi.dlopen('no-such-library-at-all', {}), { code: 'ERR_FFI_LIBRARY_NOT_FOUND' });
      assert.throws(() => ffi.dlopen(__filename === '[eval]' ? root + '/package.json' : __filename, {}), { code: 'ERR_FFI_LIBRARY_INVALID' });
    `,
          { flags: ['--abort-on-uncaught-exception'] },
        ),
        '42',
      );
    },
  );
});

describe('process listeners', () => {
  const count = "['exit', 'beforeExit'].map((event) => process.listenerCount(event))";

  test(
    'there are no process listeners before there is a callback, and one each afterwards, whatever is loaded anew',
    TIMES,
    async () => {
      const vm = `const makeRealm = () => {
      const vm = require('node:vm');
      const context = vm.createContext({ Buffer, process, console, setImmediate, setTimeout });
      const fs = require('node:fs');
      const path = require('node:path');
      const { createRequire } = require('node:module');
      const cache = new Map();
      const loadIn = (file) => {
        if (cache.has(file)) return cache.get(file).exports;
        const module = { exports: {} };
        cache.set(file, module);
        const resolve = createRequire(file);
        const wanted = (name) => name.startsWith('.') ? loadIn(resolve.resolve(name)) : resolve(name);
        vm.compileFunction(fs.readFileSync(file, 'utf8'), ['module', 'exports', 'require', '__dirname', '__filename'],
          { parsingContext: context, filename: file })(module, module.exports, wanted, path.dirname(file), file);
        return module.exports;
      };
      return loadIn(path.join(root, 'index.js'));
    };`;
      assert.equal(
        await child(`${vm}
      process.on('warning', (warning) => console.log(warning.name));
      const before = ${count};
      const ffi = load();
      ffi.dlopen(fixture, { add_i32: { args: ['i32', 'i32'], returns: 'i32' } }).symbols.add_i32(1, 2);
      assert.deepEqual(${count}, before);
      for (let i = 0; i < 15; i += 1) {
        for (const key of Object.keys(require.cache)) delete require.cache[key];
        new (load().JSCallback)(() => {}, {}).close();
        new (makeRealm().JSCallback)(() => {}, {}).close();
      }
      assert.deepEqual(${count}, before.map((number) => number + 1));
      setImmediate(() => console.log('done'));`),
        'done',
      );
    },
  );
});

describe('open handles', () => {
  test('each handle that asynchronous hooks see says that it does not keep the process alive', TIMES, async () => {
    assert.equal(
      await child(`
      const resources = new Map();
      const hook = require('node:async_hooks').createHook({
        init: (id, type, trigger, resource) => { if (/pinned-ffi/.test(type)) resources.set(id, [type, resource]); },
        destroy: (id) => resources.delete(id),
      }).enable();
      const alive = () => [...resources.values()].filter(([, resource]) => resource.hasRef?.() !== false).map(([type]) => type);
      const ffi = load();
      const lib = ffi.dlopen(fixture, {
        add_i32: { args: ['i32', 'i32'], returns: 'i32' }, call_i32: { args: ['ptr', 'i32'], returns: 'i32' } });
      const callback = new ffi.JSCallback((value) => value + 1, { args: ['i32'], returns: 'i32' });
      (async () => {
        assert.equal(await lib.symbols.call_i32.async(callback, 41), 42);
        const thread = lib.thread();
        assert.equal(await thread.symbols.call_i32(callback, 41), 42);
        thread.close();
        // The thread ends a moment after its last call.
        const end = Date.now() + 20_000;
        while (alive().length > 0 && Date.now() < end) await new Promise((resolve) => setTimeout(resolve, 5));
        assert.ok(resources.size >= 2, String(resources.size));
        assert.deepEqual(alive(), []);
        callback.ref();
        assert.deepEqual(alive().filter((type) => type !== 'pinned-ffi callbacks').length, alive().length - 1);
        callback.close();
        assert.deepEqual(alive(), []);
        console.log('done');
      })();`),
      'done',
    );
  });
});

describe("an 'exit' event that does not end the process", () => {
  const start = `
    const ffi = load();
    const lib = ffi.dlopen(fixture, {
      call_i32: { args: ['ptr', 'i32'], returns: 'i32' } });
    const callback = new ffi.JSCallback((value) => value + 1, { args: ['i32'], returns: 'i32', threadsafe: false });
    const thread = lib.thread();
    const keep = setTimeout(() => { console.log('never settled'); process.reallyExit(1); }, 5000);
    const turn = () => new Promise((resolve) => setImmediate(resolve));
  `;
  const ways = {
    'that a program emits': "process.emit('exit', 0);",
    'whose listener throws': `
      process.once('exit', () => { throw new Error('not now'); });
      assert.throws(() => process.exit(0), /not now/);`,
  };
  for (const [name, way] of Object.entries(ways)) {
    test(`${name}: threads settle, and callbacks on foreign threads are answered`, TIMES, async () => {
      assert.equal(
        await child(`${start}
        (async () => {
          assert.equal(await thread.symbols.call_i32(callback, 1), 2);
          for (let i = 0; i < 3; i += 1) {
            // Node ends without an event after the second process.exit().
            if (i === 0) { ${way} } else process.emit('exit', 0);
            await turn();
            await turn();
            assert.equal(await thread.symbols.call_i32(callback, 41), 42);
            assert.equal(await lib.symbols.call_i32.async(callback, 41), 42);
          }
          console.log('done');
          process.reallyExit(0);
        })();`),
        'done',
      );
    });

    test(`${name}: a thread that was at work settles`, TIMES, async () => {
      assert.equal(
        await child(`${start}
        const sleeper = ffi.dlopen('libc.so.6', { usleep: { args: ['u32'], returns: 'i32' } }).thread();
        (async () => {
          await sleeper.symbols.usleep(10);
          const working = [sleeper.symbols.usleep(50_000), sleeper.symbols.usleep(10)];
          ${way}
          assert.deepEqual(await Promise.all(working), [0, 0]);
          console.log('done');
          process.reallyExit(0);
        })();`),
        'done',
      );
    });
  }
});
