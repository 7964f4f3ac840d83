import { calling, eight } from '../../cases.mjs';

export default {
  title: '`i64 f(i64, i64)`, BigInt below -2^53',
  peers: calling('add_i64', ['i64', 'i64'], 'i64', () => [eight((i) => -(2n ** 62n) + BigInt(i))]),
  loop: (add, values) => (count) => {
    let last = 0n;
    for (let i = 0; i < count; i++) last = add(values[i & 7], -7n);
    return last;
  },
  model: () => [(a, b) => a + b, eight((i) => -(2n ** 62n) + BigInt(i))],
};
