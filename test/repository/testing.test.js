'use strict';
// The runner of the tests: its counts, its report, and the skips that it refuses.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { isSelectedBy, nameOf, namedFiles, testFiles } = require('../../scripts/test-files.js');
const { runTestFile } = require('../../scripts/test-process.js');
const { report, totals } = require('../../scripts/test-report.js');
const { root, makeFolder } = require('../helpers.js');
const { REQUIREMENTS, needs, onlyOn } = require('../requirements.js');

const folder = makeFolder('pinned-ffi-testing');

const environment = { ...process.env, GITHUB_ACTIONS: '' };
delete environment.NODE_TEST_CONTEXT;

/** The result of a test file with this code. */
function resultOf(name, code) {
  const file = path.join(folder, `${name}.test.js`);
  fs.writeFileSync(file, `const { describe, test, before } = require('node:test');\n${code}`);
  return runTestFile(process.execPath, file, { env: environment });
}

const reportOf = (results, flaky = []) => report({ results, flaky, scale: 'quick' });

function node(args, env = {}) {
  return spawnSync(process.execPath, args, { cwd: root, encoding: 'utf8', env: { ...environment, ...env } });
}

describe('the result of a test file', () => {
  const MIXED = `
    test('passes', () => {});
    test('fails', () => { throw new Error('the reason'); });
    test('one is still to be done', { todo: true }, () => {});
    test('one is skipped', { skip: 'why' }, () => {});
    describe('a suite', () => { test('passes inside', () => {}); test('fails inside', () => { throw new Error('inner'); }); });
    describe('a suite whose hook fails', () => { before(() => { throw new Error('hook'); }); test('one is cancelled', () => {}); });`;

  test('the result of a test file has the counts of node --test', async () => {
    const result = await resultOf('mixed', MIXED);
    assert.equal(result.isOk, false);
    const { duration_ms, ...counts } = totals([result], 1);
    const { stdout } = node(['--test', '--test-reporter=tap', result.file]);
    for (const [name, count] of Object.entries(counts))
      assert.equal(count, Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(stdout)[1]), name);
  });

  test('the result of a test file has the text of each error', async () => {
    const { events } = await resultOf('text', MIXED);
    const errors = events.filter(({ type }) => type === 'test:fail').map(({ data }) => data.details.error.message);
    for (const text of ['the reason', 'inner', 'hook'])
      assert.ok(
        errors.some((error) => error.includes(`Error: ${text}`)),
        text,
      );
  });

  test('the result of a test file is a failure where the process crashes or ends before its tests do, though no test failed', async () => {
    for (const [code, message] of [
      ["test('runs', () => {}); process.on('exit', () => process.kill(process.pid, 'SIGKILL'));", /ended by SIGKILL/],
      [
        "test('never ends', async () => { await null; process.exit(0); });",
        /ended with exit code 0 before its tests did|cancelled|did not finish/,
      ],
      [
        `test('ends', () => {});
         test('hangs', async () => {
           await new Promise((resolve) => setTimeout(resolve, 50));
           process.kill(process.pid, 'SIGKILL');
         });`,
        /ended by SIGKILL, in: hangs$/,
      ],
      ["test('runs', () => {}); process.on('exit', () => { process.exitCode = 3; });", /exit code 3/],
      ['syntax error', /exit code 1 before its tests did/],
    ]) {
      const result = await resultOf('crash', code);
      const failures = result.events.filter(({ type }) => type === 'test:fail');
      assert.deepEqual([result.isOk, failures.length], [false, 1], code);
      assert.match(failures[0].data.details.error.message, message);
    }
  });
});

describe('the report', () => {
  test('the report of a run lists tests that were skipped for what is missing, by name, with the command that installs it', async () => {
    const { lines, isOk } = reportOf([
      await resultOf(
        'missing',
        `
      const skip = 'needs clang: apt install clang';
      test('the first', { skip }, () => {});
      test('the second', (t) => t.skip(skip));`,
      ),
    ]);
    assert.equal(isOk, true);
    assert.match(
      lines.join('\n'),
      /^not run here: 2 tests.*\n {2}clang: apt install clang\n {4}missing.test.js: the first\n {4}missing.test.js: the second$/m,
    );
  });

  test('the report of a run counts tests that are not for this platform by their reason', async () => {
    const { lines, isOk } = reportOf([
      await resultOf('platform', "describe('a suite', { skip: 'only on Linux' }, () => {});"),
    ]);
    assert.equal(isOk, true);
    assert.match(lines.join('\n'), /^not for this platform: 1 test\n {2}only on Linux: 1$/m);
  });

  test('a skip without a known reason fails the run, and is named', async () => {
    for (const [skip, reason] of [
      ['true', 'no reason'],
      ["'later'", 'later'],
      ["'needs time'", 'needs time'],
    ]) {
      const { lines, isOk } = reportOf([await resultOf('bare', `test('the title', { skip: ${skip} }, () => {});`)]);
      assert.equal(isOk, false);
      assert.match(lines.join('\n'), new RegExp(`is a failure:\n {2}bare.test.js: the title \\(${reason}\\)`));
    }
  });

  test('the report of a run has the time and the budget of each file, and names those that took more than twice their budget', () => {
    const events = [];
    const { lines } = reportOf([
      { file: 'test/fuzz/fuzz.test.js', seconds: 50, events },
      { file: 'test/callback/fn.test.js', seconds: 0.5, events },
    ]);
    assert.match(
      lines.join('\n'),
      /fuzz 50\.0\/\d+ +fn 0\.5\/\d+\ntook more than twice its budget:\n {2}fuzz\.test\.js: 50\.0 s, its budget is \d+ s\n$/,
    );
  });

  test('the report of a run names a file that passed only when it was run again, with the tests that failed, also to GitHub', async () => {
    const first = await resultOf(
      'flaky',
      "describe('a suite', () => { test('the title', () => { throw new Error('once'); }); });",
    );
    const code = `const { report } = require('./scripts/test-report.js');
      console.log(report({ ...JSON.parse(process.argv[1]), scale: 'quick' }).lines.join('\\n'));`;
    const events = first.events.map(({ type, data }) => ({
      type,
      data: { ...data, details: { ...data.details, error: { ...data.details.error } } },
    }));
    const input = JSON.stringify({ results: [], flaky: [{ file: 'test/flaky.test.js', events }] });
    assert.match(
      node(['-e', code, input]).stdout,
      /failed, and passed when they were run again:\n {2}flaky\.test\.js: the title\n/,
    );
    assert.match(
      node(['-e', code, input], { GITHUB_ACTIONS: 'true' }).stdout,
      /^::warning file=test\/flaky\.test\.js,title=Flaky test::the title$/m,
    );
  });
});

describe('requirements', () => {
  test('needs() names what is missing and the command that installs it, and is false where nothing is', () => {
    const code =
      "const { REQUIREMENTS, needs } = require('./test/requirements.js'); for (const each of Object.values(REQUIREMENTS)) each.found = () => false;" +
      "console.log(JSON.stringify([needs('z', 'zlib.h', 'z'), needs()]));";
    assert.deepEqual(JSON.parse(node(['-e', code], { PINNED_FFI_TEST_REQUIRE: '' }).stdout), [
      'needs z, zlib.h: apt install zlib1g zlib1g-dev',
      false,
    ]);
    assert.deepEqual(JSON.parse(node(['-e', code], { PINNED_FFI_TEST_REQUIRE: 'all' }).stdout), [false, false]);
  });

  test('every one has a Debian package or a command that installs it', () => {
    for (const [name, { found, apt, otherwise }] of Object.entries(REQUIREMENTS)) {
      assert.equal(typeof found(), 'boolean', name);
      assert.notEqual(apt === undefined, otherwise === undefined, name);
    }
    assert.throws(() => needs('nonesuch'), /has no 'nonesuch'/);
    assert.equal(onlyOn('posix', 'linux'), process.platform === 'linux' ? false : onlyOn('posix') || 'only on Linux');
  });

  test('CI installs them from the table, requires all of them, and lists none by itself', () => {
    const ci = fs.readFileSync(path.join(root, '.ci', 'run'), 'utf8');
    assert.match(ci, /node test\/requirements\.js --apt/);
    assert.match(ci, /^node test\/requirements\.js --npm$/m);
    assert.match(ci, /^export PINNED_FFI_TEST_REQUIRE=all$/m);
    for (const { apt } of Object.values(REQUIREMENTS))
      if (apt !== undefined) assert.doesNotMatch(ci, new RegExp(`\\b${apt}\\b`));
  });
});

describe('the test files', () => {
  const inTest = fs.readdirSync(path.join(root, 'test'), { withFileTypes: true });

  test('the test files lie in folders, which docs/testing.md lists with the part of the package that each covers', () => {
    const outside = inTest.map(({ name }) => name).filter((name) => name.endsWith('.test.js'));
    assert.deepEqual(outside, [], 'a test file belongs into a folder of test/');
    const used = new Set(testFiles().map((file) => path.basename(path.dirname(file))));
    const document = fs.readFileSync(path.join(root, 'docs', 'testing.md'), 'utf8');
    const listed = [...document.matchAll(/^\| `test\/([\w-]+)\/` \|/gm)].map(([, name]) => name);
    assert.deepEqual(listed.sort(), [...used].sort());
  });

  test('the test files have names of their own, by which budgets and commands know them', () => {
    const names = testFiles().map(nameOf);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
    assert.deepEqual(
      namedFiles.filter((name) => !names.includes(name)),
      [],
      'scripts/test-files.js names files that do not exist',
    );
  });

  test('the titles of tests are sentences that can be read without the title of their group', () => {
    const fragment =
      /\btest\(\s*(['"`])((?:is|are|has|have|does|do|may|can|cannot|must|of|by|in|and|but|or|that|because|also|takes|gives|refuses|shows)\b.*?)\1[,)]/g;
    for (const file of testFiles()) {
      const text = fs.readFileSync(path.join(root, file), 'utf8');
      const found = [...text.matchAll(fragment)].map(([, , title]) => title);
      assert.deepEqual(
        found.filter((title) => !/^in [A-Z]/.test(title)),
        [],
        `${file}: each of these needs a subject`,
      );
    }
  });

  test('the test files are selected by a part of the name or by a folder', () => {
    const select = (...args) => testFiles().filter((file) => args.some((argument) => isSelectedBy(file, argument)));
    const pin = path.join('test', 'memory', 'pin.test.js');
    assert.deepEqual(select('pin.test'), [pin]);
    assert.deepEqual(select(pin), [pin]);
    assert.ok(select('isolate').includes(path.join('test', 'isolate', 'isolate-death.test.js')));
    for (const folder of ['memory/', 'test/memory/'])
      assert.deepEqual([...new Set(select(folder).map(path.dirname))], [path.dirname(pin)]);
  });
});

describe('the command', () => {
  test('the test command takes major versions and full ones', () => {
    const { parse } = require('../../scripts/test.js');
    const { nodes, names, runtime, again } = parse(['--nodes', '20.0.0,26', '--nodes=24', '--runtime', 'struct']);
    assert.deepEqual([nodes, names, runtime, again], [['20.0.0', '26', '24'], ['struct'], true, false]);
  });

  test('the test command refuses what it does not know', () => {
    for (const [args, message] of [
      [
        ['--nodes', '20.1'],
        /--nodes takes major versions or full ones such as 20\.0\.0, separated by commas; received '20\.1'/,
      ],
      [['--nonsense'], /Unknown option '--nonsense'/],
      [['nonesuch'], /no test file in test\/ matches nonesuch/],
    ]) {
      const { status, stderr } = node(['scripts/test.js', ...args]);
      assert.equal(status, 1);
      assert.match(stderr, message);
    }
    assert.match(
      node(['test/scale.js'], { PINNED_FFI_TEST_SCALE: 'huge' }).stderr,
      /PINNED_FFI_TEST_SCALE must be quick or full, received 'huge'/,
    );
  });
});
