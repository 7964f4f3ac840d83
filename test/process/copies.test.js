'use strict';
// Several copies of the package in one process: two folders, two realms, two builds.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { ffi, fixture, root, runs } = require('../helpers.js');
const { platformKey } = require('../../lib/native/platform.js');

const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-copies-')));
const addon = path.join('prebuilds', `${platformKey()}.node`);
const copyOf = (name) => path.join(folder, name);

before(() => {
  for (const name of ['a', 'b', 'other']) {
    for (const part of ['index.js', 'bun.js', 'package.json', 'lib', addon]) {
      fs.cpSync(path.join(root, part), path.join(copyOf(name), part), { recursive: true });
    }
  }
  // Another build has another name, and is the same otherwise.
  const file = path.join(copyOf('other'), addon);
  const bytes = fs.readFileSync(file);
  const name = Buffer.from(require('../../lib/native/binding.js').buildName());
  let at = bytes.indexOf(name);
  assert.ok(at > 0);
  for (; at >= 0; at = bytes.indexOf(name, at + 1)) bytes.write('9', at);
  fs.writeFileSync(file, bytes);
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

// Each copy fills one byte too many of a Buffer, and says what came of it.
const prelude = `'use strict';
const load = (name) => require(require('node:path').join(${JSON.stringify(folder)}, name));
const overflow = (ffi, bytes = Buffer.alloc(96)) => {
  const lib = ffi.dlopen(${JSON.stringify(fixture)}, { fill_bytes: { args: ['buffer', 'u64', 'u8'] } });
  try { lib.symbols.fill_bytes(bytes, bytes.length + 1, 7) } catch (error) { return error.code }
  return 'nothing was thrown';
};
const say = (what) => console.log(JSON.stringify(what));
`;

// The guard would copy what has no fence of its own. Each copy is to load its own addon.
const output = async (code) => {
  const stdout = await runs(prelude + code, { env: { PINNED_FFI_GUARD: '', PINNED_FFI_ADDON: '' } });
  return stdout.split('\n').map((line) => JSON.parse(line));
};

describe('two copies of one build', () => {
  test('two copies of one build are one package: the classes are the same, and the fences hold in both', async () => {
    const [same, installed, codes] = await output(`
      const [a, b] = [load('a'), load('b')];
      say(a === b && load('a/bun.js') === load('b/bun.js') && load('a/bun.js') !== a);
      say([a, b].map((ffi) => ffi.fences().installed));
      say([overflow(a), overflow(b)]);
    `);
    assert.equal(same, true);
    assert.deepEqual(installed, [ffi.fences().installed, ffi.fences().installed]);
    assert.deepEqual(codes, ['ERR_FFI_BUFFER_OVERFLOW', 'ERR_FFI_BUFFER_OVERFLOW']);
  });

  test('two copies of one build throw for every overflow, and no neighbour changes', async () => {
    const [counts] = await output(`
      const [a, b] = [load('a'), load('b')];
      const others = Array.from({ length: 200 }, () => new Uint8Array(50).fill(3));
      const caught = [0, 0];
      for (let i = 0; i < 4000; i++) {
        if (overflow(i % 2 ? a : b, new Uint8Array(40)) === 'ERR_FFI_BUFFER_OVERFLOW') caught[i % 2]++;
        others[i % 200] = new Uint8Array(50).fill(3);
      }
      say([...caught, others.filter((other) => !other.every((byte) => byte === 3)).length, b.checkFences()]);
    `);
    assert.deepEqual(counts, [2000, 2000, 0, 0]);
  });

  test('Buffers that cross threads are fenced for both copies in a worker that loads the second first', async () => {
    const [inWorker, inMain] = await output(`
      const { Worker } = require('node:worker_threads');
      const a = load('a');
      const worker = new Worker(${JSON.stringify(prelude)} + \`
        const { parentPort } = require('node:worker_threads');
        const b = load('b');
        parentPort.once('message', (bytes) => {
          const mine = new Uint8Array(96);
          parentPort.postMessage({ codes: [overflow(b, bytes), overflow(load('a'))], mine }, [mine.buffer]);
        });
      \`, { eval: true });
      const theirs = new Uint8Array(96);
      worker.postMessage(theirs, [theirs.buffer]);
      worker.once('message', ({ codes, mine }) => {
        say(codes);
        say(overflow(a, mine));
      });
    `);
    assert.deepEqual(inWorker, ['ERR_FFI_BUFFER_OVERFLOW', 'ERR_FFI_BUFFER_OVERFLOW']);
    assert.equal(inMain, 'ERR_FFI_BUFFER_OVERFLOW');
  });

  test('two copies of one build work when the first one has been deleted meanwhile', async () => {
    fs.cpSync(copyOf('a'), copyOf('gone'), { recursive: true });
    const [inWorker] = await output(`
      const { Worker } = require('node:worker_threads');
      load('gone');
      require('node:fs').rmSync(${JSON.stringify(copyOf('gone'))}, { recursive: true });
      const worker = new Worker(${JSON.stringify(prelude)} + \`
        require('node:worker_threads').parentPort.postMessage(overflow(load('b')));
      \`, { eval: true });
      worker.once('message', say);
    `);
    assert.equal(inWorker, 'ERR_FFI_BUFFER_OVERFLOW');
  });
});

test('a copy of another build keeps out of the way of the first, says so, and its overflows damage nothing', async () => {
  const [first, second, codes, neighbours] = await output(`
    const [a, other] = [load('a'), load('other')];
    say(a.fences());
    say(other.fences());
    process.on('warning', () => {});
    process.removeAllListeners('warning');
    const around = [Buffer.alloc(96), Buffer.alloc(96), Buffer.alloc(96)];
    say([a === other, overflow(a), overflow(other, around[1])]);
    say([around[0], around[2]].map((bytes) => bytes.every((byte) => byte === 0)));
  `);
  assert.equal(first.installed, true);
  assert.equal(second.installed, false);
  assert.match(second.reason, /another (version|build) of pinned-ffi/);
  assert.deepEqual(codes, [false, 'ERR_FFI_BUFFER_OVERFLOW', 'nothing was thrown']);
  assert.deepEqual(neighbours, [true, true]);
});

test('a copy in a second realm of the thread calls, and its callbacks may be called by the first', async () => {
  const [sums, called, codes] = await output(`
    const vm = require('node:vm');
    const fs = require('node:fs');
    const path = require('node:path');
    const { createRequire } = require('node:module');
    // What test runners do: a realm and modules of its own for every test file.
    const context = vm.createContext({ Buffer, process, console, setImmediate, setTimeout });
    const cache = new Map();
    const loadIn = (file) => {
      if (cache.has(file)) return cache.get(file).exports;
      const module = { exports: {} };
      cache.set(file, module);
      const resolve = createRequire(file);
      const wanted = (name) => name.startsWith('.') ? loadIn(resolve.resolve(name)) : resolve(name);
      const parameters = ['module', 'exports', 'require', '__dirname', '__filename'];
      vm.compileFunction(fs.readFileSync(file, 'utf8'), parameters, { parsingContext: context, filename: file })(
        module, module.exports, wanted, path.dirname(file), file);
      return module.exports;
    };
    const first = load('a');
    const second = loadIn(path.join(${JSON.stringify(copyOf('a'))}, 'index.js'));
    const open = (ffi) => ffi.dlopen(${JSON.stringify(fixture)}, {
      add_i32: { args: ['i32', 'i32'], returns: 'i32' },
      call_i32: { args: ['ptr', 'i32'], returns: 'i32' },
    }).symbols;
    const [one, two] = [open(first), open(second)];
    const callback = new second.JSCallback((value) => two.add_i32(value, 1), { args: ['i32'], returns: 'i32' });
    const warm = (call) => { for (let i = 0; i < 1e5; i++) if (call(i) !== i + 1) return 'wrong at ' + i; return 'right' };
    say([warm((i) => one.add_i32(i, 1)), warm((i) => two.add_i32(i, 1))]);
    say([warm((i) => one.call_i32(callback.ptr, i)), warm((i) => two.call_i32(callback.ptr, i))]);
    callback.close();
    say([first === second, overflow(first), overflow(second)]);
  `);
  assert.deepEqual(
    [sums, called],
    [
      ['right', 'right'],
      ['right', 'right'],
    ],
  );
  assert.deepEqual(codes, [false, 'ERR_FFI_BUFFER_OVERFLOW', 'ERR_FFI_BUFFER_OVERFLOW']);
});
