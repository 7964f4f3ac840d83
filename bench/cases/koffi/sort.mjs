import { forPeers } from '../../cases.mjs';

const WORDS = ['foo', 'bar', '123', 'foobar'];
const compareTexts = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

export default {
  title: '`qsort` of four texts, with a callback that decodes them',
  peers: forPeers(['koffi', 'koffiLayer'], ({ koffi }) => {
    koffi.proto('int SortCallback(const void *first, const void *second)');
    const qsort = koffi
      .load('libc.so.6')
      .func('void qsort(_Inout_ void *array, size_t count, size_t size, SortCallback *cb)');
    const compare = (a, b) => compareTexts(koffi.decode(a, 'char *'), koffi.decode(b, 'char *'));
    return [(array) => qsort(koffi.as(array, 'char **'), array.length, koffi.sizeof('void *'), compare)];
  }),
  loop: (sort) => (count) => {
    let sorted;
    for (let i = 0; i < count; i++) {
      sorted = WORDS.slice();
      sort(sorted);
    }
    return sorted.join();
  },
  model: () => [(array) => array.sort(compareTexts)],
};
