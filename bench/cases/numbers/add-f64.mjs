import { calling } from '../../cases.mjs';

export default {
  title: '`f64 f(f64, f64)`',
  peers: calling('add_f64', ['f64', 'f64'], 'f64'),
  loop: (add) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += add(i & 1023, 0.5);
    return sum;
  },
  model: () => [(a, b) => a + b],
};
