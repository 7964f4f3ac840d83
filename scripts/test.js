'use strict';
// The test command: builds the addon and the C fixture, then runs the tests on this Node or on others.
//   node scripts/test.js [options] [part of a file name, or folder of test/ with a slash after it ...]
//   --nodes 20,22.0.0   the Nodes to run them on, from npm: majors (the newest of each) or versions
//   --runtime           leaves out tests that are the same on every Node: documents, packaging, the command line, other
//   runtimes --full              the full scale: the same tests with larger numbers (PINNED_FFI_TEST_SCALE=full)
//   --again             runs the files that have failed once more, alone; those that pass then are reported as flaky
//   --built             takes the addon as it is
//   --published         has the files that most programs load in one, as the published package has (scripts/startup.js)

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { spec: SpecReporter } = require('node:test/reporters');
const { parseArgs } = require('node:util');
const { buildIfChanged, findCompiler } = require('./build.js');
const startup = require('./startup.js');
const { installNode, versionsIn } = require('./npm.js');
const { budgetOf, dependsOnNode, isSelectedBy, testFiles } = require('./test-files.js');
const { runTestFile } = require('./test-process.js');
const { report, totals } = require('./test-report.js');
const { suffix } = require('../lib/native/platform.js');

const root = path.join(__dirname, '..');
const fixtures = path.join(root, 'test', 'fixtures');

const OPTIONS = {
  nodes: { type: 'string', multiple: true, default: [] },
  runtime: { type: 'boolean', default: false },
  full: { type: 'boolean', default: false },
  again: { type: 'boolean', default: false },
  built: { type: 'boolean', default: false },
  published: { type: 'boolean', default: false },
};

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** The options and file names of a command line; ends the process with one message where they are wrong. */
function parse(args) {
  try {
    const { values, positionals: names } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    return { ...values, nodes: versionsIn(values.nodes), names };
  } catch (error) {
    return fail(error.message);
  }
}

/**
 * The test files that the arguments of the command select; ends the process where there is none.
 * @param {string[]} names parts of file names, or folders of test/ with a slash after them; all files without any
 * @param {boolean} [isRuntime] leaves out what is the same on every Node
 */
function selectTestFiles(names, isRuntime = false) {
  const isSelected = (file) =>
    (!isRuntime || dependsOnNode(file)) && (names.length === 0 || names.some((name) => isSelectedBy(file, name)));
  const selected = testFiles().filter(isSelected);
  if (selected.length === 0)
    fail(`no test file in test/ ${names.length > 0 ? `matches ${names.join(', ')}` : 'exists'}`);
  return selected;
}

// --- The fixture

const filesIn = (folder, pattern) =>
  fs
    .readdirSync(folder)
    .filter((file) => pattern.test(file))
    .map((file) => path.join(folder, file));

/** The C fixture of the tests on this machine. */
const fixture = path.join(fixtures, 'build', `libfixture.${suffix}`);

/**
 * Compiles C into a library, unless that is newer than its sources.
 * @param {string} output
 * @param {string[]} sources
 * @param {object} options
 * @param {string[]} options.compiler a command
 * @param {boolean} options.isWindows whether it is for Windows
 * @param {string[]} [options.headers]
 * @param {string[]} [options.flags]
 */
function buildLibrary(output, sources, { compiler, isWindows, headers = [], flags = [] }) {
  const changed = (file) => fs.statSync(file).mtimeMs;
  const inputs = [...sources, ...headers, __filename];
  if (fs.existsSync(output) && inputs.every((file) => changed(file) < changed(output))) return;
  if (compiler === undefined) fail('The tests need a C compiler (cc, gcc or clang, or set CC).');
  fs.mkdirSync(path.dirname(output), { recursive: true });
  const temporary = `${output}.${process.pid}.tmp`;
  // Its threads are those of a library that only MinGW has.
  const position = isWindows ? ['-static'] : ['-fPIC'];
  const all = ['-pthread', ...position, ...flags, '-o', temporary, ...sources];
  const args = ['-std=gnu11', '-O1', '-g', '-Wall', '-shared', ...all];
  if (!isWindows && process.platform === 'linux') args.push('-lm');
  const { status, error } = spawnSync(compiler[0], [...compiler.slice(1), ...args], { cwd: root, stdio: 'inherit' });
  if (status !== 0) fail(`The C fixture of the tests does not compile${error ? `: ${error.message}` : '.'}`);
  fs.renameSync(temporary, output);
}

/**
 * Compiles the fixture, and on Linux the libraries that are isolated. For another platform: the fixture alone, with its
 * compiler, into another file.
 * @param {object} [options]
 * @param {string} [options.output]
 * @param {string[]} [options.compiler] a command
 * @param {boolean} [options.isWindows] whether it is for Windows
 */
function buildFixture({ output = fixture, compiler = findCompiler(), isWindows = process.platform === 'win32' } = {}) {
  const headers = filesIn(fixtures, /\.h$/);
  buildLibrary(output, filesIn(fixtures, /\.c$/), { compiler, isWindows, headers });
  // Each file is a separate library. They are wrong on purpose, which compilers notice.
  const isHere = output === fixture && process.platform === 'linux';
  for (const file of isHere ? filesIn(path.join(fixtures, 'isolate'), /\.c$/) : []) {
    const library = path.join(fixtures, 'build', `isolate-${path.basename(file, '.c')}.${suffix}`);
    buildLibrary(library, [file], { compiler, isWindows, flags: ['-w', '-fno-builtin'] });
  }
}

// --- Running

/** Prints events as node:test's own reporter for people does. */
function makePrinter() {
  const reporter = new SpecReporter();
  reporter.pipe(process.stdout, { end: false });
  return {
    print: (events) => events.forEach((event) => reporter.write(event)),
    end: () => new Promise((resolve) => reporter.once('end', resolve).end()),
  };
}

async function runAll(files, count, work) {
  const next = files.values();
  const worker = async () => {
    for (const file of next) await work(file);
  };
  await Promise.all(Array.from({ length: count }, worker));
}

/** One more file than there are cores: files wait for processes, threads and timers now and then. */
const AT_ONCE = os.availableParallelism() + 1;

/**
 * Runs test files on a Node, several at a time.
 * @param {string} node the Node binary
 * @param {string[]} files
 * @param {object} [options]
 * @param {string[]} [options.flags] of Node. Those that tests need are set by test/helpers.js: with other flags than at
 *   its build, Node compiles its own modules again in each process
 * @param {object} [options.environment] added to the environment
 * @param {boolean} [options.isAgain] runs what has failed once more, alone
 * @param {'quick' | 'full'} [options.scale]
 */
async function runTests(node, files, { flags = [], environment = {}, isAgain = false, scale = 'quick' } = {}) {
  const version = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? fail(`${node} does not run`);
  console.log(`\n# Node ${version} on ${process.platform}-${process.arch}\n`);
  const env = { ...process.env, ...environment, PINNED_FFI_TEST_SCALE: scale };
  // Set where a test runs this script: its own tests are no part of that one's.
  delete env.NODE_TEST_CONTEXT;
  // Node 20 reads these certificates at each start, which takes longer than the rest of it. The tests fetch nothing.
  delete env.NODE_EXTRA_CA_CERTS;
  const began = performance.now();
  const printer = makePrinter();
  const results = [];
  const failed = [];
  const run = async (file) => {
    const result = await runTestFile(node, file, { flags, env });
    if (!result.isOk && isAgain && !failed.some((each) => each.file === file)) {
      failed.push(result);
      return;
    }
    results.push(result);
    printer.print(result.events);
  };
  // The longest first, so that none is left over at the end.
  const byBudget = [...files].sort((a, b) => budgetOf(b, scale) - budgetOf(a, scale));
  await runAll(byBudget, AT_ONCE, run);
  for (const { file, events } of [...failed]) {
    console.log(`\n# ${file} has failed and is run once more\n`);
    const first = makePrinter();
    first.print(events.filter(({ type }) => type === 'test:fail'));
    await first.end();
    await run(file);
  }

  const flaky = failed.filter(({ file }) => results.some((result) => result.file === file && result.isOk));
  const { lines, isOk } = report({ results, flaky, scale });
  await new Promise((resolve) => setImmediate(resolve));
  console.log(`\n${lines.join('\n')}`);
  printer.print(
    Object.entries(totals(results, performance.now() - began)).map(([name, value]) => ({
      type: 'test:diagnostic',
      data: { nesting: 0, message: `${name} ${value}`, level: 'info' },
    })),
  );
  printer.print([{ type: 'test:summary', data: { success: isOk, counts: {} } }]);
  await printer.end();
  return { version, status: isOk && results.every((result) => result.isOk) ? 0 : 1 };
}

/** Builds what the tests need. */
async function prepare({ isBuilt = false } = {}) {
  if (!isBuilt) await buildIfChanged();
  buildFixture();
}

async function main() {
  const { nodes, names, built, runtime, again, full, published } = parse(process.argv.slice(2));
  const { scale } = full ? { scale: 'full' } : require('../test/scale.js');
  const files = selectTestFiles(names, runtime);
  await prepare({ isBuilt: built });
  // A file of an earlier run would hide changes in lib/.
  startup.remove();
  if (published) startup.writeUntilExit();
  const results = [];
  for (const node of nodes.length === 0 ? [process.execPath] : nodes.map(installNode)) {
    results.push(await runTests(node, files, { isAgain: again, scale }));
  }
  const failed = results.filter(({ status }) => status !== 0).map(({ version }) => version);
  if (failed.length > 0) fail(`Failed on ${failed.join(', ')}.`);
}

module.exports = { parse, prepare, selectTestFiles, runTests, fixture, buildFixture };

if (require.main === module) main().catch((error) => fail(error.stack));
