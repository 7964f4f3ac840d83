import { bound, forPeers } from '../../cases.mjs';

export default {
  title: 'a call that calls a callback `i32(i32, i32)` once',
  peers: forPeers(['pinned', 'koffi', 'nodeffi', 'deno', 'bun'], (peer, library) => [
    bound(peer, library, 'call_add', ['callback', 'i32'], 'i32'),
    peer.callback((a, b) => a + b + 41, { args: ['i32', 'i32'], returns: 'i32' }).pointer,
  ]),
  loop: (call, callback) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + call(callback, 1)) | 0;
    return sum;
  },
  model: () => [() => 42, null],
};
