'use strict';
// Where the package wants to stand. For each row of `rows` the median of `path`, divided by that of the best of `of`,
// is to be at most `most`. Asynchronous calls are compared by the time of one call: 5 times the calls are 0.2 times it.

const both = (bound) => [
  { path: 'pinned', ...bound },
  { path: 'generic', ...bound },
];

const TARGETS = [
  {
    title: 'no argument, i32 x2, u32, f64 x2, 6 and 10 integers, 8 mixed numbers',
    rows: [
      'numbers/no-arguments',
      'numbers/add-i32',
      'numbers/add-u32',
      'numbers/add-f64',
      'numbers/integers@6',
      'numbers/integers@10',
      'numbers/mixed-8',
    ],
    bounds: [
      { path: 'pinned', most: 1.2, of: ['deno'] },
      { path: 'pinned', most: 0.2, of: ['koffi'] },
      { path: 'pinned', most: 1, of: ['nodeffi'] },
      { path: 'generic', most: 0.8, of: ['koffi'] },
    ],
  },
  {
    title: '64-bit integers as BigInt',
    rows: ['numbers/add-i64', 'numbers/add-u64'],
    bounds: [
      { path: 'pinned', most: 1, of: ['bun', 'deno'] },
      { path: 'generic', most: 0.8, of: ['koffi'] },
    ],
  },
  {
    title: 'an address as a number, a Buffer of 64 bytes',
    rows: ['pointers/number', 'pointers/buffer@64-bytes'],
    bounds: [
      { path: 'pinned', most: 1, of: ['deno'] },
      { path: 'generic', most: 0.8, of: ['koffi'] },
    ],
  },
  {
    title: 'texts in and out',
    rows: ['texts/text-in@5', 'texts/text-in@100', 'texts/text-in@1000', 'texts/text-out@16', 'texts/text-out@1000'],
    bounds: [
      { path: 'pinned', most: 1, of: ['koffi', 'bun'] },
      { path: 'generic', most: 1, of: ['koffi'] },
    ],
  },
  {
    title: 'structs by value',
    rows: ['structs/struct@in', 'structs/struct@out', 'structs/struct@both'],
    bounds: both({ most: 0.7, of: ['koffi', 'deno'] }),
  },
  {
    title: 'callbacks, `qsort`',
    rows: [
      'callbacks/callback@without-arguments',
      'callbacks/callback@with-arguments',
      'callbacks/call-callback',
      'callbacks/qsort',
      'callbacks/open-close',
    ],
    bounds: both({ most: 1, of: ['bun', 'nodeffi', 'koffi'] }),
  },
  {
    title: 'programs',
    rows: [
      'programs/sqlite@inserted',
      'programs/sqlite@selected',
      'programs/sqlite@selected-blobs-by-memcpy',
      ...['zlib-of-1-KiB', 'zlib-of-1-MiB', 'zstd-of-1-KiB', 'zstd-of-1-MiB'].map(
        (name) => `programs/compression@${name}`,
      ),
      'programs/vectors@two-vectors',
      'programs/vectors@a-vector-and-a-matrix',
      'programs/sort',
      'programs/events@',
      'programs/events@-leaf-true-',
    ],
    bounds: [
      { path: 'pinned', most: 0.5, of: ['koffi'] },
      { path: 'pinned', most: 1.5, of: ['addon'] },
    ],
  },
  {
    title: 'a callback from a foreign thread',
    rows: ['callbacks/foreign-thread@idle', 'callbacks/foreign-thread@busy'],
    bounds: [{ path: 'pinned', most: 1, of: ['koffi', 'deno'] }],
  },
  {
    title: '`ptr(view)`, `read.f64`',
    rows: ['pointers/ptr', 'pointers/read-f64'],
    bounds: [
      { path: 'pinned', most: 1, of: ['deno'] },
      { path: 'generic', most: 0.5, of: ['koffi'] },
    ],
  },
  {
    title: 'asynchronous calls, 64 in flight',
    rows: ['async/in-flight@64'],
    bounds: [...both({ most: 0.2, of: ['koffi'] }), ...both({ most: 0.5, of: ['deno'] })],
  },
  {
    title: 'dlopen of 100 symbols, memory of a symbol',
    rows: ['loading/dlopen-100@dlopen', 'loading/memory'],
    bounds: both({ most: 1, of: ['koffi'] }),
  },
];

/** A call costs at most this many times what it costs with one, when there are 1,000 or 100,000 of the same. */
const GROWTH = 1.15;

/** The rows of the chart, with short names. */
const CHART = {
  'numbers/no-arguments': 'no arguments',
  'numbers/add-i32': 'i32, i32',
  'numbers/add-f64': 'f64, f64',
  'numbers/add-u64': 'u64, u64 as BigInt',
  'numbers/mixed-8': '8 mixed numbers',
  'pointers/buffer@64-bytes': 'Buffer of 64 bytes',
  'texts/text-in@100': 'text in, 100 characters',
  'texts/text-out@16': 'text out, 16 characters',
  'structs/struct@both': 'struct in and out',
  'callbacks/callback@with-arguments': 'callback',
  'callbacks/open-close': 'callback made and closed',
  'callbacks/qsort': 'qsort of 1,000',
};

module.exports = { TARGETS, GROWTH, CHART };
