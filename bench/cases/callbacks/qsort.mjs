import { bound, forPeers } from '../../cases.mjs';

const isSorted = (numbers) => numbers.every((value, i) => value === i + 0.25);

export default {
  title: '`qsort` of 1,000 f64 with a comparator in JavaScript',
  note: 'The comparator of `qsort` receives two pointers and reads an f64 at each. The time is that of one sort.',
  peers: forPeers(['pinned', 'koffi', 'nodeffi', 'deno', 'bun'], (peer, library) => {
    const { readF64 } = peer;
    const compare = (a, b) => {
      const [x, y] = [readF64(a), readF64(b)];
      return x < y ? -1 : x > y ? 1 : 0;
    };
    const { pointer } = peer.callback(compare, { args: ['ptr', 'ptr'], returns: 'i32' });
    return [bound(peer, library, 'sort_1000', ['buffer', 'callback'], 'void'), pointer];
  }),
  loop: (sort, compare) => (count) => {
    const out = new Float64Array(1000);
    for (let i = 0; i < count; i++) sort(out, compare);
    return isSorted(out);
  },
  model: () => [
    (out) =>
      out.forEach((_, i) => {
        out[i] = i + 0.25;
      }),
    null,
  ],
};
