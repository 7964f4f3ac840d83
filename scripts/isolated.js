'use strict';
// Runs the suite with every library in a process of its own: `npm run test:isolated [-- FILES]`. What cannot hold there is
// in test/isolated/exceptions.js; everything else that fails is a failure.

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { FILES, EXCEPTIONS } = require('../test/isolated/exceptions.js');

const root = path.join(__dirname, '..');
const names = process.argv.slice(2).filter((name) => !name.startsWith('-'));
const LONGEST_MS = 600_000;

/** The titles of the tests of a TAP output that have failed, without those of suites, whose tests tell it. */
function failuresOf(tap) {
  const lines = tap.split('\n');
  return lines.flatMap((line, i) => {
    const match = /^ *not ok \d+ - (.*)$/.exec(line);
    const details = lines.slice(i + 1, i + 12).join('\n');
    return match === null || /type: 'suite'|subtests? failed/.test(details) ? [] : [match[1]];
  });
}

let failed = 0;
for (const file of FILES.filter((name) => names.length === 0 || names.includes(name))) {
  const { stdout, status, signal } = spawnSync(
    process.execPath,
    ['--expose-gc', '--test', '--test-reporter=tap', path.join('test', `${file}.test.js`)],
    { cwd: root, encoding: 'utf8', timeout: LONGEST_MS, env: { ...process.env, PINNED_FFI_ISOLATE: '1' } },
  );
  const exceptions = Object.keys(EXCEPTIONS[file] ?? {});
  const failures = failuresOf(stdout);
  const others = failures.filter((title) => !exceptions.some((known) => title.includes(known)));
  const ended = signal === null ? '' : `, ended by ${signal}`;
  const isGood = others.length === 0 && signal === null && (status === 0 || failures.length > 0);
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${file}: ${failures.length - others.length} exceptions${ended}`);
  for (const title of others) console.log(`       ${title}`);
  if (!isGood) failed += 1;
}
process.exitCode = failed === 0 ? 0 : 1;
