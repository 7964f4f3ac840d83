// A loop that polls for events, which a callback gets that stays open, and draws: most functions call no callback.

import { bound, forPeers } from '../../cases.mjs';
import { load } from '../../addon.mjs';

const [EVENTS, POINTS] = [2, 20];
const LISTENER = { args: ['i32', 'i32', 'i32'], returns: 'void' };

const listenerOf = (state) => (kind, x, y) => {
  state.sum = (state.sum + kind * x + y) & 0xffff;
};

function make(peer, library, param) {
  const state = { sum: 0 };
  const { pointer } = peer.callback(listenerOf(state), LISTENER);
  bound(peer, library, 'set_listener', ['callback'], 'void')(pointer);
  const isLeaf = peer.ffi?.JSCallback !== undefined && peer.ffi.fences !== undefined && param !== '';
  const draw = isLeaf
    ? peer.ffi.dlopen(library, { draw: { args: ['i32', 'i32'], returns: 'i32', leaf: true } }).symbols.draw
    : bound(peer, library, 'draw', ['i32', 'i32'], 'i32');
  return [
    bound(peer, library, 'poll_events', ['i32'], 'i32'),
    draw,
    bound(peer, library, 'clear_canvas', [], 'void'),
    state,
    pointer,
  ];
}

function addon(_, library) {
  const { listen, poll, draw, clear } = load(library);
  const state = { sum: 0 };
  listen(listenerOf(state));
  return [poll, draw, clear, state];
}

function model() {
  const state = { sum: 0 };
  const listener = listenerOf(state);
  let [clock, canvas] = [0, 0];
  const poll = (count) => {
    for (let i = 0; i < count; i++) {
      clock++;
      listener(clock & 3, clock & 255, i);
    }
    return count;
  };
  const draw = (x, y) => {
    canvas = (canvas + x * 3 + y) & 0xffff;
    return canvas & 0xff;
  };
  const clear = () => {
    [clock, canvas] = [0, 0];
  };
  return [poll, draw, clear, state];
}

export default {
  title: `a turn of a loop that polls: ${EVENTS} events by an open callback, ${POINTS} calls{}`,
  note: 'Of the loop that polls, pinned-ffi declares the function that draws `leaf: true` in the second row.',
  params: ['', ', `leaf: true`'],
  library: 'programs',
  needs: ['addon'],
  peers: { ...forPeers(['pinned', 'koffi', 'nodeffi', 'deno', 'bun'], make), addon },
  loop: (poll, draw, clear, state) => (count) => {
    clear();
    state.sum = 0;
    let drawn = 0;
    for (let i = 0; i < count; i++) {
      poll(EVENTS);
      for (let k = 0; k < POINTS; k++) drawn = (drawn + draw(k, state.sum & 255)) | 0;
    }
    return `${drawn} ${state.sum}`;
  },
  model,
};
