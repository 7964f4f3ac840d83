'use strict';
// Real C APIs, declared as their headers have them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const { describe, test } = require('node:test');
const zlib = require('node:zlib');
const { ffi, throws } = require('../helpers.js');
const { needs } = require('../requirements.js');

const { dlopen, struct, array, pointer, out, inout, fn, opaque, CString, read, ptr } = ffi;

const Tm = struct(
  {
    tm_sec: 'int',
    tm_min: 'int',
    tm_hour: 'int',
    tm_mday: 'int',
    tm_mon: 'int',
    tm_year: 'int',
    tm_wday: 'int',
    tm_yday: 'int',
    tm_isdst: 'int',
    tm_gmtoff: 'long',
    tm_zone: 'ptr',
  },
  { name: 'tm' },
);
const Pair = struct({ key: 'i32', value: 'f64' }, { name: 'Pair' });
const compare = fn({ args: [pointer(Pair), pointer(Pair)], returns: 'int' });

const libc = dlopen(null, {
  gmtime_r: { args: [pointer('i64'), pointer(Tm)], returns: pointer(Tm) },
  timegm: { args: [pointer(Tm)], returns: 'i64' },
  mktime: { args: [inout(Tm)], returns: 'i64' },
  strftime: { args: ['buffer', 'size_t', 'cstring', pointer(Tm)], returns: 'size_t' },
  div: { args: ['int', 'int'], returns: struct({ quot: 'int', rem: 'int' }, { name: 'div_t' }) },
  lldiv: { args: ['long long', 'long long'], returns: struct({ quot: 'i64', rem: 'i64' }, { name: 'lldiv_t' }) },
  snprintf: { args: ['ptr', 'size_t', 'cstring'], varargs: true, returns: 'int' },
  qsort: { args: [pointer(Pair), 'size_t', 'size_t', compare] },
  bsearch: { args: [pointer(Pair), pointer(Pair), 'size_t', 'size_t', compare], returns: pointer(Pair) },
  frexp: { args: ['f64', out('int')], returns: 'f64' },
  setenv: { args: ['cstring', 'cstring', 'int'], returns: 'int' },
});
const c = libc.symbols;

describe('libc', () => {
  test('gmtime_r, strftime and timegm share a struct tm', () => {
    const date = new Date('2024-02-29T12:34:56Z');
    const tm = Tm.alloc();
    const returned = c.gmtime_r(BigInt64Array.of(BigInt(date.getTime() / 1000)), tm);
    assert.equal(returned, ptr(tm));
    assert.deepEqual([tm.tm_year, tm.tm_mon, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec], [124, 1, 29, 12, 34, 56]);
    assert.deepEqual([tm.tm_wday, tm.tm_yday, CString(tm.tm_zone)], [4, 59, 'GMT']);
    const text = Buffer.alloc(64);
    const length = c.strftime(text, 64, '%Y-%m-%d %H:%M:%S', tm);
    assert.equal(text.toString('latin1', 0, Number(length)), '2024-02-29 12:34:56');
    assert.equal(c.timegm(tm), BigInt(date.getTime() / 1000));
  });

  test('mktime takes a struct tm and gives back a normalised one', () => {
    const date = new Date(2024, 0, 35, 10, 0, 0);
    const {
      returns,
      out: [tm],
    } = c.mktime({
      tm_sec: 0,
      tm_min: 0,
      tm_hour: 10,
      tm_mday: 35,
      tm_mon: 0,
      tm_year: 124,
      tm_wday: 0,
      tm_yday: 0,
      tm_isdst: -1,
      tm_gmtoff: 0,
      tm_zone: null,
    });
    assert.equal(returns, BigInt(date.getTime() / 1000));
    assert.deepEqual([tm.tm_mon, tm.tm_mday, tm.tm_wday], [1, 4, date.getDay()]);
  });

  test('div and lldiv return structs', () => {
    assert.deepEqual(c.div(17, -5), { quot: -3, rem: 2 });
    assert.deepEqual(c.lldiv(2n ** 62n + 1n, 2n ** 31n), { quot: 2n ** 31n, rem: 1n });
  });

  test('snprintf takes 12 mixed extras', () => {
    const text = Buffer.alloc(256);
    const length = c.snprintf(
      text,
      256,
      '%d %s %.3f %c %ld %hhd %u %g %llu %s %x %.1f',
      ['int', -5],
      ['cstring', 'zwölf'],
      ['f64', Math.PI],
      ['char', 65],
      ['long', 2n ** 40n],
      ['i8', -7],
      ['u32', 4294967295],
      ['f32', 0.5],
      ['u64', 2n ** 64n - 1n],
      ['cstring', Buffer.from('end\0')],
      ['u16', 0xbeef],
      ['f32', 2.5],
    );
    const wanted = '-5 zwölf 3.142 A 1099511627776 -7 4294967295 0.5 18446744073709551615 end beef 2.5';
    assert.equal(text.toString('utf8', 0, length), wanted);
    assert.equal(length, Buffer.byteLength(wanted));
  });

  test('qsort sorts an array of structs with a plain function, and bsearch finds in it', () => {
    const Pairs = array(Pair, 100);
    const pairs = Pairs.alloc(Array.from({ length: 100 }, (_, i) => ({ key: (i * 37) % 100, value: i / 2 })));
    const order = (a, b) => Pair.read(a).key - Pair.read(b).key;
    c.qsort(pairs, 100, Pair.size, order);
    assert.deepEqual(
      [...pairs].map(({ key }) => key),
      Array.from({ length: 100 }, (_, i) => i),
    );
    const found = c.bsearch(Pair.alloc({ key: 42, value: 0 }), pairs, 100, Pair.size, order);
    assert.equal(found, ptr(pairs.at(42)));
    Pair.view(found).value = -1;
    assert.deepEqual(pairs.toArray()[42], { key: 42, value: -1 });
    assert.equal(c.bsearch(Pair.alloc({ key: 1000, value: 0 }), pairs, 100, Pair.size, order), null);
  });

  test('frexp gives its exponent beside the result', () => {
    assert.deepEqual(c.frexp(8.5), { returns: 0.53125, out: [4] });
  });

  test('environ is a global that is read live', () => {
    const environ = libc.global('environ', 'ptr');
    const variables = () => {
      const found = [];
      for (let at = environ.value; read.ptr(at) !== null; at += 8) found.push(CString(read.ptr(at)));
      return found;
    };
    assert.ok(variables().some((line) => line.startsWith('PATH=')));
    c.setenv('PINNED_FFI_TEST_LIVE', 'yes', 1);
    assert.ok(variables().includes('PINNED_FFI_TEST_LIVE=yes'));
  });
});

/** A library whose tests are skipped where it is missing. */
const open = (name, ...declarations) => (needs(name) ? { symbols: {} } : dlopen(name, ...declarations));

describe('sqlite3', () => {
  const Database = opaque('sqlite3', { free: 'sqlite3_close_v2' });
  const Statement = opaque('sqlite3_stmt', { owner: Database, free: 'sqlite3_finalize' });
  const row = fn({ args: ['ptr', 'int', pointer('cstring'), pointer('cstring')], returns: 'int' });
  const skip = needs('sqlite3');
  const { symbols: s } = open('sqlite3', {
    sqlite3_open: { args: ['cstring', out(Database)], returns: 'int' },
    sqlite3_close_v2: { args: [Database], returns: 'int' },
    sqlite3_exec: { args: [Database, 'cstring', row, 'ptr', out('cstring')], returns: 'int' },
    sqlite3_prepare_v2: { args: [Database, 'cstring', 'int', out(Statement), out('ptr')], returns: 'int' },
    sqlite3_bind_int64: { args: [Statement, 'int', 'i64'], returns: 'int' },
    sqlite3_step: { args: [Statement], returns: 'int' },
    sqlite3_column_text: { args: [Statement, 'int'], returns: 'cstring' },
    sqlite3_column_text16: { args: [Statement, 'int'], returns: 'utf16' },
    sqlite3_finalize: { args: [Statement], returns: 'int' },
    sqlite3_errmsg: { args: [Database], returns: 'cstring' },
    sqlite3_db_handle: { args: [Statement], returns: Database },
    sqlite3_mprintf: { args: ['cstring'], varargs: true, returns: { type: 'cstring', free: 'sqlite3_free' } },
  });
  const openDatabase = () => s.sqlite3_open(':memory:').out[0];

  test('sqlite3_exec calls back for each row', { skip }, () => {
    const db = openDatabase();
    const sql = "create table t (a, b); insert into t values (1, 'één'), (2, null); select * from t";
    const rows = [];
    const {
      returns,
      out: [message],
    } = s.sqlite3_exec(
      db,
      sql,
      (_, count, values, names) => {
        const list = array('cstring', count);
        rows.push([list.read(names), list.read(values)]);
        return 0;
      },
      null,
    );
    assert.deepEqual([returns, message], [0, null]);
    assert.deepEqual(rows, [
      [
        ['a', 'b'],
        ['1', 'één'],
      ],
      [
        ['a', 'b'],
        ['2', null],
      ],
    ]);
    assert.deepEqual(s.sqlite3_exec(db, 'select missing_column', null, null), {
      returns: 1,
      out: ['no such column: missing_column'],
    });
    assert.throws(
      () =>
        s.sqlite3_exec(
          db,
          'select 1',
          () => {
            throw new Error('mine');
          },
          null,
        ),
      /^Error: mine$/,
    );
    s.sqlite3_close_v2(db);
  });

  test('a handle is one object, belongs to its owner, and is refused after its end', { skip }, () => {
    const db = openDatabase();
    const {
      out: [statement],
    } = s.sqlite3_prepare_v2(db, "select ? || 'é'", -1);
    assert.equal(s.sqlite3_bind_int64(statement, 1, 7), 0);
    assert.equal(s.sqlite3_step(statement), 100);
    assert.equal(s.sqlite3_column_text(statement, 0), '7é');
    assert.equal(s.sqlite3_column_text16(statement, 0), '7é');
    assert.equal(s.sqlite3_db_handle(statement), db);
    assert.equal(statement.owner, db);
    throws(
      () => s.sqlite3_step(db),
      'ERR_INVALID_ARG_TYPE',
      /sqlite3_step: argument 0 must be of type sqlite3_stmt or null, received sqlite3$/,
    );
    throws(() => s.sqlite3_step(4096), 'ERR_INVALID_ARG_TYPE', /received 4096/);
    s.sqlite3_finalize(statement);
    throws(() => s.sqlite3_step(statement), 'ERR_FFI_INVALID_POINTER', /one that sqlite3_finalize\(\) has freed/);
    throws(() => s.sqlite3_finalize(statement), 'ERR_FFI_INVALID_POINTER');
    const {
      out: [orphan],
    } = s.sqlite3_prepare_v2(db, 'select 1', -1);
    s.sqlite3_close_v2(db);
    throws(() => s.sqlite3_errmsg(db), 'ERR_FFI_INVALID_POINTER', /sqlite3_close_v2\(\) has freed/);
    throws(() => s.sqlite3_step(orphan), 'ERR_FFI_INVALID_POINTER', /sqlite3_close_v2\(\) has freed/);
    assert.equal(db.ptr, null);
  });

  test(
    'sqlite3_close frees a handle where it succeeds: with an open statement it fails, and the handle lives on',
    { skip },
    async () => {
      const Kept = opaque('sqlite3', { free: 'sqlite3_close' });
      const Open = opaque('sqlite3_stmt', { owner: Kept, free: 'sqlite3_finalize' });
      const close = { args: [Kept], returns: 'int', fails: 'nonzero' };
      const { symbols: k } = dlopen('sqlite3', {
        sqlite3_open: { args: ['cstring', out(Kept)], returns: 'int' },
        sqlite3_prepare_v2: { args: [Kept, 'cstring', 'int', out(Open), out('ptr')], returns: 'int' },
        sqlite3_step: { args: [Open], returns: 'int' },
        sqlite3_finalize: { args: [Open], returns: 'int' },
        sqlite3_errcode: { args: [Kept], returns: 'int' },
        sqlite3_close: close,
        later: { ...close, name: 'sqlite3_close', nonblocking: true },
      });
      const [BUSY, ROW] = [5, 100];
      for (const end of [k.sqlite3_close, k.later, k.sqlite3_close.async]) {
        const {
          out: [db],
        } = k.sqlite3_open(':memory:');
        const {
          out: [statement],
        } = k.sqlite3_prepare_v2(db, 'select 1', -1);
        await assert.rejects(async () => end(db), { syscall: end.name });
        assert.equal(k.sqlite3_errcode(db), BUSY);
        assert.equal(k.sqlite3_step(statement), ROW);
        k.sqlite3_finalize(statement);
        assert.equal(await end(db), 0);
        throws(() => k.sqlite3_errcode(db), 'ERR_FFI_INVALID_POINTER', /has freed/);
      }
    },
  );

  test('a text that the caller owns is copied and freed', { skip }, () => {
    for (let i = 0; i < 1000; i += 1)
      assert.equal(s.sqlite3_mprintf('%Q-%d', ['cstring', "it's"], ['int', i]), `'it''s'-${i}`);
  });
});

describe("zlib's z_stream", () => {
  const Stream = struct(
    {
      next_in: 'ptr',
      avail_in: 'u32',
      total_in: 'unsigned long',
      next_out: 'ptr',
      avail_out: 'u32',
      total_out: 'unsigned long',
      msg: 'cstring',
      state: 'ptr',
      zalloc: 'function',
      zfree: 'function',
      opaque: 'ptr',
      data_type: 'int',
      adler: 'unsigned long',
      reserved: 'unsigned long',
    },
    { name: 'z_stream' },
  );
  const skip = needs('z');
  const { symbols: z } = open(
    'z',
    {
      zlibVersion: { returns: 'cstring' },
      deflateInit_: { args: [pointer(Stream), 'int', 'cstring', 'int'], returns: 'int' },
      deflate: { args: [pointer(Stream), 'int'], returns: 'int' },
      deflateEnd: { args: [pointer(Stream)], returns: 'int' },
      inflateInit_: { args: [pointer(Stream), 'cstring', 'int'], returns: 'int' },
      inflate: { args: [pointer(Stream), 'int'], returns: 'int' },
      inflateEnd: { args: [pointer(Stream)], returns: 'int' },
      // Node exports the functions of its own zlib, another version, and the library would call those.
    },
    { flags: os.constants.dlopen.RTLD_DEEPBIND },
  );
  const FINISH = 4;
  const STREAM_END = 1;

  /** Drives a stream over all of the input, with a small window for the output. */
  function drive(stream, step, input) {
    const window = ffi.alloc(1000);
    const parts = [];
    stream.next_in = input;
    stream.avail_in = input.length;
    let state = 0;
    while (state !== STREAM_END) {
      stream.next_out = window;
      stream.avail_out = window.length;
      state = step(stream, FINISH);
      assert.ok(state === STREAM_END || state === 0 || state === -5, `zlib said ${state}: ${stream.msg}`);
      parts.push(Buffer.from(window.subarray(0, window.length - stream.avail_out)));
    }
    return Buffer.concat(parts);
  }

  // Compressed bytes are compared through inflation: two versions of zlib may compress the same input differently.
  test(
    "zlib's z_stream compresses a real file to what node:zlib inflates to the same bytes, and inflates what node:zlib compressed",
    { skip },
    () => {
      const file = fs.readFileSync(require.resolve('../../lib/types/registry.js'));
      const stream = Stream.alloc();
      assert.equal(z.deflateInit_(stream, 6, z.zlibVersion(), Stream.size), 0);
      const packed = drive(stream, z.deflate, file);
      assert.equal(stream.total_out, BigInt(packed.length));
      assert.equal(z.deflateEnd(stream), 0);
      assert.deepEqual(zlib.inflateSync(packed), file);

      const back = Stream.alloc();
      assert.equal(z.inflateInit_(back, z.zlibVersion(), Stream.size), 0);
      const foreign = zlib.deflateSync(file);
      assert.deepEqual(drive(back, z.inflate, foreign), file);
      assert.equal(z.inflateEnd(back), 0);

      const own = Stream.alloc();
      z.inflateInit_(own, z.zlibVersion(), Stream.size);
      assert.deepEqual(drive(own, z.inflate, packed), file);
      assert.equal(own.msg, null);
      z.inflateEnd(own);
    },
  );

  test("zlib's z_stream says what is wrong with a stream that is damaged", { skip }, () => {
    const stream = Stream.alloc();
    z.inflateInit_(stream, z.zlibVersion(), Stream.size);
    assert.throws(
      () => drive(stream, z.inflate, Buffer.from('no zlib data at all')),
      /zlib said -3: incorrect header check/,
    );
    z.inflateEnd(stream);
    throws(
      () => z.deflate(Buffer.alloc(20), 0),
      'ERR_OUT_OF_RANGE',
      /deflate: argument 0 needs at least 112 bytes \(z_stream\), received a Buffer of 20 bytes/,
    );
  });
});
