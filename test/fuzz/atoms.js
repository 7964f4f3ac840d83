'use strict';
// Hostile values by name. Each is made anew for each input; `world` is what inputs share (test/fuzz/world.js).

const vm = require('node:vm');

const realm = vm.createContext();
const foreign = (source) => () => vm.runInContext(source, realm);
const detached = (size) => {
  const view = new Uint8Array(size);
  structuredClone(view.buffer, { transfer: [view.buffer] });
  return view;
};
const revoked = (target) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};
// V8 shares long strings, so that this costs nothing an input.
const longText = 'x'.repeat(1 << 20);

const NUMBERS = {
  0: 0,
  '-0': -0,
  1: 1,
  '-1': -1,
  7: 7,
  0.5: 0.5,
  NaN: NaN,
  Infinity: Infinity,
  '-Infinity': -Infinity,
  127: 127,
  128: 128,
  255: 255,
  256: 256,
  '-129': -129,
  32768: 32768,
  65536: 65536,
  '2^31-1': 2 ** 31 - 1,
  '2^31': 2 ** 31,
  '-2^31-1': -(2 ** 31) - 1,
  '2^32-1': 2 ** 32 - 1,
  '2^32': 2 ** 32,
  '2^53-1': 2 ** 53 - 1,
  '2^53': 2 ** 53,
  '-2^53': -(2 ** 53),
  '1e308': 1e308,
  '5e-324': 5e-324,
  '3.5e38': 3.5e38,
};
const BIGINTS = {
  '0n': 0n,
  '1n': 1n,
  '-1n': -1n,
  '255n': 255n,
  '2n^31n': 2n ** 31n,
  '2n^53n': 2n ** 53n,
  '2n^63n': 2n ** 63n,
  '-2n^63n': -(2n ** 63n),
  '-2n^63n-1n': -(2n ** 63n) - 1n,
  '2n^64n-1n': 2n ** 64n - 1n,
  '2n^64n': 2n ** 64n,
  '2n^4096n': 2n ** 4096n,
};
const TEXTS = {
  "''": '',
  "'x'": 'x',
  "'i32'": 'i32',
  "'ptr'": 'ptr',
  "'cstring'": 'cstring',
  "'__proto__'": '__proto__',
  "'constructor'": 'constructor',
  "'a NUL'": 'a\0b',
  "'a lone surrogate'": 'a\ud800',
  "'another'": '\udc00b',
  "'emoji'": '\u{1f600}',
  'a long text': longText,
  "'quotes and lines'": '\'"`\n\u2028${x}*/',
  "'12'": '12',
  "'file:'": 'file:',
  "'file:///%00'": 'file:///%00',
  "'/'": '/',
};

const named = (values) => Object.fromEntries(Object.entries(values).map(([name, value]) => [name, () => value]));

/** Values that are no view, by name. */
const PLAIN = {
  ...named(NUMBERS),
  ...named(BIGINTS),
  ...named(TEXTS),
  undefined: () => undefined,
  null: () => null,
  true: () => true,
  false: () => false,
  'Symbol()': () => Symbol('s'),
  'Symbol.iterator': () => Symbol.iterator,
  '{}': () => ({}),
  '[]': () => [],
  'Object.create(null)': () => Object.create(null),
  'an array with a hole': () => [1, , 3], // eslint-disable-line no-sparse-arrays
  'a sparse array': () => Object.assign([], { length: 1000 }),
  'a frozen array': () => Object.freeze([1, 2]),
  'a frozen object': () => Object.freeze({ ptr: null }),
  'new Date': () => new Date(0),
  'a RegExp': () => /x/,
  'new Number': () => new Number(1),
  'new String': () => new String('i32'),
  'Object(1n)': () => Object(1n),
  'new Map': () => new Map([['a', 1]]),
  'a Promise': () => Promise.resolve(1),
  arguments: () =>
    (function () {
      return arguments;
    })(1, 2),
  'a function': () => () => 0,
  'a class': () => class {},
  'an async function': () => async () => 0,
  'a generator': () => function* () {},
  'a bound method': () => [].push.bind([]),
  'a revoked proxy': () => revoked({}),
  'a revoked array': () => revoked([]),
  'a revoked function': () => revoked(() => {}),
  'a proxy of a view': () => new Proxy(new Uint8Array(8), {}),
  'a URL': () => new URL('file:///nonesuch'),
  'a thenable': () => ({ then: (resolve) => resolve(1) }),
  "{ ptr: 'x' }": () => ({ ptr: 'x' }),
  '{ ptr: null }': () => ({ ptr: null }),
  'an object of another realm': foreign('({ args: ["i32"], returns: "i32" })'),
  'an array of another realm': foreign('["i32", 1]'),
  'an Error': () => new RangeError('of the user'),
  globalThis: () => globalThis,
};

/** Views and buffers, by name. */
const VIEWS = {
  'Buffer.alloc(64)': () => Buffer.alloc(64),
  'a slice of the pool': () => Buffer.from('a slice'),
  'new Uint8Array(0)': () => new Uint8Array(0),
  'new Uint8Array(1)': () => new Uint8Array(1),
  'new Float64Array(3)': () => new Float64Array(3),
  'new DataView': () => new DataView(new ArrayBuffer(16), 3, 5),
  'an odd view': () => new Uint8Array(65).subarray(1),
  'new ArrayBuffer(8)': () => new ArrayBuffer(8),
  'new SharedArrayBuffer(8)': () => new SharedArrayBuffer(8),
  'a shared view': () => new Int32Array(new SharedArrayBuffer(8)),
  'a resizable buffer': () => new ArrayBuffer(8, { maxByteLength: 64 }),
  'a view that tracks': () => new Uint8Array(new ArrayBuffer(8, { maxByteLength: 64 })),
  'a view out of bounds': () => {
    const buffer = new ArrayBuffer(8, { maxByteLength: 64 });
    const view = new Uint8Array(buffer, 4, 4);
    buffer.resize(2);
    return view;
  },
  'a growable buffer': () => new SharedArrayBuffer(8, { maxByteLength: 64 }),
  'a detached view': () => detached(8),
  'a detached buffer': () => detached(8).buffer,
  'a detached DataView': () => {
    const view = new DataView(new ArrayBuffer(8));
    structuredClone(view.buffer, { transfer: [view.buffer] });
    return view;
  },
  'a view of another realm': foreign('new Uint8Array(16)'),
  'a DataView of another realm': foreign('new DataView(new ArrayBuffer(8))'),
  'a buffer of another realm': foreign('new ArrayBuffer(8)'),
  'a subclass': () => new (class extends Uint8Array {})(8),
  'a view with own properties': () => Object.assign(new Uint8Array(8), { ptr: 1 }),
  'a view that lies': () =>
    Object.defineProperties(new Uint8Array(8), { byteLength: { value: 1e9 }, buffer: { value: null } }),
  'a view without a prototype': () => Object.setPrototypeOf(new Uint8Array(8), null),
  'memory of alloc()': (world) => world.ffi.alloc(16),
  "the world's view": (world) => world.view,
};

/** Values of the package, by name. None of them lets C touch what is not there. */
const OWN = {
  'an open JSCallback': (world) => world.callback(),
  'a closed JSCallback': (world) => world.closedCallback,
  'a bound function': (world) => world.zero,
  'a function of a closed library': (world) => world.closedFunction,
  'a struct': (world) => world.point,
  'a live view': (world) => world.point.alloc(),
  'an array type': (world) => world.triple,
  'a live array': (world) => world.triple.alloc([1, 2, 3]),
  'an opaque type': (world) => world.opaque,
  'an fn type': (world) => world.fn,
  'an out parameter': (world) => world.out,
  'an enumeration': (world) => world.enumeration,
  'a pin': (world) => world.pin(),
  'a library': (world) => world.library,
};

// Numbers at places where the package itself goes to the address: what has to be refused, or memory that is there.
const REFUSED = {
  ...named({
    0: 0,
    '-0': -0,
    8: 8,
    4080: 4080,
    '-1': -1,
    4096.5: 4096.5,
    NaN: NaN,
    Infinity: Infinity,
    '2^53': 2 ** 53,
  }),
  ...named({
    '0n': 0n,
    '-1n': -1n,
    '4080n': 4080n,
    '2n^63n': 2n ** 63n,
    '2n^64n-1n': 2n ** 64n - 1n,
    '2n^70n': 2n ** 70n,
  }),
};
const VALID = { 'the address of the memory': (world) => world.address, 'its BigInt': (world) => BigInt(world.address) };
/** With PINNED_FFI_GUARD=1 only, which has to refuse them. The kernel maps nothing below 65536 (vm.mmap_min_addr). */
const UNMAPPED = named({ 8192: 8192, 65535: 65535, '8192n': 8192n, '2^47-4096': 2 ** 47 - 4096, '2^47': 2 ** 47 });
/** Code is not looked at before it is called: only what is no address at all is refused. */
const { '2n^63n': _high, '2n^64n-1n': _highest, ...NO_CODE } = REFUSED;
const CODE = { ...NO_CODE, 'the address of a function': (world) => world.zero.ptr };
/** Moves from the memory that stay inside, or are refused. */
const OFFSETS = named({
  0: 0,
  '-0': -0,
  1: 1,
  8: 8,
  NaN: NaN,
  0.5: 0.5,
  Infinity: Infinity,
  '2^53': 2 ** 53,
  '-2^53+1': -(2 ** 53) + 1,
});
const LENGTHS = named({
  1: 1,
  8: 8,
  32: 32,
  0: 0,
  '-1': -1,
  NaN: NaN,
  1.5: 1.5,
  '2^53-1': 2 ** 53 - 1,
  '2^53': 2 ** 53,
  '2^47': 2 ** 47,
});

const guard = process.env.PINNED_FFI_GUARD === '1';
const PLACES = {
  any: { ...PLAIN, ...VIEWS, ...OWN },
  address: { ...VALID, ...REFUSED, ...(guard ? UNMAPPED : {}) },
  code: CODE,
  offset: OFFSETS,
  length: LENGTHS,
  view: { ...VIEWS, 'a live view': OWN['a live view'] },
};
const NAMES = Object.fromEntries(Object.entries(PLACES).map(([place, atoms]) => [place, Object.keys(atoms)]));
const isNumeric = (name) => name in NUMBERS || name in BIGINTS;

module.exports = { PLACES, NAMES, isNumeric };
