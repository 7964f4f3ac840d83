import { calls } from '../../isolation.mjs';

export default calls({
  title: '`i32 f(i32, i32)`',
  name: 'add_i32',
  declared: () => ({ add_i32: { args: ['i32', 'i32'], returns: 'i32' } }),
  argumentsOf: () => (i) => [i & 1023, -7],
  model: (a, b) => a + b,
});
