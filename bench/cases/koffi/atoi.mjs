import { eight, forPeers } from '../../cases.mjs';

const texts = eight((i) => String(13 * i + 1257));

export default {
  title: '`atoi("1257")`',
  peers: forPeers(['koffi', 'koffiLayer'], ({ koffi }) => [koffi.load('libc.so.6').func('int atoi(const char *str)')]),
  loop: (atoi) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + atoi(texts[i & 7])) | 0;
    return sum;
  },
  model: () => [Number],
};
