import { calling } from '../../cases.mjs';

export default {
  title: '`f64 f(i32, f64, u32, f32, i32, f64, u32, f32)`',
  peers: calling('mix_8', ['i32', 'f64', 'u32', 'f32', 'i32', 'f64', 'u32', 'f32'], 'f64'),
  loop: (mix) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += mix(i & 1023, 0.5, 3000000000, 0.25, -5, 1.5, 7, i & 7);
    return sum;
  },
  model: () => [(...values) => values.reduce((a, b) => a + b)],
};
