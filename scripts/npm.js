'use strict';
// Installs with npm what is wanted beside the package's own dependencies.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');
const isWindows = process.platform === 'win32';
const QUIET = ['--no-audit', '--no-fund', '--loglevel=error'];

/** Runs npm in a folder; whether it went well. */
function npm(args, cwd) {
  // npm says where it is when it runs us; by that it can be started without a shell on Windows, too.
  const cli = process.env.npm_execpath;
  const viaNpm = cli !== undefined && path.basename(cli) === 'npm-cli.js';
  const [command, all] = viaNpm ? [process.execPath, [cli, ...args, ...QUIET]] : ['npm', [...args, ...QUIET]];
  // What npm installs is no business of whoever reads the standard output.
  const options = { cwd, stdio: ['ignore', 2, 2], shell: !viaNpm && isWindows };
  return spawnSync(command, all, options).status === 0;
}

/**
 * The binary of a Node version: from npm, kept in .nodes/ of the checkout.
 * @param {string} major
 */
function installNode(major) {
  const name = `node-${isWindows ? 'win' : process.platform}-${process.arch}`;
  const prefix = path.join(root, '.nodes', major);
  const binary = path.join(prefix, 'node_modules', name, 'bin', isWindows ? 'node.exe' : 'node');
  if (fs.existsSync(binary)) return binary;
  console.error(`Installing Node ${major} (${name}) ...`);
  fs.mkdirSync(prefix, { recursive: true });
  // A package.json of its own keeps npm from looking at the project's.
  fs.writeFileSync(path.join(prefix, 'package.json'), '{ "private": true }\n');
  const options = ['--no-save', '--no-package-lock', '--ignore-scripts'];
  const installed = npm(['install', '--prefix', prefix, ...options, `${name}@${major}`], prefix);
  if (!installed || !fs.existsSync(binary)) throw new Error(`Node ${major} could not be installed from npm's ${name}.`);
  return binary;
}

module.exports = { npm, installNode };
