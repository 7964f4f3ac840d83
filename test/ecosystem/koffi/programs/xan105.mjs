// @xan105/ffi: structs, callbacks, errno, asynchronous calls, and messages that it compares.
import assert from 'node:assert/strict';
import { dlopen, load, Callback, pointer, structEx, alloc, lastError } from '@xan105/ffi/koffi';

const path = process.env.TEST_LIBC;
const timeval = structEx({ tv_sec: 'long', tv_usec: 'long' });
let calls = 0;
const compare = new Callback({ parameters: ['pointer', 'pointer'], result: 'i32' }, () => (calls += 1) * 0);
const c = dlopen(path, {
  strtol: { parameters: ['string', 'pointer', 'i32'], result: 'i64' },
  sleep: { symbol: 'usleep', parameters: ['u32'], result: 'i32', nonblocking: true },
  gettimeofday: { parameters: [pointer(timeval.type, 'out'), 'pointer'], result: 'i32' },
  mkdir: { parameters: ['string', 'u32'], result: 'i32' },
  qsort: { parameters: [pointer('i32', 'inout'), 'usize', 'usize', compare.type], result: 'void' },
});
assert.equal(c.strtol('ff', null, 16), 255);
const now = timeval.create();
assert.deepEqual(now.values, { tv_sec: 0, tv_usec: 0 });
assert.equal(c.gettimeofday(now.pointer, null), 0);
assert.ok(now.values.tv_sec > 1e9);
assert.equal(c.mkdir('/no/such/folder', 0o755), -1);
assert.deepEqual([lastError({ translate: false }), lastError()], [2, ['No such file or directory', 'ENOENT']]);
assert.equal(await c.sleep(10), 0);
const numbers = [3, 1, 2];
c.qsort(numbers, 3, 4, compare.pointer);
assert.deepEqual([numbers, calls > 0, typeof compare.address], [[3, 1, 2], true, 'bigint']);
compare.close();
assert.equal(alloc('int').get(), 0);
const missing = { nothing_like_it: { parameters: [], result: 'void' } };
assert.throws(() => dlopen(path, missing), /^Failure.*: Cannot find function 'nothing_like_it' in shared library$/);
assert.deepEqual({ ...dlopen(path, missing, { ignoreMissingSymbol: true }) }, {});
assert.throws(() => load('./nothing.so')('x', 'void', []), /Failed to load shared library: /);
