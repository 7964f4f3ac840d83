import { Buffer } from 'node:buffer';
import { eight, forPeers } from '../../cases.mjs';

const views = () => eight((i) => Buffer.from(new Float64Array(16).fill(i).buffer));

export default {
  title: '`ptr(view)`',
  peers: forPeers(['pinned', 'koffi', 'nodeffi', 'deno', 'bun'], (peer) => [peer.ptr, views(), peer.readF64]),
  loop: (ptr, all, read) => (count) => {
    let last = null;
    for (let i = 0; i < count; i++) last = ptr(all[i & 7]);
    return read(last);
  },
  model: () => [(view) => view, views(), (view) => view.readDoubleLE(0)],
};
