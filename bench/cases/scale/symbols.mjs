/** As many functions under names of their own, one of which is called. */
function pinned({ ffi }, library, number) {
  const declaration = { name: 'add_i32', args: ['i32', 'i32'], returns: 'i32' };
  const names = Array.from({ length: number }, (_, i) => [`add${i}`, declaration]);
  const { symbols } = ffi.dlopen(library, Object.fromEntries(names));
  return [symbols[`add${number >> 1}`], symbols];
}

export default {
  title: '`i32 f(i32, i32)` with {} bound symbols',
  params: [1, 1000, 100_000],
  peers: { pinned },
  // The symbols are held by the loop, so that they live as long as it does.
  loop: (add, symbols) => (count) => {
    let sum = symbols === null ? 1 : 0;
    for (let i = 0; i < count; i++) sum = (sum + add(i & 1023, 7)) | 0;
    return sum;
  },
  model: () => [(a, b) => a + b, {}],
};
