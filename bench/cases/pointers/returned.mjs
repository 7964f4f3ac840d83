import { TYPES } from '../../peers/types.mjs';
import { bound, forPeers } from '../../cases.mjs';

export default {
  title: '`ptr f(i32)`',
  peers: forPeers(Object.keys(TYPES), (peer, library) => [
    bound(peer, library, 'number_at', ['i32'], 'ptr'),
    peer.readF64,
  ]),
  loop: (numberAt, read) => (count) => {
    let last = null;
    for (let i = 0; i < count; i++) last = numberAt(i & 63);
    return read(last) + (count & 63);
  },
  model: () => [(i) => i, (i) => i + 0.5],
};
