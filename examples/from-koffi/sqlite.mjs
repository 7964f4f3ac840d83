// A function in JavaScript that SQL calls.
// The same for koffi: sqlite.koffi.mjs.
import { array, dlopen, JSCallback } from 'pinned-ffi';
const { symbols: sqlite, types } = dlopen('sqlite3', `
  typedef struct sqlite3 sqlite3; typedef struct sqlite3_stmt sqlite3_stmt;
  typedef struct sqlite3_context sqlite3_context; typedef struct sqlite3_value sqlite3_value;
  typedef void xFunc(sqlite3_context *ctx, int argc, sqlite3_value **argv);
  int sqlite3_open(const char *path, _Out_ sqlite3 **db);
  int sqlite3_create_function(sqlite3 *db, const char *name, int args, int encoding,
    void *app, xFunc *func, void *step, void *final);
  int sqlite3_value_int(sqlite3_value *value);
  void sqlite3_result_int(sqlite3_context *ctx, int value);
  int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int bytes, _Out_ sqlite3_stmt **stmt, void *tail);
  int sqlite3_step(sqlite3_stmt *stmt);
  const char *sqlite3_column_text(sqlite3_stmt *stmt, int column);
  int sqlite3_finalize(sqlite3_stmt *stmt);
  int sqlite3_close(sqlite3 *db);
`);
const { out: [db] } = sqlite.sqlite3_open(':memory:');
const triple = new JSCallback((ctx, argc, argv) => {
  const [value] = array(types.sqlite3_value, argc).read(argv);
  sqlite.sqlite3_result_int(ctx, 3 * sqlite.sqlite3_value_int(value));
}, types.xFunc);
sqlite.sqlite3_create_function(db, 'triple', 1, 1, null, triple, null, null);
const { out: [stmt] } = sqlite.sqlite3_prepare_v2(db, 'select triple(14) as t', -1, null);
sqlite.sqlite3_step(stmt);
console.log(sqlite.sqlite3_column_text(stmt, 0));
sqlite.sqlite3_finalize(stmt);
sqlite.sqlite3_close(db);
triple.close();
