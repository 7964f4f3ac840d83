'use strict';
// Debian's packages: those that a command needs on this machine, and those of another Debian, unpacked into a folder.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { Unavailable } = require('../unavailable.js');

const MIRROR = process.env.PINNED_FFI_DEBIAN_MIRROR ?? 'http://deb.debian.org/debian';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** A command that takes longer is taken for one that hangs. */
const LONGEST_TRY_MS = 5 * 60_000;

/** Runs a command that fetches or sets up something. */
function tryTo(command, args, options = {}) {
  try {
    return run(command, args, { timeout: LONGEST_TRY_MS, ...options });
  } catch (error) {
    throw new Unavailable(error.message);
  }
}

/** Runs a command; throws with the end of its messages where it fails. */
function run(command, args, options = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    encoding: 'utf8',
    maxBuffer: 2 ** 28,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  if (status === 0) return stdout;
  const messages = `${stderr ?? ''}${stdout ?? ''}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`"${[command, ...args].join(' ')}" failed: ${error?.message ?? `exit code ${status}`}\n${messages}`);
}

const hasCommand = (name) =>
  (process.env.PATH ?? '').split(path.delimiter).some((folder) => fs.existsSync(path.join(folder, name)));

/**
 * Installs on this machine what is missing, with apt.
 * @param {Record<string, string | string[]>} needed packages by a command or file that they have
 * @throws {Error} where this is no Debian or Ubuntu, or not root: with the command to run
 */
function installPackages(needed) {
  const isHere = (name) => (name.startsWith('/') ? fs.existsSync(name) : hasCommand(name));
  const names = Object.entries(needed).flatMap(([name, packages]) => (isHere(name) ? [] : packages));
  if (names.length === 0) return;
  const command = `apt install ${names.join(' ')}`;
  if (!hasCommand('apt-get')) throw new Unavailable(`this needs Debian or Ubuntu: ${command}`);
  if (process.geteuid?.() !== 0) throw new Unavailable(`missing here: ${command}`);
  console.error(`Installing ${names.join(' ')} ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () => tryTo('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], { env });
  try {
    install();
  } catch {
    tryTo('apt-get', ['update', '-qq'], { env });
    install();
  }
}

/**
 * Unpacks packages of a release of Debian, and what they depend on, into a folder. Nothing is installed: apt has a
 * state of its own there.
 * @param {string} release trixie, for example
 * @param {string[]} names
 * @param {string} folder kept: it is filled once
 * @param {{ alone?: boolean }} [options] alone: without what the packages depend on
 * @returns {string} the folder with the files of the packages
 */
function unpackPackages(release, names, folder, { alone = false } = {}) {
  const root = path.join(folder, 'root');
  if (fs.existsSync(root)) return root;
  installPackages({ [KEYRING]: 'debian-archive-keyring' });
  console.error(`Fetching ${names.join(' ')} of Debian ${release} ...`);
  const state = path.join(folder, 'apt');
  for (const each of ['lists/partial', 'cache/archives/partial', 'dpkg'])
    fs.mkdirSync(path.join(state, each), { recursive: true });
  fs.writeFileSync(path.join(state, 'dpkg', 'status'), '');
  const sources = path.join(state, 'sources.list');
  fs.writeFileSync(sources, `deb [arch=amd64 signed-by=${KEYRING}] ${MIRROR} ${release} main\n`);
  const settings = {
    'Dir::State': state,
    'Dir::State::status': path.join(state, 'dpkg', 'status'),
    'Dir::State::lists': path.join(state, 'lists'),
    'Dir::Cache': path.join(state, 'cache'),
    'Dir::Etc::sourcelist': sources,
    'Dir::Etc::sourceparts': '/dev/null',
    'APT::Architecture': 'amd64',
    'APT::Sandbox::User': '',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled': 'false',
    'Acquire::Languages': 'none',
  };
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  tryTo('apt-get', [...options, 'update', '-qq']);
  const archives = path.join(state, 'cache', 'archives');
  if (alone) tryTo('apt-get', [...options, 'download', '-qq', ...names], { cwd: archives });
  else tryTo('apt-get', [...options, 'install', '-y', '-qq', '--no-install-recommends', '--download-only', ...names]);
  const part = `${root}.part`;
  fs.rmSync(part, { recursive: true, force: true });
  // Packages of before and after the merge of / and /usr meet here.
  for (const each of ['bin', 'lib', 'lib64', 'sbin']) {
    fs.mkdirSync(path.join(part, 'usr', each), { recursive: true });
    fs.symlinkSync(`usr/${each}`, path.join(part, each));
  }
  for (const file of fs.readdirSync(archives).filter((each) => each.endsWith('.deb'))) {
    const files = spawnSync('sh', [
      '-c',
      'dpkg-deb --fsys-tarfile "$0" | tar -xf - -C "$1" --keep-directory-symlink',
      path.join(archives, file),
      part,
    ]);
    if (files.status !== 0) throw new Error(`${file} could not be unpacked: ${files.stderr}`);
  }
  fs.rmSync(state, { recursive: true });
  fs.renameSync(part, root);
  return root;
}

module.exports = { run, tryTo, hasCommand, installPackages, unpackPackages };
