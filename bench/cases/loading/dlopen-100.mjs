import { TYPES } from '../../peers/types.mjs';
import { checkSymbols, collectYoung, declareSymbols, forPeers, timeOf } from '../../cases.mjs';

const COUNT = 100;
const [FIRST, FIRST_CALLS, SECOND] = ['dlopen', 'dlopen and the first calls', 'a second dlopen and the first calls'];

export default {
  title: '{} of 100 symbols',
  note:
    '`dlopen` is timed once in a new process, after a garbage collection. pinned-ffi loads a part of itself when `dlopen` ' +
    'is first called; before a second one, a function of libc was called. ffi-rs looks a symbol up when it is called.',
  params: [FIRST, FIRST_CALLS, SECOND],
  library: 'symbols',
  isCold: true,
  peers: forPeers(Object.keys(TYPES), (peer, library, what) => {
    const declarations = declareSymbols(COUNT);
    let symbols;
    if (what === SECOND) peer.open('libc.so.6', { abs: { args: ['i32'], returns: 'i32' } }).abs(-7);
    collectYoung();
    const opened = timeOf(() => {
      symbols = peer.open(library, declarations);
    });
    const called = timeOf(() => checkSymbols(symbols, COUNT));
    return what === FIRST ? opened : opened + called;
  }),
};
