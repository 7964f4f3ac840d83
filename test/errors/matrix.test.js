'use strict';
// Every operation in every state: a cell of the table has the expected result.

const assert = require('node:assert/strict');
const { describe, test, before } = require('node:test');
const { Worker } = require('node:worker_threads');
const path = require('node:path');
const { runInState, operations } = require('../fixtures/operations.js');

const CLOSED = 'ERR_FFI_LIBRARY_CLOSED';
const CALLBACK_CLOSED = 'ERR_FFI_CALLBACK_CLOSED';
const BUSY = 'ERR_FFI_LIBRARY_BUSY';
const DETACHED = 'ERR_INVALID_ARG_VALUE';

const states = [
  'open',
  'closed',
  'in a callback',
  'in a worker',
  'detached',
  'in an async call',
  'on a foreign thread',
  'closing',
];

// A row an operation, a column a state, in the order above. `undefined` is a result, not a gap.
const table = {
  'call a function': [42, CLOSED, 42, 42, 42, 42, 42, CLOSED],
  'call a function with a buffer': [10n, CLOSED, 10n, 10n, DETACHED, 10n, 10n, CLOSED],
  'call a function with a string': [4, CLOSED, 4, 4, 4, 4, 4, CLOSED],
  'call a function asynchronously': [42, CLOSED, 42, 42, 42, 42, 42, CLOSED],
  'call a function with a buffer asynchronously': [10n, CLOSED, 10n, 10n, DETACHED, 10n, 10n, CLOSED],
  'call a function with threads: true': [42, CLOSED, 42, 42, 42, 42, 42, CLOSED],
  'call a function on a thread of its own': [42, CLOSED, 42, 42, 42, 42, 42, CLOSED],
  'close the library': [undefined, undefined, BUSY, undefined, undefined, undefined, undefined, undefined],
  'dispose the library': [undefined, undefined, BUSY, undefined, undefined, undefined, undefined, undefined],
  'ptr of a view': ['address', 'address', 'address', 'address', DETACHED, 'address', 'address', 'address'],
  read: [7, 7, 7, 7, 7, 7, 7, 7],
  write: [8, 8, 8, 8, 8, 8, 8, 8],
  toBuffer: [7, 7, 7, 7, 7, 7, 7, 7],
  toArrayBuffer: [7, 7, 7, 7, 7, 7, 7, 7],
  CString: ['text', 'text', 'text', 'text', 'text', 'text', 'text', 'text'],
  'create a JSCallback': ['address', 'address', 'address', 'address', 'address', 'address', 'address', 'address'],
  'close a JSCallback': [null, null, null, null, null, null, null, null],
  'call a JSCallback through C': [6, CALLBACK_CLOSED, 6, 6, 6, 6, 6, 6],
  'call a JSCallback through C asynchronously': [6, CALLBACK_CLOSED, 6, 6, 6, 6, 6, 6],
  dlopen: [42, 42, 42, 42, 42, 42, 42, 42],
  linkSymbols: [42, 42, 42, 42, 42, 42, 42, 42],
  'call a linked function': [42, CLOSED, 42, 42, 42, 42, 42, 42],
  'close linked functions': [undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined],
  CFunction: [42, 42, 42, 42, 42, 42, 42, 42],
  'call a CFunction': [42, CLOSED, 42, 42, 42, 42, 42, 42],
  'close a CFunction': [undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined],
};

test('the table has a row for every operation and a column for every state', () => {
  assert.deepEqual(Object.keys(table).sort(), Object.keys(operations).sort());
  for (const row of Object.values(table)) assert.equal(row.length, states.length);
});

/** What every operation did in a worker of its own. */
const inWorker = () =>
  new Promise((resolve, reject) => {
    const worker = new Worker(path.join(__dirname, '..', 'fixtures', 'operations.js'), {
      workerData: { operations: true },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });

for (const [column, state] of states.entries()) {
  describe(state, () => {
    let ofWorker;
    before(async () => {
      if (state === 'in a worker') ofWorker = await inWorker();
    });
    for (const [operation, expected] of Object.entries(table)) {
      const wanted = expected[column];
      const refused = typeof wanted === 'string' && wanted.startsWith('ERR_');
      test(`'${operation}' ${refused ? `is refused with ${wanted}` : `gives ${String(wanted)}`} in the state '${state}'`, async () => {
        assert.deepEqual(ofWorker ? ofWorker[operation] : await runInState(operation, state), wanted);
      });
    }
  });
}
