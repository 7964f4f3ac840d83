import { calling } from '../../cases.mjs';

export default {
  title: '`u32 f(u32, u32)`, results from 2^31',
  peers: calling('add_u32', ['u32', 'u32'], 'u32'),
  loop: (add) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += add(i & 1023, 3000000000);
    return sum;
  },
  model: () => [(a, b) => a + b],
};
