// Three real libraries, called from JavaScript: libc's qsort and strftime, and SQLite (or zlib where SQLite is absent).
// Every result is checked; the process ends with 1 if one is wrong.
//
//   apt install libsqlite3-0    (or zlib1g; without either it shows libc alone)
//   node examples/demo.mjs      (npm run demo builds the addon first)
import assert from 'node:assert/strict';
import zlib from 'node:zlib';
import { dlopen, JSCallback, ptr, read } from 'pinned-ffi';

const isWindows = process.platform === 'win32';
const libc = { linux: 'c', darwin: '/usr/lib/libSystem.B.dylib', win32: 'ucrtbase' }[process.platform] ?? 'c';
const say = (label, text) => console.log(`${label.padEnd(10)}${text}`);

// qsort sorts the numbers where they lie, and asks a JavaScript function which of two comes first.
function sort() {
  const library = dlopen(libc, {
    qsort: { args: ['ptr', 'size_t', 'size_t', 'function'], returns: 'void' },
  });
  const numbers = Float64Array.from({ length: 1000 }, (_, i) => Math.sin(i * i) * 100);
  const expected = numbers.slice().sort();
  let comparisons = 0;
  const compare = new JSCallback(
    (a, b) => {
      comparisons++;
      return Math.sign(read.f64(a) - read.f64(b));
    },
    { args: ['ptr', 'ptr'], returns: 'i32' },
  );
  library.symbols.qsort(numbers, numbers.length, numbers.BYTES_PER_ELEMENT, compare);
  compare.close();
  library.close();
  assert.deepEqual(numbers, expected);
  say('qsort', `${numbers.length} doubles sorted by libc with ${comparisons} calls of a JavaScript comparator`);
  const [first, second] = numbers;
  const [secondLast, last] = numbers.slice(-2);
  const shown = (values) => values.map((value) => value.toFixed(3)).join(', ');
  say('', `${shown([first, second])} ... ${shown([secondLast, last])}`);
}

// gmtime_r fills a struct tm that lies in one Buffer; strftime writes its text into another.
function formatTime() {
  const gmtime = isWindows ? '_gmtime64_s' : 'gmtime_r';
  const library = dlopen(libc, {
    [gmtime]: isWindows ? { args: ['ptr', 'ptr'], returns: 'i32' } : { args: ['ptr', 'ptr'], returns: 'ptr' },
    strftime: { args: ['ptr', 'size_t', 'cstring', 'ptr'], returns: 'size_t' },
  });
  const seconds = BigInt64Array.of(1_000_000_000n);
  const brokenDown = Buffer.alloc(64);
  library.symbols[gmtime](...(isWindows ? [brokenDown, seconds] : [seconds, brokenDown]));
  const text = Buffer.alloc(64);
  const length = library.symbols.strftime(text, text.length, '%Y-%m-%dT%H:%M:%S', brokenDown);
  library.close();
  const written = text.toString('latin1', 0, Number(length));
  assert.equal(`${written}.000Z`, new Date(Number(seconds[0]) * 1000).toISOString());
  say('strftime', `second ${seconds[0]} is ${written} UTC: ${length} bytes in a Buffer of ${text.length}`);
}

const SQLITE = {
  sqlite3_libversion: { returns: 'cstring' },
  sqlite3_open: { args: ['cstring', 'ptr'], returns: 'i32' },
  sqlite3_close: { args: ['ptr'], returns: 'i32' },
  sqlite3_errmsg: { args: ['ptr'], returns: 'cstring' },
  sqlite3_exec: { args: ['ptr', 'cstring', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
  sqlite3_prepare_v2: { args: ['ptr', 'cstring', 'i32', 'ptr', 'ptr'], returns: 'i32' },
  sqlite3_bind_text: { args: ['ptr', 'i32', 'cstring', 'i32', 'i64'], returns: 'i32' },
  sqlite3_bind_double: { args: ['ptr', 'i32', 'f64'], returns: 'i32' },
  sqlite3_step: { args: ['ptr'], returns: 'i32' },
  sqlite3_reset: { args: ['ptr'], returns: 'i32' },
  sqlite3_finalize: { args: ['ptr'], returns: 'i32' },
  sqlite3_column_text: { args: ['ptr', 'i32'], returns: 'cstring' },
  sqlite3_column_double: { args: ['ptr', 'i32'], returns: 'f64' },
};
const [OK, ROW, DONE] = [0, 100, 101];
const TRANSIENT = -1n; // tells SQLite to make its own copy of a text

function queryDatabase(library) {
  const sqlite = library.symbols;
  // A pointer to a pointer is eight bytes into which C writes an address.
  const out = Buffer.alloc(8);
  assert.equal(sqlite.sqlite3_open(':memory:', out), OK);
  const database = read.ptr(ptr(out));
  const expect = (wanted, got) => assert.equal(got, wanted, sqlite.sqlite3_errmsg(database));
  const prepare = (sql) => {
    expect(OK, sqlite.sqlite3_prepare_v2(database, sql, -1, out, null));
    return read.ptr(ptr(out));
  };

  expect(OK, sqlite.sqlite3_exec(database, 'CREATE TABLE planet (name TEXT, days REAL)', null, null, null));
  const planets = [
    ['Mercury', 87.969],
    ['Venus', 224.701],
    ['Earth', 365.256],
    ['Mars ♂', 686.98],
  ];
  const insert = prepare('INSERT INTO planet VALUES (?, ?)');
  for (const [name, days] of planets) {
    expect(OK, sqlite.sqlite3_bind_text(insert, 1, name, -1, TRANSIENT));
    expect(OK, sqlite.sqlite3_bind_double(insert, 2, days));
    expect(DONE, sqlite.sqlite3_step(insert));
    expect(OK, sqlite.sqlite3_reset(insert));
  }
  expect(OK, sqlite.sqlite3_finalize(insert));

  const rows = [];
  const select = prepare('SELECT name, days FROM planet WHERE days > 200 ORDER BY days DESC');
  let step;
  while ((step = sqlite.sqlite3_step(select)) === ROW) {
    rows.push([sqlite.sqlite3_column_text(select, 0), sqlite.sqlite3_column_double(select, 1)]);
  }
  expect(DONE, step);
  expect(OK, sqlite.sqlite3_finalize(select));
  expect(OK, sqlite.sqlite3_close(database));
  assert.deepEqual(rows, planets.slice(1).reverse());
  say('sqlite', `${sqlite.sqlite3_libversion()} from ${library.path}: ${planets.length} rows in, ${rows.length} out`);
  for (const [name, days] of rows) say('', `${name.padEnd(8)} ${days} days`);
}

// The same bytes, packed and unpacked by libz and by Node's own zlib.
function compress(library) {
  const { crc32, compressBound, compress, uncompress } = library.symbols;
  const text = Buffer.from('one line of text, many times over\n'.repeat(500));
  const packed = Buffer.alloc(Number(compressBound(text.length)));
  const length = Buffer.alloc(8); // an unsigned long, in and out
  length.writeBigUInt64LE(BigInt(packed.length));
  assert.equal(compress(packed, length, text, text.length), 0);
  const result = packed.subarray(0, Number(read['unsigned long'](ptr(length))));
  assert.deepEqual(zlib.inflateSync(result), text);
  const unpacked = Buffer.alloc(text.length);
  length.writeBigUInt64LE(BigInt(unpacked.length));
  const theirs = zlib.deflateSync(text);
  assert.equal(uncompress(unpacked, length, theirs, theirs.length), 0);
  assert.deepEqual(unpacked, text);
  const sum = Number(crc32(0, text, text.length));
  assert.equal(sum, zlib.gzipSync(text).readUInt32LE(zlib.gzipSync(text).length - 8));
  say('zlib', `${text.length} bytes packed into ${result.length}, crc32 ${sum.toString(16)}: node:zlib agrees`);
}

const ZLIB = {
  crc32: { args: ['unsigned long', 'ptr', 'u32'], returns: 'unsigned long' },
  compressBound: { args: ['unsigned long'], returns: 'unsigned long' },
  compress: { args: ['ptr', 'ptr', 'ptr', 'unsigned long'], returns: 'i32' },
  uncompress: { args: ['ptr', 'ptr', 'ptr', 'unsigned long'], returns: 'i32' },
};

// Gives null where the library is not installed; any other fault is one.
function open(names, symbols) {
  for (const name of names) {
    try {
      return dlopen(name, symbols);
    } catch (error) {
      if (error.code !== 'ERR_FFI_LIBRARY_NOT_FOUND') throw error;
    }
  }
  return null;
}

function useLibrary() {
  const sqlite = open(isWindows ? ['sqlite3', 'winsqlite3'] : ['sqlite3'], SQLITE);
  const library = sqlite ?? open(isWindows ? ['z', 'zlib1'] : ['z'], ZLIB);
  if (sqlite === null) say('sqlite', 'not installed here (apt install libsqlite3-0); going on with zlib');
  if (library === null) say('zlib', 'not installed here either (apt install zlib1g); nothing more to show');
  if (library === null) return;
  (sqlite === null ? compress : queryDatabase)(library);
  library.close();
}

try {
  sort();
  formatTime();
  useLibrary();
} catch (error) {
  console.error('The demo failed:', error);
  process.exitCode = 1;
}
