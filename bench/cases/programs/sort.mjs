// A sort of 1,000 records of C by a comparator in JavaScript.

import { bound, forPeers } from '../../cases.mjs';
import { load } from '../../addon.mjs';

const COUNT = 1000;
const isSorted = (numbers) => {
  for (let i = 0; i < COUNT; i++) if (numbers[2 * i] !== i + 0.25) return false;
  return true;
};
const order = (x, y) => (x < y ? -1 : x > y ? 1 : 0);

export default {
  title: 'a sort of 1,000 records of C by a comparator in JavaScript',
  note: 'The comparator gets two pointers and reads a key of f64 at each; that of the addon gets the keys.',
  library: 'programs',
  needs: ['addon'],
  peers: {
    ...forPeers(['pinned', 'koffi', 'nodeffi', 'deno', 'bun'], (peer, library) => {
      const { readF64 } = peer;
      const { pointer } = peer.callback((a, b) => order(readF64(a), readF64(b)), {
        args: ['ptr', 'ptr'],
        returns: 'i32',
      });
      return [bound(peer, library, 'sort_records', ['buffer', 'callback'], 'void'), pointer];
    }),
    addon: (_, library) => [load(library).sort, order],
  },
  loop: (sort, compare) => (count) => {
    const out = new Float64Array(2 * COUNT);
    for (let i = 0; i < count; i++) sort(out, compare);
    return isSorted(out);
  },
  model: () => [
    (out) => {
      for (let i = 0; i < COUNT; i++) out[2 * i] = i + 0.25;
    },
    null,
  ],
};
