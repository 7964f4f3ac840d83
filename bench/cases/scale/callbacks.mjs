import { bound } from '../../cases.mjs';

function pinned(peer, library, number) {
  const declaration = { args: ['i32', 'i32'], returns: 'i32' };
  const live = Array.from({ length: number }, () => peer.callback((a, b) => a + b, declaration));
  return [bound(peer, library, 'call_add', ['callback', 'i32'], 'i32'), live[number >> 1].pointer, live];
}

export default {
  title: 'a call that calls a callback once, with {} live callbacks',
  params: [1, 1000, 100_000],
  peers: { pinned },
  // What is live is held by the loop.
  loop: (call, callback, live) => (count) => {
    let sum = live === null ? 1 : 0;
    for (let i = 0; i < count; i++) sum = (sum + call(callback, 1)) | 0;
    return sum;
  },
  model: () => [() => 1, null, []],
};
