import { createRequire } from 'node:module';
import process from 'node:process';
import { timeOf } from '../../cases.mjs';

const requiring = (name) => () => {
  const require = createRequire(import.meta.url);
  let loaded;
  const time = timeOf(() => {
    loaded = require(name);
  });
  if (Object.keys(loaded).length === 0) throw new Error(`${name} gives nothing`);
  return time;
};

export default {
  title: 'start-up: the first `require` of the package',
  note: 'The first `require` is timed in a new process, with the files in the cache of the system.',
  isCold: true,
  isAlone: true,
  peers: {
    pinned: requiring(process.env.BENCH_PACKAGE ?? '../../../index.js'),
    koffi: requiring('koffi'),
    nodeffi: requiring('node:ffi'),
    bun: requiring('bun:ffi'),
    ffirs: requiring('ffi-rs'),
  },
};
