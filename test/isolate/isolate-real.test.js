'use strict';
// Unmodified libraries of the system, each in a separate process.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { describe, test } = require('node:test');
const zlib = require('node:zlib');
const { run, throws } = require('../helpers.js');
const { ffi } = require('./helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const skip = onlyOn('isolation');
const { JSCallback, isShared, opaque, out, read, struct } = ffi;

/** Opens a library of the system in a process that ends with the test. */
function open(t, name, symbols, isolate = {}, options = {}) {
  const opened = ffi.dlopen(name, symbols, { isolate: { stderr: 'ignore', timeout: 30_000, ...isolate }, ...options });
  t.after(() => opened.close());
  return opened;
}

function callbackOf(t, callback, type) {
  const made = new JSCallback(callback, type);
  t.after(() => made.close());
  return made;
}

describe('isolated, unmodified', { skip }, () => {
  test(
    'SQLite calls functions of JavaScript and gives rows, and its handle is stale after its end',
    {
      skip: needs('sqlite3'),
    },
    (t) => {
      const Database = opaque('sqlite3', { free: 'sqlite3_close_v2' });
      const lib = open(t, 'sqlite3', {
        sqlite3_open: { args: ['cstring', out(Database)], returns: 'int' },
        sqlite3_close_v2: { args: [Database], returns: 'int' },
        sqlite3_exec: { args: [Database, 'cstring', 'function', 'ptr', 'ptr'], returns: 'int' },
        sqlite3_create_function_v2: {
          args: [Database, 'cstring', 'int', 'int', 'ptr', 'function', 'ptr', 'ptr', 'ptr'],
          returns: 'int',
        },
        sqlite3_value_int64: { args: ['ptr'], returns: 'i64_fast' },
        sqlite3_value_text: { args: ['ptr'], returns: 'cstring' },
        sqlite3_result_text: { args: ['ptr', 'cstring', 'int', 'isize'] },
      });
      const c = lib.symbols;
      const TRANSIENT = -1;
      const {
        out: [database],
      } = c.sqlite3_open(':memory:');
      const repeat = callbackOf(
        t,
        (context, count, values) => {
          assert.equal(count, 2);
          const text = c.sqlite3_value_text(read.ptr(values, 0));
          c.sqlite3_result_text(context, text.repeat(c.sqlite3_value_int64(read.ptr(values, 8))), -1, TRANSIENT);
        },
        { args: ['ptr', 'int', 'ptr'] },
      );
      const UTF8 = 1;
      assert.equal(c.sqlite3_create_function_v2(database, 'repeat', 2, UTF8, null, repeat, null, null, null), 0);
      const rows = [];
      const row = callbackOf(
        t,
        (_, count, values) => {
          rows.push(Array.from({ length: count }, (_each, i) => ffi.CString(read.ptr(values, 8 * i))));
          return 0;
        },
        { args: ['ptr', 'int', 'ptr', 'ptr'], returns: 'int' },
      );
      const many = byScale(200, 20_000);
      const query = `with recursive n(i) as (select 1 union all select i + 1 from n where i < ${many})
      select i, repeat('ab', i % 3) from n`;
      assert.equal(c.sqlite3_exec(database, query, row, null, null), 0);
      assert.equal(rows.length, many);
      assert.deepEqual(rows.slice(0, 3), [
        ['1', 'ab'],
        ['2', 'abab'],
        ['3', ''],
      ]);
      lib.kill();
      lib.restart();
      throws(() => c.sqlite3_exec(database, 'select 1', null, null, null), 'ERR_FFI_STALE_POINTER');
      assert.equal(c.sqlite3_open(':memory:').returns, 0);
    },
  );

  test('zlib compresses Buffers of the arena and of elsewhere', { skip: needs('z') }, (t) => {
    const { symbols } = open(t, 'z', {
      compress: { args: ['buffer', 'buffer', 'buffer', 'unsigned long'], returns: 'int' },
      uncompress: { args: ['buffer', 'buffer', 'buffer', 'unsigned long'], returns: 'int' },
    });
    const length = byScale(300_000, 8_000_000);
    const elsewhere = new Uint8Array(new WebAssembly.Memory({ initial: Math.ceil(length / 65_536) }).buffer, 0, length);
    for (const from of [Buffer.alloc(length), elsewhere]) {
      for (let i = 0; i < length; i += 7) from[i] = i;
      const [packed, size] = [Buffer.alloc(length + 1000), new BigUint64Array([BigInt(length + 1000)])];
      assert.equal(symbols.compress(packed, size, from, length), 0);
      assert.ok(zlib.inflateSync(packed.subarray(0, Number(size[0]))).equals(from));
      const [unpacked, whole] = [Buffer.alloc(length), new BigUint64Array([BigInt(length)])];
      assert.equal(symbols.uncompress(unpacked, whole, packed, Number(size[0])), 0);
      assert.ok(unpacked.equals(from));
    }
    assert.deepEqual([isShared(Buffer.alloc(10)), isShared(elsewhere)], [true, false]);
  });

  test('libcurl reads a file and hands it to a callback', { skip: needs('curl') }, (t) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'isolated-'));
    t.after(() => fs.rmSync(folder, { recursive: true }));
    const file = path.join(folder, 'file');
    const content = Buffer.alloc(byScale(200_000, 5_000_000), 'what the file has');
    fs.writeFileSync(file, content);
    const { symbols } = open(t, 'curl', {
      curl_easy_init: { returns: 'ptr' },
      curl_easy_setopt: { args: ['ptr', 'int'], varargs: true, returns: 'int' },
      curl_easy_perform: { args: ['ptr'], returns: 'int' },
      curl_easy_cleanup: { args: ['ptr'] },
    });
    const [WRITEFUNCTION, URL] = [20_011, 10_002];
    const chunks = [];
    const write = callbackOf(
      t,
      (bytes, size, count) => {
        chunks.push(Buffer.from(ffi.toBuffer(bytes, 0, size * count)));
        return size * count;
      },
      { args: ['ptr', 'usize', 'usize', 'ptr'], returns: 'usize' },
    );
    const handle = symbols.curl_easy_init();
    assert.equal(symbols.curl_easy_setopt(handle, URL, ['cstring', `file://${file}`]), 0);
    assert.equal(symbols.curl_easy_setopt(handle, WRITEFUNCTION, ['ptr', write.ptr]), 0);
    assert.equal(symbols.curl_easy_perform(handle), 0);
    symbols.curl_easy_cleanup(handle);
    assert.ok(Buffer.concat(chunks).equals(content));
  });

  test('libxml2 parses a document, and its tree is read in place', { skip: needs('xml2') }, (t) => {
    const lib = open(t, 'xml2', {
      xmlReadMemory: { args: ['buffer', 'int', 'cstring', 'ptr', 'int'], returns: 'ptr' },
      xmlDocGetRootElement: { args: ['ptr'], returns: 'ptr' },
      xmlNodeGetContent: { args: ['ptr'], returns: 'cstring' },
      xmlFreeDoc: { args: ['ptr'] },
    });
    const items = Array.from({ length: byScale(100, 10_000) }, (_, i) => `<item>${i}</item>`);
    const text = Buffer.from(`<list>${items.join('')}</list>`);
    const document = lib.symbols.xmlReadMemory(text, text.length, 'list.xml', null, 0);
    // struct _xmlNode begins with void *_private; int type; const char *name; the children; …; the next one.
    const NAME = 16;
    const CHILDREN = 24;
    const NEXT = 48;
    const node = lib.symbols.xmlDocGetRootElement(document);
    assert.equal(ffi.CString(read.ptr(node, NAME)), 'list');
    let count = 0;
    for (let at = read.ptr(node, CHILDREN); at !== null; at = read.ptr(at, NEXT)) {
      if (count < 10) assert.equal(lib.symbols.xmlNodeGetContent(at), String(count));
      count += 1;
    }
    assert.equal(count, items.length);
    lib.symbols.xmlFreeDoc(document);
    assert.equal(lib.symbols.xmlReadMemory(Buffer.from('<list'), 5, 'list.xml', null, 32 + 64), null);
  });

  test('SDL2 draws into a Buffer by its software renderer', { skip: needs('SDL2') }, (t) => {
    const Rectangle = struct({ x: 'int', y: 'int', w: 'int', h: 'int' });
    const { symbols } = open(
      t,
      'SDL2-2.0',
      {
        SDL_Init: { args: ['u32'], returns: 'int' },
        SDL_CreateRGBSurfaceFrom: {
          args: ['buffer', 'int', 'int', 'int', 'int', 'u32', 'u32', 'u32', 'u32'],
          returns: 'ptr',
        },
        SDL_CreateSoftwareRenderer: { args: ['ptr'], returns: 'ptr' },
        SDL_SetRenderDrawColor: { args: ['ptr', 'u8', 'u8', 'u8', 'u8'], returns: 'int' },
        SDL_RenderFillRect: { args: ['ptr', ffi.pointer(Rectangle)], returns: 'int' },
        SDL_RenderPresent: { args: ['ptr'] },
        SDL_Quit: {},
      },
      { env: { ...process.env, SDL_VIDEODRIVER: 'dummy' } },
    );
    const VIDEO = 0x20;
    const [width, height] = [64, 48];
    const pixels = Buffer.alloc(width * height * 4);
    assert.equal(symbols.SDL_Init(VIDEO), 0);
    const masks = [0xff0000, 0xff00, 0xff, 0xff000000];
    const surface = symbols.SDL_CreateRGBSurfaceFrom(pixels, width, height, 32, width * 4, ...masks);
    const renderer = symbols.SDL_CreateSoftwareRenderer(surface);
    symbols.SDL_SetRenderDrawColor(renderer, 0x11, 0x22, 0x33, 0xff);
    assert.equal(symbols.SDL_RenderFillRect(renderer, { x: 8, y: 8, w: 16, h: 16 }), 0);
    symbols.SDL_RenderPresent(renderer);
    const at = (x, y) => pixels.readUInt32LE((y * width + x) * 4);
    assert.deepEqual([at(7, 7), at(8, 8), at(23, 23), at(24, 24)], [0, 0xff112233, 0xff112233, 0]);
    symbols.SDL_Quit();
  });

  test('CPython runs threads, which call back, and ends by os.abort()', { skip: needs('python3.11') }, (t) => {
    const declared = {
      Py_InitializeEx: { args: ['int'] },
      PyRun_SimpleStringFlags: { args: ['cstring', 'ptr'], returns: 'int', threads: true },
    };
    // Its modules find its symbols.
    const { RTLD_NOW, RTLD_GLOBAL } = os.constants.dlopen;
    const lib = open(t, 'python3.11', declared, {}, { flags: RTLD_NOW | RTLD_GLOBAL });
    const seen = [];
    const add = callbackOf(t, (value) => seen.push(value), { args: ['i32'], returns: 'i32' });
    const { symbols } = lib;
    symbols.Py_InitializeEx(0);
    const program = `
import ctypes
import hashlib
import threading
call = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(${add.ptr})
def work(number):
    for _ in range(20): hashlib.sha256(b'x' * 10000).hexdigest()
    call(number)
threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
for each in threads: each.start()
for each in threads: each.join()
`;
    const exec = (text) => symbols.PyRun_SimpleStringFlags(text, null);
    assert.equal(exec(program), 0);
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      [0, 1, 2, 3, 4, 5, 6, 7],
    );
    assert.equal(exec('this is no Python'), -1);
    assert.equal(throws(() => exec('import os; os.abort()'), 'ERR_FFI_LIBRARY_DIED').signal, 'SIGABRT');
    lib.restart();
    symbols.Py_InitializeEx(0);
    assert.equal(exec('assert sum(range(1000)) == 499500'), 0);
  });
});

describe('a write past a Buffer', { skip }, () => {
  test('a write of 1 MiB past a Buffer ends in an exception, and Node goes on', async () => {
    const { code, signal, stdout, stderr } = await run({
      code: `
        const { library } = require(${JSON.stringify(require.resolve('./helpers.js'))});
        const symbols = { wild_write: { args: ['buffer', 'usize'] }, wild_write_before: { args: ['buffer', 'usize'] } };
        const lib = ffi.dlopen(library('deaths'), symbols, { isolate: { stderr: 'ignore' } });
        (async () => {
          for (const name of Object.keys(symbols)) {
            const neighbours = Array.from({ length: 300 }, () => Buffer.alloc(5000));
            try {
              lib.symbols[name](Buffer.alloc(96), 2 ** 20);
              console.log('nothing');
            } catch (error) {
              console.log(error.code);
            }
            neighbours.length = 0;
            await h.gc();
            Array.from({ length: 3000 }, () => Buffer.alloc(500));
            await h.gc();
            lib.restart();
          }
        })();`,
    });
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, stderr);
    assert.deepEqual(stdout.trim().split('\n').length, 2, stdout);
    for (const line of stdout.trim().split('\n'))
      assert.match(line, /^ERR_FFI_(BUFFER_(OVER|UNDER)FLOW|LIBRARY_DIED)$/);
  });

  test(
    "the overflow of XNextEvent is contained by name, and its events are received intact, as in Node's process",
    {
      skip: needs('X11', 'Xvfb'),
    },
    async () => {
      const count = byScale(300, 10_000);
      const { code, signal, stdout, stderr } = await run({
        file: 'examples/x11-events.mjs',
        args: [String(count)],
        env: { PINNED_FFI_ISOLATE: '1' },
        timeout: 300_000,
      });
      assert.deepEqual({ code, signal }, { code: 0, signal: null }, `${stderr}\n${stdout}`);
      assert.match(stdout, /a Buffer of 96 bytes: ERR_FFI_BUFFER_OVERFLOW\n {2}XNextEvent: native code wrote 96 bytes/);
      assert.match(stdout, new RegExp(`${count} events sent and received intact`));
    },
  );
});
