'use strict';
// Resolves the name of a library to the candidates that the loader should try, in order.
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { wrongType, wrongValue } = require('../errors.js');
const { isMusl } = require('../native/platform.js');
const { entriesFor } = require('./ld-cache.js');

/**
 * A path as a string: from a path, a file: URL, or a "file:" string.
 * @param {string | URL} value
 * @param {string} [where] what an error calls the value
 */
const toPath = function (value, where = 'dlopen: path') {
  const isUrl = typeof value === 'object' && value !== null && typeof value.href === 'string';
  if (!isUrl && typeof value !== 'string') throw wrongType(where, 'a string or a file: URL', value);
  if (value === '') throw wrongValue(where, 'a path or a name, not empty', value);
  const text = typeof value !== 'string' || value.startsWith('file:') ? pathOfUrl(value, where) : value;
  if (text.includes('\0')) throw wrongValue(where, 'a path or a name without a NUL character', text);
  return text;
};

function pathOfUrl(value, where) {
  try {
    return fileURLToPath(value);
  } catch (cause) {
    throw wrongValue(where, `a file: URL (${cause.message})`, value.href ?? value);
  }
}

/**
 * What dlopen should try, in order, for a path or a bare name ("sqlite3", "libz.so.1"). Never throws. What the loader finds
 * itself comes first; the others are looked for when they are asked for. Names may come twice.
 * Several are needed even where the first one exists: libm.so may be a text file for the linker.
 * @param {string} name
 * @returns {Iterable<string>}
 */
const candidatesInTurn = function (name, platform = process.platform) {
  if (isPath(name, platform)) return [name];
  if (platform === 'win32') return windowsNames(name);
  if (platform === 'darwin') return appleNames(name);
  return elfNames(name);
};

/**
 * All of them, each once.
 * @param {string} name
 * @returns {string[]}
 */
const candidates = (name, platform = process.platform) => unique(candidatesInTurn(name, platform));

const isPath = (name, platform) => name.includes('/') || (platform === 'win32' && /[\\:]/.test(name));

const unique = (names) => [...new Set(names)];

// --- Windows and macOS

function windowsNames(name) {
  return /\.dll$/i.test(name) ? unique([name, `lib${name}`]) : [`${name}.dll`, `lib${name}.dll`];
}

function appleNames(name) {
  const isFile = name.endsWith('.dylib');
  const files = isFile ? [name] : [`lib${name}.dylib`];
  if (isFile && !name.startsWith('lib')) files.push(`lib${name}`);
  if (!isFile && name.startsWith('lib')) files.unshift(`${name}.dylib`);
  const homebrew = unique([process.env.HOMEBREW_PREFIX ?? '/opt/homebrew', '/opt/homebrew', '/usr/local']);
  const framework = `${name}.framework/${name}`;
  return [
    ...files,
    ...(isFile ? [] : [framework, `/System/Library/Frameworks/${framework}`]),
    ...homebrew.flatMap((prefix) => files.map((file) => `${prefix}/lib/${file}`)),
    ...files.map((file) => `/usr/lib/${file}`),
  ];
}

// --- Linux and the other ELF systems

function* elfNames(name) {
  const [, stem, version] = /^(.+?)\.so((?:\.\w+)*)$/.exec(name) ?? [null, name, null];
  const isFile = version !== null;
  const stems = stem.startsWith('lib') ? [stem] : [`lib${stem}`];
  if (isFile && stems[0] !== stem) stems.unshift(stem);
  if (!isFile && stems[0] === stem) stems.push(`lib${stem}`);
  const files = stems.map((each) => `${each}.so${version ?? ''}`);
  yield* files;
  const cached = files.flatMap(cachedVersions);
  for (const { soname } of cached) yield soname;
  const known = new Set(cached.map(({ file }) => realPath(file)));
  for (const file of files) yield* scannedVersions(file, known);
}

// Whether `file` is `wanted` or a (longer) version of it: libz.so, libz.so.1, libz.so.1.2.13.
const isVersionOf = (file, expected) => file.startsWith(expected) && /^(?:\.\d\w*)*$/.test(file.slice(expected.length));

// Highest version first; of libz.so.1 and libz.so.1.2.13 the shorter one, which is what programs are linked to.
function byVersion(a, b) {
  const [left, right] = [a, b].map((file) => file.slice(file.lastIndexOf('.so') + 4).split('.'));
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const order = parseInt(right[i], 10) - parseInt(left[i], 10);
    if (order !== 0 && !Number.isNaN(order)) return order;
  }
  return left.length - right.length;
}

function cachedVersions(expected) {
  const entries = cachedEntries(expected).filter(({ soname }) => isVersionOf(soname, expected));
  return entries.sort((a, b) => byVersion(a.soname, b.soname));
}

// Adds what it finds to `known`, so that a file with several names is tried once.
function scannedVersions(expected, known) {
  const found = [];
  const { own, standard } = searchDirectories();
  for (const directory of [...own, ...standard]) {
    const files = list(directory).get(stemOf(expected)) ?? [];
    for (const file of files.filter((each) => isVersionOf(each, expected)).sort(byVersion)) {
      const full = path.join(directory, file);
      const real = realPath(full);
      if (!known.has(real)) found.push(full);
      known.add(real);
    }
  }
  return found;
}

const stemOf = (file) => file.slice(0, file.indexOf('.so'));

function realPath(file) {
  try {
    return fs.realpathSync.native(file);
  } catch {
    return file;
  }
}

// The shared libraries in a directory, by stem; read again only when the directory has changed.
const listings = new Map();

function list(directory) {
  try {
    const { mtimeMs } = fs.statSync(directory);
    const before = listings.get(directory);
    if (before?.mtimeMs === mtimeMs) return before.files;
    const files = groupByStem(
      fs.readdirSync(directory).filter((file) => file.includes('.so')),
      (file) => file,
    );
    listings.set(directory, { mtimeMs, files });
    return files;
  } catch {
    return new Map();
  }
}

function groupByStem(items, nameOf) {
  const groups = new Map();
  for (const item of items) {
    const stem = stemOf(nameOf(item));
    if (!groups.has(stem)) groups.set(stem, []);
    groups.get(stem).push(item);
  }
  return groups;
}

const machines = {
  x64: { triple: 'x86_64-linux-gnu', musl: 'x86_64', flags: 0x0303 },
  arm64: { triple: 'aarch64-linux-gnu', musl: 'aarch64', flags: 0x0a03 },
  arm: { triple: 'arm-linux-gnueabihf', musl: 'armhf', flags: 0x0903 },
  ia32: { triple: 'i386-linux-gnu', musl: 'i386', flags: 0x0003 },
  ppc64: { triple: 'powerpc64le-linux-gnu', musl: 'powerpc64le', flags: 0x0503 },
  s390x: { triple: 's390x-linux-gnu', musl: 's390x', flags: 0x0403 },
  riscv64: { triple: 'riscv64-linux-gnu', musl: 'riscv64', flags: 0x1003 },
  loong64: { triple: 'loongarch64-linux-gnu', musl: 'loongarch64', flags: 0x1203 },
};
const machine = machines[process.arch];

/** Where ELF libraries are: what the user says comes before, what the system has comes after the loader's cache. */
function searchDirectories() {
  const own = (process.env.LD_LIBRARY_PATH ?? '').split(/[:;]/).filter((directory) => directory !== '');
  return { own, standard: defaultDirectories() };
}

/** The files that the loader's cache has for a name such as libc.so.6. */
function cachedFiles(name) {
  return cachedEntries(name)
    .filter(({ soname }) => soname === name)
    .map(({ file }) => file);
}

let directories;

function defaultDirectories() {
  directories ??= unique((isMusl() ? muslDirectories() : gnuDirectories()).map(realPath));
  return directories;
}

function muslDirectories() {
  const listed = read(`/etc/ld-musl-${machine?.musl}.path`)?.toString('utf8').split(/[:\n]/);
  return listed?.filter((directory) => directory !== '') ?? ['/lib', '/usr/local/lib', '/usr/lib'];
}

function gnuDirectories() {
  const multiarch = machine === undefined ? [] : [`/lib/${machine.triple}`, `/usr/lib/${machine.triple}`];
  return ['/usr/local/lib', ...multiarch, '/lib64', '/usr/lib64', '/lib', '/usr/lib'];
}

function read(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return undefined;
  }
}

let cache;

/** What the loader's cache has; undefined where there is none (musl). It is read once. */
function loaderCache() {
  cache ??= { file: isMusl() || process.platform !== 'linux' ? undefined : read('/etc/ld.so.cache') };
  return cache.file;
}

/** Its entries for this machine whose sonames begin with a text. */
const cachedEntries = (start) => entriesFor(loaderCache(), start, machine?.flags);

// --- the file of a name, as the loader finds it

const listed = (variable) => (process.env[variable] ?? '').split(path.delimiter).filter((part) => part !== '');

/** The places where the loader looks for a plain file name, in its order. */
function placesOf(file) {
  if (process.platform === 'win32') {
    const system = process.env.SystemRoot ?? 'C:\\Windows';
    const folders = [
      path.dirname(process.execPath),
      path.join(system, 'System32'),
      system,
      process.cwd(),
      ...listed('PATH'),
    ];
    return folders.map((folder) => path.join(folder, file));
  }
  if (process.platform === 'darwin') {
    const fallback = listed('DYLD_FALLBACK_LIBRARY_PATH');
    const folders = [
      ...listed('DYLD_LIBRARY_PATH'),
      ...(fallback.length > 0 ? fallback : ['/usr/local/lib', '/usr/lib']),
    ];
    return folders.map((folder) => path.join(folder, file));
  }
  const { own, standard } = searchDirectories();
  const inFolder = (folder) => path.join(folder, file);
  return [...own.map(inFolder), ...cachedFiles(file), ...standard.map(inFolder)];
}

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;

/**
 * The file that the loader takes for a name inside of another library (`libc.so.6`, a path); null where there is none.
 */
function fileOf(name) {
  return (isPath(name, process.platform) ? [name] : placesOf(name)).find(isFile) ?? null;
}

module.exports = { candidates, candidatesInTurn, toPath, isPath, searchDirectories, cachedFiles, fileOf };
