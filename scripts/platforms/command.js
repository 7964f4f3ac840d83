'use strict';
// The parts that the commands for platforms share: options, running each runtime, the report, the last line.

const { spawnSync } = require('node:child_process');
const os = require('node:os');
const { parseArgs } = require('node:util');
const { runFiles, runInputs, runSignatures, runSuite } = require('./check.js');
const { save } = require('./results.js');
const { testFileOf } = require('../test-files.js');
const { runSignaturesApart } = require('./signatures.js');
const { Unavailable } = require('../unavailable.js');

const OPTIONS = {
  short: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
  part: { type: 'string', multiple: true, default: [] },
  'if-available': { type: 'boolean', default: false },
};

/** What a runtime runs after the suite: test files, random signatures, random inputs. */
const PARTS = ['files', 'signatures', 'inputs'];

/**
 * @param {string} usage the command, for messages
 * @returns {{ short: boolean, write: boolean, only: string[], part: string[] }} write: whether the results go into the
 *   table; if-available: what cannot be installed or fetched here is no failure
 */
function parse(usage) {
  try {
    const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
    const unknown = values.part.find((each) => !PARTS.includes(each));
    if (unknown !== undefined) throw new Error(`--part ${unknown}: there is ${PARTS.join(', ')}`);
    return { ...values, write: values.write || !values.short };
  } catch (error) {
    console.error(
      `${error.message}\n${usage} [-- --short] [--write] [--only NAME ...] [--part NAME ...] [--if-available]`,
    );
    return process.exit(1);
  }
}

const environment = (more) => {
  const env = { ...process.env, NO_COLOR: '1', ...more };
  // Set where a test runs a command: the tests of that command are no part of it.
  delete env.NODE_TEST_CONTEXT;
  delete env.PINNED_FFI_TEST_REQUIRE;
  return env;
};

/** The properties that the facts printed by the suite must have. */
function faultsOf({ facts }, { fences, fastCalls = fences, platform }) {
  if (facts === undefined) return [];
  const faults = [];
  if (fences !== undefined && (facts.fences === null) !== fences)
    faults.push(fences ? `no fences: ${facts.fences}` : 'fences, which were not verified');
  if (fastCalls !== undefined && (facts.fastCalls === null) !== fastCalls)
    faults.push(fastCalls ? `no fast calls: ${facts.fastCalls}` : 'fast calls, which were not verified');
  if (platform !== undefined && facts.platform !== platform)
    faults.push(`it runs on ${facts.platform}, not on ${platform}`);
  return faults;
}

/** Whether a runtime starts here at all, without the package. */
function requireStart(binary, { name, system }) {
  const { status, signal, error } = spawnSync(binary, ['-e', '0'], { stdio: 'ignore', timeout: START_TIMEOUT_MS });
  if (status === 0) return;
  const end = error?.message ?? (signal === null ? `exit code ${status}` : signal);
  throw new Unavailable(`${name} for ${system} does not start here: ${end}`);
}

/** Runs everything on one runtime: its row of the table, and what went wrong. */
async function check(runtime, { short: isShort, part, ifAvailable }) {
  const hasPart = (name) => part.length === 0 || part.includes(name);
  const { name, system, refused, args, leftOut, except } = runtime;
  const binary = runtime.install();
  if (ifAvailable) requireStart(binary, runtime);
  const env = environment(runtime.env);
  const suite = await runSuite({ binary, args, env, leftOut });
  if (refused !== undefined) {
    const isRefused = suite.facts === undefined && refused.test(suite.refusal);
    const text = suite.refusal.match(/pinned-ffi needs [^\n]*/)?.[0] ?? '';
    return {
      row: { name, runtime: name, system, refused: text },
      faults: isRefused ? [] : ['suite: it was not refused', ...suite.faults],
    };
  }
  const faults = [...faultsOf(suite, runtime), ...suite.faults];
  const { facts, passed, cases } = suite;
  const row = {
    name,
    runtime: facts?.runtime ?? name,
    system,
    fences: facts?.fences === null,
    fastCalls: facts?.fastCalls === null,
    passed,
    cases,
  };
  const names = (hasPart('files') && runtime.files?.(isShort)) || [];
  // Where the suite has crashed, test files would, too.
  if (names.length > 0 && facts !== undefined) {
    const files = await runFiles({ binary, env }, names, except);
    faults.push(...files.faults);
    row.files = { passed: files.passed, skipped: files.skipped, excepted: files.excepted, failed: files.faults.length };
  }
  const signatures = hasPart('signatures') ? runtime.signatures?.(isShort) : undefined;
  if (signatures !== undefined && facts !== undefined) {
    const agreed = runtime.apart
      ? await runSignaturesApart({ binary, env, ...runtime.apart }, signatures)
      : await runSignatures({ binary, env }, signatures);
    faults.push(...agreed.faults);
    if (agreed.faults.length === 0) row.signatures = agreed.count;
  }
  const inputs = hasPart('inputs') ? runtime.inputs?.(isShort) : undefined;
  if (inputs !== undefined && facts !== undefined) {
    const { count, faults: found } = await runInputs({ binary, env }, inputs);
    faults.push(...found);
    if (found.length === 0) row.inputs = count;
  }
  return { row: { ...row, faults: faults.length }, faults };
}

const START_TIMEOUT_MS = 120_000;
/** Runtimes that are checked at the same time. */
const AT_ONCE = 2;
const LINES = 12;
const indent = (text) => text.trimEnd().split('\n').slice(0, LINES).join('\n      ');

/**
 * Runs a command on its runtimes, prints what each did, saves the results, and ends with one line about all of it.
 * @param {string} command sweep, musl, arm64 or windows
 * @param {object[]} runtimes
 * @param {{ short: boolean, write: boolean, only: string[], part: string[] }} options
 */
async function runAll(command, runtimes, { short, write, only, part, 'if-available': ifAvailable }) {
  const wanted = runtimes.filter(({ name, isLong }) =>
    only.length === 0 ? !(short && isLong) : only.some((each) => name.includes(each)),
  );
  if (wanted.length === 0)
    throw new Error(`--only ${only.join(' ')}: there is ${runtimes.map(({ name }) => name).join(', ')}`);
  // A name of none is an error now, not after an hour.
  for (const runtime of wanted) (runtime.files?.(short) ?? []).forEach(testFileOf);
  const results = new Map();
  const next = wanted.values();
  const work = async () => {
    for (const runtime of next) {
      const result = await checkAndPrint(runtime, { short, part, ifAvailable });
      results.set(runtime, result);
      if (write && result.unavailable === undefined)
        save(command, [result.row], { isPart: true, addsParts: part.length > 0 });
    }
  };
  // Each waits a lot: for the event loop, for other threads, for child processes.
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, os.availableParallelism()) }, work));
  const all = wanted.map((runtime) => results.get(runtime));
  const inOrder = all.filter(({ unavailable }) => unavailable === undefined);
  const rows = inOrder.map(({ row }) => row);
  if (write) save(command, rows, { isPart: rows.length < runtimes.length, addsParts: part.length > 0 });
  const failed = inOrder.filter(({ faults }) => faults.length > 0).map(({ row }) => row.name);
  console.log(lastLine(command, rows, { failed, unavailable: all.length - rows.length, isShort: short }));
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** The line that says what ran and what passed. */
function lastLine(command, rows, { failed, unavailable, isShort }) {
  const sum = (key) => rows.reduce((total, row) => total + (key(row) ?? 0), 0);
  const refused = rows.filter((row) => row.refused !== undefined && !failed.includes(row.name)).length;
  const parts = [`${rows.length - failed.length - refused} work`];
  if (refused > 0) parts.push(`${refused} refused with a reason`);
  parts.push(`${failed.length} failed${failed.length > 0 ? ` (${failed.join(', ')})` : ''}`);
  if (unavailable > 0) parts.push(`${unavailable} not available here`);
  const counts = [`${sum((row) => row.passed)} cases of the suite`, `${sum((row) => row.files?.passed)} tests`];
  const [signatures, inputs] = [sum((row) => row.signatures), sum((row) => row.inputs)];
  if (signatures > 0) counts.push(`${signatures} random signatures`);
  if (inputs > 0) counts.push(`${inputs} random inputs`);
  return `test:${command}${isShort ? ' (short)' : ''}: ${rows.length} runtimes: ${parts.join(', ')}; ${counts.join(', ')} passed`;
}

/** Checks a runtime and prints a line about it, and what went wrong. */
async function checkAndPrint(runtime, options) {
  const began = performance.now();
  const { name, system } = runtime;
  const result = await check(runtime, options).catch((error) => ({
    row: { name, runtime: name, system, passed: 0, cases: 0, faults: 1 },
    faults: [textOf(error)],
    ...(options.ifAvailable && error instanceof Unavailable && { unavailable: textOf(error) }),
  }));
  const { row, faults, unavailable } = result;
  if (unavailable !== undefined) {
    console.log(`not run ${name}, ${system}:\n    ${indent(unavailable)}`);
    return result;
  }
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  const more = [
    ...(row.files ? [`, ${row.files.passed} tests`] : []),
    ...(row.signatures ? [`, ${row.signatures} signatures`] : []),
    ...(row.inputs ? [`, ${row.inputs} inputs`] : []),
  ].join('');
  const cases = `${row.passed} of ${row.cases} cases${more}`;
  const facts = row.refused ? `refused: ${row.refused}` : `${cases}, ${row.fences ? 'fenced' : 'no fences'}`;
  console.log(`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${row.runtime}, ${system}: ${facts}; ${seconds} s`);
  for (const fault of faults) console.log(`    ${indent(fault)}`);
  return result;
}

const textOf = ({ message, cause }) => (cause === undefined ? message : `${message}\n${cause.message}`);

/**
 * Runs a program of this folder; ends with one message where it cannot.
 * @param {(options: ReturnType<typeof parse>) => Promise<void>} program
 * @param {string} usage the command, for messages
 */
async function main(program, usage) {
  const options = parse(usage);
  try {
    await program(options);
  } catch (error) {
    console.error(textOf(error));
    if (options['if-available'] && error instanceof Unavailable) console.log(`${usage}: not available here, not run`);
    else process.exitCode = 1;
  }
}

module.exports = { runAll, main };
