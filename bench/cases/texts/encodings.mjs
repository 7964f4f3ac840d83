import { bound, eight, forPeers } from '../../cases.mjs';

const TEXTS = {
  'UTF-8, 20 characters beyond ASCII': (i) => `${i} Übergrößenträger äß`,
  'UTF-8, 100 characters beyond Latin-1': (i) => `${i} ${'привет мир '.repeat(9)}`,
  'UTF-8, 100 characters of Chinese': (i) => `${i} ${'你好，世界。'.repeat(16)}`,
  'UTF-8, 100 characters and emoji': (i) => `${i} ${'all is well 👍 '.repeat(7)}`,
  'ASCII, 1 MB': (i) => `${i}${'x'.repeat(1e6)}`,
  'UTF-8 within Latin-1, 1 MB': (i) => `${i}${'Übergröße '.repeat(75_000)}`,
  'UTF-8 beyond Latin-1, 1 MB': (i) => `${i}${'привет мир '.repeat(50_000)}`,
};

export default {
  title: '`u32 f(text)`, {}',
  note: 'C counts bytes.',
  params: Object.keys(TEXTS),
  peers: forPeers(['pinned', 'koffi', 'nodeffi', 'bun'], (peer, library, kind) => [
    bound(peer, library, 'length_of', ['text'], 'u32'),
    eight(TEXTS[kind]),
  ]),
  loop: (lengthOf, all) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + lengthOf(all[i & 7])) | 0;
    return sum;
  },
  model: (kind) => {
    const lengths = eight(TEXTS[kind]).map((text) => new TextEncoder().encode(text).length);
    return [(length) => length, lengths];
  },
};
