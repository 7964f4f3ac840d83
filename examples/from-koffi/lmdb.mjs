// Writes to a database of LMDB and reads from it: node examples/from-koffi/lmdb.mjs FOLDER
// The same for koffi: lmdb.koffi.mjs.
import { CString, dlopen } from 'pinned-ffi';
const { symbols: mdb } = dlopen('lmdb', `
  typedef struct MDB_env MDB_env; typedef struct MDB_txn MDB_txn;
  typedef struct { size_t mv_size; void *mv_data; } MDB_val;
  int mdb_env_create(_Out_ MDB_env **env);
  int mdb_env_open(MDB_env *env, const char *path, unsigned int flags, unsigned int mode);
  int mdb_txn_begin(MDB_env *env, MDB_txn *parent, unsigned int flags, _Out_ MDB_txn **txn);
  int mdb_dbi_open(MDB_txn *txn, const char *name, unsigned int flags, _Out_ unsigned int *dbi);
  int mdb_put(MDB_txn *txn, unsigned int dbi, MDB_val *key, MDB_val *data, unsigned int flags);
  int mdb_get(MDB_txn *txn, unsigned int dbi, MDB_val *key, _Out_ MDB_val *data);
  int mdb_txn_commit(MDB_txn *txn);
  void mdb_txn_abort(MDB_txn *txn);
  void mdb_env_close(MDB_env *env);
  const char *mdb_strerror(int code);
`);
const value = (text) => ({ mv_size: Buffer.byteLength(text), mv_data: Buffer.from(text) });
const { out: [env] } = mdb.mdb_env_create();
mdb.mdb_env_open(env, process.argv[2], 0, 0o644);
const { out: [write] } = mdb.mdb_txn_begin(env, null, 0);
const { out: [dbi] } = mdb.mdb_dbi_open(write, null, 0);
mdb.mdb_put(write, dbi, value('key'), value('Grüße'), 0);
mdb.mdb_txn_commit(write);
const { out: [read] } = mdb.mdb_txn_begin(env, null, 0x20000);
const { out: [found] } = mdb.mdb_get(read, dbi, value('key'));
console.log(CString(found.mv_data, 0, found.mv_size));
console.log(mdb.mdb_strerror(mdb.mdb_get(read, dbi, value('none')).returns));
mdb.mdb_txn_abort(read);
mdb.mdb_env_close(env);
