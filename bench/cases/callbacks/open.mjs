import { bound, forPeers } from '../../cases.mjs';

const NAME = 'add_i32';
const TYPES = [['i32', 'i32'], 'i32'];

/** A function while a callback is open, as a library with events keeps one for the whole program. */
function withCallback(peer, library) {
  const open = peer.callback(() => 0, { args: ['i32', 'i32'], returns: 'i32' });
  return [bound(peer, library, NAME, ...TYPES), open];
}

export default {
  title: '`i32 f(i32, i32)` while a callback is open{}',
  note: '`leaf: true` declares that the function calls no callback. The other packages take the same function in both rows.',
  params: ['', ', `leaf: true`'],
  peers: {
    ...forPeers(['koffi', 'nodeffi', 'deno', 'bun'], withCallback),
    pinned(peer, library, param) {
      const [usual, open] = withCallback(peer, library);
      if (param === '') return [usual, open];
      const declaration = { args: TYPES[0], returns: TYPES[1], leaf: true };
      return [peer.ffi.dlopen(library, { [NAME]: declaration }).symbols[NAME], open];
    },
  },
  loop: (add) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + add(i & 1023, -7)) | 0;
    return sum;
  },
  model: () => [(a, b) => a + b],
};
