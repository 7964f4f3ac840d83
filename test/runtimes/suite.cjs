'use strict';
// What the package has to do on every platform and in every runtime. Prints a line of JSON with what it runs on, and
// one for each case. test/runtimes/runtimes.test.js runs it in Bun and in Deno; scripts/platforms/ on other Nodes and
// systems. FIXTURE is the path of the C fixture.

const assert = require('node:assert/strict');
const { Worker, isMainThread } = require('node:worker_threads');
const { structuredClone, setTimeout } = globalThis;

/** Collects garbage and lets finalizers run. */
async function gc() {
  for (let i = 0; i < 6; i++) {
    if (globalThis.Bun) globalThis.Bun.gc(true);
    else globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Fills the engine's heap, so that what was freed is used again. */
const churn = () => Array.from({ length: 20_000 }, (_, i) => new Uint8Array(8 + (i % 1200)).fill(0xee)).length;

const caught = (fn) => {
  try {
    fn();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
};

const NATIVE_PLATFORM = '../../lib/native/platform.js';
const isWindows = process.platform === 'win32';
/** What `dlopen` takes for the C library: all that is loaded is searched. */
const LIBC = null;
/** Enough calls for V8 to compile the caller. */
const MANY = 30_000;

/** Structs of C, by the prefix of their functions in the fixture: the type of their members and how many there are. */
const STRUCTS = Object.fromEntries([
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 15, 16, 17, 24, 32, 40].map((count) => [`u8x${count}`, ['u8', count]]),
  ...['f32', 'f64', 'i64'].flatMap((type) => [1, 2, 3, 4, 5].map((count) => [`${type}x${count}`, [type, count]])),
]);

/** Texts of every form in which V8 keeps one. */
function textsOf(length) {
  const joined = `${'x'.repeat(length)}y${length}`;
  return [
    joined,
    joined.slice(1),
    `\u20ac${joined}`,
    `\xe9${joined}`,
    `\u{1f600}${length}`,
    Buffer.alloc(length + 1, 'q').toString('latin1'),
  ];
}

/** The cases: each takes the package and the functions of the fixture. */
const cases = {
  'the package has fences around its own Buffers, or says why not'(ffi, bind) {
    const { installed, reason } = ffi.fences();
    assert.equal(ffi.checkFences(), 0);
    if (!installed) {
      assert.match(reason, /\w+ \w+/);
      return;
    }
    const fill = bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void');
    for (const make of [() => Buffer.alloc(24), () => new Uint8Array(24), () => new Float64Array(3)]) {
      const view = make();
      const error = caught(() => fill(view, 32, 7));
      assert.deepEqual([error.code, error.bytesPast], ['ERR_FFI_BUFFER_OVERFLOW', 8]);
    }
    assert.equal(ffi.checkFences(), 0);
  },

  'a call gives the same results once the caller is compiled'(ffi, bind) {
    const add = bind('add_i32', ['i32', 'i32'], 'i32');
    const wide = bind('identity_i64', ['i64'], 'i64');
    const half = bind('identity_f64', ['f64'], 'f64');
    const measure = bind('measure_cstring', ['cstring'], 'i32');
    const sum = bind('sum_bytes', ['ptr', 'u64'], 'u64');
    const bytes = new Uint8Array(16);
    for (let i = 0; i < MANY; i++) {
      if (add(i, -2 * i) !== -i) assert.fail(`add_i32 of ${i}`);
      if (wide(-5_000_000_000n - BigInt(i)) !== -5_000_000_000n - BigInt(i)) assert.fail(`identity_i64 of ${i}`);
      if (half(i / 2) !== i / 2) assert.fail(`identity_f64 of ${i}`);
      if (measure(i & 1 ? 'abc' : `h\xe9${i}`) !== (i & 1 ? 3 : 3 + `${i}`.length)) assert.fail(`text ${i}`);
      bytes[i % 16] = i & 0xff;
      if (Number(sum(bytes, 16)) !== bytes.reduce((a, b) => a + b)) assert.fail(`sum_bytes ${i}`);
    }
  },

  'a call refuses wrong values as often as they come'(ffi, bind) {
    const refused = /^ERR_(INVALID_ARG_(TYPE|VALUE)|OUT_OF_RANGE|FFI_INVALID_POINTER)$/;
    const add = bind('add_i32', ['i32', 'i32'], 'i32');
    const measure = bind('measure_cstring', ['cstring'], 'i32');
    for (let round = 0; round < 300; round++) {
      for (const value of ['x', 1.5, 2 ** 40, 2n ** 40n, undefined, {}, Symbol('s')]) {
        assert.match(caught(() => add(value, 1)).code, refused);
      }
      for (const value of [1.5, {}, 'a\0b', Symbol('s')]) assert.match(caught(() => measure(value)).code, refused);
      assert.equal(add(1, 1), 2);
    }
  },

  'a call passes texts of every form and length'(ffi, bind) {
    const measure = bind('measure_cstring', ['cstring'], 'i32');
    const back = bind('identity_cstring', ['cstring'], 'cstring');
    for (let length = 0; length < 300; length++) {
      for (const text of textsOf(length)) {
        assert.equal(measure(text), Buffer.byteLength(text), text);
        assert.equal(back(text), text);
      }
    }
  },

  'structs of every size are passed by value: arguments, results, callbacks'(ffi) {
    for (const [name, [type, count]] of Object.entries(STRUCTS)) {
      const names = Array.from({ length: count }, (_, i) => `m${i}`);
      const Struct = ffi.struct(Object.fromEntries(names.map((each) => [each, type])), { name });
      const { symbols } = ffi.dlopen(process.env.FIXTURE, {
        [`sum_${name}`]: { args: [Struct, 'i32'], returns: 'f64' },
        [`make_${name}`]: { args: ['i32'], returns: Struct },
        [`add_${name}`]: { args: [Struct, 'f64', Struct, 'i64'], returns: Struct },
        [`call_${name}`]: { args: ['function', 'i32'], returns: 'f64' },
      });
      const valueOf = (of) =>
        Object.fromEntries(names.map((each, i) => [each, type === 'i64' ? BigInt(of(i)) : of(i)]));
      const members = (value) => names.map((each) => Number(value[each]));
      const listed = (of) => names.map((_, i) => of(i));
      const triangle = (count * (count + 1)) / 2;
      assert.equal(
        symbols[`sum_${name}`](
          valueOf((i) => i + 1),
          1000,
        ),
        1000 + triangle,
        name,
      );
      assert.deepEqual(
        members(symbols[`make_${name}`](7)),
        listed((i) => 7 + i),
        name,
      );
      const sum = symbols[`add_${name}`](
        valueOf((i) => i),
        2,
        valueOf((i) => 3 * i),
        5,
      );
      assert.deepEqual(
        members(sum),
        listed((i) => 4 * i + 7),
        name,
      );
      const callback = new ffi.JSCallback((value, more) => valueOf((i) => Number(value[`m${i}`]) + more), {
        args: [Struct, 'i32'],
        returns: Struct,
      });
      assert.equal(symbols[`call_${name}`](callback, 3), triangle + 3 * count, name);
      callback.close();
    }
  },

  'variadic functions can be called'(ffi) {
    const { symbols } = ffi.dlopen(LIBC, { sprintf: { args: ['ptr', 'cstring'], returns: 'int', varargs: true } });
    const to = Buffer.alloc(200);
    const length = symbols.sprintf(
      to,
      '%d %s %.2f %lld %g %d %d %d %d',
      ['i32', 42],
      ['cstring', 'text'],
      ['f64', 3.25],
      ['i64', 123456789012345n],
      ['f64', 0.5],
      ...[1, 2, 3, 4].map((value) => ['i32', value]),
    );
    assert.equal(to.toString('latin1', 0, length), '42 text 3.25 123456789012345 0.5 1 2 3 4');
  },

  'every scalar can be passed and returned'(ffi, bind) {
    const values = {
      i8: -128,
      u8: 255,
      i16: -32768,
      u16: 65535,
      i32: -(2 ** 31),
      u32: 2 ** 32 - 1,
      i64: -(2n ** 63n),
      u64: 2n ** 64n - 1n,
      f64: 1e300,
      f32: 1.5,
      bool: true,
      ptr: 2 ** 40,
    };
    for (const [type, value] of Object.entries(values)) {
      assert.equal(bind(`identity_${type}`, [type], type)(value), value, type);
    }
  },

  'an error names the function and the argument, and C is not entered'(ffi, bind) {
    const error = caught(() => bind('identity_i8', ['i8'], 'i8')(128));
    assert.equal(error.code, 'ERR_OUT_OF_RANGE');
    assert.match(error.message, /^identity_i8: argument 0 .* received 128; the same bits are -128$/);
    assert.match(caught(() => bind('identity_ptr', ['ptr'], 'ptr')('x')).message, /^identity_ptr: argument 0 /);
    assert.match(caught(() => bind('no_such_symbol', [], 'void')).message, /"no_such_symbol" not found/);
    assert.equal(caught(() => ffi.dlopen('/no/such/library', {})).code, 'ERR_FFI_LIBRARY_NOT_FOUND');
    assert.equal(caught(() => ffi.read.u8(0)).code, 'ERR_FFI_INVALID_POINTER');
  },

  'text is passed, and returned'(ffi, bind) {
    assert.equal(bind('identity_cstring', ['cstring'], 'cstring')('Grüße ☃ 𝄞'), 'Grüße ☃ 𝄞');
    assert.equal(bind('get_null', [], 'cstring')(), null);
    const bytes = Buffer.from('from memory\0');
    assert.equal(ffi.CString(ffi.ptr(bytes)), 'from memory');
  },

  'structs are passed by value, and read in memory'(ffi) {
    const DivT = ffi.struct({ quot: 'int', rem: 'int' }, { name: 'div_t' });
    const { symbols } = ffi.dlopen(LIBC, { div: { args: ['int', 'int'], returns: DivT } });
    assert.deepEqual({ ...symbols.div(17, 5) }, { quot: 3, rem: 2 });
    const made = DivT.alloc({ quot: 1, rem: 2 });
    made.rem += 40;
    assert.equal(ffi.read.i32(ffi.ptr(made), 4), 42);
  },

  'out-parameters are returned'(ffi) {
    const { symbols } = ffi.dlopen(isWindows ? LIBC : 'm', {
      frexp: { args: ['f64', ffi.out('int')], returns: 'f64' },
    });
    assert.deepEqual({ ...symbols.frexp(8.5) }, { returns: 0.53125, out: [4] });
  },

  'callbacks run, and their exceptions surface from the call'(ffi) {
    const qsort = ffi.dlopen(LIBC, { qsort: { args: ['ptr', 'size_t', 'size_t', 'function'] } }).symbols.qsort;
    const types = { args: ['ptr', 'ptr'], returns: 'i32' };
    const compare = new ffi.JSCallback((a, b) => ffi.read.i32(a) - ffi.read.i32(b), types);
    const numbers = Int32Array.from({ length: 200 }, (_, i) => (i * 7919) % 200);
    qsort(numbers, 200, 4, compare);
    assert.deepEqual(
      [...numbers],
      Array.from({ length: 200 }, (_, i) => i),
    );
    compare.close();
    const mine = new Error('mine');
    const failing = new ffi.JSCallback(() => {
      throw mine;
    }, types);
    assert.equal(
      caught(() => qsort(numbers, 200, 4, failing)),
      mine,
    );
    failing.close();
    assert.equal(caught(() => qsort(numbers, 200, 4, failing)).code, 'ERR_FFI_CALLBACK_CLOSED');
  },

  async 'callbacks run for a thread of C'(ffi, bind) {
    const callback = new ffi.JSCallback((n) => n + 1, { args: ['i32'], returns: 'i32' });
    const call = bind('call_on_thread_i32', ['function', 'i32'], 'i32', { threads: true });
    assert.equal(call(callback, 41), 42);
    assert.equal(await call.async(callback, 41), 42);
    callback.close();
  },

  async 'asynchronous calls run on other threads'(ffi, bind) {
    const add = bind('add_i32', ['i32', 'i32'], 'i32');
    const all = await Promise.all(Array.from({ length: 50 }, (_, i) => add.async(i, 1)));
    assert.deepEqual(
      all,
      Array.from({ length: 50 }, (_, i) => i + 1),
    );
    const bytes = Buffer.from([0, 0, 0]);
    const later = bind('fill_bytes_later', ['ptr', 'u64', 'u8', 'u32'], 'void').async(bytes, 3, 7, 20);
    await gc();
    await later;
    assert.deepEqual([...bytes], [7, 7, 7]);
    await assert.rejects(add.async('x', 1), { code: 'ERR_INVALID_ARG_TYPE' });
  },

  'bytes that C writes into a view or buffer of any kind and length are there'(ffi, bind) {
    const fill = bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void');
    const fillBuffer = bind('fill_bytes', ['buffer', 'u64', 'u8'], 'void');
    const kinds = [
      (size) => new Uint8Array(size),
      (size) => new Float64Array(Math.ceil(size / 8)),
      (size) => Buffer.alloc(size),
      (size) => Buffer.from('x'.repeat(size)),
      (size) => new DataView(new ArrayBuffer(size)),
      (size) => new ArrayBuffer(size),
      (size) => new Uint8Array(size + 8).subarray(8),
      (size) => new SharedArrayBuffer(size),
    ];
    for (const make of kinds) {
      for (const size of [1, 12, 80, 800, 8000]) {
        for (const call of [fill, fillBuffer]) {
          const value = make(size);
          if (call === fillBuffer && !ArrayBuffer.isView(value)) continue;
          call(value, value.byteLength, 7);
          const bytes = ArrayBuffer.isView(value)
            ? new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
            : new Uint8Array(value);
          assert.ok(
            bytes.every((byte) => byte === 7),
            `${make} of ${size} bytes`,
          );
        }
      }
    }
  },

  async 'a call on another thread leaves the event loop alone'(ffi, bind) {
    const callback = new ffi.JSCallback((n) => n + 1, { args: ['i32'], returns: 'i32' });
    const call = bind('call_on_thread_i32', ['function', 'i32'], 'i32').async;
    let turns = 0;
    const timer = setInterval(() => {
      turns += 1;
    }, 1);
    assert.deepEqual(await Promise.all([call(callback, 1), call(callback, 2), call(callback, 3)]), [2, 3, 4]);
    const sleep = bind('fill_bytes_later', ['ptr', 'u64', 'u8', 'u32'], 'void').async;
    await sleep(new Uint8Array(8), 8, 1, 50);
    clearInterval(timer);
    callback.close();
    assert.ok(turns > 1, `${turns} turns`);
  },

  async 'the address of a small Buffer stays the same, whatever is done with it'(ffi, bind) {
    const fill = bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void');
    const views = [1, 8, 64, 100, 999, 1000, 1001, 5000].map((size) => {
      const view = new Uint8Array(size);
      const address = ffi.ptr(view);
      return { size, view, address, buffer: view.buffer, part: view.subarray(0, 1) };
    });
    churn();
    await gc();
    for (const { size, view, address, buffer, part } of views) {
      assert.equal(ffi.ptr(view), address, `${size} bytes`);
      assert.equal(ffi.ptr(buffer), address);
      assert.equal(ffi.ptr(part), address);
      fill(address, size, 7);
      assert.ok(
        view.every((byte) => byte === 7),
        `what C wrote into ${size} bytes is seen`,
      );
      assert.equal(part[0], 7);
    }
  },

  async 'the bytes that a call was given are those that C keeps'(ffi, bind) {
    const keep = bind('keep_ptr', ['buffer'], 'void');
    const fillKept = bind('fill_kept', ['i64', 'u8', 'u64'], 'void');
    for (const make of [
      () => new Uint8Array(16),
      () => Buffer.from('0123456789abcdef'),
      () => Buffer.allocUnsafe(16),
    ]) {
      const view = make();
      keep(view);
      void view.buffer;
      churn();
      await gc();
      fillKept(0, 9, 16);
      assert.deepEqual([...view], Array(16).fill(9));
    }
  },

  async 'a pin holds its view, and locks it against transfer'(ffi, bind) {
    let pinned = ffi.pin(new Uint8Array(32));
    const address = pinned.ptr;
    churn();
    await gc();
    bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void')(address, 32, 5);
    assert.equal(ffi.read.u8(address, 31), 5);
    pinned.release();
    const view = new Uint8Array(32);
    pinned = ffi.pin(view);
    const transfer = () =>
      view.buffer.transfer ? view.buffer.transfer() : structuredClone(view.buffer, { transfer: [view.buffer] });
    assert.throws(transfer);
    pinned.release();
    // Deno has no way back from a buffer that must not be transferred.
    if (process.versions.deno === undefined) assert.equal(transfer().byteLength, 32);
  },

  'memory that is detached or can be resized is refused'(ffi, bind) {
    const take = bind('identity_ptr', ['ptr'], 'ptr');
    const detached = new Uint8Array(8);
    structuredClone(detached.buffer, { transfer: [detached.buffer] });
    for (const value of [detached, new Uint8Array(new ArrayBuffer(8, { maxByteLength: 16 }))]) {
      assert.equal(caught(() => take(value)).code, 'ERR_INVALID_ARG_VALUE');
      assert.equal(caught(() => ffi.ptr(value)).code, 'ERR_INVALID_ARG_VALUE');
    }
  },

  'a write of C beside memory of alloc() is found and repaired'(ffi, bind) {
    const memory = ffi.alloc(24);
    const fill = bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void');
    const error = caught(() => fill(memory, 30, 7));
    assert.equal(error.code, 'ERR_FFI_BUFFER_OVERFLOW');
    assert.equal(error.firstBadOffset, 24);
    assert.equal(error.bytesPast, 6);
    assert.match(error.message, /^fill_bytes: native code wrote 6 bytes past the end of argument 0/);
    assert.equal(
      caught(() => bind('fill_at', ['ptr', 'i64', 'u8', 'u64'], 'void')(memory, -4, 7, 4)).code,
      'ERR_FFI_BUFFER_UNDERFLOW',
    );
    fill(memory, 24, 1);
    assert.equal(ffi.checkFences(), 0);
  },

  'a write beside any Buffer is contained where it is guarded'(ffi, bind) {
    const fill = bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void', { guard: true });
    for (const view of [new Uint8Array(16), Buffer.from('0123456789abcdef'), new Uint8Array(4000)]) {
      const error = caught(() => fill(view, view.length + 20, 7));
      assert.equal(error.code, 'ERR_FFI_BUFFER_OVERFLOW');
      assert.equal(error.bytesPast, 20);
      assert.ok(view.every((byte) => byte === 7));
    }
  },

  'a write beside a slice of the pool is contained'(ffi, bind) {
    const [before, slice, after] = [Buffer.from('aaaaaaaa'), Buffer.from('bbbbbbbb'), Buffer.from('cccccccc')];
    if (slice.buffer !== after.buffer) return; // no pool here
    // Deno does not tell whether its own threads are writing slices, so they are not watched there.
    if (process.versions.deno !== undefined) return;
    assert.equal(
      caught(() => bind('fill_bytes', ['ptr', 'u64', 'u8'], 'void')(slice, 16, 0x7a)).code,
      'ERR_FFI_BUFFER_OVERFLOW',
    );
    assert.deepEqual([`${before}`, `${slice}`, `${after}`], ['aaaaaaaa', 'zzzzzzzz', 'cccccccc']);
  },

  async 'native memory is freed by its deallocator once it is collected'(ffi, bind) {
    const [allocate, count] = [bind('alloc_bytes', ['u64'], 'ptr'), bind('count_deallocations', [], 'i32')];
    const free = bind('get_deallocate_bytes', [], 'ptr')();
    const before = count();
    (() => {
      for (let i = 0; i < 50; i++) {
        const buffer = ffi.toBuffer(allocate(4096), 0, 4096, free);
        buffer[4095] = 1;
      }
    })();
    for (let i = 0; i < 100 && count() === before; i++) await gc();
    assert.ok(count() > before, 'none was freed');
  },

  'a call that fails throws the system error'(ffi) {
    if (isWindows) {
      const fails = (attributes) => attributes === 0xffffffff;
      const { GetFileAttributesW } = ffi.dlopen('kernel32', {
        GetFileAttributesW: { args: ['ptr'], returns: 'u32', fails },
      }).symbols;
      const { code, syscall } = caught(() => GetFileAttributesW(Buffer.from('Z:\\no\\such\\place\0', 'utf16le')));
      assert.deepEqual({ code, syscall }, { code: 'ENOENT', syscall: 'GetFileAttributesW' });
      return;
    }
    const { symbols } = ffi.dlopen(LIBC, { chdir: { args: ['cstring'], returns: 'int', fails: 'negative' } });
    const { code, syscall } = caught(() => symbols.chdir('/no/such/place'));
    assert.deepEqual({ code, syscall }, { code: 'ENOENT', syscall: 'chdir' });
  },

  'calls after close() are refused'(ffi) {
    const library = ffi.dlopen(LIBC, { pid: { name: isWindows ? '_getpid' : 'getpid', returns: 'i32' } });
    assert.equal(library.symbols.pid(), process.pid);
    library.close();
    assert.equal(caught(() => library.symbols.pid()).code, 'ERR_FFI_LIBRARY_CLOSED');
  },

  async 'ten thousand calls with callbacks and collections among them work'(ffi, bind) {
    const call = bind('call_i32', ['function', 'i32'], 'i32');
    const fill = bind('fill_bytes', ['buffer', 'u64', 'u8'], 'void');
    const callback = new ffi.JSCallback(
      (n) => {
        if (n % 4000 === 0) churn();
        return n + 1;
      },
      { args: ['i32'], returns: 'i32' },
    );
    for (let i = 0; i < 10_000; i++) {
      assert.equal(call(callback, i), i + 1);
      const view = new Uint8Array(1 + (i % 90));
      fill(view, view.length, i & 0xff);
      assert.equal(view.at(-1), i & 0xff);
    }
    callback.close();
    await gc();
  },

  async 'a library can be isolated, or the error says why not'(ffi) {
    const isolate = { stderr: 'ignore' };
    const declared = {
      fill_bytes: { args: ['ptr', 'u64', 'u8'] },
      add_i32: { args: ['i32', 'i32'], returns: 'i32' },
      call_i32: { args: ['function', 'i32'], returns: 'i32' },
    };
    let library;
    try {
      library = ffi.dlopen(process.env.FIXTURE, declared, { isolate });
    } catch (error) {
      const isHere = process.platform === 'linux' && process.arch === 'x64' && !require(NATIVE_PLATFORM).isMusl();
      assert.deepEqual([error.code, isHere], ['ERR_FFI_ISOLATE_UNAVAILABLE', false], String(error));
      assert.match(error.reason, /\w+ \w+/);
      assert.deepEqual([ffi.arena().active, ffi.isShared(new Uint8Array(8))], [false, false]);
      return;
    }
    const { fill_bytes: fill, add_i32: add, call_i32: call } = library.symbols;
    const bytes = new Uint8Array(100);
    fill(bytes, 100, 7);
    assert.ok(bytes.every((byte) => byte === 7));
    assert.equal(await add.async(20, 22), 42);
    const callback = new ffi.JSCallback((n) => add(n, 1), { args: ['i32'], returns: 'i32' });
    assert.equal(call(callback, 41), 42);
    callback.close();
    const mortal = ffi.dlopen('c', { abort: {} }, { isolate });
    const error = caught(() => mortal.symbols.abort());
    assert.deepEqual([error.code, error.signal], ['ERR_FFI_LIBRARY_DIED', 'SIGABRT']);
    assert.equal(add(1, 2), 3);
    mortal.close();
    library.close();
  },

  async 'the package works in a worker, which ends'() {
    const worker = new Worker(__filename);
    const [answer] = await Promise.all([
      new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
      new Promise((resolve) => worker.once('exit', resolve)),
    ]);
    assert.equal(answer, 42);
  },
};

function load() {
  const ffi = require('../../index.js');
  const bind = (name, args, returns, more = {}) =>
    ffi.dlopen(process.env.FIXTURE, { [name]: { args, returns, ...more } }).symbols[name];
  return { ffi, bind };
}

/** What this runs on, and what the package uses of it. */
function facts(ffi) {
  const { installed, reason } = ffi.fences();
  const { bun, deno, node, modules, v8 } = process.versions;
  const { isMusl } = require('../../lib/native/platform.js');
  const { callPath } = require('../../lib/call/fast-call.js');
  return {
    runtime: bun ? `Bun ${bun}` : deno ? `Deno ${deno}` : `Node ${node}`,
    modules,
    v8,
    platform: `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`,
    fences: installed ? null : reason,
    fastCalls: callPath().name === 'fast' ? null : callPath().reason,
  };
}

async function main() {
  const { ffi, bind } = load();
  console.log(JSON.stringify(facts(ffi)));
  for (const [title, run] of Object.entries(cases)) {
    let failed = null;
    try {
      await run(ffi, bind);
    } catch (error) {
      // The stack of JavaScriptCore does not begin with the message.
      failed = globalThis.Bun ? `${error}\n${error?.stack}` : String(error?.stack ?? error);
    }
    console.log(JSON.stringify({ title, failed }));
  }
}

function answer() {
  const { ffi, bind } = load();
  const callback = new ffi.JSCallback((n) => n + 1, { args: ['i32'], returns: 'i32' });
  require('node:worker_threads').parentPort.postMessage(bind('call_i32', ['function', 'i32'], 'i32')(callback, 41));
  callback.close();
}

if (!isMainThread) answer();
else if (process.argv[1] === __filename) main();

module.exports = { titles: Object.keys(cases) };
