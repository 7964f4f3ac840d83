'use strict';
// What the commands for platforms have in common: options, running each runtime, the report, the last line.

const { parseArgs } = require('node:util');
const { runFiles, runSuite } = require('./check.js');
const { save } = require('./results.js');

const OPTIONS = {
  short: { type: 'boolean', default: false },
  write: { type: 'boolean', default: false },
  only: { type: 'string', multiple: true, default: [] },
};

/**
 * @param {string} usage the command, for messages
 * @returns {{ short: boolean, write: boolean, only: string[] }} write: whether the results go into the table
 */
function parse(usage) {
  try {
    const { values } = parseArgs({ args: process.argv.slice(2), options: OPTIONS });
    return { ...values, write: values.write || !values.short };
  } catch (error) {
    console.error(`${error.message}\n${usage} [-- --short] [--write] [--only NAME ...]`);
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

/** What must hold of the facts that the suite prints. */
function faultsOf({ facts }, { fences, platform }) {
  if (facts === undefined) return [];
  const faults = [];
  if (fences !== undefined && (facts.fences === null) !== fences)
    faults.push(fences ? `no fences: ${facts.fences}` : 'fences, which were not verified');
  if (fences !== undefined && (facts.fastCalls === null) !== fences)
    faults.push(fences ? `no fast calls: ${facts.fastCalls}` : 'fast calls, which were not verified');
  if (platform !== undefined && facts.platform !== platform)
    faults.push(`it runs on ${facts.platform}, not on ${platform}`);
  return faults;
}

/** Runs everything on one runtime: its row of the table, and what went wrong. */
async function check(runtime, isShort) {
  const { name, system, refused, args, leftOut, except } = runtime;
  const binary = runtime.install();
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
  const names = runtime.files?.(isShort) ?? [];
  // Where the suite has crashed, test files would, too.
  if (names.length > 0 && facts !== undefined) {
    const files = await runFiles({ binary, env }, names, except);
    faults.push(...files.faults);
    row.files = { passed: files.passed, skipped: files.skipped, excepted: files.excepted, failed: files.faults.length };
  }
  return { row: { ...row, faults: faults.length }, faults };
}

const LINES = 12;
const indent = (text) => text.trimEnd().split('\n').slice(0, LINES).join('\n      ');

/**
 * Runs a command on its runtimes, prints what each did, saves the results, and ends with one line about all of it.
 * @param {string} command sweep, musl, arm64 or windows
 * @param {object[]} runtimes
 * @param {{ short: boolean, write: boolean, only: string[] }} options
 */
async function runAll(command, runtimes, { short, write, only }) {
  const wanted = runtimes.filter(({ name, isLong }) =>
    only.length === 0 ? !(short && isLong) : only.some((each) => name.includes(each)),
  );
  if (wanted.length === 0)
    throw new Error(`--only ${only.join(' ')}: there is ${runtimes.map(({ name }) => name).join(', ')}`);
  const results = [];
  for (const runtime of wanted) {
    const began = performance.now();
    const result = await check(runtime, short).catch((error) => ({
      row: { name: runtime.name, runtime: runtime.name, system: runtime.system, passed: 0, cases: 0, faults: 1 },
      faults: [error.message],
    }));
    results.push(result);
    const { row, faults } = result;
    if (write) save(command, [row], { isPart: true });
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    const facts = row.refused
      ? `refused: ${row.refused}`
      : `${row.passed} of ${row.cases} cases${row.files ? `, ${row.files.passed} tests` : ''}, ${row.fences ? 'fenced' : 'no fences'}`;
    console.log(`${faults.length === 0 ? 'ok    ' : 'FAILED'} ${row.runtime}, ${row.system}: ${facts}; ${seconds} s`);
    for (const fault of faults) console.log(`    ${indent(fault)}`);
  }
  if (write)
    save(
      command,
      results.map(({ row }) => row),
      { isPart: wanted.length < runtimes.length },
    );
  const rows = results.map(({ row }) => row);
  const sum = (key) => rows.reduce((total, row) => total + (key(row) ?? 0), 0);
  const failed = results.filter(({ faults }) => faults.length > 0).map(({ row }) => row.name);
  const refused = rows.filter((row) => row.refused !== undefined).length;
  const works = rows.length - failed.length - refused;
  const counts = `${sum((row) => row.passed)} cases of the suite and ${sum((row) => row.files?.passed)} tests passed`;
  console.log(
    `test:${command}${short ? ' (short)' : ''}: ${rows.length} runtimes: ${works} work${refused > 0 ? `, ${refused} refused with a reason` : ''}, ` +
      `${failed.length} failed${failed.length > 0 ? ` (${failed.join(', ')})` : ''}; ${counts}`,
  );
  process.exitCode = failed.length === 0 ? 0 : 1;
}

/** Runs a program of this folder; ends with one message where it cannot. */
const main = (program) =>
  program().catch((error) => {
    console.error(error.cause === undefined ? error.message : `${error.message}\n${error.cause.message}`);
    process.exitCode = 1;
  });

module.exports = { parse, runAll, main };
