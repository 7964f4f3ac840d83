'use strict';
// SQLite by node:ffi, from CommonJS: a table, statements with parameters, a function in JavaScript that SQL calls.
const { dlopen, getRawPointer, getUint64, toBuffer, toString } = require('node:ffi');

const { lib, functions: sqlite } = dlopen('libsqlite3.so.0', {
  sqlite3_open: { return: 'int32', arguments: ['string', 'buffer'] },
  sqlite3_exec: { return: 'int32', arguments: ['pointer', 'string', 'function', 'pointer', 'pointer'] },
  sqlite3_prepare_v2: { return: 'int32', arguments: ['pointer', 'string', 'int32', 'buffer', 'pointer'] },
  sqlite3_bind_text: { return: 'int32', arguments: ['pointer', 'int32', 'string', 'int32', 'pointer'] },
  sqlite3_bind_double: { return: 'int32', arguments: ['pointer', 'int32', 'double'] },
  sqlite3_step: { return: 'int32', arguments: ['pointer'] },
  sqlite3_reset: { return: 'int32', arguments: ['pointer'] },
  sqlite3_finalize: { return: 'int32', arguments: ['pointer'] },
  sqlite3_close: { return: 'int32', arguments: ['pointer'] },
  sqlite3_errmsg: { return: 'pointer', arguments: ['pointer'] },
  sqlite3_create_function: {
    return: 'int32',
    arguments: ['pointer', 'string', 'int32', 'int32', 'pointer', 'function', 'function', 'function'],
  },
  sqlite3_value_double: { return: 'double', arguments: ['pointer'] },
  sqlite3_result_double: { arguments: ['pointer', 'double'] },
});
const TRANSIENT = 2n ** 64n - 1n;
const out = new BigUint64Array(1);

sqlite.sqlite3_open(':memory:', out);
const [db] = out;
sqlite.sqlite3_exec(db, 'CREATE TABLE planets (name TEXT, days REAL)', null, null, null);
sqlite.sqlite3_prepare_v2(db, 'INSERT INTO planets VALUES (?, ?)', -1, out, null);
const [insert] = out;
for (const [name, days] of [
  ['Mercury', 87.969],
  ['Earth ♁', 365.256],
  ['Mars', 686.98],
]) {
  sqlite.sqlite3_bind_text(insert, 1, name, -1, TRANSIENT);
  sqlite.sqlite3_bind_double(insert, 2, days);
  console.log(sqlite.sqlite3_step(insert), sqlite.sqlite3_reset(insert));
}
sqlite.sqlite3_finalize(insert);

const halve = lib.registerCallback({ arguments: ['pointer', 'int32', 'pointer'] }, (context, count, values) => {
  sqlite.sqlite3_result_double(context, sqlite.sqlite3_value_double(getUint64(values)) / 2);
});
sqlite.sqlite3_create_function(db, 'halve', 1, 1, null, halve, null, null);

const rows = [];
const row = lib.registerCallback(
  { return: 'int32', arguments: ['pointer', 'int32', 'pointer', 'pointer'] },
  (_, count, values) => {
    const addresses = new BigUint64Array(toBuffer(values, 8 * count).buffer.slice(0, 8 * count));
    rows.push(Array.from(addresses, toString));
    return 0;
  },
);
sqlite.sqlite3_exec(db, 'SELECT name, halve(days) FROM planets ORDER BY days DESC', row, null, null);
console.log(rows);
console.log(sqlite.sqlite3_exec(db, 'SELECT nothing', null, null, null), toString(sqlite.sqlite3_errmsg(db)));
console.log(sqlite.sqlite3_close(db), getRawPointer(out) > 0n);
lib.close();
