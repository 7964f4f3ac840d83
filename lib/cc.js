'use strict';
// Compiles C with the system's compiler into a shared library, keeps it by its content, and opens it.

const { spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { makeError, wrongType, wrongValue } = require('./errors');
const { late } = require('./late');
const { platformKey, suffix } = require('./platform');
const { toPath } = require('./search');

const KEYS = ['source', 'library', 'include', 'symbols', 'define', 'flags'];
const isWindows = process.platform === 'win32';
/** Late, so that compiling needs no addon. */
const library = late(() => require('./library'));

/**
 * @param {object} options
 * @param {string | URL | (string | URL)[]} options.source paths, file: URLs, or C text
 * @param {object} options.symbols as for dlopen
 * @param {string | string[]} [options.library] names ("sqlite3") or paths to link with
 * @param {string | string[]} [options.include] directories of headers
 * @param {Record<string, string>} [options.define] macros
 * @param {string | string[]} [options.flags] for the compiler; a string is split at white space
 */
function cc(options) {
  const checked = check(options);
  return library().dlopen(build(checked), checked.symbols);
}

/** The path of the shared library that `options` make; compiles it unless the cache has it. */
const compile = (options) => build(check(options));

// --- Options

function check(options) {
  if (!isRecord(options)) throw wrongType('cc: options', 'an object', options);
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrongValue('cc: a key of options', `one of ${KEYS.join(', ')}`, unknown);
  if (!isRecord(options.symbols)) throw wrongType('cc: symbols', 'an object of declarations', options.symbols);
  return {
    units: unitsOf(options.source),
    symbols: options.symbols,
    libraries: strings(options.library, 'cc: library'),
    includes: strings(options.include, 'cc: include').map((directory) => path.resolve(directory)),
    defines: definesOf(options.define),
    flags: flagsOf(options.flags),
  };
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function strings(value, where) {
  const list = value === undefined ? [] : Array.isArray(value) ? Array.from(value) : [value];
  list.forEach((item, index) => {
    const which = Array.isArray(value) ? `${where}[${index}]` : where;
    if (typeof item !== 'string') throw wrongType(which, 'a string or an array of strings', item);
    if (item === '' || item.includes('\0')) throw wrongValue(which, 'a string without NUL, not empty', item);
  });
  return list;
}

function flagsOf(flags) {
  return typeof flags === 'string' ? flags.split(/\s+/).filter((flag) => flag !== '') : strings(flags, 'cc: flags');
}

function definesOf(define = {}) {
  if (!isRecord(define)) throw wrongType('cc: define', 'an object of strings', define);
  return Object.entries(define).map(([name, value]) => {
    if (!/^[A-Za-z_]\w*(\([^()]*\))?$/.test(name)) throw wrongValue('cc: a name in define', 'a macro name', name);
    if (typeof value !== 'string') throw wrongType(`cc: define.${name}`, 'a string', value);
    if (value.includes('\0')) throw wrongValue(`cc: define.${name}`, 'a string without NUL', value);
    return `-D${name}=${value}`;
  });
}

// A unit is { file } or { text, name }: name is what the compiler's diagnostics call it.
function unitsOf(source) {
  if (!Array.isArray(source)) return [unitOf(source, 'cc: source', '<source>')];
  if (source.length === 0) throw wrongValue('cc: source', 'at least one file', source);
  return Array.from(source, (item, index) => unitOf(item, `cc: source[${index}]`, `<source ${index}>`));
}

function unitOf(source, where, name) {
  const isText = typeof source === 'string' && /[\n{;]/.test(source) && !source.startsWith('file:');
  if (isText && !fs.existsSync(source)) {
    if (source.includes('\0')) throw wrongValue(where, 'C text without a NUL character', source);
    return { text: source, name };
  }
  const file = path.resolve(toPath(source, where));
  if (!fs.existsSync(file)) throw wrongValue(where, 'the path of a file that exists, or C text', file);
  return { file };
}

// --- Compiling

function build({ units, libraries, includes, defines, flags }) {
  const compiler = findCompiler();
  const directory = cacheDirectory();
  const work = fs.mkdtempSync(path.join(directory, 'build-'));
  try {
    const own = [...flags, ...includes.map((include) => `-I${include}`), ...defines];
    const inputs = units.map((unit, index) => preprocess(compiler, unit, path.join(work, `${index}.i`), own));
    const link = libraries.flatMap(linkArguments);
    const key = hash(compiler, inputs, [...own, ...link], libraries);
    const library = path.join(directory, `${key}.${suffix}`);
    if (fs.existsSync(library)) return library;
    // What was preprocessed is what is compiled, so the key cannot belong to another state of the files.
    const output = path.join(work, `library.${suffix}`);
    const shared = isWindows ? ['-shared', '-O2'] : ['-shared', '-fPIC', '-O2'];
    run(compiler, [...shared, ...flags, ...inputs, '-o', output, ...link]);
    publish(output, library);
    return library;
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

function preprocess(compiler, { file, text, name }, output, own) {
  const input = file === undefined ? `#line 1 "${name}"\n${text}\n` : undefined;
  run(compiler, [...own, '-E', '-x', 'c', file ?? '-', '-o', output], input);
  return output;
}

// A library with a path is linked by it and found there when the result is opened; one with a name is -lname.
function linkArguments(library) {
  if (!/[\\/]/.test(library)) return [`-l${library}`];
  const file = path.resolve(toPath(library, 'cc: library'));
  if (!fs.existsSync(file)) throw wrongValue('cc: library', 'the path of a file that exists, or a name', file);
  return isWindows ? [file] : [file, `-Wl,-rpath,${path.dirname(file)}`];
}

// Libraries given by path count by their content: a static one becomes a part of the result.
function hash(compiler, inputs, args, libraries) {
  const sum = createHash('sha256');
  const add = (part) => sum.update(`${part.length}:`).update(part);
  const { CPATH, LIBRARY_PATH, SDKROOT } = process.env;
  add(JSON.stringify([1, platformKey(), compiler.command, compiler.version, args, CPATH, LIBRARY_PATH, SDKROOT]));
  for (const file of inputs) add(fs.readFileSync(file));
  for (const library of libraries) if (/[\\/]/.test(library)) add(fs.readFileSync(toPath(library, 'cc: library')));
  return sum.digest('hex').slice(0, 40);
}

// Another process may have been faster; its file is the same, and on Windows it may be open.
function publish(output, library) {
  try {
    fs.renameSync(output, library);
  } catch (error) {
    if (!fs.existsSync(library)) throw error;
  }
}

function run({ command }, args, input) {
  const all = [...command, ...args];
  const { status, signal, error, stderr } = spawn(all, input);
  if (status === 0) return;
  const diagnostics = error === undefined ? stderr.trim() : error.message;
  const end = signal === null ? `exit code ${status}` : signal;
  throw makeError('ERR_FFI_COMPILE_FAILED', `cc: ${command.join(' ')} failed (${end})\n${diagnostics}`, {
    diagnostics,
    command: all,
  });
}

const spawn = ([file, ...args], input = '') =>
  spawnSync(file, args, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, windowsHide: true });

// --- The compiler

const found = new Map();

/** The first of $CC, cc, gcc and clang that runs: { command, version }. */
function findCompiler() {
  const chosen = process.env.CC?.trim() ?? '';
  if (!found.has(chosen)) found.set(chosen, lookForCompiler(chosen));
  return found.get(chosen);
}

/** What keeps any program from being started: it says nothing of the compiler. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

function lookForCompiler(chosen) {
  const usual = isWindows ? ['gcc', 'clang'] : ['cc', 'gcc', 'clang'];
  const commands = [...(chosen === '' ? [] : [chosen.split(/\s+/)]), ...usual.map((name) => [name])];
  for (const command of commands) {
    const { status, stdout, error } = spawn([...command, '--version']);
    if (SHORTAGES.has(error?.code)) throw error;
    if (status === 0) return { command, version: stdout };
  }
  const tried = commands.map((command) => command.join(' '));
  const message = `cc: no C compiler found (tried ${tried.join(', ')}); ${advice()}`;
  throw makeError('ERR_FFI_COMPILER_NOT_FOUND', message, { tried });
}

function advice() {
  if (isWindows) return 'install LLVM (clang) or MinGW-w64 (gcc) and put it on the PATH, or set CC';
  if (process.platform === 'darwin') return 'install the command line tools (xcode-select --install), or set CC';
  return 'install gcc or clang (apt install gcc libc6-dev, dnf install gcc, apk add gcc musl-dev), or set CC';
}

// --- The cache

// $PINNED_FFI_CACHE, else the platform's place for caches; else, where that is not ours to write, a directory that
// lives as long as this process.
function cacheDirectory() {
  const directory = path.join(process.env.PINNED_FFI_CACHE || path.join(userCaches(), 'pinned-ffi'), 'cc');
  try {
    makeDirectory(directory);
    if (isPrivate(directory)) return directory;
  } catch {
    // Falls through: a cache that cannot be made is none.
  }
  return temporaryDirectory();
}

// Not mkdir's own `recursive`: Node 20 never returns from it for a path under /proc.
function makeDirectory(directory) {
  if (fs.existsSync(directory)) return;
  if (!fs.existsSync(path.dirname(directory))) makeDirectory(path.dirname(directory));
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

function userCaches() {
  if (isWindows) return process.env.LOCALAPPDATA || path.join(os.homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches');
  return process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
}

// What lies in the cache is loaded as code: a directory that others can write, or that is another user's, will not do.
function isPrivate(directory) {
  fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK);
  if (isWindows) return true;
  const status = fs.statSync(directory);
  return status.uid === process.geteuid() && (status.mode & 0o022) === 0;
}

let temporary;

function temporaryDirectory() {
  if (temporary === undefined || !fs.existsSync(temporary)) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-'));
    temporary = directory;
    process.once('exit', () => remove(directory));
  }
  return temporary;
}

// Windows does not remove a library that is loaded; the system's own cleaning of its temporary files will.
function remove(directory) {
  try {
    fs.rmSync(directory, { recursive: true, force: true });
  } catch {
    // Left behind.
  }
}

module.exports = { cc, compile };
