'use strict';
// Searches for libraries: in the cache of the dynamic loader and in the directories that it looks into.

const fs = require('node:fs');
const path = require('node:path');
const { isMusl, isPath } = require('../native/platform.js');
const { entriesFor } = require('./ld-cache.js');

const unique = (names) => [...new Set(names)];

/**
 * Candidates for the names of ELF files where none of them is found: their versions, first those that the loader
 * knows, then those in its directories.
 * @param {string[]} files
 * @returns {Iterable<string>}
 */
function* furtherNames(files) {
  const cached = files.flatMap(cachedVersions);
  for (const { soname } of cached) yield soname;
  const known = new Set(cached.map(({ file }) => realPath(file)));
  for (const file of files) yield* scannedVersions(file, known);
}

// Whether `file` is `expected` or a (longer) version of it: libz.so, libz.so.1, libz.so.1.2.13.
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
    const files = groupByStem(fs.readdirSync(directory).filter((file) => file.includes('.so')));
    listings.set(directory, { mtimeMs, files });
    return files;
  } catch {
    return new Map();
  }
}

function groupByStem(files) {
  const groups = new Map();
  for (const file of files) {
    const stem = stemOf(file);
    if (!groups.has(stem)) groups.set(stem, []);
    groups.get(stem).push(file);
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

/** The directories of ELF libraries: those of the user come before the loader's cache, those of the system after it. */
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

/** The contents of the loader's cache; undefined where there is none (musl). It is read once. */
function loaderCache() {
  cache ??= { file: isMusl() || process.platform !== 'linux' ? undefined : read('/etc/ld.so.cache') };
  return cache.file;
}

/** Its entries for this machine whose sonames begin with a text. */
const cachedEntries = (start) => entriesFor(loaderCache(), start, machine?.flags);

let stems;

/**
 * The names of all libraries in the loader's cache as programs call them: `sqlite3` for libsqlite3.so.0. For messages.
 */
function installedNames() {
  stems ??= unique(
    loaderCache()
      ?.toString('latin1')
      .match(/(?<=[\0/]lib)[^\0/]+?(?=\.so[.\w]*\0)/g) ?? [],
  );
  return stems;
}

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
  return (isPath(name) ? [name] : placesOf(name)).find(isFile) ?? null;
}

/** The file of a name in the first of some directories that has it; null where none has. */
function fileIn(name, folders) {
  return folders.map((folder) => path.join(folder, name)).find(isFile) ?? null;
}

module.exports = { furtherNames, installedNames, searchDirectories, cachedFiles, fileOf, fileIn };
