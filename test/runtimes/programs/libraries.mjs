// Libraries of the system: what the documents of Bun begin with.
import { CString, FFIType, cc, dlopen, ptr, read, suffix, toArrayBuffer } from 'bun:ffi';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const { symbols: sqlite } = dlopen(`libsqlite3.${suffix}.0`, {
  sqlite3_libversion: { args: [], returns: FFIType.cstring },
  sqlite3_open: { args: [FFIType.cstring, FFIType.ptr], returns: FFIType.int },
  sqlite3_prepare_v2: { args: ['ptr', 'cstring', 'int', 'ptr', 'ptr'], returns: 'int' },
  sqlite3_step: { args: ['ptr'], returns: 'int' },
  sqlite3_column_int64: { args: ['ptr', 'int'], returns: 'i64' },
  sqlite3_column_text: { args: ['ptr', 'int'], returns: 'ptr' },
  sqlite3_column_bytes: { args: ['ptr', 'int'], returns: 'int' },
  sqlite3_bind_text: { args: ['ptr', 'int', 'cstring', 'int', 'ptr'], returns: 'int' },
  sqlite3_finalize: { args: ['ptr'], returns: 'int' },
  sqlite3_close: { args: ['ptr'], returns: 'int' },
  sqlite3_errmsg: { args: ['ptr'], returns: 'cstring' },
});
console.log(/^3\.\d+/.test(sqlite.sqlite3_libversion()));
const out = new BigUint64Array(1);
const SQLITE_TRANSIENT = -1;
console.log(sqlite.sqlite3_open(':memory:', out));
const database = read.ptr(ptr(out));
const select = "select 1 << 62, ?1 || x from (select ' and more' as x)";
console.log(sqlite.sqlite3_prepare_v2(database, select, -1, out, null));
const statement = Number(out[0]);
console.log(sqlite.sqlite3_bind_text(statement, 1, 'bound ☃', -1, SQLITE_TRANSIENT), sqlite.sqlite3_step(statement));
console.log(sqlite.sqlite3_column_int64(statement, 0));
const [text, length] = [sqlite.sqlite3_column_text(statement, 1), sqlite.sqlite3_column_bytes(statement, 1)];
console.log(CString(text, 0, length), new TextDecoder().decode(toArrayBuffer(text, 0, length)));
console.log(sqlite.sqlite3_finalize(statement), sqlite.sqlite3_prepare_v2(database, 'nonsense', -1, out, null));
console.log(sqlite.sqlite3_errmsg(database), sqlite.sqlite3_close(database));

const zlib = dlopen('libz.so.1', {
  compress: { args: ['buffer', 'ptr', 'buffer', 'u64'], returns: 'i32' },
  uncompress: { args: ['ptr', 'ptr', 'ptr', 'u64'], returns: 'i32' },
  crc32: { args: ['u64_fast', 'ptr', 'u32'], returns: 'u64_fast' },
});
const source = Buffer.from('the same words, '.repeat(100));
const packed = new Uint8Array(2000);
const size = new BigUint64Array([2000n]);
console.log(zlib.symbols.compress(packed, size, source, source.length), size[0] < 200n);
const unpacked = new Uint8Array(source.length);
console.log(
  zlib.symbols.uncompress(unpacked, new BigUint64Array([1600n]), ptr(packed), size[0]),
  Buffer.from(unpacked).equals(source),
);
console.log(zlib.symbols.crc32(0, source, source.length));
zlib.close();

const folder = mkdtempSync(join(tmpdir(), 'pinned-ffi-program-'));
const file = join(folder, 'answer.c');
writeFileSync(file, 'int answer(int n) { return n * FACTOR; }\nconst char *name(void) { return NAME; }\n');
const { symbols, close } = cc({
  source: file,
  define: { FACTOR: '21', NAME: '"compiled"' },
  symbols: { answer: { args: ['int'], returns: 'int' }, name: { returns: 'cstring' } },
});
console.log(symbols.answer(2), symbols.name());
close();
rmSync(folder, { recursive: true });
