import { checkSymbols, collectYoung, declareSymbols, forPeers, timeOf } from '../../cases.mjs';

const COUNT = 100;

/** The functions of `declareSymbols` as C has them. */
const TEXT = Array.from({ length: COUNT }, (_, i) => `int add_${1000 + i}(int a, int b);`).join('\n');
/** The same functions, of which one in ten takes a pointer to a struct. */
const STRUCTS = `
  typedef struct { int quot, rem; } both_t;
  ${Array.from({ length: COUNT }, (_, i) => `int add_${1000 + i}(${i % 10 === 0 ? 'both_t *' : 'int '}a, int b);`).join('\n')}
  typedef int (*compare_t)(const both_t *, const both_t *);`;
/** The same with a struct that only the parser reads. */
const NESTED = STRUCTS.replace('int quot, rem;', 'struct { int quot, rem; } both;');

/** The objects of STRUCTS. The struct is made within the time. */
function structObjects({ struct, pointer }) {
  const declarations = declareSymbols(COUNT);
  const both = pointer(struct({ quot: 'int', rem: 'int' }, { name: 'both_t' }));
  Object.keys(declarations).forEach((name, i) => {
    if (i % 10 === 0) declarations[name] = { ...declarations[name], args: [both, declarations[name].args[1]] };
  });
  return declarations;
}

const declarationsOf = {
  objects: () => declareSymbols(COUNT),
  'C text': () => TEXT,
  'objects, once more': () => declareSymbols(COUNT),
  'C text, once more': () => TEXT,
  'objects with a struct': structObjects,
  'C text with a struct': () => STRUCTS,
  'C text with a nested struct': () => NESTED,
};

export default {
  title: '`dlopen` of 100 symbols, declared by {}',
  note: '`dlopen` is timed once in a new process, after a garbage collection; with “once more” it is the second time there.',
  params: Object.keys(declarationsOf),
  library: 'symbols',
  isCold: true,
  peers: forPeers(['pinned'], ({ ffi }, library, how) => {
    const make = declarationsOf[how];
    if (how.endsWith('once more')) ffi.dlopen(library, make(ffi));
    collectYoung();
    let symbols;
    const time = timeOf(() => {
      ({ symbols } = ffi.dlopen(library, make(ffi)));
    });
    // A number is no pointer to a struct.
    if (!how.includes('struct')) checkSymbols(symbols, COUNT);
    return time;
  }),
};
