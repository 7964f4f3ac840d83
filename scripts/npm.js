'use strict';
// Installs Nodes, other runtimes and packages from npm that are no dependencies of the package.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Unavailable } = require('./unavailable.js');

const root = path.join(__dirname, '..');
const isWindows = process.platform === 'win32';
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Runs npm in a folder; whether it went well. */
function npm(args, cwd) {
  // npm says where it is when it runs us; by that it can be started without a shell on Windows, too.
  const cli = process.env.npm_execpath;
  const viaNpm = cli !== undefined && path.basename(cli) === 'npm-cli.js';
  const [command, all] = viaNpm ? [process.execPath, [cli, ...args, ...QUIET]] : ['npm', [...args, ...QUIET]];
  // npm's messages go to stderr: programs read the standard output of this one.
  const options = { cwd, stdio: ['ignore', 2, 2], shell: !viaNpm && isWindows };
  return spawnSync(command, all, options).status === 0;
}

/** Whether a folder has the packages that its package-lock.json names. */
function isLockedInstalled(folder) {
  const changed = (...file) => fs.statSync(path.join(folder, ...file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  return changed('node_modules', '.package-lock.json') >= changed('package-lock.json');
}

/**
 * Installs the packages that a folder's package-lock.json names, unless they are there. Returns whether they are there
 * now.
 * @param {string} folder
 * @param {...string} options of npm ci
 */
const installLocked = (folder, ...options) =>
  isLockedInstalled(folder) || npm(['ci', '--prefix', folder, '--ignore-scripts', ...options], folder);

/**
 * The file of a package that is no dependency: from npm, kept in a folder of .nodes/ of the checkout.
 * @param {string} folder
 * @param {string} name
 * @param {string} version
 * @param {...string} file its path inside the package
 */
const install = (folder, name, version, ...file) => installWith([], folder, name, version, ...file);

function installWith(more, folder, name, version, ...file) {
  const prefix = path.join(root, '.nodes', folder);
  const binary = path.join(prefix, 'node_modules', name, ...file);
  if (fs.existsSync(binary)) return binary;
  console.error(`Installing ${name}@${version} ...`);
  fs.mkdirSync(prefix, { recursive: true });
  // A separate package.json keeps npm from looking at the project's.
  fs.writeFileSync(path.join(prefix, 'package.json'), '{ "private": true }\n');
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts', ...more];
  const installed = npm(['install', '--prefix', prefix, ...options, `${name}@${version}`], prefix);
  if (!installed || !fs.existsSync(binary))
    throw new Unavailable(`${name}@${version} could not be installed from npm.`);
  return binary;
}

/**
 * The binary of a Node version.
 * @param {string} version a major version, for the newest of it that was there when it was installed, or a full one:
 *   20.0.0
 */
function installNode(version) {
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  return install(version, name, version, 'bin', isWindows ? 'node.exe' : 'node');
}

/**
 * The binary of a Node for another platform, which something here emulates.
 * @param {'linux-arm64' | 'win-x64'} platform as npm's packages of Node call it
 * @param {string} version a major version, or a full one
 */
function installForeignNode(platform, version) {
  const file = platform.startsWith('win') ? 'node.exe' : 'node';
  // npm refuses packages for other platforms unless it is forced.
  return installWith(['--force'], `${platform}-${version}`, `node-${platform}`, version, 'bin', file);
}

/**
 * The versions in the values of --nodes.
 * @param {string[]} lists each of them separated by commas
 * @throws {Error} where one is no version that installNode takes
 */
function versionsIn(lists) {
  const versions = lists.flatMap((list) => list.split(','));
  const bad = versions.find((version) => !/^\d+(\.\d+\.\d+)?$/.test(version));
  if (bad !== undefined)
    throw new Error(`--nodes takes major versions or full ones such as 20.0.0, separated by commas; received '${bad}'`);
  return versions;
}

/** Bun and Deno, in the versions that docs/platforms.md names. Their packages are for Linux on x64 with glibc. */
const installBun = (version = '1.4.5') => install(`bun-${version}`, '@oven/bun-linux-x64', version, 'bin', 'bun');
const installDeno = (version = '2.9.6') => install(`deno-${version}`, '@deno/linux-x64-glibc', version, 'deno');

module.exports = {
  npm,
  isLockedInstalled,
  installLocked,
  installNode,
  installForeignNode,
  versionsIn,
  installBun,
  installDeno,
};
