import { Buffer } from 'node:buffer';
import { calling } from '../../cases.mjs';

const SIZES = { '64 bytes': 64, '1 MiB': 2 ** 20 };

function inputs(size) {
  const bytes = Buffer.alloc(SIZES[size]);
  bytes[0] = 3;
  bytes[bytes.length - 1] = 5;
  return [bytes, bytes.length];
}

export default {
  title: '`u32 f(ptr, u32)`, a Buffer of {}',
  params: Object.keys(SIZES),
  peers: calling('ends', ['buffer', 'u32'], 'u32', inputs),
  loop: (ends, bytes, length) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + ends(bytes, length)) | 0;
    return sum;
  },
  model: (size) => [(bytes, length) => bytes[0] * 256 + bytes[length - 1], ...inputs(size)],
};
