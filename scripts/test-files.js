'use strict';
// The test files: where they are, which of them depend on the Node that runs them, and how long each may take.

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/**
 * The test files, relative to the repository: those of the folders of test/. Folders in these belong to programs under
 * test.
 */
const testFiles = () =>
  fs
    .readdirSync(path.join(root, 'test'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => fs.readdirSync(path.join(root, 'test', name)).map((file) => path.join('test', name, file)))
    .filter((file) => file.endsWith('.test.js'))
    .sort();

/** The name of a test file, by which commands, budgets and lists know it: 'pin' for test/memory/pin.test.js. */
const nameOf = (file) => path.basename(file, '.test.js');

/**
 * The path of the test file with a name.
 * @param {string} name 'pin' or 'pin.test.js'
 * @returns {string} the file, relative to the repository
 * @throws {Error} without such a file
 */
function testFileOf(name) {
  const found = testFiles().find((file) => nameOf(file) === nameOf(name));
  if (found === undefined) throw new Error(`no test file is named ${name}`);
  return found;
}

/**
 * Whether a test file is selected by an argument of the test command.
 * @param {string} file relative to the repository
 * @param {string} argument a part of the file's name, or a folder of test/ with a slash after it: `struct`, `types/`
 */
const isSelectedBy = (file, argument) =>
  argument.endsWith('/')
    ? file.split(path.sep).slice(0, -1).includes(path.basename(argument))
    : path.basename(file).includes(path.basename(argument));

/** The same on every Node: documents, packaging, the command line, other runtimes. */
const SAME_EVERYWHERE = new Set([
  'bench',
  'bind',
  'bind-headers',
  'bind-options',
  'bind-programs',
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
  async: { quick: 5, full: 9 },
  bind: { quick: 5, full: 9 },
  'bind-headers': { quick: 9, full: 45 },
  'bind-options': { quick: 5, full: 8 },
  'bind-programs': { quick: 5, full: 12 },
  bundle: { quick: 15, full: 15 },
  call: { quick: 5, full: 5 },
  'call-paths': { quick: 12, full: 45 },
  callback: { quick: 6, full: 8 },
  canary: { quick: 4, full: 30 },
  cc: { quick: 3, full: 15 },
  'cc-cache': { quick: 8, full: 15 },
  cdef: { quick: 4, full: 30 },
  'cdef-grammar': { quick: 3, full: 30 },
  'cdef-judged': { quick: 3, full: 10 },
  'cdef-language': { quick: 2, full: 10 },
  'cdef-plain': { quick: 1, full: 30 },
  'cdef-types': { quick: 4, full: 30 },
  cli: { quick: 6, full: 8 },
  compare: { quick: 8, full: 60 },
  docs: { quick: 7, full: 15 },
  ecosystem: { quick: 10, full: 40 },
  ending: { quick: 5, full: 8 },
  external: { quick: 4, full: 4 },
  faults: { quick: 8, full: 12 },
  fence: { quick: 7, full: 60 },
  fuzz: { quick: 5, full: 35 },
  hostile: { quick: 5, full: 8 },
  install: { quick: 7, full: 9 },
  interpose: { quick: 4, full: 4 },
  interrupted: { quick: 3, full: 18 },
  isolate: { quick: 6, full: 60 },
  'isolate-death': { quick: 8, full: 33 },
  'isolate-host': { quick: 4, full: 30 },
  'isolate-sandbox': { quick: 3, full: 8 },
  'isolate-tools': { quick: 5, full: 25 },
  'isolate-real': { quick: 3, full: 20 },
  'isolate-surroundings': { quick: 3, full: 20 },
  koffi: { quick: 4, full: 4 },
  'koffi-packages': { quick: 4, full: 40 },
  'late-callback': { quick: 5, full: 8 },
  'library-thread': { quick: 3, full: 4 },
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
  'worker-ending': { quick: 6, full: 9 },
};

const budgetOf = (file, scale) => (BUDGETS[nameOf(file)] ?? USUAL)[scale];

const dependsOnNode = (file) => !SAME_EVERYWHERE.has(nameOf(file));

/** The files that the tables above name. */
const namedFiles = [...SAME_EVERYWHERE, ...Object.keys(BUDGETS)];

module.exports = { testFiles, namedFiles, testFileOf, nameOf, isSelectedBy, budgetOf, dependsOnNode };
