import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import process from 'node:process';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PAIRS = 7;
const require = createRequire(import.meta.url);
const own = process.env.BENCH_PACKAGE ?? fileURLToPath(new URL('../../../index.js', import.meta.url));
const MODULES = { pinned: own, koffi: 'koffi', nodeffi: 'node:ffi' };

const required = (peer) => `require(${JSON.stringify(require.resolve(MODULES[peer]))})`;

/** What `import` loads. The package has a file for it next to the one of `require`. */
function imported(peer) {
  const file = require.resolve(MODULES[peer]).replace(/\bindex\.js$/, peer === 'pinned' ? 'index.mjs' : 'index.js');
  return `import(${JSON.stringify(file.startsWith('node:') ? file : pathToFileURL(file).href)})`;
}

/** Opens libc by its name and calls `abs`. */
const CALLS = {
  pinned: "dlopen('libc.so.6', { abs: { args: ['i32'], returns: 'i32' } }).symbols.abs(-7)",
  koffi: "load('libc.so.6').func('int abs(int)')(-7)",
  nodeffi: "dlopen('libc.so.6', { abs: { arguments: ['i32'], return: 'i32' } }).functions.abs(-7)",
};

/** Programs; an error ends them with another status. */
const PROGRAMS = {
  'loads a package by `require`': (peer) => required(peer),
  'loads a package by `import`': (peer) => imported(peer),
  'opens libc by its name and calls `abs`': (peer) => `if (${required(peer)}.${CALLS[peer]} !== 7) process.exit(1)`,
};

/** Has a program print the processor's time that it has taken, of all its threads, from its start on. */
const TIMED =
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); process._rawDebug(user + system); });";

/** Nanoseconds of the processor that a program takes. */
function timeOf(code) {
  const flags = process.execArgv.filter((flag) => flag !== '--expose-gc');
  const { status, stderr } = spawnSync(process.execPath, [...flags, '-e', `${TIMED} ${code}`], { encoding: 'utf8' });
  const time = Number(/^\d+$/m.exec(stderr)?.[0]) * 1e3;
  if (status !== 0 || !(time > 0)) throw new Error(stderr);
  return time;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/** The time by which a program takes longer than an empty one: the median of pairs. */
function measure(peer, param) {
  const code = PROGRAMS[param](peer);
  timeOf(code);
  return median(Array.from({ length: PAIRS }, () => timeOf(code) - timeOf('0')));
}

export default {
  title: 'a program that {}',
  note: "The processor's time that a whole process takes beyond `node -e 0`: the median of seven pairs, with the files in the cache of the system.",
  params: Object.keys(PROGRAMS),
  isCold: true,
  isAlone: true,
  peers: Object.fromEntries(
    Object.keys(MODULES).map((peer) => [peer, (module, library, param) => measure(peer, param)]),
  ),
};
