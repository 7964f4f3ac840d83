'use strict';
// SQLite in WebAssembly, whose memory grows.

exports['sql.js'] = async ({ emit, random, byScale }) => {
  const SQL = await require('sql.js')();
  let database = new SQL.Database();
  database.run('CREATE TABLE rows (id INTEGER PRIMARY KEY, name TEXT, data BLOB, value REAL)');
  const insert = database.prepare('INSERT INTO rows (name, data, value) VALUES (?, ?, ?)');
  database.run('BEGIN');
  for (let i = 0; i < byScale(2000, 8000); i += 1)
    insert.run([random.text(20), random.bytes(random.integer(0, 1000)), random.double()]);
  database.run('COMMIT');
  insert.free();
  const file = database.export();
  emit(file);
  database.close();
  database = new SQL.Database(file);
  const query = database.prepare('SELECT name, data, value, length(data) FROM rows WHERE id % 7 = 0 ORDER BY value');
  while (query.step()) for (const value of query.get()) emit(value);
  query.free();
  emit(JSON.stringify(database.exec('SELECT count(*), sum(length(data)), max(value) FROM rows')));
  database.close();
};
