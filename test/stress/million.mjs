// Overflows and underflows by the million, into every kind of view, with collections and neighbours in between.
//   node --expose-gc test/stress/million.mjs [count = 1000000]      prints its figures as JSON; exits 1 on a fault

import { bind, collect, ffi } from '../helpers.js';

// Each round makes a neighbour, the view and another neighbour, has C write outside of the view by less than the fence,
// and expects an exception that is right in every figure, and neighbours that are not changed.
const count = Number(process.argv[2] ?? 1e6);
const { before, after } = ffi.fences();
const { flip_at: flip } = bind({ flip_at: { args: ['ptr', 'i64', 'u64'] } });
const over = [1, 16, 96, after];
const under = [1, 16, before];
Error.stackTraceLimit = 0;
process.on('warning', (warning) => fail(`a warning: ${warning.message}`));

const kinds = [
  ['Uint8Array(8)', () => new Uint8Array(8)],
  ['Uint8Array(96)', () => new Uint8Array(96)],
  ['Uint8Array(1)', () => new Uint8Array(1)],
  ['Int16Array(5)', () => new Int16Array(5)],
  ['Float64Array(4)', () => new Float64Array(4)],
  ['BigInt64Array(12)', () => new BigInt64Array(12)],
  ['Uint8ClampedArray(77)', () => new Uint8ClampedArray(77)],
  ['Buffer.alloc(96)', () => Buffer.alloc(96)],
  ['Buffer.allocUnsafeSlow(40)', () => Buffer.allocUnsafeSlow(40)],
  ['Buffer.allocUnsafe(33), pooled', () => Buffer.allocUnsafe(33)],
  ["Buffer.from('abc'), pooled", () => Buffer.from('abc')],
  ['ArrayBuffer(64)', () => new ArrayBuffer(64)],
  ['SharedArrayBuffer(64)', () => new SharedArrayBuffer(64)],
  ['Uint8Array(SharedArrayBuffer)', () => new Uint8Array(new SharedArrayBuffer(31))],
  ['DataView(33)', () => new DataView(new ArrayBuffer(33))],
  ['a tail', () => new Uint8Array(64).subarray(20), 'tail'],
  ['a head', () => new Uint8Array(64).subarray(0, 20), 'head'],
  ['alloc(96)', () => ffi.alloc(96)],
  ['alloc(3, 64)', () => ffi.alloc(3, { align: 64 })],
];

let exceptions = 0;
let faults = 0;
function fail(text) {
  if (faults++ < 10) console.error(text);
}

const pattern = Buffer.alloc(48, 0xa7);
const makeNeighbour = (i) =>
  (i % 3 === 0 ? new Uint8Array(48) : i % 3 === 1 ? Buffer.allocUnsafe(48) : Buffer.allocUnsafeSlow(48)).fill(0xa7);
const isWhole = (neighbour) => pattern.equals(neighbour);

// Buffers that live for a while, all over the heap of malloc.
const others = Array.from({ length: 512 }, (_, i) => makeNeighbour(i));

function round(i) {
  const [name, make, place] = kinds[i % kinds.length];
  const isUnder = place !== 'tail' && (place === 'head' || ((i / kinds.length) | 0) % 3 === 0);
  const widths = isUnder ? under : over;
  const width = widths[(i >> 4) % widths.length];
  const first = makeNeighbour(i);
  const view = make();
  const last = makeNeighbour(i + 1);
  const length = view.byteLength;
  try {
    flip(view, isUnder ? -width : length, width);
    fail(`${name}: ${isUnder ? 'before' : 'past'} ${width}: no exception`);
  } catch (error) {
    exceptions++;
    const right =
      error.code === (isUnder ? 'ERR_FFI_BUFFER_UNDERFLOW' : 'ERR_FFI_BUFFER_OVERFLOW') &&
      error.symbol === 'flip_at' &&
      error.argument === 0 &&
      error.byteLength === length &&
      error.firstBadOffset === (isUnder ? -1 : length) &&
      error.bytesPast === width;
    if (!right) fail(`${name}: ${isUnder ? 'before' : 'past'} ${width}: ${error.message} ${JSON.stringify(error)}`);
  }
  if (!isWhole(first) || !isWhole(last)) fail(`${name}: a neighbour has changed`);
  others[i % others.length] = last;
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
const started = process.hrtime.bigint();
let early = 0;
for (let i = 0; i < count;) {
  for (const end = Math.min(count, i + 5000); i < end; i++) round(i);
  if (i % 20000 === 0) collect();
  const changed = others.findIndex((other) => !isWhole(other));
  if (changed >= 0) fail(`a buffer elsewhere has changed, about round ${i}`);
  // The finalizers of external buffers run between turns of the event loop only.
  await tick();
  if (early === 0 && i >= count * 0.2) {
    collect();
    early = process.memoryUsage().rss;
  }
}
collect();
await tick();
const grown = process.memoryUsage().rss - early;
if (grown > 48e6) fail(`resident memory has grown by ${grown} bytes`);
const broken = ffi.checkFences();
if (broken !== 0) fail(`${broken} fences were still broken`);
const seconds = Number(process.hrtime.bigint() - started) / 1e9;
console.log(
  JSON.stringify({ count, exceptions, faults, seconds, grownMB: grown / 1e6, rssMB: process.memoryUsage().rss / 1e6 }),
);
process.exit(faults === 0 && exceptions === count ? 0 : 1);
