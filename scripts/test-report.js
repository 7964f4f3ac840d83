'use strict';
// The report at the end of a run of the tests: tests that were skipped and why, how long each file took, files that
// passed only when they were run again, and node:test's closing lines.

const path = require('node:path');
const { isNeed, isPlatform } = require('../test/requirements.js');
const { budgetOf, nameOf } = require('./test-files.js');

const COLUMNS = 4;

const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
const isSuite = ({ data }) => data.details.type === 'suite';
const isEnd = ({ type }) => type === 'test:pass' || type === 'test:fail';
const isSkipped = ({ data }) => data.skip !== undefined && data.skip !== false;
const isFailed = ({ type, data }) => type === 'test:fail' && data.todo === undefined;

/**
 * The skipped tests of all files: { file, title, reason }. A suite that is skipped hides its tests: it counts as one.
 */
function skippedIn(results) {
  return results.flatMap(({ file, events }) =>
    events
      .filter((event) => isEnd(event) && isSkipped(event))
      .map(({ data: { name, skip } }) => ({
        file: path.basename(file),
        title: name,
        reason: typeof skip === 'string' ? skip : '',
      })),
  );
}

function byReason(skipped) {
  const groups = new Map();
  for (const each of skipped) groups.set(each.reason, [...(groups.get(each.reason) ?? []), each]);
  return groups;
}

/** Lines about tests that were not run for what is missing, by name, with the command that installs it. */
function missingLines(skipped) {
  const missing = skipped.filter(({ reason }) => isNeed(reason));
  if (missing.length === 0) return [];
  const lines = [`not run here: ${count(missing.length, 'test')}; CI runs all of them`];
  for (const [reason, tests] of byReason(missing)) {
    lines.push(`  ${reason.replace(/^needs /, '')}`, ...tests.map(({ file, title }) => `    ${file}: ${title}`));
  }
  return lines;
}

function platformLines(skipped) {
  const others = skipped.filter(({ reason }) => isPlatform(reason));
  if (others.length === 0) return [];
  const reasons = [...byReason(others)].map(([reason, tests]) => `  ${reason}: ${tests.length}`);
  return [`not for this platform: ${count(others.length, 'test')}`, ...reasons];
}

const unexplained = (skipped) => skipped.filter(({ reason }) => !isNeed(reason) && !isPlatform(reason));

function unexplainedLines(skipped) {
  const bare = unexplained(skipped).map(({ file, title, reason }) => `  ${file}: ${title} (${reason || 'no reason'})`);
  if (bare.length === 0) return [];
  return ['skipped for a reason that is not in test/requirements.js, which is a failure:', ...bare];
}

function timeLines(results, scale) {
  const times = results
    .map(({ file, seconds }) => ({
      name: nameOf(file),
      seconds,
      budget: budgetOf(file, scale),
    }))
    .sort((a, b) => b.seconds - a.seconds);
  const cells = times.map(({ name, seconds, budget }) => `${name} ${seconds.toFixed(1)}/${budget}`.padEnd(26));
  const rows = Array.from(
    { length: Math.ceil(cells.length / COLUMNS) },
    (_, i) =>
      `  ${cells
        .slice(i * COLUMNS, (i + 1) * COLUMNS)
        .join('')
        .trimEnd()}`,
  );
  const late = times
    .filter(({ seconds, budget }) => seconds > 2 * budget)
    .map(({ name, seconds, budget }) => `  ${name}.test.js: ${seconds.toFixed(1)} s, its budget is ${budget} s`);
  return [
    `seconds of each file and its budget (${scale})`,
    ...rows,
    ...(late.length > 0 ? ['took more than twice its budget:', ...late] : []),
  ];
}

/** The failures of a file, without the suites around them: { title, error }. */
const failuresOf = ({ events }) =>
  events
    .filter((event) => isFailed(event) && event.data.details.error?.failureType !== 'subtestsFailed')
    .map(({ data }) => ({ title: data.name, error: data.details.error?.message ?? '' }));

const failedTitles = (result) =>
  failuresOf(result)
    .map(({ title }) => title)
    .join('; ');

function flakyLines(flaky) {
  if (flaky.length === 0) return [];
  const lines = flaky.map((result) => `  ${path.basename(result.file)}: ${failedTitles(result)}`);
  const warnings =
    process.env.GITHUB_ACTIONS === 'true'
      ? flaky.map((result) => `::warning file=${result.file},title=Flaky test::${failedTitles(result)}`)
      : [];
  return ['failed, and passed when they were run again:', ...lines, ...warnings];
}

/** node:test's closing lines, for all files. */
function totals(results, milliseconds) {
  const sums = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
  for (const event of results.flatMap(({ events }) => events.filter(isEnd))) {
    if (isSuite(event)) {
      sums.suites += 1;
      continue;
    }
    sums.tests += 1;
    const isCancelled = ['cancelledByParent', 'testTimeoutFailure'].includes(event.data.details.error?.failureType);
    if (isSkipped(event)) sums.skipped += 1;
    else if (event.data.todo !== undefined) sums.todo += 1;
    else if (event.type === 'test:pass') sums.pass += 1;
    else sums[isCancelled ? 'cancelled' : 'fail'] += 1;
  }
  return { ...sums, duration_ms: milliseconds };
}

/**
 * @param {object} run
 * @param {object[]} run.results of runTestFile, the last of each file
 * @param {object[]} run.flaky the first results of files that passed only when they were run again
 * @param {'quick' | 'full'} run.scale
 * @returns {{ lines: string[], isOk: boolean }} isOk: whether every skip is explained
 */
function report({ results, flaky, scale }) {
  const skipped = skippedIn(results);
  const parts = [
    timeLines(results, scale),
    platformLines(skipped),
    missingLines(skipped),
    flakyLines(flaky),
    unexplainedLines(skipped),
  ];
  return {
    lines: parts.filter((lines) => lines.length > 0).flatMap((lines) => [...lines, '']),
    isOk: unexplained(skipped).length === 0,
  };
}

module.exports = { report, totals, failuresOf };
