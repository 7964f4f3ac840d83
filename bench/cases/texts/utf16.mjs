import { eight } from '../../cases.mjs';

const ascii = (i) => `${i} text of this length`.slice(0, 20);
const beyond = (i) => `${i} Übergröße привет ✓`.padEnd(20, '.');
const TEXTS = {
  '20 characters': (i) => beyond(i),
  '1,000 characters': (i) => beyond(i).repeat(50),
  '20 characters of ASCII': (i) => ascii(i),
  '1,000 characters of ASCII': (i) => ascii(i).repeat(50),
  '1 MB': (i) => beyond(i).repeat(25_000),
};

export default {
  title: '`u32 f(UTF-16 text)`, {}',
  note: 'C counts units.',
  params: Object.keys(TEXTS),
  peers: {
    pinned: ({ ffi }, library, kind) => [
      ffi.dlopen(library, { length_of_utf16: { args: ['utf16'], returns: 'u32' } }).symbols.length_of_utf16,
      eight(TEXTS[kind]),
    ],
    koffi: ({ koffi }, library, kind) => [
      koffi.load(library).func('length_of_utf16', 'uint32_t', ['const char16_t *']),
      eight(TEXTS[kind]),
    ],
  },
  loop: (lengthOf, all) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + lengthOf(all[i & 7])) | 0;
    return sum;
  },
  model: (kind) => [(text) => text.length, eight(TEXTS[kind])],
};
