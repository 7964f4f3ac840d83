import { bound, forPeers } from '../../cases.mjs';

const types = [['i32', 'i32'], 'i32'];
const direct = (more) => (peer, library, width) => [bound(peer, library, 'add_i32', ...types, more), width];

export default {
  title: 'asynchronous `i32 f(i32, i32)`, {} in flight',
  note: 'Finished calls per second. bun:ffi and node:ffi have no asynchronous calls.',
  params: [1, 4, 64],
  unit: 'calls/s',
  clock: 'wall',
  peers: {
    ...forPeers(['pinned', 'koffi'], (peer, library, width) => [
      peer.asyncOf(bound(peer, library, 'add_i32', ...types)),
      width,
    ]),
    deno: direct({ nonblocking: true }),
    ffirs: direct({ runInNewThread: true }),
  },
  loop: (add, width) => async (count) => {
    let [started, sum] = [0, 0];
    const one = async () => {
      while (started < count) {
        const result = await add(started++ & 1023, 7);
        sum += result;
      }
    };
    await Promise.all(Array.from({ length: width }, one));
    return sum;
  },
  model: (width) => [async (a, b) => a + b, width],
};
