'use strict';
// Runs the suite of all platforms, and test files, on one runtime, and counts what passed and failed.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { testFileOf } = require('../test-files.js');
const { runTestFile } = require('../test-process.js');
const { failuresOf, totals } = require('../test-report.js');
const { titles } = require('../../test/runtimes/suite.cjs');

const root = path.join(__dirname, '..', '..');
const suite = path.join(root, 'test', 'runtimes', 'suite.cjs');
const FLAGS = ['--expose-gc', '--allow-natives-syntax'];
const TIMEOUT_MS = 10 * 60 * 1000;
/** Thousands of signatures, or of inputs, in an emulator. */
const LONG_TIMEOUT_MS = 12 * TIMEOUT_MS;

/** Runs a program to its end. Returns its output, and the way it ended. */
function start(binary, args, env, { timeout = TIMEOUT_MS, cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(binary, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout);
    const printed = { stdout: '', stderr: '' };
    for (const name of Object.keys(printed))
      child[name].setEncoding('utf8').on('data', (text) => (printed[name] += text));
    const finish = (end) => {
      clearTimeout(timer);
      resolve({ ...printed, end });
    };
    child.on('error', (error) => finish(error.message));
    child.on('close', (code, signal) => finish(code === 0 ? undefined : `ended with ${signal ?? `exit code ${code}`}`));
  });
}

/** The values of the lines of JSON in a text. */
const linesOf = (text) =>
  text
    .split('\n')
    .filter((line) => line.startsWith('{') && line.trimEnd().endsWith('}'))
    .map((line) => JSON.parse(line));

/**
 * Runs the suite.
 * @returns {Promise<{ facts: object | undefined, passed: number, cases: number, faults: string[], refusal: string }>}
 *   faults: what went wrong, a line each; refusal: what was printed where the package did not load
 */
async function runSuite({ binary, args = ['--expose-gc'], env, leftOut = {} }) {
  const { stdout, stderr, end } = await start(binary, [...args, suite], env);
  const [facts, ...results] = linesOf(stdout);
  const wanted = titles.filter((title) => !(title in leftOut));
  const failures = new Map(results.map(({ title, failed }) => [title, failed]));
  const failed = wanted.filter((title) => failures.has(title) && failures.get(title) !== null);
  const missing = wanted.filter((title) => !failures.has(title));
  const faults = failed.map((title) => `suite: ${title}: ${failures.get(title)}`);
  if (missing.length > 0) faults.push(`suite: ${missing.length} cases not run, the first is: ${missing[0]}`);
  if (end !== undefined)
    faults.unshift(`suite: the process ${end}${stderr === '' ? '' : `: ${stderr.trim().slice(-1500)}`}`);
  const passed = wanted.filter((title) => failures.get(title) === null).length;
  return { facts, passed, cases: wanted.length, faults, refusal: stderr };
}

/**
 * Runs test files, one after the other.
 * @param {{ binary: string, env: object, flags?: string[] }} runtime
 * @param {string[]} names of the files: call for test/call/call.test.js
 * @param {Record<string, string>} [except] tests that cannot pass there, by title, with the reason
 */
async function runFiles({ binary, env, flags = [] }, names, except = {}) {
  const sums = { passed: 0, skipped: 0, excepted: 0, faults: [] };
  for (const name of names) {
    const result = await runTestFile(binary, testFileOf(name), {
      flags: [...FLAGS, ...flags],
      env,
    });
    const { pass, skipped } = totals([result], 0);
    sums.passed += pass;
    sums.skipped += skipped;
    for (const { title, error } of failuresOf(result)) {
      if (title in except) sums.excepted += 1;
      else sums.faults.push(`${name}.test.js: ${title}: ${error}`);
    }
  }
  return sums;
}

const ABI = path.join(root, 'scripts', 'abi.js');

/**
 * Compares random signatures with the C compiler of a runtime.
 * @param {{ binary: string, env: object }} runtime
 * @param {{ count: number, seed: number, callPaths: string[], engines: string[] }} what as scripts/abi.js has it
 * @returns {Promise<{ count: number, faults: string[] }>}
 */
async function runSignatures({ binary, env }, { count, seed, callPaths, engines }) {
  const numbers = ['--count', String(count), '--seed', String(seed)];
  const names = ['--call-paths', callPaths.join(','), '--engines', engines.join(',')];
  const { stdout, stderr, end } = await start(binary, [...FLAGS, ABI, '--built', ...numbers, ...names], env, {
    timeout: LONG_TIMEOUT_MS,
  });
  const agreed = [...stdout.matchAll(/: (\d+) signatures, .* 0 mismatches$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
  if (agreed === count && end === undefined) return { count, faults: [] };
  return {
    count,
    faults: [`random signatures: ${end ?? ''} ${stdout.trim().slice(-1500)} ${stderr.trim().slice(-500)}`],
  };
}

const SHARD = path.join(root, 'test', 'fuzz', 'shard.js');
/** The inputs of a process: what they declare stays until it ends. */
const INPUTS_AT_ONCE = 20_000;

/**
 * Passes random inputs to the public interface, as test/fuzz/run.js does, which cannot start processes in every
 * emulator.
 * @param {{ binary: string, env: object }} runtime
 * @param {{ count: number, seed: number, isGuarded?: boolean }} what isGuarded: whether the guard refuses addresses
 *   that are not mapped there, which the inputs of guarded processes have
 * @returns {Promise<{ count: number, faults: string[] }>} faults: the first input that crashes or throws what it must
 *   not
 */
async function runInputs({ binary, env }, { count, seed, isGuarded = true }) {
  const cwd = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-inputs-'));
  const run = async (from, i) => {
    const progress = path.join(cwd, `progress-${i}`);
    // Every other process is guarded.
    const guard = isGuarded && i % 2 === 1 ? '1' : '';
    const args = ['--expose-gc', SHARD, progress, seed, from, Math.min(count, from + INPUTS_AT_ONCE)].map(String);
    const options = { timeout: LONG_TIMEOUT_MS, cwd };
    const { stdout, stderr, end } = await start(binary, args, { ...env, PINNED_FFI_GUARD: guard }, options);
    if (end === undefined) return [];
    const index = fs.existsSync(progress) ? fs.readFileSync(progress).readDoubleLE(0) : 'none';
    const what = `${stdout.trim().slice(-1500)} ${stderr.trim().slice(-1500)}`;
    return [`input ${index} of seed ${seed}, PINNED_FFI_GUARD='${guard}': ${end}: ${what}`];
  };
  try {
    const starts = Array.from({ length: Math.ceil(count / INPUTS_AT_ONCE) }, (_, i) => i * INPUTS_AT_ONCE);
    return { count, faults: (await Promise.all(starts.map(run))).flat() };
  } finally {
    fs.rmSync(cwd, { recursive: true, force: true });
  }
}

module.exports = { runSuite, runFiles, runSignatures, runInputs, start, root, FLAGS, LONG_TIMEOUT_MS };
