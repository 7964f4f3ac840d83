import { bound, forPeers } from '../../cases.mjs';

const declaration = { args: ['i32', 'i32'], returns: 'i32' };

const peers = forPeers(['pinned', 'nodeffi', 'deno', 'bun'], (peer, library) => [
  (fn) => peer.callback(fn, declaration),
  bound(peer, library, 'call_add', ['callback', 'i32'], 'i32'),
]);

/** koffi is given the same prototype each time. */
peers.koffi = (peer, library) => {
  const type = peer.callbackType(declaration);
  const { register, unregister } = peer.koffi;
  const open = (fn) => {
    const pointer = register(fn, type);
    return { pointer, close: () => unregister(pointer) };
  };
  return [open, bound(peer, library, 'call_add', ['callback', 'i32'], 'i32')];
};

export default {
  title: 'a callback made and closed',
  note:
    'Callbacks are created and closed in one turn of the event loop: pinned-ffi records where the first 256 of them ' +
    'were created, which takes 0.7 µs each (Node 20: 1.4).',
  peers,
  loop: (open, call) => (count) => {
    const add = (a, b) => a + b;
    for (let i = 1; i < count; i++) open(add).close();
    const last = open(add);
    const result = call(last.pointer, 3);
    last.close();
    return result;
  },
  model: () => [(fn) => ({ pointer: fn, close: () => {} }), (fn) => fn(0, 1) + fn(1, 1) + fn(2, 1)],
};
