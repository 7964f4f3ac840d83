'use strict';
// Builds the addon and the C fixture for another platform, with compilers of Debian and a target of Rust.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { buildFixture } = require('../test.js');
const { Unavailable } = require('../unavailable.js');
const { run, tryTo, hasCommand, installPackages } = require('./debian.js');
const { platforms } = require('./runtimes.js');

const root = path.join(__dirname, '..', '..');
/** The host's target directory of cargo is left alone. Without LTO a build takes a minute or two less. */
const PROFILE = { LTO: 'off', DEBUG: 'false', CODEGEN_UNITS: '16' };

/**
 * By the name that the package gives a platform: Rust's target, the C compiler, what has to be installed for both, and
 * what cargo needs to know beyond that.
 */
const TARGETS = {
  'linux-x64-musl': {
    target: 'x86_64-unknown-linux-musl',
    compiler: 'musl-gcc',
    packages: { 'musl-gcc': 'musl-tools', '/usr/include/linux/limits.h': 'linux-libc-dev' },
    library: 'libpinned_ffi.so',
    setUp: setUpMusl,
  },
  'linux-arm64': {
    target: 'aarch64-unknown-linux-gnu',
    compiler: 'aarch64-linux-gnu-gcc',
    packages: {
      'aarch64-linux-gnu-gcc': 'gcc-aarch64-linux-gnu',
      '/usr/aarch64-linux-gnu/include/stdio.h': 'libc6-dev-arm64-cross',
      'qemu-aarch64-static': 'qemu-user-static',
    },
    library: 'libpinned_ffi.so',
    setUp: () => ({}),
  },
  'win32-x64': {
    target: 'x86_64-pc-windows-gnu',
    compiler: 'x86_64-w64-mingw32-gcc',
    packages: { 'x86_64-w64-mingw32-gcc': 'gcc-mingw-w64-x86-64', '/usr/lib/wine/wine64': 'wine64' },
    library: 'pinned_ffi.dll',
    setUp: setUpWindows,
  },
};

/**
 * Rust links musl with its own files, for static programs; an addon takes those of the system. libgcc_s is the one
 * of the process that loads it: here only its name counts. libffi needs headers of the kernel, which musl-gcc does not
 * have.
 */
function setUpMusl(folder) {
  const headers = path.join(folder, 'include');
  fs.mkdirSync(headers, { recursive: true });
  for (const [name, from] of Object.entries({
    linux: '/usr/include/linux',
    'asm-generic': '/usr/include/asm-generic',
    asm: '/usr/include/x86_64-linux-gnu/asm',
  })) {
    fs.rmSync(path.join(headers, name), { force: true });
    fs.symlinkSync(from, path.join(headers, name));
  }
  const libraries = path.join(folder, 'lib');
  fs.mkdirSync(libraries, { recursive: true });
  const output = path.join(libraries, 'libgcc_s.so');
  run('musl-gcc', ['-shared', '-nostdlib', '-Wl,-soname,libgcc_s.so.1', '-x', 'c', '/dev/null', '-o', output]);
  return {
    CFLAGS_x86_64_unknown_linux_musl: `-idirafter ${headers}`,
    CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_RUSTFLAGS: `-C target-feature=-crt-static -C link-self-contained=no -L native=${libraries}`,
  };
}

/** napi-build looks for Node's import library, though every function of Node is looked up at run time. */
function setUpWindows(folder) {
  const libraries = path.join(folder, 'lib');
  fs.mkdirSync(libraries, { recursive: true });
  fs.writeFileSync(path.join(libraries, 'libnode.dll'), '');
  return { LIBNODE_PATH: libraries };
}

/** Has Rust's standard library for a target. */
function requireTarget(target) {
  if (!hasCommand('cargo')) throw new Error('this needs cargo: install Rust from https://rustup.rs');
  const options = { cwd: root, encoding: 'utf8' };
  const installed = spawnSync('rustc', ['--print', 'target-libdir', '--target', target], options).stdout?.trim() ?? '';
  if (installed !== '' && fs.existsSync(installed)) return;
  if (!hasCommand('rustup')) {
    throw new Unavailable(
      `this Rust has no standard library for ${target}: install Rust from https://rustup.rs, then rustup target add ${target}`,
    );
  }
  console.error(`Fetching Rust's standard library for ${target} ...`);
  tryTo('rustup', ['target', 'add', target], { cwd: root });
}

/** The environment in which cargo builds for a platform, which needs nothing else then. */
function prepareCargo(platform) {
  const { target, compiler, packages, setUp } = TARGETS[platform];
  installPackages(packages);
  requireTarget(target);
  const folder = path.join(platforms, platform);
  fs.mkdirSync(folder, { recursive: true });
  const name = target.replaceAll('-', '_');
  return {
    ...process.env,
    ...Object.fromEntries(Object.entries(PROFILE).map(([key, value]) => [`CARGO_PROFILE_RELEASE_${key}`, value])),
    [`CC_${name}`]: compiler,
    [`CARGO_TARGET_${name.toUpperCase()}_LINKER`]: compiler,
    CARGO_TARGET_DIR: path.join(root, 'target', 'cross'),
    // Without make, cargo's build of libffi takes this one.
    PATH: `${process.env.PATH}:${path.join(root, 'scripts', 'make')}`,
    ...setUp(folder),
  };
}

/**
 * Runs the unit tests of the Rust core.
 * @param {string} platform a key of TARGETS
 * @param {Record<string, string>} settings the environment of the tests
 * @param {string} runner the program that runs programs of the platform
 * @returns {number} how many passed
 * @throws {Error} with the output, if one failed
 */
function testFor(platform, settings, runner) {
  const { target } = TARGETS[platform];
  const name = `CARGO_TARGET_${target.replaceAll('-', '_').toUpperCase()}_RUNNER`;
  const env = { ...prepareCargo(platform), ...settings, [name]: runner };
  console.error(`Running the unit tests for ${target} ...`);
  const args = ['test', '--locked', '--lib', '--target', target];
  const { status, stdout, stderr } = spawnSync('cargo', args, { cwd: root, env, encoding: 'utf8' });
  const passed = stdout?.match(/^test result: ok\. (\d+) passed/m)?.[1];
  if (status !== 0 || passed === undefined)
    throw new Error(`the unit tests for ${target}: ${`${stdout ?? ''}\n${stderr ?? ''}`.trim().slice(-3000)}`);
  return Number(passed);
}

/**
 * Builds the addon and the fixture.
 * @param {string} platform a key of TARGETS
 * @returns {{ addon: string, fixture: string, compiler: string }} their files, and the C compiler
 */
function buildFor(platform) {
  const { target, compiler, library } = TARGETS[platform];
  const folder = path.join(platforms, platform);
  const env = prepareCargo(platform);
  console.error(`Building the addon for ${target} ...`);
  run('cargo', ['build', '--release', '--locked', '--lib', '--target', target], { cwd: root, env });
  const addon = path.join(folder, 'pinned-ffi.node');
  fs.copyFileSync(path.join(env.CARGO_TARGET_DIR, target, 'release', library), `${addon}.part`);
  fs.renameSync(`${addon}.part`, addon);
  const isWindows = platform === 'win32-x64';
  const fixture = path.join(folder, `libfixture.${isWindows ? 'dll' : 'so'}`);
  buildFixture({ output: fixture, compiler: [compiler], isWindows });
  return { addon, fixture, compiler };
}

module.exports = { buildFor, testFor };
