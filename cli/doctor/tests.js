'use strict';
// The trials of `doctor`. Functions of the C library are called; the kinds of values are sent around through a
// callback, which is C to itself: so each goes in and out in both directions, without a library of our own.

const assert = require('node:assert/strict');
const ffi = require('../../index.js');

const { dlopen, CFunction, JSCallback, alloc, struct, read, write, ptr } = ffi;

const values = {
  integers: [
    ['i8', -128],
    ['u8', 255],
    ['i16', -32768],
    ['u16', 65535],
    ['i32', -2147483648],
    ['u32', 4294967295],
    ['i64', -(2n ** 63n)],
    ['u64', 2n ** 64n - 1n],
    ['long', -5n],
    ['size_t', 7n],
    ['char', 65],
  ],
  'floating point': [
    ['f64', Math.PI],
    ['f32', 0.25],
    ['f64', -Infinity],
  ],
  booleans: [
    ['bool', true],
    ['bool', false],
  ],
  pointers: [
    ['ptr', null],
    ['ptr', 4096],
    ['ptr', 2 ** 53 - 1],
  ],
};

/** A value through C and back: a callback that gives what it gets, called by its address. */
function roundTrip(type, value) {
  const callback = new JSCallback((given) => given, { args: [type], returns: type });
  const call = CFunction({ ptr: callback.ptr, args: [type], returns: type });
  try {
    assert.deepEqual(call(value), value, `${type.name ?? type} came back as another value`);
  } finally {
    call.close();
    callback.close();
  }
}

const roundTrips = Object.entries(values).map(([name, pairs]) => ({
  name: `${name}, in and out of calls and callbacks`,
  run: () => pairs.forEach(([type, value]) => roundTrip(type, value)),
}));

const path = process.platform === 'win32' ? 'ucrtbase' : null;
/** @type {import('../../index.js').Symbols} */
const declarations = {
  strlen: { args: ['cstring'], returns: 'size_t' },
  memset: { args: ['ptr', 'int', 'size_t'], returns: 'ptr' },
  qsort: { args: ['ptr', 'size_t', 'size_t', 'function'] },
  abs: { args: ['int'], returns: 'int' },
};

/** Runs `test` with functions of the C library. */
async function withC(test) {
  const library = dlopen(path, declarations);
  try {
    await test(library.symbols);
  } finally {
    library.close();
    await library.closed;
  }
}

/** A write of eight bytes past the end has to be found, named and repaired. */
function overflow(memset, buffer) {
  assert.throws(() => memset(buffer, 65, buffer.length + 8), {
    code: 'ERR_FFI_BUFFER_OVERFLOW',
    argument: 0,
    bytesPast: 8,
  });
  assert.ok(
    buffer.every((byte) => byte === 65),
    'the buffer itself was written',
  );
  memset(buffer, 66, buffer.length);
  assert.ok(
    buffer.every((byte) => byte === 66),
    'the buffer can be used afterwards',
  );
}

const tests = [
  ...roundTrips,
  { name: 'a text as an argument', run: () => withC(({ strlen }) => assert.equal(strlen('Grüße'), 7n)) },
  {
    name: 'a struct by value, in and out of a call and a callback',
    run: () =>
      roundTrip(struct({ x: 'f64', y: 'f32', n: 'i64', flag: 'bool' }, { name: 'Mixed' }), {
        x: -0.5,
        y: 2,
        n: 2n ** 40n,
        flag: true,
      }),
  },
  {
    name: 'a callback that C calls: qsort',
    run: () =>
      withC(({ qsort }) => {
        const numbers = Float64Array.of(3, -1, 2);
        const compare = new JSCallback((a, b) => Math.sign(read.f64(a) - read.f64(b)), {
          args: ['ptr', 'ptr'],
          returns: 'i32',
        });
        try {
          qsort(numbers, numbers.length, 8, compare);
        } finally {
          compare.close();
        }
        assert.deepEqual([...numbers], [-1, 2, 3]);
      }),
  },
  {
    name: 'memory by its address',
    run() {
      const memory = alloc(16);
      write.i32(ptr(memory), 4, -7);
      assert.deepEqual([memory.readInt32LE(4), read.i32(ptr(memory), 4)], [-7, -7]);
    },
  },
  {
    name: 'an exception of a callback surfaces from the call',
    run: () =>
      withC(({ qsort }) => {
        const compare = new JSCallback(
          () => {
            throw new RangeError('mine');
          },
          { args: ['ptr', 'ptr'], returns: 'i32' },
        );
        try {
          assert.throws(() => qsort(new Float64Array(2), 2, 8, compare), /^RangeError: mine$/);
        } finally {
          compare.close();
        }
      }),
  },
  {
    name: 'a write past the end of memory of alloc() is contained',
    run: () => withC(({ memset }) => overflow(memset, alloc(16))),
  },
  ...(ffi.fences().installed
    ? [
        {
          name: 'a write past the end of a Buffer is contained',
          run: () => withC(({ memset }) => overflow(memset, Buffer.alloc(4096))),
        },
      ]
    : []),
  {
    name: 'asynchronous calls, four at once',
    run: () =>
      withC(async ({ abs }) => {
        assert.deepEqual(await Promise.all([-1, -2, -3, -4].map((number) => abs.async(number))), [1, 2, 3, 4]);
      }),
  },
];

/** Runs everything: `{ name, ok, error? }` each. */
async function runAll() {
  const results = [];
  for (const { name, run } of tests) {
    try {
      await run();
      results.push({ name, ok: true });
    } catch (error) {
      results.push({ name, ok: false, error: error.message });
    }
  }
  return results;
}

module.exports = { runAll };
