import { calls } from '../../isolation.mjs';

const SIZES = { '4 KiB': 4096, '1 MiB': 2 ** 20 };

export default calls({
  title: 'a Buffer of {}',
  note: 'The function reads its first and its last byte. A message to a worker or a child process has a copy of it.',
  name: 'ends',
  params: Object.keys(SIZES),
  declared: () => ({ ends: { args: ['buffer', 'u32'], returns: 'u32' } }),
  argumentsOf: (param) => {
    const args = [Buffer.alloc(SIZES[param], 3), SIZES[param]];
    return () => args;
  },
  model: (bytes, length) => bytes[0] * 256 + bytes[length - 1],
});
