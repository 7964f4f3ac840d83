'use strict';
// Builds the addon with cargo and puts it where lib/native/binding.js looks. Quick and silent when nothing has changed.
//   node scripts/build.js                  as it is published
//   node scripts/build.js --development    without link-time optimisation, in a few seconds after a change

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { isMusl, platformKey, suffix } = require('../lib/native/platform.js');

const root = path.join(__dirname, '..');
const isWindows = process.platform === 'win32';

const advice = {
  linux:
    'Rust from https://rustup.rs, and gcc or clang ' +
    '(apt install gcc libc6-dev, dnf install gcc, apk add gcc musl-dev)',
  darwin: 'Rust from https://rustup.rs, and the command line tools (xcode-select --install)',
  win32: 'Rust from https://rustup.rs, and the Visual Studio Build Tools with the C++ workload, or LLVM (clang)',
};

const runs = (command) => spawnSync(command[0], [...command.slice(1), '--version'], { stdio: 'ignore' }).status === 0;

const find = (commands) => commands.find((command) => command !== undefined && command !== '' && runs(words(command)));

const words = (command) => (fs.existsSync(command) ? [command] : command.trim().split(/\s+/));

/** The command of the C compiler, as an array; undefined if there is none. */
function findCompiler() {
  const found = find([process.env.CC, ...(isWindows ? ['gcc', 'clang'] : ['cc', 'gcc', 'clang'])]);
  return found === undefined ? undefined : words(found);
}

// rustup's own place counts even where a shell has not yet put it on the PATH.
const findCargo = () => find([process.env.CARGO, 'cargo', path.join(os.homedir(), '.cargo', 'bin', 'cargo')]);

/** The command of cargo; ends the process with one message if cargo or a C compiler is missing. */
function requireTools() {
  const cargo = findCargo();
  const missing = [];
  if (cargo === undefined) missing.push('cargo (Rust)');
  // Visual Studio's compiler is on no PATH: on Windows cargo finds it by itself.
  if (!isWindows && findCompiler() === undefined) missing.push('a C compiler');
  if (missing.length > 0) {
    const wanted = advice[process.platform] ?? advice.linux;
    fail(`pinned-ffi is built from source and needs ${missing.join(' and ')}, not found here.\nInstall ${wanted}.`);
  }
  return cargo;
}

function fail(message, exitCode = 1) {
  console.error(message);
  process.exit(exitCode);
}

/** Runs cargo; returns the path of the library, whatever target directory is configured. */
function runCargo(cargo, target, profile) {
  const args = ['build', '--profile', profile, '--lib', '--message-format=json-render-diagnostics'];
  if (!isCheckout()) args.push('--locked');
  if (target !== undefined) args.push('--target-dir', target);
  const color = process.stderr.isTTY ? { CARGO_TERM_COLOR: process.env.CARGO_TERM_COLOR ?? 'always' } : {};
  // Rust links musl statically unless told otherwise, and then makes no shared library.
  const musl = isMusl() ? { RUSTFLAGS: `${process.env.RUSTFLAGS ?? ''} -C target-feature=-crt-static`.trim() } : {};
  // libffi is compiled with make, which not every machine with a C compiler has.
  const PATH = [process.env.PATH, path.join(__dirname, 'make')].join(path.delimiter);
  const make = isWindows ? {} : { PATH };
  /** @type {import('node:child_process').SpawnOptionsWithStdioTuple<'ignore', 'pipe', 'pipe'>} */
  const options = { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...color, ...musl, ...make } };
  const child = spawn(cargo, args, options);
  let messages = '';
  child.stdout.setEncoding('utf8').on('data', (text) => (messages += text));
  showProgress(child.stderr);
  return new Promise((resolve) => {
    child.on('error', (error) => fail(`${cargo} did not start: ${error.message}`));
    child.on('close', (exitCode) => {
      if (exitCode !== 0) fail('cargo build failed.', exitCode ?? 1);
      resolve(artifactOf(messages));
    });
  });
}

// Passes on what cargo says, line by line, but not a lone "Finished".
function showProgress(stream) {
  let rest = '';
  let isShown = false;
  const show = (line) => {
    isShown ||= !/^(\x1b\[[\d;]*m|\s)*Finished/.test(line);
    if (isShown && line !== '') process.stderr.write(`${line}\n`);
  };
  stream.setEncoding('utf8').on('data', (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    lines.forEach(show);
  });
  stream.on('end', () => show(rest));
}

function artifactOf(messages) {
  const files = messages
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
    .filter(({ reason, target }) => reason === 'compiler-artifact' && target.name === 'pinned_ffi')
    .flatMap(({ filenames }) => filenames);
  return files.find((file) => file.endsWith(`.${suffix}`)) ?? fail(`cargo made no .${suffix} of pinned_ffi.`);
}

/** Copies by a rename, so that a process which has the old file open keeps it whole. */
function install(from, to) {
  const content = fs.readFileSync(from);
  if (fs.existsSync(to) && fs.readFileSync(to).equals(content)) {
    const now = new Date();
    return fs.utimesSync(to, now, now);
  }
  fs.mkdirSync(path.dirname(to), { recursive: true });
  const temporary = `${to}.${process.pid}.tmp`;
  try {
    fs.writeFileSync(temporary, content, { mode: 0o755 });
    replace(temporary, to);
  } finally {
    fs.rmSync(temporary, { force: true });
  }
}

// Windows does not replace a library that is loaded, but lets it be renamed.
function replace(from, to) {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    if (!isWindows) throw error;
    fs.renameSync(to, `${to}.${Date.now()}.old`);
    fs.renameSync(from, to);
  }
}

/** Whether this is a checkout rather than an installed package. */
const isCheckout = () => fs.existsSync(path.join(root, 'test'));

const addon = path.join(root, 'prebuilds', `${platformKey()}.node`);

/**
 * Builds the addon; returns the file it was put into.
 * @param {object} [options]
 * @param {string} [options.output]
 * @param {string} [options.target] cargo's directory, if it is not the usual one
 * @param {'release' | 'development'} [options.profile] of Cargo.toml
 */
async function build({ output = addon, target, profile = 'release' } = {}) {
  const library = await runCargo(requireTools(), target, profile);
  install(library, path.resolve(output));
  return path.resolve(output);
}

/** The time at which something that the addon is made of was changed last. */
function changedAt(file) {
  const { mtimeMs } = fs.statSync(file);
  const entries = fs.statSync(file).isDirectory() ? fs.readdirSync(file) : [];
  return Math.max(mtimeMs, ...entries.map((entry) => changedAt(path.join(file, entry))));
}

/** Builds the addon by the development profile, unless it is newer than its sources, by whatever profile. */
async function buildIfChanged() {
  const builtAt = fs.statSync(addon, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const sources = ['src', 'build.rs', 'Cargo.toml', 'Cargo.lock'].map((name) => path.join(root, name));
  if (sources.every((file) => changedAt(file) < builtAt)) return;
  await build({ profile: 'development' });
}

module.exports = { build, buildIfChanged, findCompiler, isCheckout };

if (require.main === module) {
  build({ profile: process.argv.includes('--development') ? 'development' : 'release' });
}
