// Work off the JS thread: in libuv's pool by .async(...), and without libuv, on a native thread of one's own.
//
//   apt install gcc libc6-dev    (any C compiler)
//   node examples/async.mjs
import assert from 'node:assert/strict';
import { cc } from 'pinned-ffi';

const library = cc({
  source: new URL('own/geometry.c', import.meta.url),
  library: 'm',
  symbols: { slow_square: { args: ['int'], returns: 'int' } },
});
const { slow_square } = library.symbols;

let ticks = 0;
const timer = setInterval(() => ticks++, 5);
const timed = async (what, work) => {
  const start = performance.now();
  assert.deepEqual(await work(), [1, 4, 9, 16]);
  console.log(`${what}: ${Math.round(performance.now() - start)} ms`);
};

// Four calls of 50 ms each in the pool, which has four threads: side by side.
await timed('in the pool', () => Promise.all([1, 2, 3, 4].map((n) => slow_square.async(n))));

// The same on one thread that belongs to this library alone, in order; the pool stays free for files and DNS.
const thread = library.thread();
await timed('on a thread', () => Promise.all([1, 2, 3, 4].map((n) => thread.symbols.slow_square(n))));
thread.close();

clearInterval(timer);
assert.ok(ticks > 0, 'the JS thread went on meanwhile');
library.close();
await library.closed;
