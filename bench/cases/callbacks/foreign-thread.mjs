// A thread of C calls a callback of JavaScript again and again. It waits for each, so that one takes a switch of
// threads each way.

import { bound, forPeers } from '../../cases.mjs';

const WORK_US = 50;
/** Callbacks of one thread: to start it, and to find that it has ended, is little of the time. */
const TIMES = 1000;

/** Keeps the JavaScript thread at work between the calls that it serves. */
function work() {
  const end = performance.now() + WORK_US / 1000;
  while (performance.now() < end);
}

function loop(start, callback, sum, state, kind) {
  return async (count) => {
    sum.value = 0;
    start(callback, count * TIMES);
    while (state[0]() === 0) {
      if (kind === 'busy') {
        work();
        await new Promise((resolve) => setImmediate(resolve));
      } else await new Promise((resolve) => setTimeout(resolve, 1));
    }
    return sum.value === count * TIMES;
  };
}

export default {
  title: 'a callback `i32(i32, i32)` from a foreign thread, JavaScript {}',
  note: `A foreign thread waits for each callback. Busy: JavaScript works for ${WORK_US} µs at a time.`,
  params: ['idle', 'busy'],
  clock: 'wall',
  operations: TIMES,
  peers: forPeers(['pinned', 'koffi', 'deno'], (peer, library, kind) => {
    const sum = { value: 0 };
    const add = (a, b) => {
      sum.value += b;
      return a + b;
    };
    const { pointer } = peer.callback(add, { args: ['i32', 'i32'], returns: 'i32' });
    return [
      bound(peer, library, 'start_adding', ['callback', 'i32'], 'void'),
      pointer,
      sum,
      [bound(peer, library, 'is_done', [], 'i32')],
      kind,
    ];
  }),
  loop,
  model: (kind) => {
    const sum = { value: 0 };
    return [(_, count) => (sum.value = count), null, sum, [() => 1], kind];
  },
};
