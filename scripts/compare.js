'use strict';
// "A correct program stays correct when it loads the package", as a command: workloads of npm packages and of Node run
// in processes without the package and with it. Exit status, what they print, and a digest of every byte they compute
// must be equal, and the memory of those that allocate must come back.
//   node scripts/compare.js [options] [workload ...]
//   --nodes 20,22.0.0   the Nodes to run them on, from npm; this one otherwise
//   --seed TEXT         the seed of the random data; 1 otherwise
//   --quick             smaller numbers

const { execFileSync, spawn } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { installLocked, installNode, versionsIn } = require('./npm.js');

const root = path.join(__dirname, '..');
const home = path.join(root, 'test', 'ecosystem', 'compare');
const { WORKLOADS } = require('../test/ecosystem/compare/workloads.js');

const PACKAGE = path.join(root, 'index.js');
const TIMEOUT_MS = 180_000;
const CHURN_RUNS = 3;
const MB = 1e6;

/** Bytes by which the median of the runs with the package may exceed that of those without. */
const MEMORY_LIMITS = { rss: 64 * MB, external: MB, arrayBuffers: MB };

// By default glibc raises these as a program runs, and then keeps freed blocks of 4 MiB in its arenas: from run to run
// up to 100 MB more or less, without the package too. A fixed value leaves what the program itself holds.
const FIXED_THRESHOLDS = { MALLOC_MMAP_THRESHOLD_: '131072', MALLOC_TRIM_THRESHOLD_: '131072' };

/** Runs a workload in a process, which loads a file first if one is named. */
function runWorkload(node, name, { preload, seed, scale }) {
  const required = preload === undefined ? '' : `--require ${JSON.stringify(preload)}`;
  // In NODE_OPTIONS, so that the processes and workers of the workload have it too.
  const thresholds = WORKLOADS[name].isChurn ? FIXED_THRESHOLDS : {};
  const env = { ...process.env, ...thresholds, NODE_OPTIONS: required, PINNED_FFI_TEST_SCALE: scale };
  // Set by the test runner for its own children; these are not.
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const args = ['--expose-gc', path.join(home, 'run.js'), name, seed];
    const child = spawn(node, args, {
      env,
      timeout: TIMEOUT_MS,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const [stdout, stderr, report] = child.stdio.slice(1).map((stream) => {
      const chunks = [];
      stream.on('data', (chunk) => chunks.push(chunk));
      return () => Buffer.concat(chunks).toString();
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      // Warnings have the process id.
      const printed = { stdout: stdout(), stderr: stderr().replaceAll(`(node:${child.pid})`, '(node)') };
      resolve({ status: signal ?? code, ...printed, ...JSON.parse(report() || '{}') });
    });
  });
}

const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

/** The median of each kind of memory over some runs. */
const memoryOf = (runs) =>
  Object.fromEntries(
    Object.keys(MEMORY_LIMITS).map((kind) => [kind, median(runs.map(({ memory }) => memory?.[kind] ?? NaN))]),
  );

const inMegabytes = (bytes) => (bytes / MB).toFixed(1);

/** In words, what two runs of a workload differ in. */
function differencesOf(plain, loaded) {
  const compared = ['status', 'stdout', 'stderr', 'digest'].filter((key) => plain[key] !== loaded[key]);
  return [
    ...compared.map(
      (key) => `${key}: ${JSON.stringify(plain[key])} without the package, ${JSON.stringify(loaded[key])} with it`,
    ),
    // Two processes that fail in the same way compare nothing.
    ...(plain.status === 0 ? [] : [`it ends with ${plain.status} without the package: ${plain.stderr.slice(0, 2000)}`]),
    ...(loaded.status !== 0 || loaded.isLoaded ? [] : ['the package was not loaded']),
    ...(loaded.broken ? [`${loaded.broken} fences were broken`] : []),
  ];
}

/** In words, which kinds of memory did not come back. */
const memoryDifferencesOf = (plain, loaded) =>
  Object.entries(MEMORY_LIMITS)
    .filter(([kind, limit]) => !(loaded[kind] - plain[kind] <= limit))
    .map(
      ([kind]) =>
        `${kind}: ${inMegabytes(plain[kind])} MB without the package, ${inMegabytes(loaded[kind])} MB with it`,
    );

/**
 * Runs a workload without the package and with it.
 * @param {string} node the Node binary
 * @param {string} name one of WORKLOADS
 * @param {{ seed?: string, scale?: 'quick' | 'full', preload?: string }} options
 * @returns {Promise<{ name: string, digest?: string, memory?: string, differences: string[] }>}
 */
async function compareWorkload(node, name, { seed = '1', scale = 'full', preload = PACKAGE } = {}) {
  const { isChurn } = WORKLOADS[name];
  const pairs = [];
  for (let i = 0; i < (isChurn ? CHURN_RUNS : 1); i += 1) {
    pairs.push([
      await runWorkload(node, name, { seed, scale }),
      await runWorkload(node, name, { seed, scale, preload }),
    ]);
  }
  const differences = [...new Set(pairs.flatMap(([plain, loaded]) => differencesOf(plain, loaded)))];
  const result = { name, digest: pairs[0][0].digest, differences };
  if (!isChurn) return result;
  const [plain, loaded] = [0, 1].map((side) => memoryOf(pairs.map((pair) => pair[side])));
  const memory = Object.keys(MEMORY_LIMITS)
    .map((kind) => `${kind} ${inMegabytes(plain[kind])} -> ${inMegabytes(loaded[kind])}`)
    .join(', ');
  return {
    ...result,
    memory: `MB without -> with: ${memory}`,
    differences: [...differences, ...memoryDifferencesOf(plain, loaded)],
  };
}

/** The lines of the table for one workload. */
function linesOf({ name, digest = '', memory, differences }) {
  const row = [
    name.padEnd(24),
    (differences.length === 0 ? 'same' : 'different').padEnd(10),
    digest.slice(0, 16),
    memory ?? '',
  ];
  return [row.join('  ').trimEnd(), ...differences.map((each) => `    ${each}`)];
}

/** The heading of a Node's table. Without fences the allocator is not replaced, and less is compared. */
function headingOf(node, seed) {
  const source = `const { installed, reason } = require(${JSON.stringify(PACKAGE)}).fences();
    [process.version, installed ? 'with fences' : 'without fences: ' + reason].join(', ')`;
  return `# ${execFileSync(node, ['-p', source], { encoding: 'utf8' }).trim()}, seed ${seed}`;
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

const OPTIONS = {
  nodes: { type: 'string', multiple: true, default: [] },
  seed: { type: 'string', default: '1' },
  quick: { type: 'boolean', default: false },
};

/** The options of a command line; ends the process with one message where they are wrong. */
function parse(args) {
  try {
    const { values, positionals } = parseArgs({ args, options: OPTIONS, allowPositionals: true });
    const unknown = positionals.find((name) => !Object.hasOwn(WORKLOADS, name));
    if (unknown !== undefined)
      fail(`There is no workload '${unknown}'; there are: ${Object.keys(WORKLOADS).join(', ')}`);
    return {
      ...values,
      nodes: versionsIn(values.nodes),
      names: positionals.length > 0 ? positionals : Object.keys(WORKLOADS),
    };
  } catch (error) {
    return fail(error.message);
  }
}

async function main() {
  const { nodes, seed, quick, names } = parse(process.argv.slice(2));
  if (names.some((name) => WORKLOADS[name].isFromNpm) && !installLocked(home))
    fail('npm ci failed in test/ecosystem/compare.');
  const counts = { same: 0, different: 0 };
  for (const node of nodes.length === 0 ? [process.execPath] : nodes.map(installNode)) {
    console.log(headingOf(node, seed));
    for (const name of names) {
      const result = await compareWorkload(node, name, { seed, scale: quick ? 'quick' : 'full' });
      counts[result.differences.length === 0 ? 'same' : 'different'] += 1;
      console.log(linesOf(result).join('\n'));
    }
  }
  console.log(`${counts.same} same, ${counts.different} different`);
  process.exitCode = counts.different === 0 ? 0 : 1;
}

module.exports = { compareWorkload };

if (require.main === module) main().catch((error) => fail(error.stack));
