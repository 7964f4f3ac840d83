'use strict';
// The library that a header belongs to: its name, what can be found through it, and whether its symbols are Node's,
// too.

const fs = require('node:fs');
const path = require('node:path');
const { inspect, isLoadable } = require('../../lib/library/inspect.js');
const { fileOf, searchDirectories } = require('../../lib/library/search.js');
const { failure } = require('../usage.js');
const { openElf } = require('./elf.js');

/** The likely names of the library of a header. */
function guesses(header) {
  const stem = path.basename(header).replace(/\.\w+$/, '');
  const folder = path.basename(path.dirname(header));
  const names = [
    stem,
    folder,
    `${folder}-${stem}`,
    stem.replace(/^lib/, ''),
    stem.replace(/lib$/, ''),
    stem.toLowerCase(),
  ];
  return [...new Set(names)].filter((name) => name !== '' && name !== 'include' && name !== '.');
}

/** The report for this machine. */
const nativeOf = ({ reports }) => reports.find(({ architecture }) => architecture === process.arch) ?? reports[0];

/** The symbols that dlsym finds in a library, without old versions, which serve programs that were linked to them. */
const exportsOf = (library) =>
  new Set(
    nativeOf(library)
      .exports.filter(({ isDefault }) => isDefault !== false)
      .map(({ name }) => name),
  );

/** A library by its name or path; undefined where there is none that can be read. */
function find(name) {
  try {
    return inspect(name);
  } catch (error) {
    if (!/^ERR_FFI_LIBRARY_/.test(error.code ?? '')) throw error;
    return undefined;
  }
}

/**
 * The names that dlsym finds through the libraries that one needs.
 * @param {any} library what `inspect` says of it
 * @param {string[]} names
 */
function foundInNeeded(library, names) {
  const found = new Set();
  const seen = new Set();
  const queue = [...nativeOf(library).dependencies];
  for (let name = queue.shift(); name !== undefined && found.size < names.length; name = queue.shift()) {
    const file = seen.has(name) ? null : fileOf(name);
    seen.add(name);
    const needed = file === null ? undefined : exportsOfFile(file);
    if (needed === undefined) continue;
    for (const each of names) if (needed.has(each)) found.add(each);
    queue.push(...needed.dependencies);
  }
  return found;
}

/** The exports and dependencies of a library: by its hash table if it has one, else by reading the whole file. */
function exportsOfFile(file) {
  const elf = openElf(file);
  if (elf !== undefined) return elf;
  const library = find(file);
  if (library === undefined) return undefined;
  const names = exportsOf(library);
  return { has: (name) => names.has(name), dependencies: nativeOf(library).dependencies };
}

/** The files of all libraries that are installed where the loader looks, each once. */
function installedLibraries() {
  const isLibrary = process.platform === 'darwin' ? /\.dylib$/ : /\.so(\.\d+)*$/;
  const { own, standard } = searchDirectories();
  const folders = [...own, ...(process.platform === 'darwin' ? ['/opt/homebrew/lib', '/usr/local/lib'] : standard)];
  const files = new Map();
  for (const folder of folders) {
    if (!fs.existsSync(folder)) continue;
    for (const name of fs.readdirSync(folder)) {
      // Not loaders: that of musl has the C library in it.
      if (!isLibrary.test(name) || name.startsWith('ld-')) continue;
      const file = path.join(folder, name);
      const real = fs.existsSync(file) ? fs.realpathSync(file) : undefined;
      // Of several names the one that programs are linked by: libz.so.1, not libz.so.1.2.13.
      if (real !== undefined && (files.get(real)?.length ?? Infinity) > file.length) files.set(real, file);
    }
  }
  return [...files.values()];
}

function countHits(file, names) {
  const found = exportsOfFile(file);
  return found === undefined ? 0 : names.filter((name) => found.has(name)).length;
}

const SAMPLE = 24;
/** The share of the functions that a library must have: names such as `delete` are those of many. */
const LEAST = 0.2;

/** The installed libraries that export some of the functions, as `inspect` says. */
function search(functions) {
  const step = Math.max(1, functions.length / SAMPLE);
  const sample = Array.from({ length: Math.min(SAMPLE, functions.length) }, (_, i) => functions[Math.floor(i * step)]);
  const counted = installedLibraries()
    .map((file) => ({ file, hits: countHits(file, sample) }))
    .filter(({ hits }) => hits > 0)
    .sort((a, b) => b.hits - a.hits);
  return counted.slice(0, 8).flatMap(({ file }) => {
    const library = find(file);
    return library === undefined || !library.reports.some(isLoadable) ? [] : [{ name: nameOf(file, library), library }];
  });
}

/** The shortest name by which dlopen finds a file: that of the library, its soname, or its path. */
function nameOf(file, library) {
  const real = fs.realpathSync(file);
  const bare = path
    .basename(file)
    .replace(/^lib/, '')
    .replace(/\.(so|dylib)(\.\d+)*$/, '');
  const { soname } = nativeOf(library);
  const finds = (name) => {
    const found = find(name);
    return found !== undefined && fs.realpathSync(found.path) === real;
  };
  return [bare, soname, path.basename(file)].find((name) => typeof name === 'string' && finds(name)) ?? file;
}

/**
 * The library that exports the most of the functions: one of the names, else one of all that are installed. Of those
 * that export as many, the one with the most of the `preferred`.
 */
function guess(names, functions, preferred) {
  const count = ({ name, library }, rank) => {
    const exported = exportsOf(library);
    const matchesOf = (list) => list.filter((each) => exported.has(each)).length;
    return { name, library, rank, matches: matchesOf(functions), liked: matchesOf(preferred) };
  };
  const byMatches = (a, b) =>
    b.matches - a.matches || b.liked - a.liked || a.rank - b.rank || a.name.length - b.name.length;
  const named = names.flatMap((name, i) => {
    const library = find(name);
    return library === undefined ? [] : [count({ name, library }, i)];
  });
  const best = named.sort(byMatches)[0];
  if (best !== undefined && best.matches >= functions.length * 0.9) return { best, others: [] };
  const all = [...named, ...search(functions).map((each) => count(each, names.length))].sort(byMatches);
  const found = all.filter(({ matches }) => matches > 0);
  const isSame = (a, b) => fs.realpathSync(a.library.path) === fs.realpathSync(b.library.path);
  const others = found
    .slice(1)
    .filter((each) => each.matches === found[0].matches && each.liked === found[0].liked && !isSame(each, found[0]));
  return { best: found[0], others: [...new Set(others.map(({ name }) => name))] };
}

/**
 * The library to bind.
 * @param {object} request
 * @param {string | undefined} request.wanted what --lib says
 * @param {string} request.header the path of the header
 * @param {string[]} request.hints names that pkg-config gave
 * @param {string[]} request.preferred those of the functions that have another name in the header, by a macro
 * @param {string[]} request.functions the names of what the header declares, as the linker calls them
 * @returns {{ name: string, exports?: Set<string>, library?: any, warning?: string, note?: string }}
 */
function findLibrary({ wanted, header, hints, functions, preferred }) {
  if (wanted === undefined) {
    const { best, others } = guess([...new Set([...hints, ...guesses(header)])], functions, preferred);
    if (best === undefined || best.matches < functions.length * LEAST) {
      const most = best === undefined ? '' : `; ${best.name} has ${best.matches} of ${functions.length}`;
      throw failure(
        `no installed library exports what ${header} declares (${functions.slice(0, 3).join(', ')}, ...)${most}.\n` +
          'Name it by --lib; a library that is not here is taken as it is named.',
      );
    }
    const note =
      others.length === 0 ? undefined : `the library is ${best.name}; ${others.join(', ')} has as much (--lib)`;
    return { name: best.name, library: best.library, exports: exportsFor(best.library, functions), note };
  }
  try {
    const library = inspect(wanted);
    return { name: wanted, library, exports: exportsFor(library, functions) };
  } catch (error) {
    if (error.code !== 'ERR_FFI_LIBRARY_NOT_FOUND') throw failure(error.message);
    return { name: wanted, warning: `${error.message}\nSo no function is left out because the library lacks it` };
  }
}

/** The exports of the library, and those of its dependencies if it lacks a function. */
function exportsFor(library, functions) {
  const own = exportsOf(library);
  const missing = functions.filter((name) => !own.has(name));
  if (missing.length > 0) for (const name of foundInNeeded(library, missing)) own.add(name);
  return own;
}

/**
 * Returns a function that tells whether Node exports a function. Variables do not count: an executable has copies of
 * those of the C library, which are meant to be shared.
 */
function functionsOfNode() {
  const elf = openElf(process.execPath);
  if (elf !== undefined) return (name) => elf.hasFunction(name);
  const functions = inspect(process.execPath).reports[0].exports.filter(({ kind }) => kind === 'function');
  const names = new Set(functions.map(({ name }) => name));
  return (name) => names.has(name);
}

/**
 * Why the library has to be opened with RTLD_DEEPBIND: this Node exports functions that the library, or one that it
 * needs, calls by name; it would get Node's. undefined where that is not so.
 * @param {{ library?: any }} target
 */
function clashWithNode({ library }) {
  if (process.platform !== 'linux' || library === undefined) return undefined;
  const isNodes = functionsOfNode();
  const { exports, imports } = nativeOf(library);
  const functions = exports.filter(({ kind }) => kind === 'function');
  const shared = [...new Set([...functions, ...imports].map(({ name }) => name))]
    .filter((name) => !name.startsWith('_') && isNodes(name))
    .sort();
  if (shared.length === 0) return undefined;
  return `Node exports ${shared.length} functions that the library has or wants, ${shared[0]} for one: without RTLD_DEEPBIND it would get Node's.`;
}

module.exports = { findLibrary, clashWithNode };
