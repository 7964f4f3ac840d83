'use strict';
// The test suite on every call path, interpreted, optimised early, and guarded:
//   npm run test:call-paths [-- --full --nodes 20,22,24,26] [file or part of a file name ...]

const { execFileSync } = require('node:child_process');
const path = require('node:path');
const { installNode } = require('./npm.js');
const { parse, prepare, runTests, selectTestFiles } = require('./test.js');

const pathsFile = path.join(__dirname, '..', 'test', 'abi', 'call-paths.js');

/** Flags differ from one V8 to the next: each Node is asked for its own. */
const askNode = (node) =>
  JSON.parse(execFileSync(node, ['-p', `JSON.stringify(require(${JSON.stringify(pathsFile)}))`], { encoding: 'utf8' }));

async function main() {
  const { nodes, names, full } = parse(process.argv.slice(2));
  const files = selectTestFiles(names);
  await prepare();
  const failed = [];
  for (const node of nodes.length === 0 ? [process.execPath] : nodes.map(installNode)) {
    const { CALL_PATHS, ENGINES } = askNode(node);
    for (const callPath of CALL_PATHS) {
      const forced = { PINNED_FFI_CALL_PATH: callPath };
      const variants = [
        ...Object.entries(ENGINES).map(([engine, flags]) => [engine, { flags, environment: forced }]),
        ['guarded', { environment: { ...forced, PINNED_FFI_GUARD: '1' } }],
      ];
      for (const [variant, options] of variants) {
        console.log(`\n## call path ${callPath}, ${variant}`);
        const { version, status } = await runTests(node, files, { ...options, scale: full ? 'full' : 'quick' });
        if (status !== 0) failed.push(`${version} call path ${callPath}, ${variant}`);
      }
    }
  }
  console.log(failed.length === 0 ? '\nPassed on every call path.' : `\nFailed: ${failed.join('; ')}.`);
  process.exitCode = failed.length === 0 ? 0 : 1;
}

main().catch((error) => {
  console.error(error.stack);
  process.exitCode = 1;
});
