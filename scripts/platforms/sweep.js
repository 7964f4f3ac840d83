'use strict';
// Runs the package on many releases of Node, and in Bun and Deno: npm run test:sweep [-- --short] [--only NAME ...]
//   --short   a minute or two for what CI runs: the suite and test/process/everyday.test.js on each
//   --write   puts the results of a short run into the table of docs/platforms.md; a long run does so by itself
//   --only    the runtimes whose names contain this

const { prepare, fixture } = require('../test.js');
const { main, runAll } = require('./command.js');
const { SWEEP } = require('./runtimes.js');

/** npm run test:oldest, test:between and test:nodes run more of them on the supported Nodes. */
const EVERYWHERE = ['everyday', 'call', 'callback', 'struct'];
const FENCED = ['fence'];

const filesOf = (runtime) => (isShort) => {
  if (runtime.other) return [];
  if (isShort) return ['everyday'];
  // Debian's Node is in a root directory without a C compiler.
  const isBare = runtime.system.includes('libnode');
  return isBare ? ['everyday', 'pointer', 'worker'] : [...EVERYWHERE, ...(runtime.fences ? FENCED : [])];
};

main(async (options) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('npm run test:sweep runs on Linux on x64 alone');
  await prepare({ isBuilt: true });
  const env = { FIXTURE: fixture };
  await runAll(
    'sweep',
    SWEEP.map((runtime) => ({ ...runtime, env, files: filesOf(runtime) })),
    options,
  );
}, 'npm run test:sweep');
