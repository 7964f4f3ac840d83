import { calls } from '../../isolation.mjs';

export default calls({
  title: 'struct of two f64 by value, in and out',
  name: 'swap_point',
  declared: ({ ffi }) => {
    const point = ffi.struct({ x: 'f64', y: 'f64' });
    return { swap_point: { args: [point], returns: point } };
  },
  argumentsOf: () => (i) => [{ x: i & 7, y: 1 }],
  model: ({ x, y }) => ({ x: y, y: x }),
});
