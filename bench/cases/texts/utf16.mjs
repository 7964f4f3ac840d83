import { eight } from '../../cases.mjs';

const LENGTHS = { '20 characters': 1, '1,000 characters': 50 };
const texts = (length) => eight((i) => `${i} Übergröße привет ✓`.padEnd(20, '.').repeat(LENGTHS[length]));

export default {
  title: '`u32 f(UTF-16 text)`, {}',
  note: 'C counts units.',
  params: Object.keys(LENGTHS),
  peers: {
    pinned: ({ ffi }, library, length) => [
      ffi.dlopen(library, { length_of_utf16: { args: ['utf16'], returns: 'u32' } }).symbols.length_of_utf16,
      texts(length),
    ],
    koffi: ({ koffi }, library, length) => [
      koffi.load(library).func('length_of_utf16', 'uint32_t', ['const char16_t *']),
      texts(length),
    ],
  },
  loop: (lengthOf, all) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + lengthOf(all[i & 7])) | 0;
    return sum;
  },
  model: (length) => [(text) => text.length, texts(length)],
};
