import { checkSymbols, collectYoung, declareSymbols, forPeers, timeOf } from '../../cases.mjs';

const COUNT = 100;

/** The functions of `declareSymbols` as C has them. */
const TEXT = Array.from({ length: COUNT }, (_, i) => `int add_${1000 + i}(int a, int b);`).join('\n');
/** The same with what no simple prototype has. */
const MIXED = `
  typedef struct { int quot, rem; } both_t;
  ${Array.from({ length: COUNT }, (_, i) => `int add_${1000 + i}(int, const int b);`).join('\n')}
  typedef int (*compare_t)(const both_t *, const both_t *);`;

const declarationsOf = {
  objects: () => declareSymbols(COUNT),
  'C text': () => TEXT,
  'objects, once more': () => declareSymbols(COUNT),
  'C text, once more': () => TEXT,
  'C text with structs': () => MIXED,
};

export default {
  title: '`dlopen` of 100 symbols, declared by {}',
  note: '`dlopen` is timed once in a new process, after a garbage collection; with “once more” it is the second time there.',
  params: Object.keys(declarationsOf),
  library: 'symbols',
  isCold: true,
  peers: forPeers(['pinned'], ({ ffi }, library, how) => {
    const declarations = declarationsOf[how]();
    if (how.endsWith('once more')) ffi.dlopen(library, declarations);
    collectYoung();
    let symbols;
    const time = timeOf(() => {
      ({ symbols } = ffi.dlopen(library, declarations));
    });
    checkSymbols(symbols, COUNT);
    return time;
  }),
};
