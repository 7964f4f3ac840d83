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
  'notices',
  'runners',
  'runtimes',
  'site',
  'testing',
  'types',
  'workflows',
]);

/** Seconds that a file may take on two cores, by the scale. */
const USUAL = { quick: 4, full: 4 };
const BUDGETS = {
  abi: { quick: 8, full: 8 },
  alloc: { quick: 6, full: 6 },
  async: { quick: 12, full: 12 },
  bind: { quick: 25, full: 30 },
  'bind-headers': { quick: 10, full: 45 },
  canary: { quick: 15, full: 30 },
  bundle: { quick: 15, full: 15 },
  callback: { quick: 8, full: 8 },
  cc: { quick: 15, full: 15 },
  cdef: { quick: 8, full: 30 },
  cli: { quick: 8, full: 8 },
  compare: { quick: 20, full: 60 },
  docs: { quick: 15, full: 15 },
  ecosystem: { quick: 12, full: 40 },
  ending: { quick: 20, full: 20 },
  faults: { quick: 12, full: 12 },
  fence: { quick: 12, full: 60 },
  fuzz: { quick: 10, full: 35 },
  isolate: { quick: 15, full: 60 },
  install: { quick: 12, full: 12 },
  'isolate-host': { quick: 8, full: 30 },
  'call-paths': { quick: 20, full: 45 },
  hostile: { quick: 8, full: 8 },
  'node-ffi': { quick: 6, full: 6 },
  runtimes: { quick: 12, full: 12 },
  runners: { quick: 25, full: 25 },
  process: { quick: 8, full: 8 },
  quarantine: { quick: 8, full: 8 },
  pin: { quick: 8, full: 8 },
  platforms: { quick: 6, full: 6 },
  reset: { quick: 15, full: 15 },
  site: { quick: 60, full: 60 },
  signature: { quick: 15, full: 60 },
  symbols: { quick: 8, full: 60 },
  types: { quick: 12, full: 30 },
  thread: { quick: 10, full: 35 },
  worker: { quick: 12, full: 12 },
};

const budgetOf = (file, scale) => (BUDGETS[nameOf(file)] ?? USUAL)[scale];

const dependsOnNode = (file) => !SAME_EVERYWHERE.has(nameOf(file));

module.exports = { budgetOf, dependsOnNode };
