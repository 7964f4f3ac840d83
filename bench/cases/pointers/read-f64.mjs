import { TYPES } from '../../peers/types.mjs';
import { bound, eight, forPeers } from '../../cases.mjs';

export default {
  title: '`read.f64(pointer)`',
  note: '`read.f64` reads eight addresses in turn. Deno creates an UnsafePointerView for each.',
  peers: forPeers(Object.keys(TYPES), (peer, library) => [
    peer.readF64,
    eight(bound(peer, library, 'number_at', ['i32'], 'ptr')),
  ]),
  loop: (read, pointers) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += read(pointers[i & 7]);
    return sum;
  },
  model: () => [(i) => i + 0.5, eight((i) => i)],
};
