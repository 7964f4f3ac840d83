import { TYPES } from '../../peers/types.mjs';
import { checkSymbols, declareSymbols, forPeers, timeOf } from '../../cases.mjs';

const COUNT = 100;
const OPEN = 'dlopen of 100 symbols';

export default {
  title: '{}',
  note: 'In a new process, once. ffi-rs looks a symbol up when it is called.',
  params: [OPEN, 'dlopen of 100 symbols, and the first call of each'],
  library: 'symbols',
  cold: true,
  peers: forPeers(Object.keys(TYPES), (peer, library, what) => {
    const declarations = declareSymbols(COUNT);
    let symbols;
    const opened = timeOf(() => { symbols = peer.open(library, declarations); });
    const called = timeOf(() => checkSymbols(symbols, COUNT));
    return what === OPEN ? opened : opened + called;
  }),
};
