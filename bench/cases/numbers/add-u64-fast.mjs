import { calling } from '../../cases.mjs';

export default {
  title: '`u64 f(u64, u64)`, numbers',
  peers: calling('add_u64', ['u64_fast', 'u64_fast'], 'u64_fast'),
  loop: (add) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += add(i & 1023, 5000000000);
    return sum;
  },
  model: () => [(a, b) => a + b],
};
