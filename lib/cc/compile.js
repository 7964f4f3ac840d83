'use strict';
// cc(): compiles C with the system's compiler into a shared library, caches it by its content, and opens it.

const { Buffer } = require('node:buffer');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { cacheDirectory, workDirectory, digest, contentOf, find, publish, keepForProcess } = require('./cache.js');
const { listOf, splitFlags } = require('./options.js');
const { isText } = require('../cdef/sets.js');
const { makeError, wrongType, wrongValue } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { platformKey, suffix } = require('../native/platform.js');
const { requirePermission } = require('../native/permission.js');
const { toPath } = require('../library/resolve.js');

const KEYS = ['source', 'library', 'include', 'symbols', 'define', 'flags'];
const isWindows = process.platform === 'win32';
/** Late, so that compiling needs no addon. */
const library = lazy(() => require('../library/dlopen.js'));

/**
 * @param {object} options
 * @param {string | URL | (string | URL)[]} options.source paths, file: URLs, or C text
 * @param {object | string | Array} options.symbols as for dlopen
 * @param {string | string[]} [options.library] names ("sqlite3") or paths to link with
 * @param {string | string[]} [options.include] directories of headers
 * @param {Record<string, string>} [options.define] macros
 * @param {string | string[]} [options.flags] for the compiler; a string is split at white space
 */
function cc(options) {
  requirePermission('cc');
  const checked = check(options);
  return library().dlopen(build(checked), checked.symbols);
}

/** The path of the shared library that `options` make; compiles it unless the cache has it. */
const compile = (options) => build(check(options));

// --- Options

function check(passed) {
  if (!isRecord(passed)) throw wrongType('cc: options', 'an object', passed);
  const options = Object.assign(Object.create(null), passed);
  const unknown = Object.keys(options).find((key) => !KEYS.includes(key));
  if (unknown !== undefined) throw wrongValue('cc: a key of options', `one of ${KEYS.join(', ')}`, unknown);
  if (!isRecord(options.symbols) && !isText(options.symbols))
    throw wrongType('cc: symbols', 'an object of declarations', options.symbols);
  return {
    units: unitsOf(options.source),
    symbols: options.symbols,
    libraries: strings(options.library, 'cc: library'),
    includes: strings(options.include, 'cc: include').map((directory) => path.resolve(directory)),
    defines: definesOf(options.define),
    flags: strings(splitFlags(options.flags), 'cc: flags'),
  };
}

const isRecord = (value) => typeof value === 'object' && value !== null && !Array.isArray(value);

function strings(value, where) {
  const list = listOf(value);
  list.forEach((item, index) => {
    const which = Array.isArray(value) ? `${where}[${index}]` : where;
    if (typeof item !== 'string') throw wrongType(which, 'a string or an array of strings', item);
    if (item === '' || item.includes('\0')) throw wrongValue(which, 'a string without NUL, not empty', item);
  });
  return list;
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
  const work = workDirectory(directory);
  try {
    const own = [...flags, ...includes.map((include) => `-I${include}`), ...defines];
    const inputs = units.map((unit, index) => preprocess(compiler, unit, path.join(work, `${index}.i`), own));
    const link = [...librariesIn(flags), ...libraries.flatMap(linkArguments)];
    const texts = inputs.map((input) => fs.readFileSync(input));
    const named = namedFiles([...flags, ...link]);
    const key = keyOf(compiler, texts, flags, [...own, ...link], named);
    const isKnown =
      !texts.some((text) => READS_MORE.test(text.toString('latin1'))) && !flags.some((flag) => PROFILE.test(flag));
    const known = isKnown ? find(directory, key) : undefined;
    if (known !== undefined) return known;
    // The preprocessed text is compiled, so the key cannot belong to another state of the files.
    const output = path.join(work, `library.${suffix}`);
    const shared = isWindows ? ['-shared', '-O2'] : ['-shared', '-fPIC', '-O2', '-Wl,-t'];
    const start = Date.now();
    const linked = linkedFiles(run(compiler, [...shared, ...flags, ...inputs, '-o', output, ...link]), work);
    const isSame =
      keyOf(compiler, texts, flags, [...own, ...link], namedFiles([...flags, ...link])) === key &&
      linked.every((file) => named.includes(file) || isOlder(file, start));
    return isKnown && isSame ? publish(directory, key, work, output, linked) : keepForProcess(output);
  } finally {
    fs.rmSync(work, { recursive: true, force: true });
  }
}

/**
 * The libraries among the flags, which are passed again behind the sources: a linker takes from an archive only what it
 * misses by then, and some do the same with shared libraries.
 */
function librariesIn(flags) {
  return flags.flatMap((flag, i) => {
    const before = flags[i - 1];
    if (before === '-l') return [before, flag];
    if (/^-l./.test(flag) || /^-Wl,[^-].*\.a$/.test(flag)) return [flag];
    if (before === '-Xlinker') return /^[^-].*\.a$/.test(flag) ? [before, flag] : [];
    return /^[^-@].*\.(?:a|so(?:\.\d+)*)$/.test(flag) && !TAKES_FILE.test(before ?? '') ? [flag] : [];
  });
}

/** Flags whose value is a file that is not linked. */
const TAKES_FILE = /^-(?:o|include|imacros|isystem|idirafter|iquote|I|L|D|U|x|T|MF|MT|MQ)$/;

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

/** Runs the compiler; returns its standard output. */
function run({ command }, args, input) {
  const all = [...command, ...args];
  const { status, signal, error, stdout, stderr } = spawn(all, input);
  if (status === 0) return stdout;
  const diagnostics = error === undefined ? stderr.trim() : error.message;
  const end = signal === null ? `exit code ${status}` : signal;
  throw makeError('ERR_FFI_COMPILE_FAILED', `cc: ${command.join(' ')} failed (${end})\n${diagnostics}`, {
    diagnostics,
    command: all,
  });
}

const spawn = (/** @type {string[]} */ [file, ...args], input = '') =>
  spawnSync(file, args, { input, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024, windowsHide: true });

// --- The compiler

const found = new Map();

/** The first of $CC, cc, gcc and clang that runs: { command, version }. */
function findCompiler() {
  const chosen = process.env.CC?.trim() ?? '';
  if (!found.has(chosen)) found.set(chosen, lookForCompiler(chosen));
  return found.get(chosen);
}

/** Errors that keep any program from starting: they say nothing about the compiler. */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']);

function lookForCompiler(chosen) {
  const usual = isWindows ? ['gcc', 'clang'] : ['cc', 'gcc', 'clang'];
  const commands = [...(chosen === '' ? [] : [chosen.split(/\s+/)]), ...usual.map((name) => [name])];
  for (const command of commands) {
    const { status, stdout, error } = spawn([...command, '--version']);
    if (SHORTAGES.has(/** @type {NodeJS.ErrnoException} */ (error)?.code)) throw error;
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

// --- The files that were read

/** Source that has the assembler read files, whose names are not known: it is compiled each time. */
const READS_MORE = /\.inc(?:bin|lude)\b/;
/** Flags that name a directory of files. */
const PROFILE = /^-f(?:profile|auto-profile|branch-probabilities)/;
/** Flags that mean the same in each directory. */
const WITHOUT_PATH = /^-(?:[DUOgmw]|f(?!plugin)|W(?![alp],)|std=|pedantic|pthread)/;
/** The environment variables that compilers and linkers read. */
const VARIABLES = [
  'CPATH',
  'LIBRARY_PATH',
  'SDKROOT',
  'LD_RUN_PATH',
  'COMPILER_PATH',
  'GCC_EXEC_PREFIX',
  'MACOSX_DEPLOYMENT_TARGET',
];

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() ?? false;

/** Arguments with those of the files that they name by `@file`, and the names of these files. */
function expanded(args, files = new Set()) {
  return args.flatMap((arg) => {
    const file = path.resolve(/@(.+)$/.exec(arg)?.[1] ?? '');
    if (files.has(file) || !isFile(file)) return [arg];
    files.add(file);
    return [arg, file, ...expanded(fs.readFileSync(file, 'latin1').split(/[\s"']+/), files)];
  });
}

/**
 * The files that arguments name, inside of a flag, too (`-Wl,--version-script=file`), and where `-lname` is looked for.
 */
function namedFiles(args) {
  const words = expanded(args);
  const parts = words.flatMap((word) => [word, word.replace(/^-[A-Za-z]/, ''), ...word.split(/[,=]/)]).filter(Boolean);
  return [...new Set([...parts.map((part) => path.resolve(part)), ...librariesOf(words)])].filter(isFile);
}

/**
 * The libraries that `-lname` may mean in the directories of the arguments, of which the first that is there counts.
 */
function librariesOf(args) {
  // The words for the linker, and flags that are separate from their values.
  const words = args.flatMap((arg) => (arg.startsWith('-Wl,') ? arg.split(',') : [arg]));
  const after = (flag) =>
    words.flatMap((word, i) => (word === flag ? [words[i + 1] ?? ''] : word.startsWith(flag) ? [word.slice(2)] : []));
  const folders = [...after('-L'), ...(process.env.LIBRARY_PATH ?? '').split(path.delimiter)].filter(Boolean);
  const names = after('-l').flatMap((name) =>
    name.startsWith(':') ? [name.slice(1)] : [`lib${name}.a`, `lib${name}.${suffix}`],
  );
  return folders.flatMap((folder) => names.map((name) => path.resolve(folder, name)));
}

/** Times of files are coarse. */
const COARSE_MS = 20;
const isOlder = (file, time) => (fs.statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Infinity) < time - COARSE_MS;

/**
 * The files that the linker lists as read (`-t`), without its temporary files and without shared libraries, whose
 * content does not become a part of the result.
 */
function linkedFiles(listed, work) {
  const files = new Set();
  for (const line of listed.split('\n')) {
    // An archive comes with its member: (file)member, file(member).
    const name = /^\(([^)]+)\)/.exec(line)?.[1] ?? line.replace(/\(.*\)$/, '').trim();
    const file = path.resolve(name);
    if (name !== '' && !file.startsWith(work + path.sep) && isFile(file) && !isShared(file)) files.add(file);
  }
  return [...files];
}

const ELF_SHARED = 3;

function isShared(file) {
  const start = Buffer.alloc(18);
  const descriptor = fs.openSync(file, 'r');
  fs.readSync(descriptor, start, 0, start.length, 0);
  fs.closeSync(descriptor);
  return start.toString('latin1', 0, 4) === '\x7fELF' && start[16] + start[17] === ELF_SHARED;
}

/**
 * The digest of what a library depends on before it is linked: the compiler, its arguments, and the files that they
 * name.
 */
function keyOf(compiler, texts, flags, args, named) {
  const variables = VARIABLES.map((name) => process.env[name] ?? null);
  const directory = flags.every((flag) => WITHOUT_PATH.test(flag)) ? '' : process.cwd();
  const inputs = JSON.stringify([
    2,
    platformKey(),
    compiler.command,
    compiler.version,
    args,
    variables,
    directory,
    named,
  ]);
  return digest([inputs, ...texts, ...named.map(contentOf)]);
}

module.exports = { cc, compile };
