// C calls JavaScript: results of every kind, exceptions, other threads.
import { CFunction, JSCallback, dlopen, linkSymbols, read } from 'bun:ffi';

const types = ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64', 'bool', 'ptr'];
const { symbols } = dlopen(
  process.env.FIXTURE,
  Object.fromEntries([
    ...types.map((type) => [`call_${type}`, { args: ['function', type], returns: type }]),
    ['call_void', { args: ['function'] }],
    ['call_both_i32', { args: ['fn', 'callback', 'i32'], returns: 'i32' }],
    ['call_times_i32', { args: ['function', 'u32'], returns: 'i64' }],
    ['identity_ptr', { args: ['ptr'], returns: 'ptr' }],
    ['call_on_thread_i32', { args: ['function', 'i32'], returns: 'i32' }],
  ]),
);
const returned = {
  text: 'x',
  undefined,
  null: null,
  '5n': 5n,
  '2**40': 2 ** 40,
  1.5: 1.5,
  '-1': -1,
  '{}': {},
  symbol: Symbol('s'),
  true: true,
  promise: Promise.resolve(5),
  arrow: () => 1,
};
const show = (value) => (typeof value === 'bigint' ? `${value}n` : String(value));
for (const type of types) {
  for (const [label, value] of Object.entries(returned)) {
    let result;
    const callback = new JSCallback(() => value, { args: [type], returns: type });
    try {
      result = show(symbols[`call_${type}`](callback, type === 'bool' ? true : 7));
    } catch (error) {
      result = `${error.name}: ${error.message}`;
    }
    callback.close();
    console.log(`${type} callback returns ${label}: ${result}`);
  }
}
for (const [type, value] of Object.entries({
  i8: -128,
  u8: 255,
  u32: 2 ** 32 - 1,
  i64: -(2n ** 63n),
  u64: 2n ** 64n - 1n,
  f64: 0.1,
  bool: true,
  ptr: 4096,
})) {
  const same = new JSCallback(
    (...args) => {
      console.log(type, args.length, typeof args[0], show(args[0]));
      return args[0];
    },
    { args: [type], returns: type },
  );
  console.log(show(symbols[`call_${type}`](same, value)), show(symbols[`call_${type}`](same.ptr, value)));
  same.close();
}

const qsort = dlopen('libc.so.6', { qsort: { args: ['ptr', 'usize', 'usize', 'function'] } }).symbols.qsort;
const numbers = new Int32Array([3, 1, 2, 9, -5]);
const compare = new JSCallback((a, b) => read.i32(a) - read.i32(b), { args: ['ptr', 'ptr'], returns: 'i32' });
qsort(numbers, numbers.length, 4, compare);
console.log(numbers.join(' '), compare.threadsafe, typeof compare.ptr, Number(compare) === compare.ptr);

const throwing = new JSCallback(
  () => {
    throw new RangeError('mine');
  },
  { args: ['i32'], returns: 'i32' },
);
for (const call of [() => symbols.call_i32(throwing, 1), () => symbols.call_both_i32(throwing, throwing, 1)]) {
  try {
    call();
  } catch (error) {
    console.log(error.name, error.message);
  }
}
for (const wrong of [null, undefined, 'text', () => 1, {}, { ptr: null }]) {
  try {
    symbols.call_i32(wrong, 1);
  } catch (error) {
    console.log(error.name, error.message);
  }
}
const inner = new JSCallback((n) => (n > 0 ? symbols.call_i32(inner, n - 1) + n : 0), {
  args: ['i32'],
  returns: 'i32',
});
console.log(symbols.call_i32(inner, 20));
const viaLinked = linkSymbols({ inner: { ptr: inner.ptr, args: ['i32'], returns: 'i32' } });
console.log(viaLinked.symbols.inner(4), CFunction({ ptr: inner.ptr, args: ['i32'], returns: 'i32' })(5));

// Of a thread that does not wait, C gets 0 at once.
let seen;
const told = new Promise((resolve) => {
  seen = resolve;
});
const elsewhere = new JSCallback(seen, { args: ['i32'], returns: 'i32', threadsafe: true });
console.log('C got', symbols.call_on_thread_i32(elsewhere, 41));
console.log('JavaScript got', await told);

for (const callback of [compare, throwing, inner, elsewhere]) callback.close();
console.log(compare.ptr, compare.close(), String(compare), typeof compare[Symbol.dispose]);
