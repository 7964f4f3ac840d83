// Tries to connect to PostgreSQL at closed ports, on this thread and on another.
// The same for this package: libpq.mjs.
import { promisify } from 'node:util';
import koffi from 'koffi';
const lib = koffi.load('libpq.so.5');
koffi.opaque('PGconn');
const connect = lib.func('PGconn *PQconnectdb(const char *info)');
const status = lib.func('int PQstatus(const PGconn *connection)');
const errorMessage = lib.func('char *PQerrorMessage(const PGconn *connection)');
const finish = lib.func('void PQfinish(PGconn *connection)');
for (const connection of [connect('host=127.0.0.1 port=1'), await promisify(connect.async)('host=127.0.0.1 port=2')]) {
  console.log(status(connection), errorMessage(connection).split('\n')[0]);
  finish(connection);
}
