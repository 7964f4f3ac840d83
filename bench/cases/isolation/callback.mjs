import { calls } from '../../isolation.mjs';

export default calls({
  title: 'a call that calls a callback `i32(i32, i32)` once',
  note: 'A worker and a child process cannot call back into JavaScript that waits.',
  name: 'call_add',
  hasServers: false,
  declared: () => ({ call_add: { args: ['function', 'i32'], returns: 'i32' } }),
  argumentsOf: (_, peer) => {
    const add = { args: ['i32', 'i32'], returns: 'i32' };
    const callback = peer === null ? null : new peer.ffi.JSCallback((a, b) => a + b + 41, add);
    return () => [callback, 1];
  },
  model: () => 42,
});
