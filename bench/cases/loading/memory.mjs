import { TYPES } from '../../peers/types.mjs';
import { checkSymbols, declareSymbols, forPeers, memoryOf } from '../../cases.mjs';

const COUNT = 10_000;

export default {
  title: 'memory of a bound symbol',
  note: 'The memory of a symbol is the growth of the resident memory for 10,000 of them, divided by their number.',
  unit: 'bytes',
  library: 'symbols',
  isCold: true,
  peers: forPeers(Object.keys(TYPES), (peer, library) => {
    const declarations = declareSymbols(COUNT);
    checkSymbols(peer.open(library, declareSymbols(1)), 1);
    const { bytes, kept } = memoryOf(() => peer.open(library, declarations));
    checkSymbols(kept, COUNT);
    return bytes / COUNT;
  }),
};
