// A database in memory: handles, out parameters, texts that SQLite copies.
//
//   apt install libsqlite3-0    (dnf install sqlite-libs, brew install sqlite; Windows has winsqlite3.dll)
//   node examples/sqlite.mjs
import assert from 'node:assert/strict';
import { dlopen, opaque, out } from 'pinned-ffi';

const Database = opaque('sqlite3', { free: 'sqlite3_close' });
const Statement = opaque('sqlite3_stmt', { owner: Database, free: 'sqlite3_finalize' });

const { symbols: sqlite } = dlopen(process.platform === 'win32' ? 'winsqlite3' : 'sqlite3', {
  sqlite3_open: { args: ['cstring', out(Database)], returns: 'int' },
  sqlite3_close: { args: [Database], returns: 'int' },
  sqlite3_errmsg: { args: [Database], returns: 'cstring' },
  sqlite3_exec: { args: [Database, 'cstring', 'ptr', 'ptr', 'ptr'], returns: 'int' },
  sqlite3_prepare_v2: { args: [Database, 'cstring', 'int', out(Statement), 'ptr'], returns: 'int' },
  sqlite3_bind_text: { args: [Statement, 'int', 'cstring', 'int', 'ptr'], returns: 'int' },
  sqlite3_bind_double: { args: [Statement, 'int', 'f64'], returns: 'int' },
  sqlite3_step: { args: [Statement], returns: 'int' },
  sqlite3_reset: { args: [Statement], returns: 'int' },
  sqlite3_finalize: { args: [Statement], returns: 'int' },
  sqlite3_column_text: { args: [Statement, 'int'], returns: 'cstring' },
  sqlite3_column_double: { args: [Statement, 'int'], returns: 'f64' },
});
const [OK, ROW, DONE] = [0, 100, 101];
const TRANSIENT = 2n ** 64n - 1n; // (void *)-1: SQLite makes its own copy of a text

const {
  out: [database],
} = sqlite.sqlite3_open(':memory:');
const must = (code, wanted = OK) => assert.equal(code, wanted, sqlite.sqlite3_errmsg(database));

function prepare(sql) {
  const {
    returns,
    out: [statement],
  } = sqlite.sqlite3_prepare_v2(database, sql, -1, null);
  must(returns);
  return statement;
}

must(sqlite.sqlite3_exec(database, 'CREATE TABLE planet (name TEXT, days REAL)', null, null, null));
const insert = prepare('INSERT INTO planet VALUES (?, ?)');
for (const [name, days] of [
  ['Mercury', 87.969],
  ['Venus', 224.701],
  ['Earth', 365.256],
  ['Mars ♂', 686.98],
]) {
  must(sqlite.sqlite3_bind_text(insert, 1, name, -1, TRANSIENT));
  must(sqlite.sqlite3_bind_double(insert, 2, days));
  must(sqlite.sqlite3_step(insert), DONE);
  must(sqlite.sqlite3_reset(insert));
}
sqlite.sqlite3_finalize(insert);

const select = prepare('SELECT name, days FROM planet WHERE days > 200 ORDER BY days DESC');
const rows = [];
while (sqlite.sqlite3_step(select) === ROW) {
  rows.push([sqlite.sqlite3_column_text(select, 0), sqlite.sqlite3_column_double(select, 1)]);
}
sqlite.sqlite3_finalize(select);
sqlite.sqlite3_close(database);
assert.deepEqual(rows, [
  ['Mars ♂', 686.98],
  ['Earth', 365.256],
  ['Venus', 224.701],
]);
console.table(rows);
// A handle that was freed is refused, not passed on.
assert.throws(() => sqlite.sqlite3_step(select), { code: 'ERR_FFI_INVALID_POINTER' });
