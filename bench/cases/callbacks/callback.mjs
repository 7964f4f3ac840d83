import { bound, forPeers } from '../../cases.mjs';

const PEERS = ['pinned', 'koffi', 'nodeffi', 'deno', 'bun'];
const TIMES = 100;
const KINDS = {
  'without arguments': { name: 'call_nothing', args: [], returns: 'void', fn: (state) => () => void state.calls++ },
  'with arguments': {
    name: 'call_add',
    args: ['i32', 'i32'],
    returns: 'i32',
    fn: (state) => (a, b) => {
      state.calls++;
      return a + b;
    },
  },
};

function make(peer, library, kind) {
  const { name, args, returns, fn } = KINDS[kind];
  const state = { calls: 0 };
  const { pointer } = peer.callback(fn(state), { args, returns });
  return [bound(peer, library, name, ['callback', 'i32'], returns), pointer, state];
}

function model(kind) {
  const state = { calls: 0 };
  const fn = KINDS[kind].fn(state);
  const call = (callback, times) => {
    let sum = 0;
    for (let i = 0; i < times; i++) sum += callback(i, 1) ?? 0;
    return sum === 0 ? undefined : sum;
  };
  return [call, fn, state];
}

export default {
  title: 'a callback {}',
  note: 'The callbacks are `void()` and `i32(i32, i32)`. C calls each a hundred times in one call; the time is that of one callback.',
  params: Object.keys(KINDS),
  operations: TIMES,
  peers: forPeers(PEERS, make),
  loop: (call, callback, state) => (count) => {
    state.calls = 0;
    let last;
    for (let i = 0; i < count; i++) last = call(callback, TIMES);
    return `${last ?? ''} ${state.calls}`;
  },
  model,
};
