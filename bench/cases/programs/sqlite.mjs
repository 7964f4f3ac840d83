// Rows with a text and a blob, by prepared statements, in a database in memory: what a user would write with each
// package.

import { Buffer } from 'node:buffer';
import { load } from '../../addon.mjs';

const ROWS = 1000;
const CREATE = 'CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT, blob BLOB)';
const INSERT = 'INSERT INTO notes VALUES (?, ?, ?)';
const SELECT = 'SELECT id, text, blob FROM notes ORDER BY id';
const [ROW, TRANSIENT] = [100, -1];
const [INSERTED, SELECTED, VIEWED, MEMCPY] = [
  'inserted',
  'selected',
  'selected, blobs by a view',
  'selected, blobs by memcpy',
];

const texts = Array.from({ length: ROWS }, (_, i) => `note ${i}: ${'abcdefgh'.repeat(i % 8)}`);
const blobs = Array.from({ length: ROWS }, (_, i) => Buffer.alloc(64 + (i & 63), i & 255));

/** By the functions of SQLite, and two of the package: what makes a pointer of eight bytes, and what copies bytes. */
function byFunctions(functions, toPointer, copy) {
  const { open, prepare, bindInt, bindText, bindBlob, step, reset, columnInt, columnText, columnBlob, columnBytes } =
    functions;
  const out = Buffer.alloc(96);
  const pointerOf = (call) => {
    if (call(out) !== 0) throw new Error('SQLite has refused');
    return toPointer(out.readBigUInt64LE(0));
  };
  const database = pointerOf((to) => open(':memory:', to));
  const statement = (sql) => pointerOf((to) => prepare(database, sql, -1, to, null));
  const exec = (sql) => step(statement(sql));
  exec(CREATE);
  const [inserting, selecting] = [INSERT, SELECT].map(statement);
  return {
    exec,
    insert(id, text, blob) {
      bindInt(inserting, 1, id);
      bindText(inserting, 2, text, -1, TRANSIENT);
      bindBlob(inserting, 3, blob, blob.length, TRANSIENT);
      step(inserting);
      reset(inserting);
    },
    select(each) {
      while (step(selecting) === ROW) {
        const bytes = columnBytes(selecting, 2);
        each(columnInt(selecting, 0), columnText(selecting, 1), copy(columnBlob(selecting, 2), bytes));
      }
      reset(selecting);
    },
  };
}

/** Declarations in the words of peers/types.mjs. */
const DECLARATIONS = {
  open: ['open', ['text', 'buffer'], 'i32'],
  prepare: ['prepare_v2', ['ptr', 'text', 'i32', 'buffer', 'ptr'], 'i32'],
  bindInt: ['bind_int', ['ptr', 'i32', 'i32'], 'i32'],
  bindText: ['bind_text', ['ptr', 'i32', 'text', 'i32', 'i64_fast'], 'i32'],
  bindBlob: ['bind_blob', ['ptr', 'i32', 'buffer', 'i32', 'i64_fast'], 'i32'],
  step: ['step', ['ptr'], 'i32'],
  reset: ['reset', ['ptr'], 'i32'],
  columnInt: ['column_int', ['ptr', 'i32'], 'i32'],
  columnText: ['column_text', ['ptr', 'i32'], 'text'],
  columnBlob: ['column_blob', ['ptr', 'i32'], 'ptr'],
  columnBytes: ['column_bytes', ['ptr', 'i32'], 'i32'],
};

function functionsOf(peer) {
  const entries = Object.entries(DECLARATIONS);
  const opened = peer.open(
    'libsqlite3.so.0',
    Object.fromEntries(entries.map(([, [symbol, args, returns]]) => [`sqlite3_${symbol}`, { args, returns }])),
  );
  return Object.fromEntries(entries.map(([name, [symbol]]) => [name, opened[`sqlite3_${symbol}`]]));
}

/** The same by a class for databases. */
function byClass(database, run, iterate) {
  database.exec(CREATE);
  const [inserting, selecting] = [INSERT, SELECT].map((sql) => database.prepare(sql));
  return {
    exec: (sql) => database.exec(sql),
    insert: (id, text, blob) => run(inserting, id, text, blob),
    select(each) {
      for (const { id, text, blob } of iterate(selecting)) each(id, text, blob);
    },
  };
}
const run = (statement, ...values) => statement.run(...values);
const iterate = (statement) => statement.iterate();

/** Copies bytes by a function of C, into a Buffer that is used again. */
function byMemcpy(peer) {
  const { memcpy } = peer.open('libc.so.6', { memcpy: { args: ['buffer', 'ptr', 'u64_fast'], returns: 'ptr' } });
  const out = Buffer.alloc(4096);
  return (at, size) => {
    memcpy(out, at, size);
    return Buffer.from(out.subarray(0, size));
  };
}

/** How each package gives a copy of the bytes at an address, and for `VIEWED` by a Buffer over them. */
const copiers = {
  // An older revision of the package has no `read.bytes`.
  pinned: (peer, way) => {
    const { toBuffer, read } = peer.ffi;
    return way === VIEWED || read.bytes === undefined
      ? (at, size) => Buffer.from(toBuffer(at, 0, size))
      : (at, size) => read.bytes(at, 0, size);
  },
  koffi: (peer) => (at, size) => Buffer.from(new Uint8Array(peer.koffi.view(at, size))),
  bun: (peer) => (at, size) => Buffer.from(new Uint8Array(peer.ffi.toArrayBuffer(at, 0, size))),
};

function maker(name, toPointer) {
  return (peer, _, way) => {
    const copy = way === MEMCPY ? byMemcpy(peer) : copiers[name](peer, way);
    return byFunctions(functionsOf(peer), toPointer, copy);
  };
}

const makers = {
  pinned: maker('pinned', Number),
  koffi: maker('koffi', (address) => address),
  bun: maker('bun', Number),
  async builtin() {
    const { DatabaseSync } = await import('node:sqlite');
    return byClass(new DatabaseSync(':memory:'), run, iterate);
  },
  async betterSqlite3() {
    const { default: Database } = await import('better-sqlite3');
    return byClass(new Database(':memory:'), run, iterate);
  },
  addon(_, library) {
    const addon = load(library);
    addon.openDatabase(CREATE, INSERT, SELECT);
    return {
      exec: addon.exec,
      insert: addon.insert,
      select(each) {
        for (let row = addon.next(); row !== undefined; row = addon.next()) each(...row);
      },
    };
  },
};

function byHand() {
  const rows = new Map();
  return {
    exec: () => {},
    insert: (id, text, blob) => rows.set(id, [id, text, blob]),
    select: (each) => rows.forEach((row) => each(...row)),
  };
}

function fill({ insert }) {
  for (let i = 0; i < ROWS; i++) insert(i, texts[i], blobs[i]);
}

const prepared = (database, way) => {
  if (way !== INSERTED) fill(database);
  return [database, way];
};

const insertAll = (database) => (count) => {
  for (let i = 0; i < count; i++) {
    database.exec('BEGIN');
    fill(database);
    database.exec('ROLLBACK');
  }
  return 'done';
};

const selectAll = (database) => (count) => {
  let sum = 0;
  for (let i = 0; i < count; i++) {
    database.select((id, text, blob) => {
      sum = (sum + id + text.length + blob[0] + blob.length) & 0xffffff;
    });
  }
  return sum;
};

export default {
  title: 'SQLite: a row with a text and a blob, {}',
  note:
    'SQLite: 1,000 rows a transaction and a query, in memory. The packages call the library of the system, node:sqlite ' +
    'and better-sqlite3 one that they bring.',
  params: [INSERTED, SELECTED, VIEWED, MEMCPY],
  operations: ROWS,
  library: 'programs',
  needs: ['addon'],
  peers: Object.fromEntries(
    Object.entries(makers).map(([name, make]) => [
      name,
      async (peer, library, way) => prepared(await make(peer, library, way), way),
    ]),
  ),
  loop: (database, way) => (way === INSERTED ? insertAll : selectAll)(database),
  model: (way) => prepared(byHand(), way),
};
