'use strict';
// What tests need beyond Node, cargo and a C compiler, and the command that installs it. A test that needs one has
// `skip: needs('clang')`; the runner lists it by name. With PINNED_FFI_TEST_REQUIRE=all nothing is skipped: the test fails.
//   node test/requirements.js          prints the table, and what of it is missing here
//   node test/requirements.js --apt    prints the Debian packages that are missing here, for apt-get install

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { findClang } = require('../cli/bind/clang.js');
const { isMusl } = require('../lib/native/platform.js');
const { cachedFiles, searchDirectories } = require('../lib/library/resolve.js');

const isLinux = process.platform === 'linux';
const isWindows = process.platform === 'win32';

const inFolders = (folders, name) => folders.some((folder) => fs.existsSync(path.join(folder, name)));

/** Whether a command is on the PATH, or where the system keeps those of administrators. */
const hasCommand = (name) =>
  inFolders(
    [...(process.env.PATH ?? '').split(path.delimiter), '/usr/sbin', '/sbin'],
    isWindows ? `${name}.exe` : name,
  );

/** Whether the loader finds a library by its soname. macOS and Windows have other names: there dlopen is what tells. */
function hasLibrary(soname) {
  if (!isLinux) return true;
  const { own, standard } = searchDirectories();
  return cachedFiles(soname).length > 0 || inFolders([...own, ...standard], soname);
}

function hasHeader(name) {
  const folders = ['/usr/include', '/usr/local/include'];
  const within = folders
    .filter((folder) => fs.existsSync(folder))
    .flatMap((folder) => fs.readdirSync(folder).map((each) => path.join(folder, each)));
  return inFolders([...folders, ...within], name);
}

function hasClang() {
  try {
    return findClang() !== undefined;
  } catch {
    return false;
  }
}

/** Where what tests take from the npm registry is kept. */
const INSTALLED = [
  '.nodes/bun-1.4.5',
  '.nodes/deno-2.9.6',
  'test/ecosystem/node_modules',
  'test/ecosystem/compare/node_modules',
].map((folder) => path.join(__dirname, '..', folder));

/** Whether everything from the npm registry is installed already, or npm gets an answer from it. */
const hasRegistry = () =>
  INSTALLED.every((folder) => fs.existsSync(folder)) ||
  spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], { stdio: 'ignore', shell: isWindows })
    .status === 0;

const library = (soname, apt) => ({ found: () => hasLibrary(soname), apt });
const header = (name, apt) => ({ found: () => hasHeader(name), apt });
const command = (name, apt) => ({ found: () => hasCommand(name), apt });

/** By name: how it is found, and the Debian package that has it or, without one, what to do. */
const REQUIREMENTS = {
  clang: { found: hasClang, apt: 'clang' },
  sqlite3: library('libsqlite3.so.0', 'libsqlite3-0'),
  z: library('libz.so.1', 'zlib1g'),
  curl: library('libcurl.so.4', 'libcurl4'),
  crypto: library('libcrypto.so.3', 'libssl3'),
  SDL2: library('libSDL2-2.0.so.0', 'libsdl2-2.0-0'),
  X11: library('libX11.so.6', 'libx11-6'),
  Xvfb: command('Xvfb', 'xvfb'),
  'sqlite3.h': header('sqlite3.h', 'libsqlite3-dev'),
  'zlib.h': header('zlib.h', 'zlib1g-dev'),
  'curl/curl.h': header('curl/curl.h', 'libcurl4-openssl-dev'),
  'SDL2/SDL.h': header('SDL2/SDL.h', 'libsdl2-dev'),
  ldconfig: command('ldconfig', 'libc-bin'),
  ssh: command('ssh', 'openssh-client'),
  registry: { found: hasRegistry, otherwise: 'connect this machine to the npm registry' },
};

/** Why a test is not run on a platform. No installation changes that, so PINNED_FFI_TEST_REQUIRE does not either. */
const PLATFORM = {
  linux: { is: () => isLinux, reason: 'only on Linux' },
  isolation: {
    is: () => isLinux && process.arch === 'x64' && !isMusl(),
    reason: 'libraries are isolated on Linux x64 with glibc',
  },
  posix: { is: () => !isWindows, reason: 'not on Windows' },
  glibc: { is: () => isLinux && !isMusl(), reason: 'only with glibc' },
  bunAndDeno: {
    is: () => isLinux && process.arch === 'x64' && !isMusl(),
    reason: 'the npm packages of Bun and Deno are for Linux on x64 with glibc',
  },
  node24: {
    is: () => process.versions.node.startsWith('24.'),
    reason: 'the same beside every Node: runs beside Node 24',
  },
  root: { is: () => process.geteuid?.() === 0, reason: 'only as root' },
  transfer: {
    is: () => typeof ArrayBuffer.prototype.transfer === 'function',
    reason: 'this Node has no ArrayBuffer.prototype.transfer',
  },
  flag: { is: () => true, reason: 'this Node has no such flag' },
  fences: { is: () => require('../index.js').fences().installed, reason: 'this runtime has no fences' },
};

const isHere = new Map();

function isMissing(name) {
  const requirement = REQUIREMENTS[name];
  if (requirement === undefined)
    throw new Error(`test/requirements.js has no '${name}'; it has ${Object.keys(REQUIREMENTS).join(', ')}`);
  if (!isHere.has(name)) isHere.set(name, requirement.found());
  return !isHere.get(name);
}

const isRequired = process.env.PINNED_FFI_TEST_REQUIRE === 'all';

/** What to do about requirements that are missing. */
function remedyOf(names) {
  const packages = names.map((name) => REQUIREMENTS[name].apt).filter((apt) => apt !== undefined);
  const others = names.map((name) => REQUIREMENTS[name].otherwise).filter((text) => text !== undefined);
  return [...(packages.length > 0 ? [`apt install ${packages.join(' ')}`] : []), ...others].join('; ');
}

/**
 * The value for `skip` of a test: false, or what is missing and how to install it.
 * @param {...string} names of REQUIREMENTS
 * @returns {string | false}
 */
function needs(...names) {
  const missing = [...new Set(names)].filter(isMissing);
  return !isRequired && missing.length > 0 && `needs ${missing.join(', ')}: ${remedyOf(missing)}`;
}

/**
 * The value for `skip` of a test for some platforms: false, or the reason.
 * @param {...string} names of PLATFORM
 * @returns {string | false}
 */
const onlyOn = (...names) => names.map((name) => PLATFORM[name]).find(({ is }) => !is())?.reason ?? false;

/** Whether the reason of a skip is one of needs() or of onlyOn(). */
const isNeed = (reason) => /^needs .+: ./.test(reason);
const isPlatform = (reason) => Object.values(PLATFORM).some((each) => each.reason === reason);

module.exports = { REQUIREMENTS, needs, onlyOn, isNeed, isPlatform };

if (require.main === module) {
  const missing = Object.keys(REQUIREMENTS).filter(isMissing);
  if (process.argv[2] === '--apt') {
    for (const name of missing) if (REQUIREMENTS[name].apt !== undefined) console.log(REQUIREMENTS[name].apt);
  } else {
    for (const name of Object.keys(REQUIREMENTS)) {
      console.log(`${missing.includes(name) ? 'missing' : 'here   '}  ${name.padEnd(12)} ${remedyOf([name])}`);
    }
  }
}
