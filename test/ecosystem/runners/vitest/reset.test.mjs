// What a program's tests do to the package under vitest.
import { beforeEach, expect, test, vi } from 'vitest';
import * as top from 'pinned-ffi';

const libc = {
  labs: { args: ['i64'], returns: 'i64' },
  abs: { args: ['i32'], returns: 'i32' },
  qsort: { args: ['ptr', 'u64', 'u64', 'function'] },
};
const open = (by) => by.dlopen('libc.so.6', libc).symbols;
const topLibrary = open(top);
let ffi;

beforeEach(async () => {
  vi.resetModules();
  ffi = await import('pinned-ffi');
});

test('calls', () => {
  for (const c of [open(ffi), topLibrary]) {
    expect(c.labs(-5000000000n)).toBe(5000000000n);
    for (let i = 0; i < 20_000; i += 1) if (c.abs(-i) !== i) throw new Error(`abs(${-i})`);
  }
});

test('callbacks', () => {
  for (const by of [top, ffi]) {
    const callback = new by.JSCallback((a, b) => by.read.i32(a) - by.read.i32(b), {
      args: ['ptr', 'ptr'],
      returns: 'i32',
    });
    for (const c of [open(ffi), topLibrary]) {
      const values = Int32Array.of(3, 1, 2);
      c.qsort(values, 3, 4, callback);
      expect([...values]).toEqual([1, 2, 3]);
    }
    callback.close();
  }
});

test('asynchronous calls', async () => {
  expect(await Promise.all([open(ffi).abs.async(-4), topLibrary.abs.async(-5)])).toEqual([4, 5]);
});
