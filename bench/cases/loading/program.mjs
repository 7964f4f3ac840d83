import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const PAIRS = 7;
const require = createRequire(import.meta.url);
const own = process.env.BENCH_PACKAGE ?? fileURLToPath(new URL('../../../index.js', import.meta.url));
const quoted = (name) => JSON.stringify(require.resolve(name));

/** Programs that load a package, open libc by its name and call a function of it. */
const PROGRAMS = {
  pinned: () =>
    `require(${quoted(own)}).dlopen('libc.so.6', { abs: { args: ['i32'], returns: 'i32' } }).symbols.abs(-7)`,
  koffi: () => `require(${quoted('koffi')}).load('libc.so.6').func('int abs(int)')(-7)`,
  nodeffi: () =>
    "require('node:ffi').dlopen('libc.so.6', { abs: { arguments: ['i32'], return: 'i32' } }).functions.abs(-7)",
};

/** Nanoseconds that a program takes, from its start to its end. */
function timeOf(code) {
  const flags = process.execArgv.filter((flag) => flag !== '--expose-gc');
  const start = process.hrtime.bigint();
  const { status, stderr } = spawnSync(process.execPath, [...flags, '-e', code], { encoding: 'utf8' });
  const time = Number(process.hrtime.bigint() - start);
  if (status !== 0) throw new Error(stderr);
  return time;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** What a program takes longer than an empty one: the median of pairs. */
function measure(peer) {
  const code = `if (${PROGRAMS[peer]()} !== 7) process.exit(1)`;
  timeOf(code);
  return median(Array.from({ length: PAIRS }, () => timeOf(code) - timeOf('0')));
}

export default {
  title: 'a program that opens libc by its name and calls `abs`',
  note: 'What a whole process takes longer than `node -e 0`: the median of seven pairs, with the files in the cache of the system.',
  isCold: true,
  isAlone: true,
  peers: Object.fromEntries(Object.keys(PROGRAMS).map((peer) => [peer, () => measure(peer)])),
};
