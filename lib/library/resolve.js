'use strict';
// Resolves the name of a library to the candidates that the loader should try, in order.
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { wrongType, wrongValue } = require('../errors.js');
const { isMusl } = require('../native/platform.js');

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
 * The files that dlopen tries, in order, for a path or a bare name ("sqlite3", "libz.so.1"). Never throws.
 * Several are needed even where the first one exists: libm.so may be a text file for the linker.
 * @param {string} name
 * @returns {string[]}
 */
const candidates = function (name, platform = process.platform) {
  if (isPath(name, platform)) return [name];
  if (platform === 'win32') return windowsNames(name);
  if (platform === 'darwin') return appleNames(name);
  return elfNames(name);
};

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

function elfNames(name) {
  const [, stem, version] = /^(.+?)\.so((?:\.\w+)*)$/.exec(name) ?? [null, name, null];
  const isFile = version !== null;
  const stems = stem.startsWith('lib') ? [stem] : [`lib${stem}`];
  if (isFile && stems[0] !== stem) stems.unshift(stem);
  if (!isFile && stems[0] === stem) stems.push(`lib${stem}`);
  const files = stems.map((each) => `${each}.so${version ?? ''}`);
  const cached = files.flatMap(cachedVersions);
  const known = new Set(cached.map(({ file }) => realPath(file)));
  const scanned = files.flatMap((file) => scannedVersions(file, known));
  return unique([...files, ...cached.map(({ soname }) => soname), ...scanned]);
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
  const entries = loaderCache().get(stemOf(expected)) ?? [];
  return entries.filter(({ soname }) => isVersionOf(soname, expected)).sort((a, b) => byVersion(a.soname, b.soname));
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
  const entries = loaderCache().get(stemOf(name)) ?? [];
  return entries.filter(({ soname }) => soname === name).map(({ file }) => file);
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

/** The entries of /etc/ld.so.cache for this machine, by stem ("libz"); none where there is no such cache (musl). */
function loaderCache() {
  cache ??= parseCache(isMusl() || process.platform !== 'linux' ? undefined : read('/etc/ld.so.cache'));
  return cache;
}

const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;

// The format of glibc since 2.2: a header, entries { i32 flags, u32 key, u32 value, u32 osversion, u64 hwcap }, and
// the strings. Offsets count from the header, which an older format may stand before.
function parseCache(file, flags = machine?.flags) {
  const start = file?.indexOf(MAGIC) ?? -1;
  if (start < 0 || flags === undefined) return new Map();
  const data = file.subarray(start);
  const isLittle = require('node:os').endianness() === 'LE';
  const u32 = (at) => (isLittle ? data.readUInt32LE(at) : data.readUInt32BE(at));
  const text = (at) => data.toString('utf8', at, Math.max(at, data.indexOf(0, at)));
  const count = data.length < HEADER_SIZE ? 0 : Math.min(u32(20), Math.floor((data.length - HEADER_SIZE) / ENTRY_SIZE));
  const entries = [];
  for (let at = HEADER_SIZE; at < HEADER_SIZE + count * ENTRY_SIZE; at += ENTRY_SIZE) {
    const [key, value] = [u32(at + 4), u32(at + 8)];
    if (u32(at) === flags && key < data.length && value < data.length) {
      entries.push({ soname: text(key), file: text(value) });
    }
  }
  return groupByStem(entries, ({ soname }) => soname);
}

module.exports = { candidates, toPath, parseCache, searchDirectories, cachedFiles };
