'use strict';
// Isolated libraries and what surrounds them: signals of asynchronous calls, diagnostics channels, the log of calls,
// the interfaces of koffi and node:ffi, and systems that limit memory.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const diagnostics = require('node:diagnostics_channel');
const path = require('node:path');
const { describe, test } = require('node:test');
const vm = require('node:vm');
const ffi = require('../../index.js');
const koffi = require('../../koffi.js');
const { root, throws } = require('../helpers.js');
const { library, open } = require('./helpers.js');
const { asanLibrary, needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const skip = onlyOn('isolation');
/** Runs a script in a process that may be prepared by a shell; gives its output. */
function runScript(script, { env = {}, shell = 'exec "$@"', flags = [] } = {}) {
  const args = ['-c', shell, 'sh', process.execPath, ...flags, '-e', script];
  const { stdout, stderr, status, signal } = spawnSync('sh', args, {
    timeout: 60_000,
    encoding: 'utf8',
    env: { ...process.env, ...env },
    cwd: root,
  });
  assert.equal(status, 0, `${signal} ${stdout} ${stderr}`);
  return { stdout, stderr };
}

describe('an asynchronous call of an isolated library', { skip }, () => {
  const symbols = { sleep_ms: { args: ['i32'] }, sleep_forever: {}, pid: { name: 'sleep_ms', args: ['i32'] } };

  test('an asynchronous call of an isolated library rejects when its signal is aborted or its timeout is over, while the library goes on', async (t) => {
    const lib = open(t, 'deaths', symbols);
    const { pid } = lib.isolated;
    const controller = new AbortController();
    const aborted = lib.symbols.sleep_forever.async.with({ signal: controller.signal })();
    const late = lib.symbols.sleep_forever.async.with({ timeout: 5 })();
    controller.abort(new RangeError('enough'));
    await assert.rejects(aborted, { name: 'RangeError', message: 'enough' });
    await assert.rejects(late, { name: 'TimeoutError' });
    // Both calls are under way there, and others are made beside them.
    await lib.symbols.sleep_ms.async(0);
    lib.symbols.sleep_ms(0);
    assert.deepEqual([lib.isolated.pid, lib.isolated.alive], [pid, true]);
    const signal = AbortSignal.abort(new RangeError('never'));
    await assert.rejects(lib.symbols.sleep_forever.async.with({ signal })(), { message: 'never' });
    lib.kill();
  });

  test('an asynchronous call of an isolated library is stopped by a timeout of its declaration, which ends the process', async (t) => {
    const lib = open(t, 'deaths', { ...symbols, sleep_forever: { timeout: 30 } });
    const calls = [lib.symbols.sleep_forever.async.with({ timeout: 10_000 })(), lib.symbols.sleep_ms.async(10_000)];
    const [first, second] = await Promise.allSettled(calls);
    assert.equal(first.reason.code, 'ERR_FFI_TIMEOUT');
    assert.equal(second.reason.code, 'ERR_FFI_LIBRARY_DIED');
    assert.equal(lib.isolated.alive, false);
  });

  test('an asynchronous call of an isolated library that was aborted does not reject twice when its process dies', async (t) => {
    const lib = open(t, 'deaths', symbols);
    const call = lib.symbols.sleep_forever.async.with({ timeout: 1 })();
    await assert.rejects(call, { name: 'TimeoutError' });
    lib.kill();
    lib.restart();
    await lib.symbols.sleep_ms.async(1);
  });
});

describe('a worker', { skip }, () => {
  const worker = (code) => `
    const ffi = require('./index.js');
    const { Worker, isMainThread, parentPort } = require('node:worker_threads');
    const open = () => ffi.dlopen(${JSON.stringify(library('deaths'))}, { sleep_ms: { args: ['i32'] }, sleep_forever: {} },
      { isolate: { stderr: 'ignore' } });
    ${code}`;

  test('a worker that ends leaves the calls of other threads alone', () => {
    const script = worker(`
      const lib = open();
      const pending = lib.symbols.sleep_ms.async(300);
      const source = "const ffi = require('./index.js'); const lib = (" + open + ")(); lib.symbols.sleep_ms(0);";
      const started = new Worker(source, { eval: true });
      started.on('exit', () => pending.then(() => lib.close()).then(() => console.log('both')));`);
    assert.equal(runScript(script).stdout, 'both\n');
  });

  test('a worker that is in a call does not keep the process from its exit', () => {
    const script = worker(`
      const source = "const ffi = require('./index.js'); const lib = (" + open + ")();" +
        "require('node:worker_threads').parentPort.postMessage(1); lib.symbols.sleep_forever();";
      new Worker(source, { eval: true }).on('message', () => setTimeout(() => process.exit(0), 30));`);
    assert.equal(runScript(script).stdout, '');
  });
});

describe('a call that never returns', { skip }, () => {
  test('a call that never returns ends with the timeout of node:vm, and so does its process', (t) => {
    const lib = open(t, 'deaths', { sleep_forever: {}, sleep_ms: { args: ['i32'] } });
    const context = vm.createContext({ call: () => lib.symbols.sleep_forever() });
    const options = { timeout: 100 };
    assert.throws(() => vm.runInContext('call()', context, options), { code: 'ERR_SCRIPT_EXECUTION_TIMEOUT' });
    assert.equal(lib.isolated.alive, false);
    lib.restart();
    // A call that takes its time is none.
    lib.symbols.sleep_ms(byScale(10, 1200));
  });
});

describe('diagnostics channels of isolated libraries', { skip }, () => {
  const listen = (t, name) => {
    const messages = [];
    const listener = (message) => messages.push(message);
    diagnostics.subscribe(`pinned-ffi:${name}`, listener);
    t.after(() => diagnostics.unsubscribe(`pinned-ffi:${name}`, listener));
    return messages;
  };

  test('diagnostics channels of isolated libraries tell that one is opened, has died, and is closed', (t) => {
    const [opened, died, closed] = ['library:open', 'library:died', 'library:close'].map((name) => listen(t, name));
    const file = library('deaths');
    const lib = ffi.dlopen(file, { die_abort: {} }, { isolate: { stderr: 'ignore' } });
    const { isolated } = lib;
    assert.deepEqual(opened, [{ path: file, name: file, isolated }]);
    const error = throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED');
    throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED');
    const { pid, generation } = isolated;
    const told = { code: 'ERR_FFI_LIBRARY_DIED', symbol: 'die_abort', pid, generation, signal: 'SIGABRT' };
    assert.deepEqual(died, [{ ...told, exitCode: undefined, error }]);
    lib.restart();
    throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED');
    assert.equal(died.length, 2);
    lib.close();
    lib.close();
    assert.deepEqual(closed, [{ path: file }]);
  });

  test('diagnostics channels of isolated libraries tell of timeouts and of fences that were breached, in asynchronous calls as well', async (t) => {
    const [died, breaches] = ['library:died', 'fence:breach'].map((name) => listen(t, name));
    const slow = open(t, 'deaths', { sleep_forever: { timeout: 20 } });
    await assert.rejects(slow.symbols.sleep_forever.async(), { code: 'ERR_FFI_TIMEOUT' });
    assert.deepEqual([died.length, died[0].code], [1, 'ERR_FFI_TIMEOUT']);
    const lib = open(t, 'sharing', { fill_bytes: { args: ['buffer', 'usize', 'u8'] } });
    throws(() => lib.symbols.fill_bytes(Buffer.alloc(8), 20, 65), 'ERR_FFI_BUFFER_OVERFLOW');
    await assert.rejects(lib.symbols.fill_bytes.async(Buffer.alloc(8), 20, 65), { code: 'ERR_FFI_BUFFER_OVERFLOW' });
    assert.deepEqual(
      breaches.map(({ found, symbol, bytesPast }) => [found, symbol, bytesPast]),
      [
        ['call', 'fill_bytes', 12],
        ['call', 'fill_bytes', 12],
      ],
    );
  });
});

describe('PINNED_FFI_TRACE=log', { skip }, () => {
  test('PINNED_FFI_TRACE=log prints calls of isolated libraries, and how they end', () => {
    const script = `
      const ffi = require('./index.js');
      const declared = { sleep_ms: { args: ['i32'] }, die_abort: {} };
      const lib = ffi.dlopen(${JSON.stringify(library('deaths'))}, declared, { isolate: { stderr: 'ignore' } });
      lib.symbols.sleep_ms(1);
      try { lib.symbols.die_abort(); } catch {}
      lib.restart();
      lib.symbols.sleep_ms.async(2).then(() => lib.close());`;
    const { stderr } = runScript(script, { env: { PINNED_FFI_TRACE: 'log' } });
    assert.match(stderr, /^isolate-deaths\.so: sleep_ms\(1\) = void/m);
    assert.match(stderr, /die_abort\(\) threw ERR_FFI_LIBRARY_DIED: .*SIGABRT/);
    assert.match(stderr, /sleep_ms\.async \(promise 1\) = void/);
  });
});

describe('the interfaces of other packages', { skip }, () => {
  test('koffi.load takes isolate, and a death is an exception', (t) => {
    const lib = koffi.load(library('deaths'), { isolate: { restart: 'lazy', stderr: 'ignore' } });
    t.after(() => lib.unload());
    lib.func('void sleep_ms(int)')(0);
    throws(() => lib.func('void die_abort()')(), 'ERR_FFI_LIBRARY_DIED', /die_abort/);
    lib.func('void sleep_ms(int)')(0);
    const sharing = koffi.load(library('sharing'), { isolate: true });
    t.after(() => sharing.unload());
    const bytes = Buffer.alloc(10);
    sharing.func('void fill_bytes(uint8_t *bytes, size_t length, uint8_t value)')(bytes, 10, 3);
    assert.ok(bytes.every((byte) => byte === 3));
    assert.equal(sharing.func('int32_t fail_with(int32_t number)')(2), -1);
    assert.equal(koffi.errno(), 2);
  });

  test('PINNED_FFI_ISOLATE=1 isolates libraries of bun:ffi, koffi and node:ffi', () => {
    const file = JSON.stringify(library('processes'));
    const script = `
      const ids = [];
      const { dlopen } = require('./bun.js');
      ids.push(dlopen(${file}, { get_pid: { returns: 'i64' } }).symbols.get_pid());
      ids.push(require('./koffi.js').load(${file}).func('int64_t get_pid()')());
      const { functions } = require('./node-ffi.js').dlopen(${file}, { get_pid: { return: 'i64' } });
      ids.push(functions.get_pid());
      console.log(ids.every((id) => Number(id) === Number(ids[0]) && Number(id) !== process.pid));`;
    const { stdout } = runScript(script, { env: { PINNED_FFI_ISOLATE: '1' } });
    assert.equal(stdout, 'true\n');
  });
});

describe('tools for the library alone', { skip }, () => {
  const symbols = {
    read_past_end: { args: ['i32'], returns: 'i32' },
    read_freed: { returns: 'i32' },
    fill: { args: ['buffer', 'usize', 'u8'] },
    copy_text: { args: ['cstring'], returns: { type: 'cstring', free: 'free' } },
  };
  /** What works under each of them. */
  function check(lib, readsTexts) {
    const bytes = Buffer.alloc(100);
    lib.symbols.fill(bytes, 100, 7);
    assert.ok(bytes.every((byte) => byte === 7));
    assert.equal(lib.symbols.read_past_end(3), 1);
    if (readsTexts) assert.equal(lib.symbols.copy_text('text'), 'text');
    else throws(() => lib.symbols.copy_text('text'), 'ERR_FFI_INVALID_POINTER');
    assert.equal(lib.isolated.shared, 'own');
  }

  test('AddressSanitizer ends the library alone, and the error has the report', { skip: needs('asan') }, (t) => {
    const file = path.join(__dirname, '..', 'fixtures', 'build', `isolate-tools-asan.${ffi.suffix}`);
    const source = path.join(__dirname, '..', 'fixtures', 'isolate', 'tools.c');
    const built = spawnSync('cc', ['-shared', '-fPIC', '-g', '-fsanitize=address', source, '-o', file], {
      encoding: 'utf8',
    });
    assert.equal(built.status, 0, built.stderr);
    const env = { LD_PRELOAD: asanLibrary(), ASAN_OPTIONS: 'detect_leaks=0' };
    const lib = ffi.dlopen(file, symbols, { isolate: { env, malloc: 'own', stderr: 'ignore' } });
    t.after(() => lib.close());
    check(lib, true);
    for (const [call, fault] of [
      [() => lib.symbols.read_past_end(12), /heap-buffer-overflow/],
      [() => lib.symbols.read_freed(), /heap-use-after-free/],
    ]) {
      assert.match(throws(call, 'ERR_FFI_LIBRARY_DIED', /exited with status 1/).stderr, fault);
      lib.restart();
    }
  });

  test('valgrind reports what the library alone does', { skip: onlyOn('fullScale') || needs('valgrind') }, (t) => {
    const command = ['valgrind', '-q', '--error-exitcode=9', '--exit-on-first-error=yes'];
    const lib = ffi.dlopen(library('tools'), symbols, { isolate: { command, stderr: 'ignore' } });
    t.after(() => lib.close());
    // Its heap lies where Node has its own code.
    check(lib, false);
    const error = throws(() => lib.symbols.read_past_end(12), 'ERR_FFI_LIBRARY_DIED', /status 9/);
    assert.match(error.stderr, /Invalid read of size 1[^]*read_past_end[^]*2 bytes after a block of size 10/);
  });
});

describe('limits', { skip }, () => {
  test('more libraries than an arena once had heaps share theirs as the first one does', (t) => {
    const count = byScale(30, 120);
    const all = Array.from({ length: count }, () =>
      open(t, 'sharing', { make_text: { args: ['i32'], returns: 'ptr' } }),
    );
    for (const lib of all) {
      const text = lib.symbols.make_text(5);
      assert.ok(ffi.isShared(ffi.toBuffer(text, 0, 5)));
      assert.equal(ffi.CString(text).length, 5);
    }
    all.forEach((lib) => lib.close());
  });

  const limited = (expected) => `
    const ffi = require('./index.js');
    const declared = {
      fill_bytes: { args: ['buffer', 'usize', 'u8'] },
      make_text: { args: ['i32'], returns: 'ptr' },
      add: { args: ['i32', 'i32'], returns: 'i32' },
    };
    const lib = ffi.dlopen(${JSON.stringify(library('sharing'))}, declared, { isolate: true });
    const bytes = Buffer.alloc(3_000_000);
    lib.symbols.fill_bytes(bytes, bytes.length, 7);
    const text = ffi.CString(lib.symbols.make_text(5));
    const { active, reason } = ffi.arena();
    console.log(active, ${expected}.test(reason), ffi.isShared(bytes), lib.isolated.shared, lib.symbols.add(1, 2));
    console.log(bytes.every((byte) => byte === 7), text.length);
    lib.restart();
    console.log(lib.symbols.add(1, 2));
    lib.close();`;
  const copied = 'false true false own 3\ntrue 5\n3\n';

  test('a limit on the address space leaves Buffers where they are, and libraries get copies', () => {
    const { stdout } = runScript(limited('/ulimit -v/'), { shell: 'ulimit -v 100000000; exec "$@"' });
    assert.equal(stdout, copied);
  });

  test(
    'a system that commits no more memory than it has leaves Buffers where they are, too',
    { skip: onlyOn('mounts') },
    () => {
      const shell = 'f=$(mktemp); echo 2 >$f; mount --bind $f /proc/sys/vm/overcommit_memory; rm -f $f; exec "$@"';
      const args = ['-m', 'sh', '-c', shell, 'sh', process.execPath, '-e', limited('/overcommit_memory/')];
      const { stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8', cwd: root });
      assert.equal(stdout, copied, stderr);
    },
  );
});
