// Tries to connect to PostgreSQL at closed ports, on this thread and on another.
// The same for koffi: libpq.koffi.mjs.
import { dlopen } from 'pinned-ffi';
const { PQconnectdb, PQstatus, PQerrorMessage, PQfinish } = dlopen('pq', `
  typedef struct PGconn PGconn;
  PGconn *PQconnectdb(const char *info);
  int PQstatus(const PGconn *connection);
  _Text_ char *PQerrorMessage(const PGconn *connection);
  void PQfinish(PGconn *connection);
`).symbols;
for (const connection of [PQconnectdb('host=127.0.0.1 port=1'), await PQconnectdb.async('host=127.0.0.1 port=2')]) {
  console.log(PQstatus(connection), PQerrorMessage(connection).split('\n')[0]);
  PQfinish(connection);
}
