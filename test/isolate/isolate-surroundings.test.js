'use strict';
// Isolated libraries where the system allows little, and a program that isolates none.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { run } = require('../helpers.js');
const { library } = require('./helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const skip = onlyOn('isolation');
const root = path.join(__dirname, '..', '..');

// Opens a library, uses it, lets it die and starts it again. Prints what was seen, or the error.
const script = `
  const ffi = require(${JSON.stringify(root)});
  FIRST
  const declared = {
    die_abort: {},
    sleep_ms: { args: ['i32'] },
    use_memory: { args: ['i32'], returns: 'i32' },
    wild_write: { args: ['buffer', 'usize'] },
  };
  const seen = {};
  try {
    const lib = ffi.dlopen(${JSON.stringify(library('deaths'))}, declared, { isolate: { stderr: 'ignore' } });
    const bytes = Buffer.alloc(1000);
    lib.symbols.wild_write(bytes, 1000);
    seen.written = bytes[999];
    try {
      lib.symbols.die_abort();
    } catch ({ code, signal }) {
      seen.death = [code, signal].join();
    }
    lib.restart();
    lib.symbols.sleep_ms(0);
    const { symbols } = ffi.dlopen('c', { strdup: { args: ['cstring'], returns: 'ptr' } });
    seen.ownText = ffi.CString(symbols.strdup('of this process'));
    seen.arena = ffi.arena().size;
    MORE
    lib.close();
  } catch ({ code, message }) {
    Object.assign(seen, { code, message });
  }
  console.log(JSON.stringify(seen));`;

/** What the script sees, started by a command that takes something away. */
function seenUnder(command, { first = '', more = '' } = {}) {
  const source = script.replace('FIRST', first).replace('MORE', more);
  const [program, ...args] = [...command, process.execPath, '-e', source];
  const { stdout, stderr, status, signal } = spawnSync(program, args, { encoding: 'utf8', timeout: 60_000 });
  assert.deepEqual([status, signal], [0, null], stderr);
  return JSON.parse(stdout);
}

const WORKS = { written: 0xaa, death: 'ERR_FFI_LIBRARY_DIED,SIGABRT', ownText: 'of this process' };

function works(seen) {
  const { written, death, ownText, code, message } = seen;
  assert.deepEqual({ written, death, ownText }, WORKS, `${code}: ${message}`);
  return seen;
}

// The numbers of system calls on x64.
const MEMFD_CREATE = 319;
const PIDFD_OPEN = 434;

/** Has the thread, and the processes it starts, get an error from a system call: seccomp(2). */
const withoutCall = (number, error) => `
  const words = [0x20, 0, 0x15 | (1 << 24), ${number}, 0x06, 0x00050000 | ${error}, 0x06, 0x7fff0000];
  const filter = ffi.alloc(40);
  words.forEach((word, i) => filter.writeUInt32LE(word, 4 * i));
  filter.writeUInt16LE(4, 32);
  const program = ffi.alloc(16);
  program.writeUInt16LE(4, 0);
  program.writeBigUInt64LE(BigInt(ffi.ptr(filter)), 8);
  const numbers = ['int', 'usize', 'usize', 'usize', 'usize'];
  const { prctl } = ffi.dlopen('c', { prctl: { args: numbers, returns: 'int', fails: 'negative' } }).symbols;
  prctl(38, 1, 0, 0, 0);
  prctl(22, 2, ffi.ptr(program), 0, 0);`;

function isRefused(seen, message) {
  assert.equal(seen.code, 'ERR_FFI_ISOLATE_UNAVAILABLE');
  assert.match(seen.message, message);
}

const GIB = 2 ** 30;
const shell = (commands) => ['unshare', '--mount', 'sh', '-c', `${commands} && exec "$@"`, 'sh'];

const ONE_PROCESSOR = ['taskset', '--cpu-list', '0'];
const NOBODY = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', '--no-new-privs'];
const READ_ONLY = 'mount --bind / /mnt && mount -o remount,ro,bind /mnt && mount --rbind /dev /mnt/dev';
/** Commands that take something away. As few processes as can be at the quick scale. */
const LITTLE = onlyOn('root')
  ? [ONE_PROCESSOR]
  : byScale(
      [[...shell(`${READ_ONLY} && mount -t tmpfs none /mnt/proc`), 'chroot', '/mnt', ...ONE_PROCESSOR, ...NOBODY]],
      [
        ONE_PROCESSOR,
        NOBODY,
        shell('mount -t tmpfs none /proc'),
        [...shell(READ_ONLY), 'chroot', '/mnt'],
        // There is no /dev either.
        [...shell('mount --bind / /mnt && mount -o remount,ro,bind /mnt'), 'chroot', '/mnt'],
      ],
    );

describe('an isolated library', { skip: skip || needs('prlimit') }, () => {
  test('an isolated library works with little address space, by copies: Buffers stay outside of the arena', () => {
    for (const gib of byScale([4], [4, 8, 20, 100])) {
      const { arena } = works(seenUnder(['prlimit', `--as=${gib * GIB}`]));
      assert.equal(arena, 0, `${gib} GiB`);
    }
  });

  test('an isolated library is refused with a reason where files must be small, or too few', () => {
    isRefused(seenUnder(['prlimit', '--fsize=1000000']), /the limit on the size of files \(ulimit -f\) is 1000000/);
    for (const most of byScale([26], [22, 24, 26, 28, 30, 32])) {
      const seen = seenUnder(['prlimit', `--nofile=${most}`]);
      if (seen.code === undefined) works(seen);
      else isRefused(seen, /Too many open files/);
    }
  });

  test('an isolated library works by copies where a filter of system calls refuses memory files', () => {
    const more = `
      seen.reason = ffi.arena().reason;
      try {
        ffi.dlopen('c', { abs: { args: ['i32'], returns: 'i32' } }, { isolate: { share: 'own' } });
      } catch ({ code, message }) {
        seen.apart = code + ' ' + message;
      }`;
    for (const error of byScale([1], [1, 38])) {
      const seen = works(seenUnder([], { first: withoutCall(MEMFD_CREATE, error), more }));
      assert.equal(seen.arena, 0);
      assert.match(seen.reason, /memfd_create/);
      assert.match(seen.apart, /^ERR_FFI_ISOLATE_UNAVAILABLE .*memfd_create/);
    }
  });

  test('an isolated library is refused with a reason where a filter refuses what its process is watched by', () => {
    isRefused(seenUnder([], { first: withoutCall(PIDFD_OPEN, 1) }), /pidfd_open is refused/);
  });

  test('an isolated library works on one processor, as a user without rights, without /proc and with a root that cannot be written', () => {
    for (const command of LITTLE) works(seenUnder(command));
  });
});

describe('memory that runs out', { skip: skip || onlyOn('memoryGroups') }, () => {
  test('memory that runs out ends the process of the library, again and again, and not that of Node', (t) => {
    const group = `/sys/fs/cgroup/memory/pinned-ffi-${process.pid}`;
    fs.mkdirSync(group);
    t.after(() => fs.rmdirSync(group));
    fs.writeFileSync(path.join(group, 'memory.limit_in_bytes'), '192M');
    const more = `
      seen.ends = [];
      for (let i = 0; i < ${byScale(2, 10)}; i += 1) {
        try {
          lib.symbols.use_memory(1000);
        } catch ({ signal }) {
          seen.ends.push(signal);
        }
        lib.restart();
        lib.symbols.sleep_ms(0);
      }
      seen.whole = bytes.every((byte) => byte === 0xaa);`;
    const command = ['sh', '-c', `echo $$ > ${group}/cgroup.procs && exec "$@"`, 'sh'];
    const { ends, whole } = works(seenUnder(command, { more }));
    assert.deepEqual(ends, Array(byScale(2, 10)).fill('SIGKILL'));
    assert.ok(whole);
  });
});

describe('a program that isolates nothing', { skip }, () => {
  test('a program that isolates nothing loads nothing for it, starts nothing, maps nothing, and has the functions of the C library', async () => {
    const { stdout, stderr } = await run({
      isBare: true,
      code: `
        const fs = require('node:fs');
        const count = () => ['fd', 'task'].map((name) => fs.readdirSync('/proc/self/' + name).length);
        const before = count();
        const ffi = require(${JSON.stringify(root)});
        const declared = {
          dlsym: { args: ['usize', 'cstring'], returns: 'ptr' },
          dladdr: { args: ['ptr', 'buffer'], returns: 'int' },
        };
        const { symbols } = ffi.dlopen(null, declared);
        const fileOf = (name) => {
          const info = Buffer.alloc(32);
          symbols.dladdr(symbols.dlsym(0, name), info);
          return ffi.CString(Number(info.readBigUInt64LE(0)));
        };
        console.log(JSON.stringify({
          more: count().map((number, i) => number - before[i]),
          modules: Object.keys(require.cache).filter((file) => /isolate|arena/.test(file.slice(process.cwd().length))),
          mappings: fs.readFileSync('/proc/self/maps', 'latin1').split('\\n').filter((line) => line.includes('memfd')),
          files: ['malloc', 'free', 'fork', 'pthread_create'].map(fileOf).filter((file) => file.endsWith('.node')),
          active: ffi.arena().active,
        }));`,
    });
    assert.deepEqual(
      JSON.parse(stdout || '{}'),
      { more: [0, 0], modules: [], mappings: [], files: [], active: false },
      stderr,
    );
  });
});
