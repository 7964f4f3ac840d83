'use strict';
// The commands that run the package on other Nodes and systems: their table in docs/platforms.md, their options, and
// what they make of a runtime that fails.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { fixture, root, makeFolder } = require('../helpers.js');
const { onlyOn } = require('../requirements.js');
const { runSuite } = require('../../scripts/platforms/check.js');
const { COMMANDS, DOCUMENT, merge, read, withTable } = require('../../scripts/platforms/results.js');
const { writeScript } = require('../../scripts/platforms/roots.js');
const { SWEEP } = require('../../scripts/platforms/runtimes.js');
const { titles } = require('./suite.cjs');

const folder = makeFolder('pinned-ffi-platforms');

describe('the table of docs/platforms.md', () => {
  const text = fs.readFileSync(DOCUMENT, 'utf8');

  test('the table of docs/platforms.md is the one that the results make', () => {
    assert.equal(text, withTable(text, read()), 'run node scripts/platforms/results.js');
  });

  test('the table of docs/platforms.md has only runtimes on which everything passed or that are refused', () => {
    const rows = COMMANDS.flatMap((command) => read()[command] ?? []);
    assert.ok(rows.length > SWEEP.length);
    const bad = rows.filter((row) =>
      row.refused === undefined ? row.faults !== 0 || row.passed !== row.cases : row.refused === '',
    );
    assert.deepEqual(bad, []);
  });

  test('the table of docs/platforms.md has a row for each command, and for each runtime of the sweep', () => {
    const results = read();
    for (const command of COMMANDS) assert.ok(results[command]?.length > 0, command);
    assert.deepEqual(
      results.sweep.map(({ name, system }) => `${name}, ${system}`),
      SWEEP.map(({ name, system }) => `${name}, ${system}`),
    );
  });

  test('the table of docs/platforms.md keeps the rows of runtimes that a command has not run', () => {
    const before = [
      { name: 'a', system: 's', passed: 1 },
      { name: 'b', system: 's', passed: 1 },
    ];
    const rows = [
      { name: 'c', system: 's', passed: 2 },
      { name: 'a', system: 's', passed: 2 },
    ];
    assert.deepEqual(
      merge(before, rows).map(({ name, passed }) => `${name}${passed}`),
      ['a2', 'b1', 'c2'],
    );
  });

  test('the table of docs/platforms.md keeps the parts of a row that a command has not run again', () => {
    const before = [{ name: 'a', system: 's', passed: 1, signatures: 125 }];
    const rows = [{ name: 'a', system: 's', passed: 2, inputs: 1000 }];
    assert.deepEqual(merge(before, rows, true), [{ name: 'a', system: 's', passed: 2, signatures: 125, inputs: 1000 }]);
    assert.deepEqual(merge(before, rows), rows);
  });
});

test('the sweep has the oldest, one in between and the newest of each major version that the package supports', () => {
  const names = SWEEP.map(({ name }) => name);
  for (const major of [20, 22, 24, 26]) {
    const versions = names.filter((name) => new RegExp(`^Node ${major}\\b`).test(name));
    assert.equal(versions.length, 3, versions.join());
    assert.ok(versions.includes(`Node ${major}.0.0`) && versions.includes(`Node ${major}`), versions.join());
  }
});

describe('the suite of all platforms', { skip: onlyOn('posix') }, () => {
  const env = { ...process.env, FIXTURE: fixture };
  delete env.NODE_TEST_CONTEXT;
  const script = (name, ...lines) => writeScript(path.join(folder, name), lines);

  test('the suite of all platforms passes here, and says what it ran on', async () => {
    const { facts, passed, cases, faults } = await runSuite({ binary: process.execPath, env });
    assert.deepEqual(faults, []);
    assert.deepEqual([passed, cases], [titles.length, titles.length]);
    assert.equal(facts.runtime, `Node ${process.versions.node}`);
  });

  test('the suite of all platforms reports a process that dies, with the cases that it had not come to', async () => {
    const line = JSON.stringify({ title: titles[0], failed: null });
    const binary = script('dies', `echo '{}'`, `echo '${line}'`, 'echo last words >&2', 'kill -SEGV $$');
    const { passed, faults } = await runSuite({ binary, env });
    assert.equal(passed, 1);
    assert.match(faults[0], /ended with SIGSEGV: last words/);
    assert.equal(faults[1], `suite: ${titles.length - 1} cases not run, the first is: ${titles[1]}`);
  });

  test('the suite of all platforms reports a case that fails, by its title', async () => {
    const lines = titles.map((title) => JSON.stringify({ title, failed: title === titles[3] ? 'the reason' : null }));
    const { passed, faults } = await runSuite({
      binary: script('fails', `echo '{}'`, ...lines.map((each) => `echo '${each.replaceAll("'", "'\\''")}'`)),
      env,
    });
    assert.equal(passed, titles.length - 1);
    assert.deepEqual(faults, [`suite: ${titles[3]}: the reason`]);
  });

  test('the suite of all platforms reports a runtime that does not start', async () => {
    const { facts, faults } = await runSuite({ binary: path.join(folder, 'none'), env });
    assert.equal(facts, undefined);
    assert.match(faults[0], /ENOENT/);
  });
});

describe('a command', { skip: onlyOn('linux') }, () => {
  const run = (...args) =>
    spawnSync(process.execPath, ['scripts/platforms/sweep.js', ...args], { cwd: root, encoding: 'utf8' });

  test('a command of the platforms refuses an option that it does not have, with those that it has', () => {
    const { status, stderr } = run('--quick');
    assert.equal(status, 1);
    assert.match(
      stderr,
      /'--quick'[^]*npm run test:sweep \[-- --short\] \[--write\] \[--only NAME \.\.\.\] \[--part NAME/,
    );
  });

  test('a command of the platforms names the runtimes where --only names none', () => {
    const { status, stderr } = run('--only', 'Node 19');
    assert.equal(status, 1);
    assert.match(stderr, /^--only Node 19: there is Node 20\.0\.0, /m);
  });
});
