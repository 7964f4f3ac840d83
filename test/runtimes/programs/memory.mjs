// ptr, read, toBuffer and toArrayBuffer.
import { dlopen, ptr, read, toArrayBuffer, toBuffer } from 'bun:ffi';

const bytes = Buffer.from('hello world, this is long\0');
const start = ptr(bytes);

/** In 1.4.5 ptr() gives the error back instead of throwing it. */
function attempt(label, action) {
  let result;
  try {
    result = action();
  } catch (error) {
    result = error;
  }
  if (result instanceof Error) console.log(label, 'fails:', result.message.replace(/received .*/, 'received'));
  else console.log(label, '=', typeof result === 'bigint' ? `${result}n` : String(result));
}

const bigs = new BigUint64Array([0n, 1n, 2n ** 52n, 2n ** 64n - 1n]);
for (const name of ['u8', 'u16', 'u32', 'i8', 'i16', 'i32', 'i64', 'u64', 'intptr', 'f32', 'f64']) {
  attempt(`read.${name}`, () => read[name](ptr(bigs), 24));
  // bun rounds what intptr has beyond 2^53.
  if (name !== 'intptr') attempt(`read.${name} unaligned`, () => read[name](start, 3));
}
attempt('read.ptr of NULL', () => read.ptr(ptr(bigs)));
attempt('read.ptr', () => read.ptr(ptr(bigs), 16));
for (const [label, args] of Object.entries({
  none: [],
  null: [null],
  0: [0],
  NaN: [NaN],
  text: ['x'],
  view: [bytes],
  true: [true],
  object: [{ ptr: start }],
  address: [start],
  BigInt: [BigInt(start)],
  fraction: [start + 0.5],
  offset: [start, 1],
  'offset null': [start, null],
  'offset fraction': [start, 1.7],
  'offset negative': [start + 1, -1],
  'offset text': [start, '1'],
  'offset BigInt': [start, 1n],
  'offset NaN': [start, NaN],
}))
  attempt(`read.u8 ${label}`, () => read.u8(...args));

const empty = new Uint8Array(0);
const detached = new Uint8Array(8);
structuredClone(detached.buffer, { transfer: [detached.buffer] });
for (const [label, args] of Object.entries({
  none: [],
  null: [null],
  number: [5],
  text: ['abc'],
  array: [[1]],
  empty: [empty],
  detached: [detached],
  'offset text': [bytes, '1'],
  'offset BigInt': [bytes, 1n],
  'offset beyond': [bytes, 27],
  'offset infinite': [bytes, Infinity],
}))
  attempt(`ptr ${label}`, () => ptr(...args));
for (const [label, args] of Object.entries({
  offset: [bytes, 5],
  end: [bytes, 26],
  null: [bytes, null],
  NaN: [bytes, NaN],
  fraction: [bytes, 1.9],
  part: [bytes.subarray(3)],
  buffer: [bytes.buffer, bytes.byteOffset],
  DataView: [new DataView(bytes.buffer, bytes.byteOffset + 2)],
}))
  attempt(`ptr ${label}`, () => ptr(...args) - start);

for (const wrap of [toBuffer, toArrayBuffer]) {
  for (const [label, args] of Object.entries({
    none: [],
    null: [null],
    0: [0],
    '0n': [0n],
    '-1': [-1],
    text: ['x'],
    NaN: [NaN],
    Infinity: [Infinity],
    view: [bytes],
    address: [start],
    BigInt: [BigInt(start), 0, 5],
    offset: [start, 6],
    'offset text': [start, '1'],
    'offset BigInt': [start, 1n],
    'offset NaN': [start, NaN],
    'offset null': [start, null, 3],
    'offset fraction': [start, 1.7, 3],
    'offset negative': [start + 6, -6, 3],
    'length 0': [start, 0, 0],
    'length -1': [start, 0, -1],
    'length NaN': [start, 0, NaN],
    'length 0.5': [start, 0, 0.5],
    'length 2.5': [start, 0, 2.5],
    'length text': [start, 0, '5'],
    'length BigInt': [start, 0, 5n],
    'length Infinity': [start, 0, Infinity],
    'length null': [start, 0, null],
    'free text': [start, 0, 5, 'x'],
    'free function': [start, 0, 5, () => {}],
    'free null': [start, 0, 5, null],
    'free 0': [start, 0, 5, 0],
    'free of a context, text': [start, 0, 5, null, 'x'],
    'a context without free': [start, 0, 5, 8, null],
  })) {
    attempt(`${wrap.name} ${label}`, () => {
      const wrapped = wrap(...args);
      return `${wrapped.constructor.name} ${Buffer.from(wrapped).toString()}`;
    });
  }
}

// The same memory, seen from both sides, through everything that JavaScript does to it.
const { symbols } = dlopen(process.env.FIXTURE, {
  fill_bytes: { args: ['ptr', 'u64', 'u8'] },
  sum_bytes: { args: ['ptr', 'u64'], returns: 'u64' },
  measure_buffer: { args: ['buffer', 'buffer_length'], returns: 'u64' },
  alloc_bytes: { args: ['usize'], returns: 'ptr' },
  get_deallocate_bytes: { returns: 'ptr' },
  count_deallocations: { returns: 'i32' },
  get_deallocated_context: { returns: 'ptr' },
  identity_ptr: { args: ['ptr'], returns: 'ptr' },
});
const shared = new Uint8Array(toArrayBuffer(start, 0, 26));
symbols.fill_bytes(start, 5, 0x7a);
console.log(String(Buffer.from(shared)), String(bytes), symbols.sum_bytes(bytes, 5));
shared[0] = 0x41;
console.log(read.u8(start), symbols.measure_buffer(bytes, bytes), symbols.measure_buffer(empty, empty));
console.log(
  symbols.identity_ptr(null),
  symbols.identity_ptr(undefined),
  symbols.identity_ptr(0),
  symbols.identity_ptr(-1),
);

const collect = globalThis.Bun ? () => globalThis.Bun.gc(true) : globalThis.gc;
(() => {
  for (let i = 0; i < 50; i++) {
    const owned = toBuffer(symbols.alloc_bytes(4096), 0, 4096, 123456, symbols.get_deallocate_bytes());
    owned[4095] = 1;
  }
})();
for (let i = 0; i < 200 && symbols.count_deallocations() === 0; i++) {
  collect();
  await new Promise((resolve) => setTimeout(resolve, 5));
}
console.log('freed', symbols.count_deallocations() > 0, 'with its context', symbols.get_deallocated_context());
