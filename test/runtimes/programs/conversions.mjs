// Every type meets every kind of value: the identity functions of the fixture say what C received.
import { dlopen, ptr } from 'bun:ffi';

const throwing = {
  valueOf() {
    throw new RangeError('mine');
  },
};
const view = new Uint8Array([9]);
const values = {
  0: 0,
  1: 1,
  '-1': -1,
  127: 127,
  128: 128,
  255: 255,
  256: 256,
  '-129': -129,
  1.5: 1.5,
  '-1.5': -1.5,
  '2**31': 2 ** 31,
  '2**32': 2 ** 32,
  '2**32+5': 2 ** 32 + 5,
  '2**53': 2 ** 53,
  '2**53-2': 2 ** 53 - 2,
  '5n': 5n,
  '-5n': -5n,
  '2n**64n+3n': 2n ** 64n + 3n,
  '2n**63n': 2n ** 63n,
  '-0': -0,
  true: true,
  false: false,
  null: null,
  undefined,
  text: 'x',
  digits: '7',
  symbol: Symbol('s'),
  '{}': {},
  '[7]': [7],
  '[1,2]': [1, 2],
  valueOf: { valueOf: () => 9 },
  'valueOf text': { valueOf: () => '9' },
  'valueOf BigInt': { valueOf: () => 9n },
  toPrimitive: { [Symbol.toPrimitive]: () => 3 },
  date: new Date(5),
  arrow: () => 1,
  Number: new Number(4),
  'no prototype': Object.create(null),
  String: new String('3'),
  throwing,
  view,
  buffer: view.buffer,
  'ptr: number': { ptr: 4096 },
  'ptr: BigInt': { ptr: 4096n },
  'ptr: text': { ptr: 'x' },
};
// What is no address goes to numbers only; bun makes 2^63 of it.
const notAddresses = { '1e30': 1e30, '-1e30': -1e30, NaN: NaN, Infinity: Infinity };
/** Whether a value as an address lies in the first page, but for NULL. */
const isLow = (value) => {
  if (typeof value !== 'number' && typeof value !== 'bigint') return false;
  const address = BigInt.asUintN(64, BigInt(typeof value === 'number' ? Math.trunc(value) : value));
  return address > 0n && address < 4096n;
};
const isLeftOut = (type, value) =>
  (type === 'function' && (ArrayBuffer.isView(value) || value instanceof ArrayBuffer)) ||
  (type === 'cstring' && isLow(value));
const addresses = new Set(['ptr', 'function', 'cstring', 'buffer']);

const types = [
  ['char', 'char'],
  ['i8', 'i8'],
  ['u8', 'u8'],
  ['i16', 'i16'],
  ['u16', 'u16'],
  ['i32', 'i32'],
  ['u32', 'u32'],
  ['i64', 'i64'],
  ['u64', 'u64'],
  ['i64_fast', 'i64'],
  ['u64_fast', 'u64'],
  ['f64', 'f64'],
  ['f32', 'f32'],
  ['bool', 'bool'],
  ['ptr', 'ptr'],
  ['function', 'ptr'],
  ['cstring', 'ptr'],
  ['buffer', 'ptr'],
  ['buffer_length', 'u64'],
];

/** A result as text: an address of memory of this process is not the same twice. */
function show(value, argument) {
  if (typeof value === 'bigint') return `${value}n`;
  if (Object.is(value, -0)) return '-0';
  const isOwn = typeof argument === 'string' || ArrayBuffer.isView(argument) || argument instanceof ArrayBuffer;
  return isOwn && typeof value === 'number' && value > 65536 ? `an address, ${value === ptr(view)}` : String(value);
}

/** bun's own messages as they are; those of the engines differ. */
const fault = (error) =>
  /^bun:ffi|^To convert|^mine/.test(error.message) ? `${error.name}: ${error.message}` : error.name;

for (const [type, row] of types) {
  const returns = { cstring: 'ptr', buffer: 'ptr', buffer_length: 'u64' }[type] ?? type;
  const name = `identity_${row}`;
  const { symbols } = dlopen(process.env.FIXTURE, { [name]: { args: [type], returns } });
  for (const [label, value] of Object.entries(addresses.has(type) ? values : { ...values, ...notAddresses })) {
    // bun takes bytes for code, and numbers of the first page for texts; here they are refused.
    if (isLeftOut(type, value)) continue;
    let result;
    try {
      result = show(symbols[name](value), value);
    } catch (error) {
      result = fault(error);
    }
    console.log(`${type}(${label}) = ${result}`);
  }
}
