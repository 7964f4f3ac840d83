import { calling } from '../../cases.mjs';

export default {
  title: '`i64 f(i64, i64)`, numbers',
  peers: calling('add_i64', ['i64_fast', 'i64_fast'], 'i64_fast'),
  loop: (add) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += add(i & 1023, 5000000000);
    return sum;
  },
  model: () => [(a, b) => a + b],
};
