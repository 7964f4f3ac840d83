'use strict';
// The test command: builds the addon and the C fixture, then runs the tests on this Node or on others.
//   node scripts/test.js [--nodes 20,22,24,26] [--built] [file or part of a file name ...]
// --built: the addon is there already, from elsewhere.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { build, findCompiler } = require('./build');
const { installNode } = require('./npm');
const { suffix } = require('../lib/platform');

const root = path.join(__dirname, '..');
const testDirectory = path.join(root, 'test');
const fixtures = path.join(testDirectory, 'fixtures');

// A test that hangs fails after this time rather than never.
const TIMEOUT_MS = 10 * 60 * 1000;
// node --test hands its own V8 flags on to the process it starts for each file (NODE_OPTIONS would refuse the second).
const FLAGS = ['--expose-gc', '--allow-natives-syntax'];

function fail(message) {
  console.error(message);
  process.exit(1);
}

function run(command, args, options = {}) {
  const { status, signal, error } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (error) fail(`${command} did not start: ${error.message}`);
  if (signal) console.error(`${command} was ended by ${signal}`);
  return status ?? 1;
}

function parse(args) {
  const majors = [];
  const names = [];
  let isBuilt = false;
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--nodes') majors.push(...(args[++i] ?? '').split(','));
    else if (args[i].startsWith('--nodes=')) majors.push(...args[i].slice('--nodes='.length).split(','));
    else if (args[i] === '--built') isBuilt = true;
    else if (args[i].startsWith('-')) fail(`unknown option ${args[i]}; known: --nodes 20,22,24,26, --built, file names`);
    else names.push(args[i]);
  }
  const bad = majors.find((major) => !/^\d+$/.test(major));
  if (bad !== undefined) fail(`--nodes wants major versions separated by commas, received '${bad}'`);
  return { majors, names, isBuilt };
}

function testFiles(names) {
  const files = fs.readdirSync(testDirectory).filter((file) => file.endsWith('.test.js')).sort();
  const isWanted = (file) => names.length === 0 || names.some((name) => file.includes(path.basename(name)));
  const wanted = files.filter(isWanted).map((file) => path.join('test', file));
  if (wanted.length === 0) fail(`no test file in test/ ${names.length > 0 ? `matches ${names.join(', ')}` : 'exists'}`);
  return wanted;
}

// --- The fixture

function buildFixture() {
  const names = fs.readdirSync(fixtures).filter((file) => /\.[ch]$/.test(file));
  const files = names.map((file) => path.join(fixtures, file));
  const output = path.join(fixtures, 'build', `libfixture.${suffix}`);
  const changed = (file) => fs.statSync(file).mtimeMs;
  if (fs.existsSync(output) && [...files, __filename].every((file) => changed(file) < changed(output))) return;
  const compiler = findCompiler() ?? fail('The tests need a C compiler (cc, gcc or clang, or set CC).');
  fs.mkdirSync(path.dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}.tmp`;
  const position = process.platform === 'win32' ? [] : ['-fPIC', '-pthread'];
  const sources = files.filter((file) => file.endsWith('.c'));
  const args = ['-std=gnu11', '-O1', '-g', '-Wall', '-shared', ...position, '-o', temporary, ...sources];
  if (process.platform === 'linux') args.push('-lm');
  if (run(compiler[0], [...compiler.slice(1), ...args]) !== 0) fail('The C fixture of the tests does not compile.');
  fs.renameSync(temporary, output);
}

// --- Other Nodes

/** Runs test files on a Node; `flags` and `environment` are added to the usual. */
function runTests(node, files, { flags = [], environment = {} } = {}) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
  console.log(`\n# Node ${version} on ${process.platform}-${process.arch}\n`);
  const args = [...FLAGS, ...flags, '--test', '--test-reporter=spec', `--test-timeout=${TIMEOUT_MS}`, ...files];
  const env = { ...process.env, ...environment };
  // Set where a test runs this script: the inner runner would then report to an outer one that is not there.
  delete env.NODE_TEST_CONTEXT;
  return { version, status: run(node, args, { env }) };
}

/** Builds what the tests need. */
async function prepare({ isBuilt = false } = {}) {
  if (!isBuilt) await build();
  buildFixture();
}

async function main() {
  const { majors, names, isBuilt } = parse(process.argv.slice(2));
  const files = testFiles(names);
  await prepare({ isBuilt });
  const nodes = majors.length === 0 ? [process.execPath] : majors.map(installNode);
  const results = nodes.map((node) => runTests(node, files));
  const failed = results.filter(({ status }) => status !== 0).map(({ version }) => version);
  if (majors.length > 0) {
    console.log(failed.length === 0 ? `\nPassed on ${results.map(({ version }) => version).join(', ')}.` : '');
  }
  if (failed.length > 0) fail(`Failed on ${failed.join(', ')}.`);
}

module.exports = { parse, prepare, testFiles, runTests };

if (require.main === module) main().catch((error) => fail(error.message));
