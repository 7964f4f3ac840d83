'use strict';
// The sandbox: each of its options, against a library that tries everything that is refused.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const { constants, tmpdir } = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const ffi = require('../../index.js');
const { throws } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');

const skip = onlyOn('isolation');
const library = path.join(__dirname, '..', 'fixtures', 'build', `isolate-hostile.${ffi.suffix}`);
const { EACCES, EPERM } = constants.errno;
const int = (...args) => ({ args, returns: 'i32' });
const symbols = {
  could_read_in_constructor: int(),
  read_file: int('cstring'),
  write_file: int('cstring'),
  remove_file: int('cstring'),
  list_folder: int('cstring'),
  link_file: int('cstring', 'cstring'),
  connect_tcp: int('i32'),
  make_socket: int('i32', 'i32'),
  execute: int('cstring'),
  execute_now: int(),
  signal_parent: int(),
  trace_parent: int(),
  read_parent: int('u64'),
  read_parent_memory_file: int(),
  take_memory: int('i32', 'i32'),
  take_memory_file: int('i32'),
  spin: {},
  has_variable: int('cstring'),
};

function open(t, sandbox, isolate) {
  const lib = ffi.dlopen(library, symbols, { isolate: { share: 'own', stderr: 'ignore', ...isolate, sandbox } });
  t.after(() => lib.close());
  return lib;
}

const isRefused = (errno, what) => assert.ok(errno === EACCES || errno === EPERM, `${what}: ${errno}`);

describe('a sandbox', { skip }, () => {
  let folder;
  const file = (name) => path.join(folder, name);

  before(() => {
    folder = fs.mkdtempSync(path.join(tmpdir(), 'pinned-ffi-sandbox-'));
    for (const name of ['readable', 'writable']) fs.mkdirSync(file(name));
    for (const name of ['secret', 'readable/file', 'writable/file']) fs.writeFileSync(file(name), 'x');
  });
  after(() => fs.rmSync(folder, { recursive: true, force: true }));

  test('a sandbox is applied after the constructors, and tells each of its parts', (t) => {
    const lib = open(t, {});
    assert.equal(lib.symbols.could_read_in_constructor(), 1);
    const { landlock, ...parts } = lib.sandbox;
    assert.equal(typeof landlock, 'number');
    const applied = ['privileges', 'files', 'network', 'exec', 'syscalls', 'signals'];
    assert.deepEqual(parts, {
      ...Object.fromEntries(applied.map((part) => [part, 'applied'])),
      memory: 'unrestricted',
      cpu: 'unrestricted',
    });
    const open2 = open(t, { net: true, exec: true, memory: '256M', cpu: 100, require: Object.keys(parts).slice(-2) });
    assert.deepEqual(
      ['network', 'exec', 'memory', 'cpu'].map((part) => open2.sandbox[part]),
      ['unrestricted', 'unrestricted', 'applied', 'applied'],
    );
  });

  test("'read' and 'write' allow what is in them, and nothing else", (t) => {
    const lib = open(t, { read: [file('readable')], write: [file('writable')] });
    const { read_file: read, write_file: write, remove_file: remove, list_folder: list, link_file: link } = lib.symbols;
    const good = [read(file('readable/file')), read(file('writable/file')), write(file('writable/new'))];
    assert.deepEqual([...good, remove(file('writable/new')), list(file('readable'))], [0, 0, 0, 0, 0]);
    const passwd = '/etc/passwd';
    for (const outside of [file('secret'), passwd, '/proc/self/environ', `/proc/${process.pid}/environ`, __filename])
      isRefused(read(outside), outside);
    isRefused(read(file('readable/../secret')), 'a path with ..');
    isRefused(write(file('readable/file')), 'write what can be read');
    isRefused(write(file('secret')), 'write outside');
    isRefused(remove(file('readable/file')), 'remove what can be read');
    isRefused(list(folder), 'list outside');
    assert.notEqual(link(file('secret'), file('writable/link')), 0);
    fs.symlinkSync(file('secret'), file('writable/symlink'));
    isRefused(read(file('writable/symlink')), 'a link that leads outside');
    assert.equal(fs.readFileSync(file('secret'), 'utf8'), 'x');
    assert.throws(() => open(t, { read: [file('missing')] }), {
      code: 'ERR_FFI_ISOLATE_UNAVAILABLE',
      message: /missing/,
    });
  });

  test("'net' allows sockets", async (t) => {
    const server = net.createServer((socket) => socket.destroy());
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const { port } = server.address();
    const closed = open(t, {}).symbols;
    isRefused(closed.connect_tcp(port), 'connect');
    const AF = { unix: 1, inet: 2, inet6: 10, netlink: 16, packet: 17 };
    for (const [family, number] of Object.entries(AF)) isRefused(closed.make_socket(number, 2), family);
    assert.equal(open(t, { net: true }).symbols.connect_tcp(port), 0);
  });

  test("'exec' allows programs of folders that can be read", (t) => {
    const closed = open(t, { read: ['/bin', '/usr/bin'] }).symbols;
    isRefused(closed.execute('true'), 'system');
    isRefused(closed.execute_now(), 'execv');
    const opened = open(t, { exec: true, read: ['/bin', '/usr/bin', '/dev/null'] }).symbols;
    assert.deepEqual([opened.execute('true'), opened.execute_now()], [0, 0]);
    isRefused(open(t, { exec: true }).symbols.execute_now(), 'a program that cannot be read');
  });

  test('a sandbox keeps the library from its parent', (t) => {
    const lib = open(t, {});
    isRefused(lib.symbols.signal_parent(), 'kill');
    isRefused(lib.symbols.trace_parent(), 'ptrace');
    isRefused(lib.symbols.read_parent(BigInt(ffi.ptr(Buffer.alloc(8)))), 'process_vm_readv');
    isRefused(lib.symbols.read_parent_memory_file(), '/proc/PID/mem');
  });

  test("'memory' limits what the library takes, in each way that there is", (t) => {
    const most = 120;
    for (const how of [0, 1, 2]) {
      const lib = open(t, { memory: '32M' });
      const taken = lib.symbols.take_memory(how, most);
      assert.ok(taken < 60, `way ${how}: ${taken} MiB`);
      assert.ok(lib.isolated.alive);
    }
    const lib = open(t, { memory: '32M' });
    assert.ok(lib.symbols.take_memory_file(most) < 60);
    assert.equal(open(t, {}).symbols.take_memory(0, 70), 70);
  });

  test("'cpu' sets the limit of the processor's time", (t) => {
    const lib = open(t, { cpu: 1 });
    const limits = fs.readFileSync(`/proc/${lib.isolated.pid}/limits`, 'latin1');
    assert.match(limits, /^Max cpu time +1 +2 +seconds/m);
  });

  test("'cpu' ends a library that computes for longer", { skip: onlyOn('fullScale') }, async (t) => {
    const lib = open(t, { cpu: 1 });
    const error = await lib.symbols.spin.async().catch((thrown) => thrown);
    assert.deepEqual([error.code, error.signal], ['ERR_FFI_LIBRARY_DIED', 'SIGXCPU']);
  });

  test('a sandbox holds after a restart, and for all libraries of a group', (t) => {
    const lib = open(t, {});
    lib.restart();
    isRefused(lib.symbols.read_file('/etc/passwd'), 'after a restart');
    assert.equal(lib.sandbox.files, 'applied');
    const together = ffi.group(`sandboxed ${process.pid}`, {
      share: 'own',
      sandbox: { read: [path.dirname(library)] },
    });
    const all = [library, library].map((each) => ffi.dlopen(each, symbols, { isolate: together }));
    t.after(() => all.forEach((each) => each.close()));
    for (const each of all) isRefused(each.symbols.read_file('/etc/passwd'), 'in a group');
  });

  test('a sandbox with an empty environment has none of its secrets', (t) => {
    process.env.PINNED_FFI_TEST_SECRET = 'x';
    t.after(() => delete process.env.PINNED_FFI_TEST_SECRET);
    assert.equal(open(t, {}).symbols.has_variable('PINNED_FFI_TEST_SECRET'), 1);
    assert.equal(open(t, {}, { env: {} }).symbols.has_variable('PINNED_FFI_TEST_SECRET'), 0);
  });

  test('the options of a sandbox are checked', (t) => {
    throws(() => open(t, { reads: [] }), 'ERR_INVALID_ARG_VALUE', /unknown key 'reads'/);
    throws(() => open(t, { memory: '1T' }), 'ERR_OUT_OF_RANGE', /memory/);
    throws(() => open(t, { cpu: 0 }), 'ERR_OUT_OF_RANGE', /cpu/);
    throws(() => open(t, { require: ['everything'] }), 'ERR_INVALID_ARG_VALUE', /require/);
    throws(() => ffi.dlopen(library, symbols, { isolate: { sandbox: {} } }), 'ERR_INVALID_ARG_VALUE', /share: 'own'/);
  });
});
