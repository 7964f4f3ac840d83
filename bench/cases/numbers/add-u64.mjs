import { calling, eight } from '../../cases.mjs';

export default {
  title: '`u64 f(u64, u64)`, BigInt above 2^63',
  peers: calling('add_u64', ['u64', 'u64'], 'u64', () => [eight((i) => 2n ** 63n + BigInt(i))]),
  loop: (add, values) => (count) => {
    let last = 0n;
    for (let i = 0; i < count; i++) last = add(values[i & 7], 7n);
    return last;
  },
  model: () => [(a, b) => a + b, eight((i) => 2n ** 63n + BigInt(i))],
};
