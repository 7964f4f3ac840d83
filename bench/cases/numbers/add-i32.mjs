import { calling } from '../../cases.mjs';

export default {
  title: '`i32 f(i32, i32)`',
  peers: calling('add_i32', ['i32', 'i32'], 'i32'),
  loop: (add) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + add(i & 1023, -7)) | 0;
    return sum;
  },
  model: () => [(a, b) => a + b],
};
