'use strict';
// The process of an isolated library: its heap, fork, the report of its death, its sandbox.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const { dlopen, isShared, suffix } = require('../../index.js');
const { throws } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const skip = onlyOn('isolation');

/** Opens a fixture in a process that ends with the test. */
function open(t, name, symbols, isolate = {}) {
  const file = path.join(__dirname, '..', 'fixtures', 'build', `isolate-${name}.${suffix}`);
  const opened = dlopen(file, symbols, { isolate: { stderr: 'ignore', timeout: 20_000, ...isolate } });
  t.after(() => opened.close());
  return opened;
}

const i32 = { returns: 'i32' };
const withI32 = { args: ['i32'], returns: 'i32' };
const ofCommand = { args: ['cstring'], returns: 'i32' };

describe('the heap of the process', { skip }, () => {
  test('the heap of the process is malloc and its family as the manual of the C library says', (t) => {
    const { symbols } = open(t, 'heap', { check_heap: i32, check_heap_in_threads: withI32 });
    for (let i = 0; i < byScale(1, 20); i += 1) {
      assert.equal(symbols.check_heap(), 0, 'the line of test/fixtures/isolate/heap.c');
      assert.equal(symbols.check_heap_in_threads(byScale(3, 12)), 0);
    }
  });

  test('the heap of the process goes on in a new process after it was full', (t) => {
    const lib = open(
      t,
      'deaths',
      { use_memory: withI32, double_free: {} },
      { share: 'own', sandbox: { memory: '64M', require: ['memory'] } },
    );
    const got = lib.symbols.use_memory(200);
    assert.ok(got > 20 && got < 65, `${got} MiB of 64`);
    throws(() => lib.symbols.double_free(), 'ERR_FFI_LIBRARY_DIED');
    lib.restart();
    assert.equal(lib.symbols.use_memory(20), 20);
  });

  test('notices damage, ends the process and says so on stderr', (t) => {
    const lib = open(t, 'deaths', {
      double_free: {},
      heap_overflow_then_free: { args: ['usize'] },
      heap_underflow_then_free: {},
      write_after_free: {},
      free_pointer: { args: ['ptr'] },
    });
    const buffer = Buffer.alloc(64, 7);
    const cases = [
      ['double_free', [], /freed already/],
      ['heap_overflow_then_free', [24], /heap overflow: bytes behind the block of 24 bytes/],
      ['heap_overflow_then_free', [3_000_000], /heap overflow: bytes behind the block of 3000000 bytes/],
      ['heap_underflow_then_free', [], /bytes before it were overwritten/],
      ['write_after_free', [], /written to after it was freed/],
      ['free_pointer', [buffer], /no block of the heap begins here/],
    ];
    for (const [name, args, message] of cases) {
      const error = throws(
        () => lib.symbols[name](...args),
        'ERR_FFI_LIBRARY_DIED',
        new RegExp(`SIGABRT in ${name}\\+`),
      );
      assert.match(error.stderr, message);
      lib.restart();
    }
    assert.ok(isShared(buffer) && buffer.every((byte) => byte === 7));
  });
});

describe('a process that the library starts', { skip }, () => {
  test('a process that the library starts is a program, by each of the ways of C', (t) => {
    const { symbols } = open(t, 'processes', {
      run_system: ofCommand,
      run_spawn: ofCommand,
      run_vfork: ofCommand,
      run_fork_exec: ofCommand,
      run_popen: { args: ['cstring', 'buffer', 'i32'], returns: 'i32' },
    });
    for (const name of ['run_system', 'run_spawn', 'run_vfork', 'run_fork_exec']) {
      assert.equal(symbols[name]('exit 7'), 7, name);
    }
    const output = Buffer.alloc(64);
    assert.equal(symbols.run_popen('echo text; exit 5', output, output.length), 5);
    assert.equal(output.toString('latin1', 0, 5), 'text\n');
  });

  test('a process that the library starts is a fork, which has copies of stack, heap, globals and Buffers', (t) => {
    const { symbols } = open(t, 'processes', {
      fork_is_separate: { args: ['buffer'], returns: 'i32' },
      fork_deep: withI32,
      fork_in_thread: i32,
      fork_many: withI32,
      fork_and_exit: { args: ['i32'], returns: 'i64_fast' },
      fork_and_crash: { returns: 'i64_fast' },
      run_forkpty: i32,
    });
    const buffer = Buffer.alloc(64);
    for (let i = 0; i < byScale(5, 200); i += 1) {
      assert.equal(symbols.fork_is_separate(buffer), 0, 'what is not as it was, in test/fixtures/isolate/processes.c');
      assert.equal(symbols.fork_deep(300), 0);
      assert.equal(symbols.fork_in_thread(), 0);
    }
    assert.equal(symbols.fork_many(byScale(20, 300)), 0);
    assert.equal(symbols.fork_and_exit(9), 9);
    assert.equal(symbols.fork_and_crash(), 1000 + os.constants.signals.SIGABRT);
    if (fs.existsSync('/dev/pts/ptmx')) assert.equal(symbols.run_forkpty(), 21, 'its input is a terminal');
    else t.diagnostic('forkpty is not tried: this system has no terminals in /dev/pts');
  });

  test('a process that the library starts is a daemon, which goes on', async (t) => {
    const { symbols } = open(t, 'processes', { run_daemon: ofCommand });
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'daemon-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'written');
    assert.equal(symbols.run_daemon(file), 0);
    const isWritten = () => fs.existsSync(file) && fs.readFileSync(file, 'latin1') === 'daemon\n';
    for (let i = 0; i < 500 && !isWritten(); i += 1) await new Promise((resolve) => setTimeout(resolve, 10));
    assert.ok(isWritten());
  });
});

describe('the report of a death', { skip }, () => {
  const names = (error) => error.frames.map((frame) => frame.replace(/[+ ].*/, ''));

  test('the report of a death has the frames of the library, innermost first, also those of static functions', (t) => {
    const lib = open(t, 'deaths', { die_deep: { args: ['i32'] } });
    const error = throws(() => lib.symbols.die_deep(2), 'ERR_FFI_LIBRARY_DIED', /SIGSEGV in die_segv\+/);
    const frames = names(error);
    assert.deepEqual([frames[0], frames.at(-1), frames.length], ['die_segv', 'die_deep', 5]);
    assert.ok(error.frames.every((frame) => frame.includes(`isolate-deaths.${suffix}+0x`)));
  });

  test('the report of a death names the caller of a function of the C library', (t) => {
    const lib = open(t, 'deaths', { die_abort: {}, die_exit: { args: ['i32'] } });
    const aborted = throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED', /SIGABRT in die_abort\+/);
    assert.equal(names(aborted).at(-1), 'die_abort');
    lib.restart();
    throws(() => lib.symbols.die_exit(3), 'ERR_FFI_LIBRARY_DIED', /exited with status 3 in die_exit\+/);
  });

  test('the report of a death has the frames of a stack overflow, of a thread as well', (t) => {
    const lib = open(t, 'deaths', {
      stack_overflow: { args: ['u64'], returns: 'u64' },
      die_in_thread: { args: ['i32', 'i32'] },
    });
    const way = 3;
    for (const die of [() => lib.symbols.stack_overflow(0), () => lib.symbols.die_in_thread(way, 0)]) {
      const error = throws(die, 'ERR_FFI_LIBRARY_DIED', /SIGSEGV in stack_overflow\+/);
      assert.ok(names(error).every((name) => name === 'stack_overflow') && error.frames.length > 10);
      lib.restart();
    }
  });

  test('the report of a death is made where the stack was overwritten, and where a function pointer is wrong', (t) => {
    const lib = open(t, 'deaths', { die_stack_smashed: {}, die_wild_call: {}, die_null_call: {} });
    for (const name of Object.keys(lib.symbols)) {
      const error = throws(() => lib.symbols[name](), 'ERR_FFI_LIBRARY_DIED', /SIGSEGV/);
      assert.ok(error.frames.length > 0, name);
      lib.restart();
    }
  });
});

describe('a library', { skip }, () => {
  test('an isolated library finds signals, the mask and the bounds of its stack as in Node', (t) => {
    const { symbols } = open(t, 'processes', { is_handled: withI32, is_blocked: withI32, is_stack_known: i32 });
    const { SIGPIPE, SIGINT, SIGTERM, SIGCHLD } = os.constants.signals;
    assert.equal(symbols.is_handled(SIGPIPE), 1, 'ignored');
    for (const signal of [SIGINT, SIGTERM, SIGCHLD]) {
      assert.deepEqual([symbols.is_handled(signal), symbols.is_blocked(signal)], [0, 0]);
    }
    assert.equal(symbols.is_stack_known(), 1);
  });
});

describe('a sandbox', { skip }, () => {
  test('a sandbox refuses files, sockets, processes and signals, and the library goes on', (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sandbox-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const { symbols, sandbox } = open(
      t,
      'processes',
      {
        open_file: { args: ['cstring', 'i32'], returns: 'i32' },
        make_socket: i32,
        signal_process: { args: ['i64', 'i32'], returns: 'i32' },
        trace_process: { args: ['i64'], returns: 'i32' },
        try_fork: i32,
        run_system: ofCommand,
      },
      { share: 'own', sandbox: { read: ['/usr'], write: [folder] } },
    );
    const { EACCES, EPERM } = os.constants.errno;
    if (sandbox.files === 'applied') {
      assert.equal(symbols.open_file('/etc/passwd', 0), EACCES);
      assert.equal(symbols.open_file('/usr/written', 1), EACCES);
    }
    assert.equal(symbols.open_file('/usr', 0), 0);
    assert.equal(symbols.open_file(path.join(folder, 'written'), 1), 0);
    if (sandbox.syscalls === 'applied') {
      assert.equal(symbols.make_socket(), EPERM);
      assert.equal(symbols.signal_process(process.pid, 0), EPERM);
      assert.equal(symbols.trace_process(process.pid), EPERM);
      assert.equal(symbols.try_fork(), EPERM);
      assert.notEqual(symbols.run_system('exit 0'), 0);
    }
  });

  test('a sandbox ends a library that uses up its processor time, and reports other deaths as usual', (t) => {
    const isolate = { share: 'own', sandbox: { cpu: 1 } };
    const lib = open(t, 'deaths', { endless_loop: {}, die_abort: {} }, isolate);
    throws(() => lib.symbols.die_abort(), 'ERR_FFI_LIBRARY_DIED', /SIGABRT in die_abort\+/);
    lib.restart();
    throws(() => lib.symbols.endless_loop(), 'ERR_FFI_LIBRARY_DIED', /SIGXCPU/);
  });

  test('a sandbox names a path that is not there', (t) => {
    const isolate = { share: 'own', sandbox: { read: ['/does/not/exist'] } };
    throws(() => open(t, 'life', {}, isolate), 'ERR_FFI_ISOLATE_UNAVAILABLE', /'\/does\/not\/exist' cannot be opened/);
  });
});
