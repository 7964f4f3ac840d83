'use strict';
// The test command: builds the addon and the C fixture, then runs the tests on this Node or on others.
//   node scripts/test.js [--nodes 20,22,24,26] [--runtime] [--again] [--built] [file or part of a file name ...]
//   --runtime  leaves out what is the same on every Node: documents, packaging, the command line, other runtimes
//   --again    runs the files that have failed once more, one after the other: they fail when they fail twice
//   --built    takes the addon as it is

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
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
  const chosen = { isBuilt: false, isRuntime: false, isAgain: false };
  const switches = { '--built': 'isBuilt', '--runtime': 'isRuntime', '--again': 'isAgain' };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--nodes') majors.push(...(args[++i] ?? '').split(','));
    else if (args[i].startsWith('--nodes=')) majors.push(...args[i].slice('--nodes='.length).split(','));
    else if (Object.hasOwn(switches, args[i])) chosen[switches[args[i]]] = true;
    else if (args[i].startsWith('-')) {
      fail(`unknown option ${args[i]}; known: --nodes 20,22,24,26, ${Object.keys(switches).join(', ')}, file names`);
    }
    else names.push(args[i]);
  }
  const bad = majors.find((major) => !/^\d+$/.test(major));
  if (bad !== undefined) fail(`--nodes wants major versions separated by commas, received '${bad}'`);
  return { majors, names, ...chosen };
}

/** What does not depend on the Node that runs it. */
const SAME_EVERYWHERE = new Set([
  'bench', 'bind', 'bundle', 'cli', 'docs', 'documented', 'ecosystem', 'examples', 'install', 'runners', 'runtimes', 'workflows',
].map((name) => `${name}.test.js`));

function testFiles(names, isRuntime = false) {
  const files = fs.readdirSync(testDirectory).filter((file) => file.endsWith('.test.js')).sort();
  const isWanted = (file) => !(isRuntime && SAME_EVERYWHERE.has(file))
    && (names.length === 0 || names.some((name) => file.includes(path.basename(name))));
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

/**
 * Runs test files on a Node; `flags` and `environment` are added to the usual. With `isAgain` a machine that is busy with
 * something else may make a timing slip: the files that failed are run once more, one after the other.
 */
function runTests(node, files, { flags = [], environment = {}, isAgain = false } = {}) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim();
  console.log(`\n# Node ${version} on ${process.platform}-${process.arch}\n`);
  const failed = path.join(os.tmpdir(), `pinned-ffi-failed-${process.pid}`);
  const reporters = ['--test-reporter=spec', '--test-reporter-destination=stdout',
    `--test-reporter=${pathToFileURL(path.join(__dirname, 'failed-files.mjs'))}`, `--test-reporter-destination=${failed}`];
  const usual = [...FLAGS, ...flags, '--test', `--test-timeout=${TIMEOUT_MS}`];
  const env = { ...process.env, ...environment };
  // Set where a test runs this script: the inner runner would then report to an outer one that is not there.
  delete env.NODE_TEST_CONTEXT;
  const status = run(node, [...usual, ...reporters, ...files], { env });
  const names = fs.existsSync(failed) ? new Set(fs.readFileSync(failed, 'utf8').split('\n').filter(Boolean)) : new Set();
  fs.rmSync(failed, { force: true });
  if (status === 0 || !isAgain || names.size === 0) return { version, status };
  console.log(`\n# Once more on Node ${version}: ${[...names].map((name) => path.basename(name)).join(', ')}\n`);
  return { version, status: run(node, [...usual, '--test-concurrency=1', ...names], { env }) };
}

/** Builds what the tests need. */
async function prepare({ isBuilt = false } = {}) {
  if (!isBuilt) await build();
  buildFixture();
}

async function main() {
  const { majors, names, isBuilt, isRuntime, isAgain } = parse(process.argv.slice(2));
  const files = testFiles(names, isRuntime);
  await prepare({ isBuilt });
  const nodes = majors.length === 0 ? [process.execPath] : majors.map(installNode);
  const results = nodes.map((node) => runTests(node, files, { isAgain }));
  const failed = results.filter(({ status }) => status !== 0).map(({ version }) => version);
  if (majors.length > 0) {
    console.log(failed.length === 0 ? `\nPassed on ${results.map(({ version }) => version).join(', ')}.` : '');
  }
  if (failed.length > 0) fail(`Failed on ${failed.join(', ')}.`);
}

module.exports = { parse, prepare, testFiles, runTests };

if (require.main === module) main().catch((error) => fail(error.message));
