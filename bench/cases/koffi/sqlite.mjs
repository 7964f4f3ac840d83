import { forPeers } from '../../cases.mjs';

const [READWRITE, CREATE, ROW] = [2, 4, 100];
const ROWS = 50;
const name = (i) => `name${i}`;

export default {
  title: `SQLite: a query of ${ROWS} rows of three columns`,
  note: 'SQLite is called through its C interface, with texts in both directions and out-parameters.',
  operations: ROWS,
  peers: forPeers(['koffi', 'koffiLayer'], ({ koffi }) => {
    const lib = koffi.load('libsqlite3.so.0');
    koffi.opaque('sqlite3');
    koffi.opaque('sqlite3_stmt');
    const open = lib.func('int sqlite3_open_v2(const char *filename, _Out_ sqlite3 **db, int flags, const char *vfs)');
    const exec = lib.func('int sqlite3_exec(sqlite3 *db, const char *sql, void *cb, void *arg, _Out_ char **error)');
    const prepare = lib.func(
      'int sqlite3_prepare_v2(sqlite3 *db, const char *sql, int n, _Out_ sqlite3_stmt **stmt, const char **tail)',
    );
    const step = lib.func('int sqlite3_step(sqlite3_stmt *stmt)');
    const textOf = lib.func('const char *sqlite3_column_text(sqlite3_stmt *stmt, int column)');
    const finalize = lib.func('int sqlite3_finalize(sqlite3_stmt *stmt)');
    const out = [null];
    open(':memory:', out, READWRITE | CREATE, null);
    const [db] = out;
    exec(db, 'CREATE TABLE foo (id INTEGER PRIMARY KEY, bar TEXT, value INT)', null, null, [null]);
    for (let i = 0; i < ROWS; i++)
      exec(db, `INSERT INTO foo(bar, value) VALUES ('${name(i)}', ${7 * i})`, null, null, [null]);
    return [
      () => {
        const statement = [null];
        let length = 0;
        prepare(db, 'SELECT id, bar, value FROM foo ORDER BY id', -1, statement, null);
        while (step(statement[0]) === ROW)
          for (let column = 0; column < 3; column++) length += textOf(statement[0], column).length;
        finalize(statement[0]);
        return length;
      },
    ];
  }),
  loop: (query) => (count) => {
    let length = 0;
    for (let i = 0; i < count; i++) length = query();
    return length;
  },
  model: () => [
    () => Array.from({ length: ROWS }, (_, i) => `${i + 1}${name(i)}${7 * i}`.length).reduce((sum, each) => sum + each),
  ],
};
