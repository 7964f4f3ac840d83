import { TYPES } from '../../peers/types.mjs';
import { checkSymbols, collectYoung, declareSymbols, forPeers, timeOf } from '../../cases.mjs';

const COUNT = 100;

export default {
  title: '{} of 100 symbols',
  note: '`dlopen` is timed once in a new process, after a garbage collection. ffi-rs looks a symbol up when it is called.',
  params: ['dlopen', 'dlopen and the first calls'],
  library: 'symbols',
  isCold: true,
  peers: forPeers(Object.keys(TYPES), (peer, library, what) => {
    const declarations = declareSymbols(COUNT);
    let symbols;
    collectYoung();
    const opened = timeOf(() => {
      symbols = peer.open(library, declarations);
    });
    const called = timeOf(() => checkSymbols(symbols, COUNT));
    return what === 'dlopen' ? opened : opened + called;
  }),
};
