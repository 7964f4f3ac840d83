'use strict';
// What a program's tests do to the package under jest, which evaluates its files anew after each reset.

let ffi;
const libc = {
  abs: { args: ['i32'], returns: 'i32' },
  labs: { args: ['i64'], returns: 'i64' },
  strlen: { args: ['cstring'], returns: 'u64_fast' },
  memset: { args: ['ptr', 'i32', 'u64'], returns: 'ptr' },
  qsort: { args: ['ptr', 'u64', 'u64', 'function'] },
};
const open = (by = ffi) => by.dlopen('libc.so.6', libc).symbols;

function check(c) {
  for (let i = 0; i < 20_000; i += 1) if (c.abs(-i) !== i) throw new Error(`abs(${-i})`);
  expect(c.labs(-5000000000n)).toBe(5000000000n);
  expect(c.strlen('h\u00e9')).toBe(3);
  const bytes = new Uint8Array(8);
  c.memset(bytes, 3, 8);
  expect(bytes[7]).toBe(3);
}

function sort(by, c) {
  const options = { args: ['ptr', 'ptr'], returns: 'i32' };
  const callback = new by.JSCallback((a, b) => by.read.i32(a) - by.read.i32(b), options);
  const values = Int32Array.of(3, 1, 2);
  c.qsort(values, 3, 4, callback);
  callback.close();
  expect([...values]).toEqual([1, 2, 3]);
}

beforeEach(() => {
  jest.resetModules();
  ffi = require('pinned-ffi');
});

const top = require('pinned-ffi');
const topLibrary = open(top);

test('calls', () => check(open()));
test('the functions of before the reset', () => check(topLibrary));
test('errors', () => {
  expect(() => open().abs('x')).toThrow(TypeError);
  expect(() => open().memset(Buffer.alloc(4), 1, 9)).toThrow(/past the end/);
});
test('callbacks', () => {
  sort(ffi, open());
  sort(top, topLibrary);
  sort(top, open());
});
test('asynchronous calls', async () => {
  expect(await Promise.all([open().abs.async(-4), topLibrary.abs.async(-5)])).toEqual([4, 5]);
});
test('types', () => {
  const Pair = top.struct({ quot: 'i32', rem: 'i32' });
  const { div } = ffi.dlopen('libc.so.6', { div: { args: ['i32', 'i32'], returns: Pair } }).symbols;
  expect(div(17, 5)).toEqual({ quot: 3, rem: 2 });
});
test('isolateModules', () => {
  for (let i = 0; i < 5; i += 1) {
    jest.isolateModules(() => {
      const isolated = require('pinned-ffi');
      check(open(isolated));
      sort(isolated, topLibrary);
    });
  }
  check(open());
});
