// What programs pass for a pointer, beside a whole Buffer.

import { Buffer } from 'node:buffer';
import { bound, forPeers } from '../../cases.mjs';

const filled = (bytes) => {
  bytes.fill(0);
  bytes[0] = 3;
  bytes[bytes.length - 1] = 5;
  return bytes;
};
const TEXT = 'a text of some thirty characters';

const KINDS = {
  'a part of a Buffer': () => filled(Buffer.alloc(256).subarray(32, 96)),
  'an ArrayBuffer': () => filled(Buffer.from(new ArrayBuffer(64))).buffer,
  'a slice of the pool': () => filled(Buffer.allocUnsafe(64)),
  'a new slice of the pool': () => undefined,
};

const isNew = (kind) => kind === 'a new slice of the pool';

export default {
  title: '`u32 f(ptr, u32)`, {}',
  note: 'A new slice is `Buffer.from(text)`, which is part of the time.',
  params: Object.keys(KINDS),
  peers: forPeers(['pinned', 'generic', 'koffi'], (peer, library, kind) => [
    bound(peer, library, 'ends', ['ptr', 'u32'], 'u32'),
    kind,
  ]),
  loop: (ends, kind) => {
    const bytes = KINDS[kind]();
    const length = bytes?.byteLength ?? TEXT.length;
    return (count) => {
      let sum = 0;
      for (let i = 0; i < count; i++) sum = (sum + ends(bytes ?? Buffer.from(TEXT), length)) | 0;
      return sum;
    };
  },
  model: (kind) => [
    isNew(kind) ? () => TEXT.charCodeAt(0) * 256 + TEXT.charCodeAt(TEXT.length - 1) : () => 3 * 256 + 5,
    kind,
  ],
};
