'use strict';
// Memory of isolated libraries: copies and the way that their bytes go, pointers to memory that their processes do not
// share, and pointers of processes that have ended.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { inspect } = require('node:util');
const ffi = require('../../index.js');
const { throws } = require('../helpers.js');
const { library, open } = require('./helpers.js');
const { needs, onlyOn } = require('../requirements.js');

const skip = onlyOn('isolation');
const { JSCallback, dlopen, isShared, read, struct, pointer, array } = ffi;

/** Memory that no arena has. */
const outside = (length, value = 0) =>
  new Uint8Array(new WebAssembly.Memory({ initial: 1 }).buffer, 64, length).fill(value);

describe('flow', { skip }, () => {
  const bytesOf = (flow) => ({ type: 'buffer', ...(flow && { flow }) });
  const symbols = (flow) => ({
    fill_bytes: { args: [bytesOf(flow), 'usize', 'u8'] },
    sum_bytes: { args: [bytesOf(flow), 'usize'], returns: 'u64_fast' },
    move_bytes: { args: [bytesOf(flow), bytesOf(flow), 'usize'] },
    sort_ints: { args: [bytesOf(flow), 'usize', 'function'] },
  });

  test("'inout' is the default: bytes go both ways", (t) => {
    for (const flow of [undefined, 'inout']) {
      const lib = open(t, 'sharing', symbols(flow));
      const bytes = outside(100, 2);
      assert.equal(lib.symbols.sum_bytes(bytes, 100), 200);
      lib.symbols.fill_bytes(bytes, 50, 3);
      assert.equal(lib.symbols.sum_bytes(bytes, 100), 250);
      assert.deepEqual([bytes[49], bytes[50]], [3, 2]);
    }
  });

  test("'in' copies to the library alone", (t) => {
    const lib = open(t, 'sharing', symbols('in'));
    const bytes = outside(100, 2);
    assert.equal(lib.symbols.sum_bytes(bytes, 100), 200);
    lib.symbols.fill_bytes(bytes, 100, 3);
    assert.ok(bytes.every((byte) => byte === 2));
  });

  test("'out' copies from the library alone, all bytes of the Buffer", (t) => {
    const lib = open(t, 'sharing', symbols('out'));
    const bytes = outside(100, 2);
    assert.equal(lib.symbols.sum_bytes(bytes, 100), 0);
    lib.symbols.fill_bytes(bytes, 50, 0);
    assert.ok(bytes.every((byte) => byte === 0));
    bytes.fill(2);
    lib.symbols.fill_bytes(bytes, 50, 3);
    assert.deepEqual([bytes[49], bytes[50]], [3, 0]);
  });

  test('flow is an addition to C text', (t) => {
    const text = 'void fill_bytes(uint8_t *bytes, size_t length, uint8_t value);';
    const lib = open(t, 'sharing', [text, { fill_bytes: { args: { bytes: { flow: 'in' } } } }]);
    const bytes = outside(10, 2);
    lib.symbols.fill_bytes(bytes, 10, 3);
    assert.ok(bytes.every((byte) => byte === 2));
  });

  test('flow of memory that both share changes nothing', (t) => {
    const bytes = Buffer.alloc(100, 2);
    for (const flow of ['in', 'out', 'inout']) {
      const lib = open(t, 'sharing', symbols(flow));
      assert.equal(lib.symbols.sum_bytes(bytes.fill(2), 100), 200);
      lib.symbols.fill_bytes(bytes, 50, 3);
      assert.deepEqual([bytes[49], bytes[50]], [3, 2]);
    }
  });

  test('two directions of flow for memory that overlaps add up to both', (t) => {
    const lib = open(t, 'sharing', { move_bytes: { args: [bytesOf('out'), bytesOf('in'), 'usize'] } });
    const bytes = outside(8);
    bytes.set([1, 2, 3, 4, 5, 6, 7, 8]);
    lib.symbols.move_bytes(bytes.subarray(2), bytes, 4);
    assert.deepEqual([...bytes], [1, 2, 1, 2, 3, 4, 7, 8]);
  });

  test('flow holds while callbacks run: they see what goes back, and the library what goes in', (t) => {
    const compare = (memory, log) =>
      new JSCallback(
        (a, b) => {
          log.push(memory[0]);
          memory[memory.length - 1] = 77;
          return read.i32(a) - read.i32(b);
        },
        { args: ['ptr', 'ptr'], returns: 'i32' },
      );
    for (const flow of ['in', 'out', 'inout']) {
      const lib = open(t, 'sharing', symbols(flow));
      const memory = outside(16);
      new Int32Array(memory.buffer, memory.byteOffset, 3).set([3, 2, 1]);
      const log = [];
      const callback = compare(memory, log);
      lib.symbols.sort_ints(memory, 3, callback);
      callback.close();
      assert.ok(log.length > 0);
      assert.equal(memory[15], 77);
      const expected = { in: [3, 2, 1], out: [0, 0, 0], inout: [1, 2, 3] }[flow];
      assert.deepEqual([...new Int32Array(memory.buffer, memory.byteOffset, 3)], expected, flow);
    }
  });

  test("flow of 'out' leaves the Buffer alone where the call fails", (t) => {
    const lib = open(t, 'deaths', { call_then: { args: ['ptr', 'i32', { type: 'ptr', flow: 'out' }] }, die_abort: {} });
    const bytes = outside(10, 5);
    lib.kill();
    throws(() => lib.symbols.call_then(null, 0, bytes), 'ERR_FFI_LIBRARY_DIED');
    assert.ok(bytes.every((byte) => byte === 5));
  });

  test('flow is checked in the declaration, and taken by a library that is not isolated', (t) => {
    const declare = (arg) => () => dlopen(library('sharing'), { sum_bytes: { args: [arg, 'usize'] } }).close();
    throws(
      declare({ type: 'buffer', flow: 'up' }),
      'ERR_INVALID_ARG_VALUE',
      /args\[0\]\.flow must be 'in', 'out' or 'inout'/,
    );
    throws(
      declare({ type: 'i32', flow: 'in' }),
      'ERR_INVALID_ARG_VALUE',
      /args\[0\]: flow is only valid for pointer types/,
    );
    throws(declare({ type: 'u64', flow: 'in', lengthOf: 0 }), 'ERR_INVALID_ARG_VALUE', /flow is only valid/);
    const lib = dlopen(library('sharing'), symbols('in'));
    t.after(() => lib.close());
    const bytes = Buffer.alloc(4);
    lib.symbols.fill_bytes(bytes, 4, 1);
    assert.deepEqual([...bytes], [1, 1, 1, 1]);
  });
});

describe('a pointer to memory that the process does not share', { skip }, () => {
  const slice = struct({ bytes: 'ptr', length: 'usize' });
  const batch = struct({ first: slice, others: array('ptr', 2) });
  const item = struct({ slice, next: pointer(() => item) });
  const symbols = {
    sum_slice: { args: [pointer(slice)], returns: 'u64_fast' },
    sum_slice_value: { args: [slice], returns: 'u64_fast' },
    sum_batch: { args: [pointer(batch)], returns: 'u64_fast' },
    sum_items: { args: [pointer(item)], returns: 'u64_fast' },
    sum_list: { args: [pointer('ptr'), 'usize'], returns: 'u64_fast' },
    sum_extra: { args: ['i32'], returns: 'u64_fast', varargs: true },
    first_of: { args: ['ptr'], returns: 'u32' },
    ask_once: { args: ['function'], returns: 'u32' },
    ask_in_thread: { args: ['function'], returns: 'u32', threads: true },
    get_slice: { returns: 'ptr' },
  };
  const refused = (call, what) => throws(call, 'ERR_FFI_NOT_SHARED', what);
  const both = (lib) => ({ lib, shared: Buffer.alloc(10, 1), own: outside(10, 1) });

  test('a pointer to memory that the process does not share is refused as a number, from ptr() and pin()', (t) => {
    const { lib, shared, own } = both(open(t, 'pointers', symbols));
    assert.equal(lib.symbols.first_of(ffi.ptr(shared)), 1);
    const what = /first_of: argument 0 must be memory that the process of the library shares.*alloc\(\)/;
    refused(() => lib.symbols.first_of(ffi.ptr(own)), what);
    const pin = ffi.pin(own);
    refused(() => lib.symbols.first_of(pin), what);
    pin.release();
    refused(() => lib.symbols.sum_extra(1, ['ptr', ffi.ptr(own)]), /sum_extra: argument 1/);
    assert.equal(lib.symbols.sum_extra(2, ['ptr', own], ['ptr', shared]), 2);
  });

  test('a pointer to memory that the process does not share is refused in a struct: by value, behind a pointer, nested, in an array, in a list', (t) => {
    const { lib, shared, own } = both(open(t, 'pointers', symbols));
    const of = (bytes, length = 10) => ({ bytes, length });
    const what = /argument 0 must be memory.*has a pointer to memory that it does not/;
    assert.equal(lib.symbols.sum_slice(of(shared)), 10);
    assert.equal(lib.symbols.sum_slice_value(of(shared)), 10);
    for (const bytes of [own, ffi.ptr(own)]) {
      refused(() => lib.symbols.sum_slice(of(bytes)), what);
      refused(() => lib.symbols.sum_slice_value(of(bytes)), what);
      refused(() => lib.symbols.sum_batch({ first: of(bytes), others: [shared, shared] }), what);
      refused(() => lib.symbols.sum_batch({ first: of(shared), others: [shared, bytes] }), what);
      refused(() => lib.symbols.sum_items({ slice: of(shared), next: { slice: of(bytes), next: null } }), what);
      refused(() => lib.symbols.sum_list([shared, bytes], 2), what);
      const view = slice.view(Buffer.alloc(slice.size));
      view.bytes = bytes;
      view.length = 10;
      refused(() => lib.symbols.sum_slice(view), what);
      refused(() => lib.symbols.sum_slice_value(view), what);
    }
    assert.equal(lib.symbols.sum_batch({ first: of(shared), others: [shared, shared] }), 12);
    assert.equal(lib.symbols.sum_items({ slice: of(shared), next: { slice: of(shared), next: null } }), 20);
    assert.equal(lib.symbols.sum_list([shared, shared], 2), 2);
    assert.equal(lib.symbols.sum_slice(of(null, 0)), 0);
  });

  test("a library of share: 'own' takes pointers in structs to memory that it has allocated itself, as the message says", (t) => {
    const declared = { ...symbols, malloc: { args: ['usize'], returns: 'ptr' }, free: { args: ['ptr'] } };
    const lib = open(t, 'pointers', declared, { share: 'own' });
    const own = Buffer.alloc(10, 1);
    refused(() => lib.symbols.sum_slice({ bytes: own, length: 10 }), /use memory that the library has allocated/);
    const bytes = lib.symbols.malloc(10);
    ffi.toBuffer(bytes, 0, 10).set(own);
    assert.equal(lib.symbols.sum_slice({ bytes, length: 10 }), 10);
    lib.symbols.free(bytes);
  });

  test('a pointer to memory that the process does not share is refused as the result of a callback, which the library gets as NULL', (t) => {
    const { lib, shared, own } = both(open(t, 'pointers', symbols));
    for (const bytes of [own, ffi.ptr(own)]) {
      const good = new JSCallback(() => shared, { returns: 'ptr' });
      const bad = new JSCallback(() => bytes, { returns: 'ptr' });
      assert.equal(lib.symbols.ask_once(good), 1);
      refused(() => lib.symbols.ask_once(bad), /ask_once: a callback must return pointers to memory.*alloc\(\)/);
      refused(() => lib.symbols.ask_in_thread(bad), /ask_in_thread: a callback must return/);
      assert.equal(lib.symbols.ask_in_thread(good), 1);
      [good, bad].forEach((callback) => callback.close());
    }
    assert.ok(lib.isolated.alive);
  });

  test('a pointer to memory that the process does not share is refused by write, by globals and by views of memory of the library', (t) => {
    const { lib, shared, own } = both(open(t, 'pointers', symbols));
    const [good, bad] = [ffi.ptr(shared), ffi.ptr(own)];
    const target = lib.symbols.get_slice();
    const what = /must be a pointer to memory that the process of the library shares/;
    refused(() => ffi.write.ptr(target, 0, bad), what);
    ffi.write.ptr(target, 0, good);
    assert.equal(read.ptr(target), good);
    const current = lib.global('current_bytes', 'ptr');
    refused(() => (current.value = bad), what);
    current.value = good;
    assert.equal(current.value, good);
    const whole = lib.global('current_slice', slice);
    refused(() => (whole.value = { bytes: bad, length: 1 }), what);
    const view = whole.view();
    refused(() => (view.bytes = bad), what);
    view.bytes = good;
    assert.equal(whole.value.bytes, good);
    // Memory of Node alone may hold any pointer.
    const here = ffi.alloc(8);
    ffi.write.ptr(ffi.ptr(here), 0, bad);
    assert.equal(read.ptr(ffi.ptr(here)), bad);
  });

  test('a pointer to memory that the process does not share is refused as a view by asynchronous calls and threads, which a declared flow copies', async (t) => {
    const plain = { args: ['buffer', 'usize'], returns: 'u64_fast' };
    const flowing = { ...plain, args: [{ type: 'buffer', flow: 'in' }, 'usize'], name: 'sum_bytes' };
    const lib = open(t, 'sharing', {
      sum_bytes: plain,
      flowing,
      fill_bytes: { args: [{ type: 'buffer', flow: 'out' }, 'usize', 'u8'] },
    });
    const own = outside(10, 1);
    const what = /argument 0 must be memory.*an asynchronous call cannot share; declare its flow/;
    await assert.rejects(lib.symbols.sum_bytes.async(own, 10), { code: 'ERR_FFI_NOT_SHARED', message: what });
    const thread = lib.thread();
    await assert.rejects(thread.symbols.sum_bytes(own, 10), { code: 'ERR_FFI_NOT_SHARED', message: what });
    assert.equal(await thread.symbols.flowing(own, 10), 10);
    thread.close();
    assert.equal(await lib.symbols.sum_bytes.async(Buffer.alloc(10, 1), 10), 10);
    assert.equal(await lib.symbols.flowing.async(own, 10), 10);
    await lib.symbols.fill_bytes.async(own, 10, 4);
    assert.ok(own.every((byte) => byte === 4));
  });

  test('a Buffer is refused as a pointer by a process that shares none', (t) => {
    const lib = open(t, 'pointers', symbols, { share: 'own' });
    const bytes = Buffer.alloc(10, 1);
    assert.ok(isShared(bytes));
    assert.equal(lib.symbols.first_of(bytes), 1);
    refused(() => lib.symbols.first_of(ffi.ptr(bytes)), /argument 0/);
    refused(() => lib.symbols.sum_slice({ bytes, length: 10 }), /argument 0/);
  });
});

describe('a pointer of a process that has ended', { skip }, () => {
  const point = struct({ a: 'i32', b: 'i32' });
  const stale = (call, name) =>
    throws(call, 'ERR_FFI_STALE_POINTER', name && new RegExp(`^${name}: ptr is 0x[0-9a-f]+, a pointer of a process`));

  test('a pointer of a process that has ended is refused by whatever would read or write it', (t) => {
    const lib = open(t, 'sharing', {
      make_text: { args: ['i32'], returns: 'ptr' },
      make_mapping: { args: ['usize'], returns: 'ptr' },
      get_constant_text: { returns: 'ptr' },
    });
    const view = point.view(lib.symbols.make_text(20));
    for (let i = 0; i < 20; i += 1) assert.equal(typeof view.a, 'number');
    const pointers = [lib.symbols.make_text(10), lib.symbols.make_mapping(4096), lib.symbols.get_constant_text()];
    const counter = lib.global('counter', 'i32');
    assert.equal(typeof counter.value, 'number');
    lib.restart();
    for (const address of pointers) {
      stale(() => read.u8(address), 'read.u8');
      stale(() => read(address, point), 'struct.read');
      stale(() => ffi.write.u8(address, 0, 1), 'write.u8');
      stale(() => ffi.CString(address), 'CString');
      stale(() => new ffi.CString(address, 0, 2), 'CString');
      stale(() => ffi.toBuffer(address, 0, 4), 'toBuffer');
      stale(() => ffi.toArrayBuffer(address, 0, 4), 'toArrayBuffer');
      stale(() => read.bytes(address, 0, 4), 'read.bytes');
      stale(() => ffi.write.bytes(address, 0, Buffer.from('text')), 'write.bytes');
    }
    stale(() => view.a);
    stale(() => (view.b = 1));
    stale(() => view.toJSON());
    stale(() => counter.value);
    assert.equal(read.u8(lib.symbols.make_text(10)), read.u8(lib.symbols.make_text(10)));
  });

  test('a pointer of a process that has ended is read after its death until the library is started again', (t) => {
    const lib = open(t, 'sharing', { make_text: { args: ['i32'], returns: 'ptr' } });
    const text = lib.symbols.make_text(10);
    lib.kill();
    assert.equal(ffi.CString(text).length, 10);
  });
});

describe('memory that the loader of a process has mapped', { skip }, () => {
  // In another process: in this one WebAssembly reserves many addresses, some of which a host may have as well.
  test('memory that the loader of a process has mapped is told from that of Node, and from that of a process that has ended', (t) => {
    const script = `
      const ffi = require(${JSON.stringify(path.join(__dirname, '..', '..'))});
      const open = (isolate) => ffi.dlopen('c', { gnu_get_libc_version: { returns: 'ptr' } }, { isolate });
      const own = open(false).symbols.gnu_get_libc_version();
      const lib = open(true);
      const version = lib.symbols.gnu_get_libc_version();
      console.log(own !== version, String(ffi.CString(own)) === String(ffi.CString(version)));
      lib.restart();
      try {
        ffi.CString(version);
      } catch ({ code }) {
        console.log(code);
      }
    `;
    const command = [process.execPath, '-e', script];
    // Without random addresses those of both processes would be the same.
    for (const [file, ...args] of [command, ...(needs('setarch') ? [] : [['setarch', '-R', ...command]])]) {
      const { stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
      assert.equal(stdout, 'true true\nERR_FFI_STALE_POINTER\n', stderr);
    }
    t.diagnostic(needs('setarch') || 'with and without random addresses');
  });
});

describe('the end of shared memory', { skip }, () => {
  test('the end of shared memory ends texts and values there, whatever the library has written', (t) => {
    const lib = open(t, 'sharing', { make_text: { args: ['i32'], returns: 'ptr' } }, { share: 'own' });
    const text = Number(lib.symbols.make_text(5));
    const arenas = fs
      .readFileSync('/proc/self/maps', 'latin1')
      .matchAll(/^([0-9a-f]+)-([0-9a-f]+) .*pinned-ffi arena/gm);
    const [, end] = [...arenas]
      .map(([, ...ends]) => ends.map((digits) => Number.parseInt(digits, 16)))
      .find(([start, last]) => text >= start && text < last);
    // A process gets the next heap of its arena: until it is the last one. A start may take two of them.
    const isLast = () => end - Number(lib.symbols.make_text(5)) < 2 ** 29;
    for (let i = 0; i < 200 && !isLast(); i += 1) lib.restart();
    ffi.write.u32(end - 4, 0, 0x41414141);
    assert.equal(ffi.CString(end - 4), 'AAAA');
    assert.equal(read.u64(end - 4), 0x41414141n);
    assert.equal(ffi.toBuffer(end - 4, 0, 4).toString(), 'AAAA');
    assert.equal(read.bytes(end - 4, 0, 4).toString(), 'AAAA');
    for (const length of [5, 4096, 2 ** 30]) {
      throws(() => ffi.toBuffer(end - 4, 0, length), 'ERR_FFI_NOT_SHARED');
      throws(() => read.bytes(end - 4, 0, length), 'ERR_FFI_INVALID_POINTER');
    }
    throws(() => ffi.write.bytes(end - 4, 0, new Uint8Array(5)), 'ERR_FFI_INVALID_POINTER');
  });
});

test(
  'views of memory of an isolated library are printed and stringified as others',
  { skip: skip || onlyOn('viewsAnywhere') },
  (t) => {
    const library = dlopen(
      'c',
      { gmtime: { args: ['ptr'], returns: 'ptr' }, strdup: { args: ['cstring'], returns: 'ptr' } },
      { isolate: true },
    );
    t.after(() => library.close());
    // struct tm, on Linux: nine ints, an offset, and a text that lies in the data of the library.
    const Time = struct({ parts: array('int', 9), offset: 'long', zone: 'cstring' }, { name: 'Time' });
    const time = Time.view(library.symbols.gmtime(new BigInt64Array([0n])));
    const shown = inspect(time, { breakLength: Infinity, compact: true });
    assert.equal(shown, `Time { parts: [ 0, 0, 0, 1, 0, 70, 4, 0, 0 ], offset: 0n, zone: 'GMT' }`);
    assert.equal(JSON.stringify(time), '{"parts":[0,0,0,1,0,70,4,0,0],"offset":0,"zone":"GMT"}');
    assert.equal(String(array('char', 5).view(library.symbols.strdup('text'))), 'text');
  },
);
