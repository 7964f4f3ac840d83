// A function in JavaScript that SQL calls.
// The same for this package: sqlite.mjs.
import koffi from 'koffi';
const lib = koffi.load('libsqlite3.so.0');
koffi.opaque('sqlite3'); koffi.opaque('sqlite3_stmt'); koffi.opaque('sqlite3_context'); koffi.opaque('sqlite3_value');
const xFunc = koffi.proto('void xFunc(sqlite3_context *ctx, int argc, sqlite3_value **argv)');
const open = lib.func('int sqlite3_open(const char *path, _Out_ sqlite3 **db)');
const createFunction = lib.func(`int sqlite3_create_function(sqlite3 *db, const char *name, int args, int encoding,
  void *app, xFunc *func, void *step, void *final)`);
const valueInt = lib.func('int sqlite3_value_int(sqlite3_value *value)');
const resultInt = lib.func('void sqlite3_result_int(sqlite3_context *ctx, int value)');
const prepare = lib.func('int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int bytes, _Out_ sqlite3_stmt **stmt, void *tail)');
const step = lib.func('int sqlite3_step(sqlite3_stmt *stmt)');
const columnText = lib.func('const char *sqlite3_column_text(sqlite3_stmt *stmt, int column)');
const finalize = lib.func('int sqlite3_finalize(sqlite3_stmt *stmt)');
const close = lib.func('int sqlite3_close(sqlite3 *db)');
const db = [null], stmt = [null];
open(':memory:', db);
const triple = koffi.register((ctx, argc, argv) => {
  const [value] = koffi.decode(argv, 'sqlite3_value *', argc);
  resultInt(ctx, 3 * valueInt(value));
}, koffi.pointer(xFunc));
createFunction(db[0], 'triple', 1, 1, null, triple, null, null);
prepare(db[0], 'select triple(14) as t', -1, stmt, null);
step(stmt[0]);
console.log(columnText(stmt[0], 0));
finalize(stmt[0]);
close(db[0]);
koffi.unregister(triple);
