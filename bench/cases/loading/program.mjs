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

/** Opens a library, and calls the first hundred functions of lib/symbols.c. */
const HUNDRED = {
  pinned: (library) => `dlopen(${library}, of({ args: ['i32', 'i32'], returns: 'i32' })).symbols`,
  koffi: (library) => `load(${library})`,
  nodeffi: (library) => `dlopen(${library}, of({ arguments: ['i32', 'i32'], return: 'i32' })).functions`,
};
const binds = (peer) => (peer === 'koffi' ? "opened.func('int ' + name + '(int, int)')" : 'opened[name]');

const callsHundred = (peer, library) => `
  const names = Array.from({ length: 100 }, (_, i) => 'add_' + (1000 + i));
  const of = (declaration) => Object.fromEntries(names.map((name) => [name, declaration]));
  const opened = ${required(peer)}.${HUNDRED[peer](JSON.stringify(library))};
  const functions = names.map((name) => ${binds(peer)});
  if (!functions.every((add, i) => add(20, 22) === 1042 + i)) process.exit(1);`;

/** Programs; an error ends them with another status. */
const PROGRAMS = {
  'loads a package by `require`': (peer) => required(peer),
  'loads a package by `import`': (peer) => imported(peer),
  'opens libc by its name and calls `abs`': (peer) => `if (${required(peer)}.${CALLS[peer]} !== 7) process.exit(1)`,
  'opens a library and calls 100 functions': callsHundred,
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
function measure(peer, param, library) {
  const code = PROGRAMS[param](peer, library);
  timeOf(code);
  return median(Array.from({ length: PAIRS }, () => timeOf(code) - timeOf('0')));
}

export default {
  title: 'a program that {}',
  note: "The processor's time that a whole process takes beyond `node -e 0`: the median of seven pairs, with the files in the cache of the system.",
  params: Object.keys(PROGRAMS),
  library: 'symbols',
  isCold: true,
  isAlone: true,
  peers: Object.fromEntries(
    Object.keys(MODULES).map((peer) => [peer, (module, library, param) => measure(peer, param, library)]),
  ),
};
