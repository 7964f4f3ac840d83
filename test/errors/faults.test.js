'use strict';
// Faults of the system: files that are no libraries, no memory, no descriptors, the end of the process in a call.
// Each is a clear error or a clean end, in a child process.

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { ffi, fixture, run, runs, throws, makeFolder } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const directory = makeFolder('faults');
const at = (name) => path.join(directory, name);

function compile(name, source, ...more) {
  execFileSync('cc', ['-shared', '-fPIC', '-x', 'c', '-', '-x', 'none', '-o', at(name), ...more], { input: source });
  return at(name);
}

/** The bytes of the fixture, changed. */
function altered(name, change) {
  fs.writeFileSync(at(name), change(fs.readFileSync(fixture)));
  return at(name);
}

/** A child opens libraries: what it says of each. */
async function opens(files, options) {
  const said = await runs(
    `for (const file of ${JSON.stringify(files)}) {
      let result = ['opened'];
      try { ffi.dlopen(file, {}); } catch (error) { result = [error.code, error.message]; }
      console.log(JSON.stringify(result.join(' ')));
    }`,
    options,
  );
  return said === '' ? [] : said.split('\n').map((line) => JSON.parse(line));
}

describe('dlopen of', () => {
  const cases = {
    'a directory': [() => fs.mkdirSync(at('directory.so')) ?? at('directory.so'), /Is a directory/],
    'an empty file': [() => altered('empty.so', () => ''), /file too short/],
    'a text file': [() => altered('text.so', () => 'a text '.repeat(200)), /invalid ELF header/],
    'a library that is cut off in its header': [
      () => altered('40.so', (bytes) => bytes.subarray(0, 40)),
      /file too short/,
    ],
    'a library that is cut off behind its header': [
      () => altered('64.so', (bytes) => bytes.subarray(0, 64)),
      /cut off: it has 64 bytes/,
    ],
    'a library that is cut off in a segment': [
      () => altered('3000.so', (bytes) => bytes.subarray(0, 3000)),
      /cut off: it has 3000 bytes of at least/,
    ],
    'a library for another machine': [
      () => altered('arm.so', (bytes) => (bytes.writeUInt16LE(process.arch === 'x64' ? 183 : 62, 18), bytes)),
      /arm\.so: the file is for another architecture: its ELF machine is \d+/,
    ],
    'a 32-bit library': [
      () => altered('32.so', (bytes) => (bytes.writeUInt8(1, 4), bytes)),
      /32\.so: the file is for another architecture: it is no little-endian ELF file of 64 bits/,
    ],
    'a loop of links': [() => fs.symlinkSync(at('loop.so'), at('loop.so')) ?? at('loop.so'), /symbolic links/],
    'a FIFO, which would block the loader': [
      () => execFileSync('mkfifo', [at('fifo.so')]) && at('fifo.so'),
      /not a regular file/,
    ],
    'a device': [() => '/dev/zero', /not a regular file/],
    'a path that is too long': [() => `/${'x'.repeat(5000)}`, /too long/],
    'a library whose dependency is missing': [
      () => {
        const gone = compile('libgone.so', 'int gone(void) { return 1; }');
        const needs = compile(
          'needs.so',
          'int gone(void); int needs(void) { return gone(); }',
          `-L${directory}`,
          '-lgone',
        );
        fs.rmSync(gone);
        return needs;
      },
      /libgone\.so: cannot open/,
    ],
  };
  let results;
  before(async () => {
    const files = Object.values(cases).map(([make]) => make());
    results = await opens(files, { timeout: 20_000 });
  });
  for (const [i, [name, [, message]]] of Object.entries(cases).entries()) {
    test(`dlopen of ${name} is an error that says so`, () => {
      assert.match(results[i], /^ERR_FFI_LIBRARY_INVALID /);
      assert.match(results[i], message);
    });
  }

  test('a path with a NUL is an error that says so', () => {
    throws(() => ffi.dlopen('/tmp/a\0b', {}), 'ERR_INVALID_ARG_VALUE', /without a NUL/);
  });

  test('a file that may not be read is an error that says so', async () => {
    fs.copyFileSync(fixture, at('secret.so'));
    fs.chmodSync(at('secret.so'), 0);
    fs.chmodSync(directory, 0o755);
    // The superuser may read everything: the child gives that up once it has loaded the package.
    const said = await runs(`if (process.geteuid() === 0) { process.setegid(65534); process.seteuid(65534); }
      try { ffi.dlopen(${JSON.stringify(at('secret.so'))}, {}); console.log('opened'); } catch (error) { console.log(error.code, error.message); }`);
    assert.match(said, /^ERR_FFI_LIBRARY_INVALID [^]*Permission denied/);
  });

  // U4: a constructor is code of the process like any other.
  const constructor = (name, body) =>
    compile(
      name,
      `#include <stdlib.h>\n#include <signal.h>
    __attribute__((constructor)) static void start(void) { ${body} }`,
    );

  test('a library whose constructor calls exit(3) ends the process with 3', async () => {
    const file = constructor('exits.so', 'exit(3);');
    assert.deepEqual(await opens([file], { exit: 3 }), []);
  });

  for (const [body, signal] of [
    ['abort();', 'SIGABRT'],
    ['raise(SIGSEGV);', 'SIGSEGV'],
  ]) {
    test(`a library whose constructor ends by ${signal} ends the process so, and does not hang`, async () => {
      const file = constructor(`${signal}.so`, body);
      const result = await run({ code: `ffi.dlopen(${JSON.stringify(file)}, {})`, timeout: 20_000 });
      assert.deepEqual([result.code, result.signal], [null, signal]);
    });
  }
});

describe('without memory', () => {
  /**
   * A thread of Node's own that allocates for the first time would take 64 MB of the room, and end the process without
   * them.
   */
  const ONE_ARENA = { MALLOC_ARENA_MAX: '1' };

  /** Where V8 has no memory to compile what is hot, which it does in other threads, it ends the process. */
  const INTERPRETED = ['--no-opt', '--no-maglev', '--no-sparkplug'];

  /** Runs code in a child whose address space ends a little above what it has when `begin()` is called. */
  const starved = (code, flags = []) =>
    runs(
      `
    const fs = require('node:fs');
    const { execFileSync } = require('node:child_process');
    const begin = (more) => {
      const used = Number(/VmSize:\\s+(\\d+)/.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;
      execFileSync('prlimit', ['--pid', String(process.pid), '--as=' + (used + more) + ':' + (used + more)]);
    };
    const attempt = (what) => { try { return what(), 'made'; } catch (error) { return error.code ?? String(error); } };
    const Point = ffi.struct({ text: 'cstring' });
    const Large = ffi.array('u8', 2 ** 29);
    const { measure_cstring: measure } = h.bind({ measure_cstring: { args: ['cstring'], returns: 'i32' } });
    ffi.alloc(10); measure('warm'); Point.alloc({ text: 'warm' });
    ${code}`,
      { env: ONE_ARENA, flags },
    );

  test('alloc() and structs are refused with ERR_FFI_MEMORY_EXHAUSTED, and smaller ones are still made', async () => {
    const said = await starved(`begin(200e6);
      console.log(attempt(() => ffi.alloc(2 ** 29)), attempt(() => Large.alloc()), attempt(() => ffi.alloc(1000).fill(1)));`);
    assert.equal(said, 'ERR_FFI_MEMORY_EXHAUSTED ERR_FFI_MEMORY_EXHAUSTED made');
  });

  test('alloc() that goes on until nothing is left ends in an error, and what was made is whole', async () => {
    // What runs when nothing is left runs once before: V8 ends the process where it has no memory to compile a
    // function.
    const said = await starved(
      `const isWhole = (memory) => memory[0] === 7 && memory.at(-1) === 7;
      begin(300e6);
      [ffi.alloc(1).fill(7)].every(isWhole);
      attempt(() => ffi.alloc(2 ** 29));
      const all = [];
      let refused;
      while (refused === undefined && all.length < 10000) {
        try { all.push(ffi.alloc(2 ** 20).fill(7)); } catch (error) { refused = error; }
      }
      const whole = all.every(isWhole);
      const count = all.length;
      all.length = 0;
      h.gc().then(() => console.log(refused.code, count > 50, whole, attempt(() => ffi.alloc(2 ** 20))));`,
      INTERPRETED,
    );
    assert.equal(said, 'ERR_FFI_MEMORY_EXHAUSTED true true made');
  });

  test('a text that has no room is an error, and a later one is passed', async () => {
    // What the text was made of stays, as its memory would be room. For the struct V8 wants as much as the text itself
    // first.
    const [said, ofStruct] = await Promise.all(
      [
        [120e6, 'measure(long)'],
        [400e6, 'Point.alloc({ text: long })'],
      ].map(([room, what]) =>
        starved(`const bytes = globalThis.bytes = Buffer.alloc(2 ** 28, 'x');
        const long = bytes.toString('latin1');
        begin(${room});
        console.log(attempt(() => ${what}), measure('text'));`),
      ),
    );
    assert.deepEqual([said, ofStruct], ['ERR_FFI_MEMORY_EXHAUSTED 4', 'ERR_FFI_MEMORY_EXHAUSTED 4']);
  });
});

describe('without descriptors', () => {
  test('dlopen() and cc() say that descriptors are missing, and work again when there are some', async () => {
    fs.copyFileSync(fixture, at('copy.so'));
    const said = await runs(
      `const fs = require('node:fs');
      const { execFileSync } = require('node:child_process');
      execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=64:64']);
      const add = { add_i32: { args: ['i32', 'i32'], returns: 'i32' } };
      const attempt = (what) => { try { return what(); } catch (error) { return error.code + ' ' + /open files|EMFILE/.test(error.message); } };
      const files = [];
      try { for (;;) files.push(fs.openSync('/dev/null')); } catch (error) { console.log(error.code); }
      const copy = ${JSON.stringify(at('copy.so'))};
      console.log(attempt(() => ffi.dlopen(copy, add)));
      console.log(attempt(() => ffi.cc({ source: 'int one(void) { return 1; }', symbols: { one: { returns: 'i32' } } })));
      files.forEach((file) => fs.closeSync(file));
      console.log(attempt(() => ffi.dlopen(copy, add).symbols.add_i32(40, 2)));`,
      { env: { PINNED_FFI_CACHE: at('cache') } },
    );
    const [first, opened, compiled, later] = said.split('\n');
    assert.deepEqual([first, opened, later], ['EMFILE', 'ERR_FFI_LIBRARY_INVALID true', '42']);
    // Node's own error, of the file of cc() or of the package.json that it looks for beside that.
    assert.match(compiled, /^(EMFILE|ERR_INVALID_PACKAGE_CONFIG) true$/);
  });
});

describe('a disk that is full', () => {
  // Files of this process and its children may have a thousand bytes: what is written beyond fails, as on a full disk.
  test('a full disk makes cc() fail, and leaves nothing in the cache that a later cc() would take', async () => {
    const said = await runs(
      `const { execFileSync } = require('node:child_process');
      const limit = (bytes) => execFileSync('prlimit', ['--pid', String(process.pid), '--fsize=' + bytes + ':unlimited']);
      const make = () => ffi.cc({ source: 'int three(void) { return 3; }', symbols: { three: { returns: 'i32' } } }).symbols.three();
      limit(1000);
      try { console.log(make()); } catch (error) { console.log(error.code); }
      limit('unlimited');
      console.log(make());`,
      { env: { PINNED_FFI_CACHE: at('full') } },
    );
    assert.equal(said, 'ERR_FFI_COMPILE_FAILED\n3');
  });
});

describe('a directory for cc() that cannot be written', () => {
  const code = `try {
      console.log(ffi.cc({ source: 'int two(void) { return 2; }', symbols: { two: { returns: 'i32' } } }).symbols.two());
    } catch (error) { console.log(error.code, error.message); }`;

  test('cc() takes another directory where its own cannot be written', async () => {
    assert.equal(await runs(code, { env: { PINNED_FFI_CACHE: '/proc/nonesuch' } }), '2');
  });

  test('a temporary directory of cc() that cannot be used either is an error that names it', async () => {
    const said = await runs(code, { env: { PINNED_FFI_CACHE: '/proc/nonesuch', TMPDIR: '/proc' } });
    assert.match(said, /^\S+ [^]*\/proc/);
  });
});

describe('an end in the middle of a call', { concurrency: 4 }, () => {
  const common = `const { Worker } = require('node:worker_threads');
    const inWorker = (code) => new Worker("const h = require(" + ${JSON.stringify(JSON.stringify(require.resolve('../helpers.js')))} + "); const { ffi } = h;"
      + "const s = h.bind({ sleep_ms: { args: ['u32'] }, call_void: { args: [ffi.fn({})] } });"
      + "const { parentPort } = require('node:worker_threads');" + code, { eval: true });
    const end = (code) => new Promise((resolve) => {
      const worker = inWorker(code);
      worker.once('message', () => setTimeout(() => worker.terminate(), 20));
      worker.once('exit', (exit) => resolve(exit));
    });`;
  const ends = {
    'a synchronous call': 'parentPort.postMessage(0); s.sleep_ms(300); for (;;);',
    'an asynchronous call': 'parentPort.postMessage(0); s.sleep_ms.async(300); setInterval(() => {}, 1000);',
    'a call of thread()':
      "ffi.dlopen(h.fixture, { sleep_ms: { args: ['u32'] } }).thread().symbols.sleep_ms(300); parentPort.postMessage(0); setInterval(() => {}, 1000);",
    'a callback': 'parentPort.postMessage(0); s.call_void(() => { for (;;); });',
  };
  for (const [name, code] of Object.entries(ends)) {
    test(`the end of a worker, in ${name}, leaves the process whole`, async () => {
      const said = await runs(
        `${common}
        end(${JSON.stringify(code)}).then((exit) => console.log(exit, ffi.CString(ffi.ptr(Buffer.from('whole\\0')))));`,
        { timeout: 30_000 },
      );
      assert.equal(said, '1 whole');
    });
  }

  /** A child that says when it is in C, and gets SIGTERM then. */
  async function terminated(code) {
    const script = `const h = require(${JSON.stringify(require.resolve('../helpers.js'))}); const { ffi } = h;
      const { sleep_ms: sleep, call_void: call } = h.bind({ sleep_ms: { args: ['u32'] }, call_void: { args: [ffi.fn({})] } });
      const say = (text) => require('node:fs').writeSync(1, text);\n${code}`;
    const child = spawn(process.execPath, ['-e', script], { env: { ...process.env, NODE_TEST_CONTEXT: '' } });
    let said = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
    await once(child.stdout, 'data');
    setTimeout(() => child.kill('SIGTERM'), 50);
    const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
    const [exit, signal] = await once(child, 'close');
    clearTimeout(timer);
    return { said, exit, signal };
  }

  test('SIGTERM without a listener ends the process at once, in the middle of a call', async () => {
    assert.deepEqual(await terminated("say('in '); sleep(10_000); say('out');"), {
      said: 'in ',
      exit: null,
      signal: 'SIGTERM',
    });
  });

  test('SIGTERM with a listener arrives after a synchronous call', async () => {
    const code =
      "process.on('SIGTERM', () => { say('told'); process.exit(4); }); say('in '); sleep(400); say('out '); setInterval(() => {}, 1000);";
    assert.deepEqual(await terminated(code), { said: 'in out told', exit: 4, signal: null });
  });

  test('SIGTERM with a listener arrives during an asynchronous call', async () => {
    const code =
      "process.on('SIGTERM', () => { say('told'); process.exit(4); }); say('in '); sleep.async(2000).then(() => say('out '));";
    assert.deepEqual(await terminated(code), { said: 'in told', exit: 4, signal: null });
  });

  test('SIGTERM without a listener ends the process in a callback', async () => {
    assert.deepEqual(await terminated("call(() => { say('in '); for (;;); });"), {
      said: 'in ',
      exit: null,
      signal: 'SIGTERM',
    });
  });
});

describe('a system that refuses executable memory', () => {
  test(
    'a system that refuses executable memory is reported where a callback needs it, and calls work without',
    { skip: onlyOn('glibc') },
    async () => {
      const deny = compile(
        'deny.so',
        `
      #include <linux/filter.h>
      #include <linux/seccomp.h>
      #include <stddef.h>
      #include <sys/mman.h>
      #include <sys/prctl.h>
      #include <sys/syscall.h>
      #define DENY(number) \
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 3), \
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2])), \
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), \
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 13)
      int deny_exec(void) {
        struct sock_filter filter[] = {
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
          DENY(SYS_mmap),
          BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
          DENY(SYS_mprotect),
          BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = { sizeof filter / sizeof *filter, filter };
        prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
      }`,
      );
      const output = await runs(
        `
      const { deny_exec: deny } = ffi.dlopen(${JSON.stringify(deny)}, { deny_exec: { returns: 'int' } }).symbols;
      const { abs } = ffi.dlopen('c', { abs: { args: ['int'], returns: 'int' } }).symbols;
      const results = [deny(), abs(-3)];
      // V8 compiles nothing from here on.
      for (let i = 0; i < 2000; i++) {
        try { new ffi.JSCallback(() => 1, { args: ['int', 'f64'], returns: 'int' }); } catch (error) {
          results.push(error.code, error.message);
          break;
        }
      }
      console.log(JSON.stringify([...results, abs(-4)]));`,
        { flags: ['--jitless'] },
      );
      const [denied, three, code, message, four] = JSON.parse(output);
      assert.deepEqual([denied, three, code, four], [0, 3, 'ERR_FFI_NO_EXECUTABLE_MEMORY', 4]);
      assert.match(message, /needs executable memory, which the system refuses/);
    },
  );
});

describe('a C function that returns twice', () => {
  for (const name of ['vfork', 'setjmp', '_setjmp', 'sigsetjmp']) {
    test(`a C function that returns twice is refused when it is declared: ${name}`, () => {
      const reason = new RegExp(`^dlopen: symbols\\.mine: ${name}\\(\\) returns twice, `);
      throws(() => ffi.dlopen('c', { mine: { name, args: ['ptr'], returns: 'int' } }), 'ERR_INVALID_ARG_VALUE', reason);
      throws(() => ffi.dlopen('c', { [name]: { args: [], returns: 'int' } }), 'ERR_INVALID_ARG_VALUE', /returns twice/);
    });
    test(`a C function that returns twice is refused when its address is declared: ${name}`, () => {
      const library = ffi.dlopen(null, {});
      const ptr = library.symbol(name === 'sigsetjmp' ? '__sigsetjmp' : name);
      for (const address of ptr === null ? [] : [ptr, BigInt(ptr)]) {
        const code = 'ERR_INVALID_ARG_VALUE';
        throws(
          () => ffi.CFunction({ ptr: address, returns: 'int' }),
          code,
          /^CFunction: declaration: .*\(\) returns twice, /,
        );
        throws(
          () => ffi.linkSymbols({ mine: { ptr: address } }),
          code,
          /^linkSymbols: symbols\.mine: .*\(\) returns twice, /,
        );
        throws(
          () => ffi.dlopen(null, { mine: { ptr: address } }),
          code,
          /^dlopen: symbols\.mine: .*\(\) returns twice, /,
        );
      }
    });
  }

  test('a function that returns twice is refused when a pointer to it is called, which C has returned or keeps in a struct', async () => {
    const ptr = ffi.dlopen(null, {}).symbol('vfork');
    const jump = ffi.fn({ returns: 'int' });
    const table = ffi.struct({ jump, count: 'int' });
    const memory = Buffer.alloc(table.size);
    ffi.write.ptr(ffi.ptr(memory), 0, ptr);
    const { symbols } = ffi.dlopen('c', { memchr: { args: ['ptr', 'int', 'size_t'], returns: jump } });
    const returned = symbols.memchr(ptr, ffi.read.u8(ptr), 1);
    for (const call of [returned, table.read(memory).jump, table.view(memory).jump]) {
      assert.equal(call.ptr, ptr);
      throws(() => call(), 'ERR_INVALID_ARG_VALUE', /^fn: (?:__)?vfork\(\) returns twice, /);
      await assert.rejects(call.async(), { code: 'ERR_INVALID_ARG_VALUE' });
    }
    // It can be passed on.
    const passes = ffi.dlopen('c', { memchr: { args: [jump, 'int', 'size_t'], returns: 'ptr' } }).symbols.memchr;
    assert.equal(passes(returned, ffi.read.u8(ptr), 1), ptr);
  });
});
