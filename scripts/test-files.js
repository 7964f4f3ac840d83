'use strict';
// What the runner knows of single test files: which depend on the Node that runs them, and how long each may take.

const path = require('node:path');

const nameOf = (file) => path.basename(file, '.test.js');

/** The same on every Node: documents, packaging, the command line, other runtimes. */
const SAME_EVERYWHERE = new Set([
  'bench',
  'bind',
  'bind-headers',
  'bundle',
  'cli',
  'docs',
  'documented',
  'ecosystem',
  'examples',
  'install',
  'koffi-packages',
  'notices',
  'runners',
  'runtimes',
  'site',
  'testing',
  'types',
  'workflows',
]);

/** Seconds that a file may take on two cores, by the scale. */
const USUAL = { quick: 2, full: 4 };
const BUDGETS = {
  abi: { quick: 3, full: 8 },
  alloc: { quick: 6, full: 6 },
  async: { quick: 8, full: 12 },
  bind: { quick: 18, full: 30 },
  'bind-headers': { quick: 9, full: 45 },
  bundle: { quick: 15, full: 15 },
  call: { quick: 5, full: 5 },
  'call-paths': { quick: 12, full: 45 },
  callback: { quick: 6, full: 8 },
  canary: { quick: 4, full: 30 },
  cc: { quick: 3, full: 15 },
  'cc-cache': { quick: 8, full: 15 },
  cdef: { quick: 4, full: 30 },
  'cdef-grammar': { quick: 3, full: 30 },
  'cdef-types': { quick: 4, full: 30 },
  cli: { quick: 6, full: 8 },
  compare: { quick: 8, full: 60 },
  docs: { quick: 7, full: 15 },
  ecosystem: { quick: 10, full: 40 },
  ending: { quick: 14, full: 20 },
  external: { quick: 4, full: 4 },
  faults: { quick: 8, full: 12 },
  fence: { quick: 7, full: 60 },
  fuzz: { quick: 5, full: 35 },
  hostile: { quick: 5, full: 8 },
  install: { quick: 10, full: 12 },
  'koffi-packages': { quick: 4, full: 40 },
  interpose: { quick: 4, full: 4 },
  interrupted: { quick: 3, full: 18 },
  isolate: { quick: 6, full: 60 },
  'isolate-death': { quick: 4, full: 30 },
  'isolate-host': { quick: 4, full: 30 },
  'isolate-sandbox': { quick: 3, full: 8 },
  'isolate-tools': { quick: 5, full: 25 },
  'isolate-real': { quick: 3, full: 20 },
  'isolate-surroundings': { quick: 3, full: 20 },
  koffi: { quick: 4, full: 4 },
  library: { quick: 4, full: 4 },
  'node-ffi': { quick: 4, full: 6 },
  pin: { quick: 5, full: 8 },
  platforms: { quick: 4, full: 6 },
  pointer: { quick: 5, full: 5 },
  pool: { quick: 4, full: 4 },
  process: { quick: 3, full: 8 },
  quarantine: { quick: 6, full: 8 },
  reset: { quick: 4, full: 15 },
  runners: { quick: 25, full: 25 },
  runtimes: { quick: 7, full: 12 },
  signature: { quick: 10, full: 60 },
  site: { quick: 60, full: 60 },
  'stack-end': { quick: 4, full: 18 },
  symbols: { quick: 4, full: 60 },
  termination: { quick: 4, full: 4 },
  testing: { quick: 3, full: 4 },
  thread: { quick: 8, full: 35 },
  trace: { quick: 4, full: 4 },
  types: { quick: 12, full: 30 },
  worker: { quick: 6, full: 12 },
};

const budgetOf = (file, scale) => (BUDGETS[nameOf(file)] ?? USUAL)[scale];

const dependsOnNode = (file) => !SAME_EVERYWHERE.has(nameOf(file));

module.exports = { budgetOf, dependsOnNode };
