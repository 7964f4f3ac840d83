'use strict';
// What tests need beyond Node, cargo and a C compiler, and the command that installs it. A test that needs one has
// `skip: needs('clang')`; the runner lists it by name. With PINNED_FFI_TEST_REQUIRE=all nothing is skipped: the test
//   fails. node test/requirements.js          prints the table, and what of it is missing here
//   node test/requirements.js --apt    prints the Debian packages that are missing here, for apt-get install
//   node test/requirements.js --npm    installs the npm packages that are missing here, in folders of test/

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { findLibclang } = require('../cli/bind/libclang.js');
const { isMusl } = require('../lib/native/platform.js');
const { cachedFiles, searchDirectories } = require('../lib/library/search.js');
const { scale } = require('./scale.js');
const { installLocked, isLockedInstalled } = require('../scripts/npm.js');

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
    return findLibclang() !== undefined;
  } catch {
    return false;
  }
}

/** Where runtimes from the npm registry are kept. */
const INSTALLED = ['bun-1.4.5', 'deno-2.9.6'].map((folder) => path.join(__dirname, '..', '.nodes', folder));

/** Whether the runtimes are installed already, or npm gets an answer from it. */
const hasRegistry = () =>
  INSTALLED.every((folder) => fs.existsSync(folder)) ||
  spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], { stdio: 'ignore', shell: isWindows })
    .status === 0;

/** The runtime of AddressSanitizer, which a program has to load before its libraries. */
const asanLibrary = () =>
  spawnSync('cc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).stdout?.trim() || 'libasan.so';

const library = (soname, apt) => ({ found: () => hasLibrary(soname), apt });
const header = (name, apt) => ({ found: () => hasHeader(name), apt });
const command = (name, apt) => ({ found: () => hasCommand(name), apt });

/** The npm packages that a folder's package-lock.json has. */
function packages(folder, ...options) {
  const prefix = path.join(__dirname, folder);
  const otherwise = 'node test/requirements.js --npm';
  return { found: () => isLockedInstalled(prefix), install: () => installLocked(prefix, ...options), otherwise };
}

/** Libraries that Python packages ship, for npm packages that download them from elsewhere. */
const WHEELS = { anoncreds: '0.2.3', 'indy-vdr': '0.4.2' };
const wheelFolder = path.join(__dirname, 'ecosystem', 'koffi', 'native');
const wheels = {
  // The index of Python's packages is not where npm's and Debian's are: a machine may reach those alone.
  isOptional: true,
  found: () => Object.keys(WHEELS).every((name) => fs.existsSync(path.join(wheelFolder, name.replace('-', '_')))),
  install: () => {
    if (!isLinux) return true;
    fs.mkdirSync(wheelFolder, { recursive: true });
    const names = Object.entries(WHEELS).map(([name, version]) => `${name}==${version}`);
    const python = (...args) => spawnSync('python3', args, { cwd: wheelFolder, stdio: 'inherit' }).status === 0;
    const files = () => fs.readdirSync(wheelFolder).filter((file) => file.endsWith('.whl'));
    return (
      python('-m', 'pip', 'download', '--quiet', '--no-deps', ...names) &&
      files().every((file) => python('-m', 'zipfile', '-e', file, '.'))
    );
  },
  otherwise: 'apt install python3-pip && node test/requirements.js --npm',
};

/** By name: how it is found, and the Debian package that has it or, without one, the command that installs it. */
const REQUIREMENTS = {
  clang: { found: hasClang, apt: 'clang' },
  sqlite3: library('libsqlite3.so.0', 'libsqlite3-0'),
  z: library('libz.so.1', 'zlib1g'),
  curl: library('libcurl.so.4', 'libcurl4'),
  xml2: library('libxml2.so.2', 'libxml2'),
  'python3.11': library('libpython3.11.so.1.0', 'libpython3.11'),
  crypto: library('libcrypto.so.3', 'libssl3'),
  expat: library('libexpat.so.1', 'libexpat1'),
  lmdb: library('liblmdb.so.0', 'liblmdb0'),
  pq: library('libpq.so.5', 'libpq5'),
  usb: library('libusb-1.0.so.0', 'libusb-1.0-0'),
  zstd: library('libzstd.so.1', 'libzstd1'),
  SDL2: library('libSDL2-2.0.so.0', 'libsdl2-2.0-0'),
  X11: library('libX11.so.6', 'libx11-6'),
  Xvfb: command('Xvfb', 'xvfb'),
  'sqlite3.h': header('sqlite3.h', 'libsqlite3-dev'),
  'zlib.h': header('zlib.h', 'zlib1g-dev'),
  'curl/curl.h': header('curl/curl.h', 'libcurl4-openssl-dev'),
  'SDL2/SDL.h': header('SDL2/SDL.h', 'libsdl2-dev'),
  'ncurses.h': header('ncurses.h', 'libncurses-dev'),
  'sodium.h': header('sodium.h', 'libsodium-dev'),
  'png.h': header('png.h', 'libpng-dev'),
  'git2.h': header('git2.h', 'libgit2-dev'),
  'glib.h': header('glib.h', 'libglib2.0-dev'),
  'cairo.h': header('cairo.h', 'libcairo2-dev'),
  'openssl/evp.h': header('openssl/evp.h', 'libssl-dev'),
  'lz4frame.h': header('lz4frame.h', 'liblz4-dev'),
  'webp/decode.h': header('webp/decode.h', 'libwebp-dev'),
  'wayland-client.h': header('wayland-client.h', 'libwayland-dev'),
  'libxml/parser.h': header('libxml/parser.h', 'libxml2-dev'),
  'jpeglib.h': header('jpeglib.h', 'libjpeg-dev'),
  'archive.h': header('archive.h', 'libarchive-dev'),
  'gmp.h': header('gmp.h', 'libgmp-dev'),
  'lzma.h': header('lzma.h', 'liblzma-dev'),
  'pcre2.h': header('pcre2.h', 'libpcre2-dev'),
  tar: command('tar', 'tar'),
  xz: command('xz', 'xz-utils'),
  'pkg-config': command('pkg-config', 'pkgconf'),
  git: command('git', 'git'),
  ldconfig: command('ldconfig', 'libc-bin'),
  prlimit: command('prlimit', 'util-linux'),
  setarch: command('setarch', 'util-linux'),
  ssh: command('ssh', 'openssh-client'),
  valgrind: command('valgrind', 'valgrind'),
  asan: { found: () => fs.existsSync(asanLibrary()), otherwise: 'have the compiler of GNU as cc' },
  chromium: command('chromium', 'chromium'),
  // ssh2's optional dependencies are native; its suite does without.
  suites: packages('ecosystem', '--omit=optional'),
  workloads: packages('ecosystem/compare'),
  runners: packages('ecosystem/runners'),
  bundlers: packages('ecosystem/bundlers'),
  koffiPackages: packages('ecosystem/koffi'),
  identityLibraries: wheels,
  site: packages('../docs/site'),
  oldestTypeScript: packages('typescript/oldest'),
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
  unloads: { is: () => !isMusl(), reason: 'musl does not unload libraries' },
  bunAndDeno: {
    is: () => isLinux && process.arch === 'x64' && !isMusl(),
    reason: 'the npm packages of Bun and Deno are for Linux on x64 with glibc',
  },
  node24: {
    is: () => process.versions.node.startsWith('24.'),
    reason: 'the same beside every Node: runs beside Node 24',
  },
  root: { is: () => process.geteuid?.() === 0, reason: 'only as root' },
  memoryGroups: {
    is: () => {
      const group = '/sys/fs/cgroup/memory/pinned-ffi-requirement';
      try {
        fs.mkdirSync(group);
        fs.rmdirSync(group);
        return true;
      } catch {
        return false;
      }
    },
    reason: 'only as root, with control groups of version 1',
  },
  mounts: {
    is: () => isLinux && spawnSync('unshare', ['-m', 'true']).status === 0,
    reason: 'only where a process may have private mounts',
  },
  transfer: {
    is: () => typeof ArrayBuffer.prototype.transfer === 'function',
    reason: 'this Node has no ArrayBuffer.prototype.transfer',
  },
  nodeFfi: {
    is: () =>
      /^26\.(?:1[2-9]|[2-9]\d)\./.test(process.versions.node) && process.config.variables.node_use_ffi !== false,
    reason: 'compares with node:ffi of Node 26.12',
  },
  allowFfi: {
    is: () => process.allowedNodeEnvironmentFlags.has('--allow-ffi'),
    reason: 'this Node has no --allow-ffi',
  },
  register: {
    is: () => require('node:module').register !== undefined,
    reason: 'this Node has no module.register()',
  },
  asyncDispose: { is: () => Symbol.asyncDispose !== undefined, reason: 'this Node has no Symbol.asyncDispose' },
  knowsSlabs: {
    is: () => require('node:worker_threads').isMarkedAsUntransferable !== undefined,
    reason: 'this Node does not tell slabs from others of their size',
  },
  unguarded: {
    is: () => process.env.PINNED_FFI_GUARD !== '1',
    reason: 'the guard puts separate fences around each view',
  },
  viewsAnywhere: {
    is: () => process.env.PINNED_FFI_GUARD !== '1',
    reason: 'the guard refuses views of memory that is not here',
  },
  fullScale: { is: () => scale === 'full', reason: 'it takes seconds: only at the full scale' },
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

/** Whether a test that needs it fails without it. */
const isRequired = (name) => process.env.PINNED_FFI_TEST_REQUIRE === 'all' && !REQUIREMENTS[name].isOptional;

/** What to do about requirements that are missing. */
function remedyOf(names) {
  const packages = names.map((name) => REQUIREMENTS[name].apt).filter((apt) => apt !== undefined);
  const others = new Set(names.map((name) => REQUIREMENTS[name].otherwise).filter((text) => text !== undefined));
  return [...(packages.length > 0 ? [`apt install ${packages.join(' ')}`] : []), ...others].join('; ');
}

/**
 * The value for `skip` of a test: false, or what is missing and how to install it.
 * @param {...string} names of REQUIREMENTS
 * @returns {string | false}
 */
function needs(...names) {
  const missing = [...new Set(names)].filter(isMissing);
  return missing.length > 0 && !missing.some(isRequired) && `needs ${missing.join(', ')}: ${remedyOf(missing)}`;
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

module.exports = { REQUIREMENTS, needs, onlyOn, isNeed, isPlatform, asanLibrary };

if (require.main === module) {
  const missing = Object.keys(REQUIREMENTS).filter(isMissing);
  if (process.argv[2] === '--apt') {
    for (const name of missing) if (REQUIREMENTS[name].apt !== undefined) console.log(REQUIREMENTS[name].apt);
  } else if (process.argv[2] === '--npm') {
    const failed = missing.filter((name) => REQUIREMENTS[name].install?.() === false && !REQUIREMENTS[name].isOptional);
    if (failed.length > 0) {
      console.error(`npm could not install ${failed.join(', ')}`);
      process.exitCode = 1;
    }
  } else {
    for (const name of Object.keys(REQUIREMENTS)) {
      console.log(`${missing.includes(name) ? 'missing' : 'here   '}  ${name.padEnd(12)} ${remedyOf([name])}`);
    }
  }
}
