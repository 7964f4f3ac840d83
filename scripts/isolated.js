'use strict';
// Runs the suite with every library in a separate process. test/isolate/exceptions.js lists the tests that cannot pass
// there. A file with any other failure runs once more; if that fails as well, so does the run.
//   npm run test:isolated [-- --short] [--nodes 20,26] [FILE ...]
//
//   --short   the files that take seconds, for .ci/run
//   --nodes   the Nodes, from npm; without it the one that runs this

const { spawnSync } = require('node:child_process');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { FILES, SHORT, EXCEPTIONS } = require('../test/isolate/exceptions.js');
const { installNode } = require('./npm.js');
const { testFileOf } = require('./test-files.js');

const root = path.join(__dirname, '..');
const LONGEST_MS = 600_000;

/** The titles of the failed tests of a TAP output, without suites, which fail by their tests. */
function failuresOf(tap) {
  const lines = tap.split('\n');
  return lines.flatMap((line, i) => {
    const match = /^ *not ok \d+ - (.*)$/.exec(line);
    const details = lines.slice(i + 1, i + 12).join('\n');
    return match === null || /type: 'suite'|subtests? failed/.test(details) ? [] : [match[1]];
  });
}

/** Whether a file passes on a Node, but for its exceptions. */
function passes(node, file) {
  const began = performance.now();
  const { stdout, status, signal } = spawnSync(
    node,
    ['--expose-gc', '--test', '--test-reporter=tap', testFileOf(file)],
    { cwd: root, encoding: 'utf8', timeout: LONGEST_MS, env: { ...process.env, PINNED_FFI_ISOLATE: '1' } },
  );
  const exceptions = Object.keys(EXCEPTIONS[file] ?? {});
  const failures = failuresOf(stdout);
  const others = failures.filter((title) => !exceptions.some((known) => title.includes(known)));
  const isGood = others.length === 0 && signal === null && (status === 0 || failures.length > 0);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const ended = signal === null ? '' : `, ended by ${signal}`;
  const passed = /^# pass (\d+)$/m.exec(stdout)?.[1] ?? '0';
  const counts = `${passed} tests passed, ${failures.length - others.length} exceptions`;
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${file}: ${counts}, ${seconds} s${ended}`);
  for (const title of others) console.log(`       ${title}`);
  return isGood;
}

function main() {
  const { values, positionals } = parseArgs({
    options: { short: { type: 'boolean', default: false }, nodes: { type: 'string' } },
    allowPositionals: true,
  });
  const known = values.short ? SHORT : FILES;
  const unknown = positionals.find((name) => !FILES.includes(name));
  if (unknown !== undefined) throw new Error(`${unknown} is none of ${FILES.join(', ')}`);
  const files = positionals.length > 0 ? positionals : known;
  const nodes = values.nodes === undefined ? [process.execPath] : values.nodes.split(',').map(installNode);
  let failed = 0;
  for (const node of nodes) {
    console.log(`# ${spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim()}`);
    for (const file of files) {
      if (passes(node, file)) continue;
      if (passes(node, file)) console.log(`${file} has passed on the second try: it is flaky`);
      else failed += 1;
    }
  }
  process.exitCode = failed === 0 ? 0 : 1;
}

main();
