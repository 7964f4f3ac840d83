'use strict';
// Libraries in separate processes: the same behaviour as in process, and the death of a library.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const ffi = require('../../index.js');
const { parseIsolation } = require('../../lib/isolate/options.js');
const { root, throws } = require('../helpers.js');
const { children, isGone, library, open, resources, until, untilNoMoreThan } = require('./helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const skip = onlyOn('isolation');
const { JSCallback, dlopen, group, isShared, read } = ffi;

const i32 = { args: ['i32'], returns: 'i32' };

describe('an isolated library', { skip }, () => {
  test('an isolated library has a process, whose state its object shows', (t) => {
    const lib = open(t, 'processes', { get_pid: { returns: 'i64_fast' } });
    const { pid, generation, alive, shared } = lib.isolated;
    assert.equal(lib.symbols.get_pid(), pid);
    assert.notEqual(pid, process.pid);
    assert.deepEqual([generation, alive, shared], [1, true, 'all']);
  });

  test('an isolated library shares Buffers at the same address: a retained pointer, overlaps and a write by a thread work', (t) => {
    const lib = open(t, 'sharing', {
      retain: { args: ['buffer'] },
      retained_get: { args: ['usize'], returns: 'u8' },
      retained_set: { args: ['usize', 'u8'] },
      write_retained_in_thread: { args: ['usize'] },
      move_bytes: { args: ['ptr', 'ptr', 'usize'] },
      is_same_address: { args: ['ptr', 'ptr'], returns: 'bool' },
    });
    const bytes = Buffer.alloc(4096);
    assert.ok(isShared(bytes));
    lib.symbols.retain(bytes);
    bytes[7] = 42;
    assert.equal(lib.symbols.retained_get(7), 42);
    lib.symbols.retained_set(9, 43);
    assert.equal(bytes[9], 43);
    lib.symbols.write_retained_in_thread(16);
    assert.notDeepEqual(bytes.subarray(0, 16), Buffer.alloc(16));
    bytes.write('abcdef');
    lib.symbols.move_bytes(bytes.subarray(2), bytes, 6);
    assert.equal(bytes.toString('latin1', 0, 8), 'ababcdef');
    assert.ok(lib.symbols.is_same_address(bytes, ffi.ptr(bytes)));
  });

  test('an isolated library gets a copy of memory that it does not share, and what it writes comes back', (t) => {
    const lib = open(t, 'sharing', {
      fill_bytes: { args: ['ptr', 'usize', 'u8'] },
      sum_bytes: { args: ['ptr', 'usize'], returns: 'u64_fast' },
      move_bytes: { args: ['ptr', 'ptr', 'usize'] },
    });
    const outside = new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 100, 5000);
    assert.ok(!isShared(outside));
    lib.symbols.fill_bytes(outside, 5000, 3);
    assert.equal(lib.symbols.sum_bytes(outside, 5000), 15000);
    outside[1] = 9;
    lib.symbols.move_bytes(outside.subarray(4), outside, 4);
    assert.deepEqual([...outside.subarray(0, 9)], [3, 9, 3, 3, 3, 9, 3, 3, 3]);
  });

  test('an isolated library takes and returns numbers, texts, structs, variadic arguments and errno', (t) => {
    const pair = ffi.struct({ a: 'i32', b: 'f64' });
    const lib = open(t, 'sharing', {
      many: { args: ['i8', 'u16', 'f32', 'i64', 'f64', 'ptr', 'u8', 'i32', 'f64'], returns: 'f64' },
      sum_varargs: { args: ['i32'], returns: 'i64', varargs: true },
      make_text: { args: ['i32'], returns: { type: 'cstring', free: 'free_text' } },
      get_constant_text: { returns: 'cstring' },
      divide: { args: ['i32', 'i32', ffi.out('i32'), ffi.out('i32')] },
      fail_with: { args: ['i32'], returns: 'i32', fails: 'negative' },
    });
    assert.equal(typeof pair, 'object');
    assert.equal(typeof lib.symbols.many(-1, 2, 0.5, 4n, 0.25, null, 6, 7, 8), 'number');
    assert.equal(lib.symbols.sum_varargs(2, ['i64', 40n], ['i64', 2n]), 42n);
    assert.equal(lib.symbols.make_text(5).length, 5);
    assert.equal(lib.symbols.make_text(200_000).length, 200_000);
    assert.ok(lib.symbols.get_constant_text().length > 0);
    assert.deepEqual(lib.symbols.divide(17, 5).out, [3, 2]);
    assert.throws(() => lib.symbols.fail_with(2), { code: 'ENOENT' });
  });

  // The host has a heap in place of libc's.
  test('an isolated library has functions of libc that free what the library allocated, and the other way round', (t) => {
    const symbols = {
      strdup: { args: ['cstring'], returns: { type: 'cstring', free: 'free' } },
      duplicate: { name: 'strdup', args: ['cstring'], returns: 'ptr' },
      asprintf: { args: [ffi.out({ type: 'cstring', free: 'free' }), 'cstring'], varargs: true, returns: 'i32' },
      malloc: { args: ['usize'], returns: 'ptr' },
      calloc: { args: ['usize', 'usize'], returns: 'ptr' },
      realloc: { args: ['ptr', 'usize'], returns: 'ptr' },
      free: { args: ['ptr'] },
    };
    const own = open(t, 'sharing', {
      ...symbols,
      free_text: { args: ['ptr'] },
      make: { name: 'make_text', args: ['i32'], returns: 'ptr' },
    });
    const libc = dlopen('c', symbols, { isolate: { stderr: 'ignore' } });
    t.after(() => libc.close());
    for (const { symbols: c } of [own, libc]) {
      assert.equal(c.strdup('text'), 'text');
      assert.deepEqual(c.asprintf('%d %s', ['i32', 7], ['cstring', 'x']), { returns: 3, out: ['7 x'] });
      for (const address of [c.malloc(100), c.calloc(10, 1000), c.duplicate('text'), c.realloc(c.malloc(10), 5000)])
        c.free(address);
    }
    own.symbols.free_text(own.symbols.duplicate('text'));
    own.symbols.free(own.symbols.make(100_000));
  });

  test('an isolated library has its heap, its globals and its stack read in place, and other memory through the kernel', (t) => {
    const lib = open(t, 'sharing', {
      make_list: { args: ['i32'], returns: 'ptr' },
      make_block: { args: ['usize'], returns: 'ptr' },
      make_mapping: { args: ['usize'], returns: 'ptr' },
      get_bad_pointer: { returns: 'ptr' },
      with_local: { args: ['function'], returns: 'i32' },
      add_to_counter: i32,
      get_constant_text: { returns: 'ptr' },
    });
    const node = lib.symbols.make_list(3);
    assert.ok(node > 4096 && read.i32(node) !== undefined);
    const block = ffi.toBuffer(lib.symbols.make_block(64), 0, 64);
    block.fill(1);
    assert.equal(read.u8(ffi.ptr(block)), 1);
    const mapping = lib.symbols.make_mapping(4096);
    ffi.write.u32(mapping, 8, 77);
    assert.equal(read.u32(mapping, 8), 77);
    assert.ok(ffi.CString(lib.symbols.get_constant_text()).length > 0);
    throws(() => ffi.toBuffer(lib.symbols.get_constant_text(), 0, 4), 'ERR_FFI_NOT_SHARED', /isolated library/);
    throws(() => read.u8(lib.symbols.get_bad_pointer()), 'ERR_FFI_INVALID_POINTER');
    const callback = new JSCallback((local) => ffi.write.i32(local, 0, read.i32(local) + 1), { args: ['ptr'] });
    assert.equal(typeof lib.symbols.with_local(callback), 'number');
    callback.close();
  });

  test('an isolated library calls a callback that was made before there was a process', () => {
    const script = `
      const ffi = require(${JSON.stringify(root)});
      const callback = new ffi.JSCallback((i) => i + 1, { args: ['i32'], returns: 'i32' });
      const declared = { each: { args: ['i32', 'function'], returns: 'i32' } };
      const lib = ffi.dlopen(${JSON.stringify(library('sharing'))}, declared, { isolate: true });
      console.log(typeof lib.symbols.each(3, callback));
      lib.close();`;
    const { stdout, stderr } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
    assert.equal(stdout, 'number\n', stderr);
  });

  test('an isolated library gives callbacks its texts, those of constants as well', (t) => {
    const lib = open(t, 'sharing', { with_text: { args: ['function'], returns: 'i32' } });
    const texts = [];
    const callback = new JSCallback((text) => texts.push(text), { args: ['cstring'], returns: 'i32' });
    lib.symbols.with_text(callback);
    assert.ok(texts.length > 1 && texts.every((text) => typeof text === 'string' && text.length > 0), texts.join());
    callback.close();
  });

  test('an isolated library calls back on its own thread, nested, and on threads of its own', async (t) => {
    const lib = open(t, 'sharing', {
      each: { args: ['i32', 'function'], returns: 'i32' },
      add: { args: ['i32', 'i32'], returns: 'i32' },
      descend: { args: ['i32', 'function'], returns: 'i32' },
      call_in_threads: { args: ['i32', 'i32', 'function'], returns: 'i32', threads: true },
      keep_callback: { args: ['function'] },
      call_kept: i32,
    });
    const seen = [];
    const callback = new JSCallback((i) => seen.push(lib.symbols.add(i, 100)), i32);
    lib.symbols.each(3, callback);
    assert.deepEqual(seen, [100, 101, 102]);
    const thrower = new JSCallback(
      () => {
        throw new RangeError('from JavaScript');
      },
      { ...i32 },
    );
    assert.throws(() => lib.symbols.each(3, thrower), { name: 'RangeError', message: 'from JavaScript' });
    let count = 0;
    const counter = new JSCallback(() => (count += 1), i32);
    lib.symbols.call_in_threads(4, 10, counter);
    assert.equal(count, 40);
    lib.symbols.keep_callback(counter);
    assert.equal(lib.symbols.call_kept(1), 41);
    await lib.symbols.each.async(5, counter);
    assert.equal(count, 46);
    [callback, thrower, counter].forEach((each) => each.close());
  });

  test('an isolated library makes asynchronous calls side by side, and a thread of its own keeps what is local to it', async (t) => {
    const lib = open(t, 'sharing', {
      get_of_thread: { returns: 'ptr' },
      add: { args: ['i32', 'i32'], returns: 'i32' },
    });
    const sums = await Promise.all(Array.from({ length: 50 }, (_, i) => lib.symbols.add.async(i, 1)));
    assert.deepEqual(
      sums,
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    const thread = lib.thread();
    const [first, second] = [await thread.symbols.get_of_thread(), await thread.symbols.get_of_thread()];
    assert.equal(first, second);
    assert.notEqual(first, lib.symbols.get_of_thread());
    thread.close();
  });

  test('an isolated library finds fences and constraints broken as in process', (t) => {
    const lib = open(t, 'sharing', { fill_bytes: { args: ['buffer', 'usize', 'u8'] } });
    const bytes = Buffer.alloc(96);
    const error = throws(
      () => lib.symbols.fill_bytes(bytes, 100, 7),
      'ERR_FFI_BUFFER_OVERFLOW',
      /4 bytes past the end/,
    );
    assert.deepEqual([error.argument, error.firstBadOffset], [0, 96]);
    assert.equal(bytes[95], 7);
  });

  test('an isolated library may start processes, and fork', (t) => {
    const lib = open(t, 'processes', {
      run_system: { args: ['cstring'], returns: 'i32' },
      fork_is_separate: { args: ['buffer'], returns: 'i32' },
      fork_and_return: { returns: 'i64_fast' },
    });
    assert.equal(lib.symbols.run_system('exit 3'), 3);
    assert.equal(typeof lib.symbols.fork_is_separate(Buffer.alloc(64)), 'number');
    assert.ok(lib.symbols.fork_and_return() > 0);
    assert.ok(lib.isolated.alive);
  });

  test('an isolated library gets its environment and its folder', (t) => {
    const symbols = {
      get_environment: { args: ['cstring'], returns: 'cstring' },
      get_folder: { args: ['buffer', 'i32'], returns: 'i32' },
    };
    const lib = open(t, 'processes', symbols, { env: { ONLY: 'this' }, cwd: '/' });
    assert.equal(lib.symbols.get_environment('ONLY'), 'this');
    assert.equal(lib.symbols.get_environment('HOME'), null);
    const folder = Buffer.alloc(100);
    lib.symbols.get_folder(folder, 100);
    assert.equal(folder.toString('latin1', 0, 2), '/\0');
  });

  test('an isolated library may share its process with others of its group', (t) => {
    const together = group(`group ${process.pid}`);
    const [first, second] = ['processes', 'processes'].map((name) =>
      dlopen(library(name), { get_pid: { returns: 'i64_fast' } }, { isolate: together }),
    );
    t.after(() => [first, second].forEach((each) => each.close()));
    assert.equal(first.symbols.get_pid(), second.symbols.get_pid());
    first.close();
    assert.equal(second.symbols.get_pid(), second.isolated.pid);
  });
});

// ---- death ----------------------------------------------------------------------------------------------------------

const DEATHS = {
  die_segv: { signal: 'SIGSEGV', address: 0x1230, where: /die_segv/ },
  die_null_call: { signal: 'SIGSEGV' },
  die_wild_call: { signal: 'SIGSEGV', address: 0x123450 },
  die_fpe: { signal: 'SIGFPE', where: /die_fpe/ },
  die_ill: { signal: 'SIGILL', where: /die_ill/ },
  die_trap: { signal: 'SIGTRAP' },
  die_bus: { signal: 'SIGBUS' },
  die_stack_smashed: { signal: 'SIGSEGV' },
  die_abort: { signal: 'SIGABRT', where: /die_abort/ },
  double_free: { signal: 'SIGABRT', stderr: /freed already/ },
  heap_underflow_then_free: { signal: 'SIGABRT' },
  write_after_free: undefined,
  die_with_own_handler: undefined,
  die_without_signal_stack: {},
  die_with_blocked_signals: {},
  write_rodata: { signal: 'SIGSEGV' },
};
const WITH_STATUS = ['die_exit', 'die__exit', 'die_quick_exit', 'die_exit_in_atexit'];

describe('a library that dies', { skip }, () => {
  for (const [name, expected] of Object.entries(DEATHS).filter(([, each]) => each !== undefined)) {
    test(`a library that dies by ${name}() makes the call throw, and is there again after restart()`, (t) => {
      const lib = open(t, 'deaths', { [name]: {}, call_then: { args: ['ptr', 'i32', 'ptr'], returns: 'i32' } });
      const error = throws(() => lib.symbols[name](), 'ERR_FFI_LIBRARY_DIED', new RegExp(`^${name}: `));
      assert.equal(error.symbol, name);
      assert.equal(error.generation, 1);
      for (const [key, value] of Object.entries(expected)) {
        if (value instanceof RegExp) assert.match(error[key], value);
        else assert.equal(error[key], value, key);
      }
      assert.equal(lib.isolated.alive, false);
      throws(() => lib.symbols[name](), 'ERR_FFI_LIBRARY_DIED');
      lib.restart();
      assert.deepEqual([lib.isolated.alive, lib.isolated.generation], [true, 2]);
    });
  }

  for (const name of WITH_STATUS) {
    test(`a library that dies by ${name}(7) has the status in its error`, (t) => {
      const lib = open(t, 'deaths', { [name]: { args: ['i32'] } });
      const error = throws(() => lib.symbols[name](7), 'ERR_FFI_LIBRARY_DIED', /exited with status 7/);
      assert.deepEqual([error.exitCode, error.signal], [7, undefined]);
    });
  }

  test('a library that dies by any signal has the name of the signal in its error', (t) => {
    const lib = open(t, 'deaths', { die_raise: { args: ['i32'] } });
    for (const signal of ['SIGKILL', 'SIGTERM', 'SIGSEGV', 'SIGABRT', 'SIGQUIT', 'SIGSYS']) {
      const number = require('node:os').constants.signals[signal];
      assert.equal(throws(() => lib.symbols.die_raise(number), 'ERR_FFI_LIBRARY_DIED').signal, signal);
      lib.restart();
    }
  });

  test('a library that dies of a stack overflow or a heap overflow leaves Buffers whole', (t) => {
    const lib = open(t, 'deaths', {
      stack_overflow: { args: ['u64_fast'], returns: 'u64_fast' },
      heap_overflow_then_free: { args: ['usize'] },
    });
    const bytes = Buffer.alloc(100_000, 5);
    throws(() => lib.symbols.stack_overflow(0), 'ERR_FFI_LIBRARY_DIED', /SIGSEGV/);
    lib.restart();
    const error = throws(() => lib.symbols.heap_overflow_then_free(100), 'ERR_FFI_LIBRARY_DIED', /SIGABRT/);
    assert.match(error.stderr, /heap overflow/);
    assert.ok(bytes.every((byte) => byte === 5));
  });

  test('a library that dies rejects what is under way, and dies on its own threads as well', async (t) => {
    const lib = open(t, 'deaths', { sleep_ms: { args: ['i32'] }, die_in_thread: { args: ['i32', 'i32'] } });
    const pending = Promise.allSettled([1, 2, 3].map(() => lib.symbols.sleep_ms.async(60_000)));
    await new Promise((resolve) => setTimeout(resolve, 50));
    throws(() => lib.symbols.die_in_thread(0, 0), 'ERR_FFI_LIBRARY_DIED');
    for (const { status, reason } of await pending) {
      assert.deepEqual([status, reason.code, reason.symbol], ['rejected', 'ERR_FFI_LIBRARY_DIED', 'sleep_ms']);
    }
  });

  test('a library that dies inside of a callback makes the call above it throw', (t) => {
    const lib = open(t, 'sharing', { each: { args: ['i32', 'function'], returns: 'i32' } });
    const callback = new JSCallback(() => lib.kill(), i32);
    throws(() => lib.symbols.each(3, callback), 'ERR_FFI_LIBRARY_DIED', /SIGKILL/);
    lib.restart();
    const other = new JSCallback((i) => i, i32);
    assert.equal(typeof lib.symbols.each(3, other), 'number');
    [callback, other].forEach((each) => each.close());
  });

  test('a library that dies may be restarted inside of a callback: the call above throws, and later ones work', (t) => {
    const lib = open(t, 'sharing', {
      each: { args: ['i32', 'function'], returns: 'i32' },
      add: { args: ['i32', 'i32'], returns: 'i32' },
    });
    const sums = [];
    const callback = new JSCallback(() => {
      lib.restart();
      sums.push(lib.symbols.add(1, 2));
      return 0;
    }, i32);
    throws(() => lib.symbols.each(3, callback), 'ERR_FFI_LIBRARY_DIED');
    assert.deepEqual(sums, [3]);
    assert.equal(lib.symbols.add(20, 22), 42);
    callback.close();
  });

  test('a library that dies is killed at each message of a script of calls and callbacks, and each end is an exception', (t) => {
    const lib = open(t, 'sharing', {
      each: { args: ['i32', 'function'], returns: 'i32' },
      add: { args: ['i32', 'i32'], returns: 'i32' },
      make_text: { args: ['i32'], returns: 'cstring' },
    });
    let left;
    const step = () => {
      left -= 1;
      if (left === 0) lib.kill();
    };
    const callback = new JSCallback((i) => {
      step();
      const sum = lib.symbols.add(i, 1);
      step();
      return sum;
    }, i32);
    const script = () => {
      for (let i = 0; i < 3; i += 1) {
        step();
        lib.symbols.add(i, i);
        step();
        lib.symbols.each(2, callback);
        step();
        lib.symbols.make_text(10);
      }
    };
    left = Infinity;
    script();
    let ends = 0;
    for (let n = 1; n <= 21; n += 1) {
      left = n;
      throws(script, 'ERR_FFI_LIBRARY_DIED');
      ends += 1;
      lib.restart();
      assert.equal(lib.symbols.add(1, 1), 2);
    }
    assert.equal(ends, 21);
    callback.close();
  });

  test('a library that dies comes back by itself with restart: lazy, up to a limit', (t) => {
    const lib = open(t, 'deaths', { die_abort: {}, sleep_ms: { args: ['i32'] } }, { restart: 'lazy' });
    for (let i = 0; i < 5; i += 1) {
      throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED');
      lib.symbols.sleep_ms(0);
    }
    throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED');
    throws(() => lib.symbols.sleep_ms(0), 'ERR_FFI_LIBRARY_UNSTABLE', /restart\(\)/);
    lib.restart();
    lib.symbols.sleep_ms(0);
  });

  test('pointers of a library that died are not taken by a later process', (t) => {
    const lib = open(t, 'sharing', {
      make_text: { args: ['i32'], returns: 'ptr' },
      free_text: { args: ['ptr'] },
    });
    const pointer = lib.symbols.make_text(5);
    assert.equal(ffi.CString(pointer).length, 5);
    lib.kill();
    assert.equal(ffi.CString(pointer).length, 5);
    lib.restart();
    throws(() => lib.symbols.free_text(pointer), 'ERR_FFI_STALE_POINTER', /argument 0/);
    lib.symbols.free_text(lib.symbols.make_text(5));
  });

  test('a library that dies while it is opened makes dlopen throw', () => {
    const file = path.join(root, 'test', 'fixtures', 'build', 'isolate-constructor.so');
    const source = '__attribute__((constructor)) static void start(void) { __builtin_trap(); }';
    const { status } = spawnSync('cc', ['-shared', '-fPIC', '-xc', '-', '-o', file], { input: source });
    assert.equal(status, 0);
    throws(() => dlopen(file, {}, { isolate: { stderr: 'ignore' } }), 'ERR_FFI_LIBRARY_DIED', /SIGILL/);
  });
});

describe('a timeout', { skip }, () => {
  test('a timeout ends an endless loop, a sleep and a stopped process, and restart() brings the library back', (t) => {
    const lib = open(t, 'deaths', {
      endless_loop: { timeout: 50 },
      endless_loop_deaf: { timeout: 50 },
      sleep_forever: { timeout: 50 },
      stop_self: { timeout: 50 },
      sleep_ms: { args: ['i32'] },
    });
    for (const name of ['endless_loop', 'endless_loop_deaf', 'sleep_forever', 'stop_self']) {
      const error = throws(() => lib.symbols[name](), 'ERR_FFI_TIMEOUT', /50 ms/);
      assert.deepEqual([error.symbol, error.signal], [name, 'SIGKILL']);
      lib.restart();
    }
    lib.symbols.sleep_ms(60);
  });

  test('a timeout of the library holds for all its functions, and a flood of callbacks meets it', (t) => {
    const lib = open(
      t,
      'deaths',
      { flood: { args: ['function'], returns: 'i32' }, sleep_forever: {} },
      { timeout: 60 },
    );
    const callback = new JSCallback(() => 1, i32);
    throws(() => lib.symbols.flood(callback), 'ERR_FFI_TIMEOUT');
    lib.restart();
    throws(() => lib.symbols.sleep_forever(), 'ERR_FFI_TIMEOUT');
    callback.close();
  });

  test('a timeout rejects an asynchronous call', async (t) => {
    const lib = open(t, 'deaths', { sleep_forever: { timeout: 50 } });
    await assert.rejects(lib.symbols.sleep_forever.async(), { code: 'ERR_FFI_TIMEOUT' });
  });

  test('a timeout is refused where the library is not isolated, and where it is no time', () => {
    const declared = { sleep_forever: { timeout: 50 } };
    throws(() => dlopen(library('deaths'), declared, { isolate: false }), 'ERR_INVALID_ARG_VALUE', /isolate: true/);
    for (const timeout of [0, -1, 1.5, NaN, 1e12]) {
      throws(() => dlopen(library('deaths'), {}, { isolate: { timeout } }), 'ERR_OUT_OF_RANGE', /timeout/);
    }
  });
});

describe("a library that overwrites the processes' messages", { skip }, () => {
  test("a library that overwrites the processes' messages neither crashes nor hangs Node: every call gives a result or throws", (t) => {
    const codes = new Set();
    for (let round = 0; round < byScale(8, 200); round += 1) {
      const isolate = { share: 'own', timeout: 500 };
      const lib = open(
        t,
        'deaths',
        {
          scribble_forever: { args: ['ptr', 'usize'] },
          sleep_ms: { args: ['i32'] },
          call_then: { args: ['function', 'i32', 'ptr'], returns: 'i32' },
        },
        isolate,
      );
      const maps = fs.readFileSync(`/proc/${lib.isolated.pid}/maps`, 'latin1').split('\n');
      const [start, end] = maps
        .find((line) => line.includes('pinned-ffi control'))
        .split(' ')[0]
        .split('-')
        .map((text) => Number.parseInt(text, 16));
      // All of it, the settings alone, or the first channel.
      const [from, length] = [
        [start, end - start],
        [start, 4096],
        [start + 16_384, 300_000],
      ][round % 3];
      lib.symbols.scribble_forever.async(from, length).catch(() => {});
      const callback = new JSCallback((value) => value, i32);
      for (let i = 0; i < 200; i += 1) {
        try {
          lib.symbols.sleep_ms(0);
          lib.symbols.call_then(callback, i, null);
        } catch (error) {
          codes.add(error.code);
          break;
        }
      }
      lib.kill();
      callback.close();
    }
    for (const code of codes) {
      assert.match(
        String(code),
        /^ERR_FFI_(LIBRARY_DIED|TIMEOUT|ISOLATE_PROTOCOL|LIBRARY_INVALID|INTERNAL)$/,
        `${[...codes]}`,
      );
    }
  });
});

// ---- resources ------------------------------------------------------------------------------------------------------

describe('what is left behind', { skip }, () => {
  test('restarts leave no descriptor, no process and no thread', async (t) => {
    const lib = open(t, 'processes', { get_pid: { returns: 'i64_fast' } });
    lib.restart();
    lib.symbols.get_pid();
    const before = resources();
    for (let i = 0; i < byScale(40, 2000); i += 1) {
      if (i % 2 === 0) lib.kill();
      lib.restart();
      assert.equal(lib.symbols.get_pid(), lib.isolated.pid);
    }
    // Threads end a moment after the process that they have answered.
    await untilNoMoreThan(before);
  });

  for (const share of ['all', 'own']) {
    test(`libraries of share: '${share}' that were closed leave no descriptor, also before they are collected`, () => {
      const descriptors = () => fs.readdirSync('/proc/self/fd').length;
      const once = () => {
        const lib = dlopen('c', { abs: i32 }, { isolate: { share } });
        assert.equal(lib.symbols.abs(-3), 3);
        lib.close();
      };
      once();
      const before = descriptors();
      for (let i = 0; i < 20; i += 1) once();
      // The thread that watches a process closes two of it a moment after its end.
      assert.ok(descriptors() < before + 10, `${descriptors()} descriptors after ${before}`);
    });
  }

  for (const how of ['close', 'restart', 'timeout']) {
    test(`a library that has itself traced ends at once and leaves no zombie: ${how}`, async (t) => {
      const lib = open(
        t,
        'processes',
        { have_itself_traced: { returns: 'i32' }, raise_trap: { returns: 'i32' } },
        { timeout: 1000 },
      );
      const { pid } = lib.isolated;
      assert.equal(lib.symbols.have_itself_traced(), 0);
      const start = performance.now();
      if (how === 'timeout') throws(() => lib.symbols.raise_trap(), 'ERR_FFI_TIMEOUT');
      else lib[how]();
      // Without the tracer's part it took seven seconds.
      assert.ok(performance.now() - start < 3500);
      await until(() => !fs.existsSync(`/proc/${pid}`), `${pid} is still there`);
    });
  }

  test('close() ends the process, after its destructors', (t) => {
    const lib = open(t, 'processes', { get_pid: { returns: 'i64_fast' } });
    const { pid } = lib.isolated;
    lib.close();
    assert.equal(lib.isolated.alive, false);
    assert.ok(!fs.existsSync(`/proc/${pid}`));
    throws(() => lib.symbols.get_pid(), 'ERR_FFI_LIBRARY_CLOSED');
  });

  test('the library has no descriptor of Node but its three streams and what the package needs', (t) => {
    const lib = open(t, 'processes', { get_pid: { returns: 'i64_fast' } });
    const files = fs.readdirSync(`/proc/${lib.isolated.pid}/fd`).sort();
    assert.deepEqual(files, ['0', '1', '2', '3', '4', '5']);
  });

  for (const [how, end] of [
    ['process.exit()', 'process.exit(0)'],
    ['an uncaught exception', 'throw new Error("end")'],
    ['SIGKILL', 'process.kill(process.pid, "SIGKILL")'],
  ]) {
    test(`the process ends with its parent, by ${how}`, async () => {
      const script = `
        const ffi = require(${JSON.stringify(root)});
        const lib = ffi.dlopen(${JSON.stringify(library('deaths'))}, { endless_loop: {} }, { isolate: true });
        lib.symbols.endless_loop.async().catch(() => {});
        console.log(lib.isolated.pid);
        setTimeout(() => { ${end} }, 30);`;
      const { stdout } = spawnSync(process.execPath, ['-e', script], { encoding: 'utf8' });
      const pid = Number(stdout);
      assert.ok(pid > 0, stdout);
      await until(() => isGone(pid), `${pid} is still there`);
    });
  }

  test('child_process beside it keeps its exit codes', (t) => {
    const lib = open(t, 'processes', { get_pid: { returns: 'i64_fast' } });
    for (let status = 0; status < 5; status += 1) {
      lib.kill();
      assert.equal(spawnSync('sh', ['-c', `exit ${status}`]).status, status);
      lib.restart();
    }
  });
});

describe('options of isolate', { skip }, () => {
  test('`true` is the same as no options', () => {
    assert.deepEqual(parseIsolation({}, 'isolate'), { ...parseIsolation(true, 'isolate') });
  });

  test('the options of isolate are checked', () => {
    const attempt = (isolate) => () => dlopen(library('life'), {}, { isolate });
    throws(attempt('yes'), 'ERR_INVALID_ARG_TYPE', /true, an object of options or a group/);
    throws(attempt({ shared: 'all' }), 'ERR_INVALID_ARG_VALUE', /unknown key 'shared'/);
    throws(attempt({ share: 'some' }), 'ERR_INVALID_ARG_VALUE', /'all' or 'own'/);
    throws(attempt({ restart: 'always' }), 'ERR_INVALID_ARG_VALUE', /'manual' or 'lazy'/);
    throws(attempt({ sandbox: {} }), 'ERR_INVALID_ARG_VALUE', /share: 'own'/);
    throws(attempt({ env: [] }), 'ERR_INVALID_ARG_TYPE', /env/);
    throws(attempt({ cwd: '/does/not/exist' }), 'ERR_FFI_ISOLATE_UNAVAILABLE', /does not start/);
  });

  test('a file that is not there, and a symbol that is not in it, are the errors of any library', () => {
    throws(() => dlopen('/does/not/exist.so', {}, { isolate: true }), 'ERR_FFI_LIBRARY_NOT_FOUND');
    throws(() => dlopen(library('life'), { no_such_symbol: {} }, { isolate: true }), 'ERR_FFI_SYMBOL_NOT_FOUND');
    assert.deepEqual(children(), []);
  });
});
