'use strict';
// Finds the file of a header: as a path, where #include looks, or in the folders below; and what pkg-config says of it.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { failure } = require('../usage.js');
const { Cursor } = require('./clang.js');

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
const isDirectory = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
const unique = (list) => [...new Set(list)];

/** The folders in which headers of libraries are. */
function standardFolders() {
  const roots = ['/usr/local/include', '/usr/include', '/opt/homebrew/include', '/opt/local/include'];
  const multiarch = foldersIn('/usr/include').filter((folder) => /^\w+-linux-\w+$/.test(path.basename(folder)));
  return [...roots, ...multiarch].filter((folder) => fs.existsSync(folder));
}

function foldersIn(folder) {
  try {
    return fs
      .readdirSync(folder, { withFileTypes: true })
      .map((entry) => ({ entry, place: path.join(folder, entry.name) }))
      .filter(({ entry, place }) => entry.isDirectory() || (entry.isSymbolicLink() && isDirectory(place)))
      .map(({ place }) => place);
  } catch {
    return [];
  }
}

/** The folders in which a header lies that is not where #include looks: one below, else two. */
function foldersBelow(name, roots) {
  const one = roots.flatMap(foldersIn);
  const holds = (folder) => isFile(path.join(folder, name));
  const found = one.filter(holds);
  return unique(
    (found.length > 0 ? found : one.flatMap(foldersIn).filter(holds)).map((folder) => fs.realpathSync(folder)),
  );
}

// ---- pkg-config -----------------------------------------------------------------------------------------------------

function pkgConfig(...args) {
  const { status, stdout, stderr, error } = spawnSync('pkg-config', args, { encoding: 'utf8' });
  if (error !== undefined) return { fault: 'pkg-config does not run: is it installed?' };
  return status === 0 ? { words: stdout.trim().split(/\s+/).filter(Boolean) } : { fault: stderr.trim() };
}

/**
 * The flags that pkg-config prints for a package.
 * @returns {{ flags: string[], libraries: string[] }} the compiler's options, and the names of libraries
 */
function readPackage(name) {
  const flags = pkgConfig('--cflags', name);
  if (flags.fault !== undefined) throw failure(`--pkg ${name}: ${flags.fault}`);
  const { words = [] } = pkgConfig('--libs', name);
  return { flags: flags.words, libraries: words.filter((word) => word.startsWith('-l')).map((word) => word.slice(2)) };
}

/** The package of pkg-config that names a folder of headers; undefined where none does. */
function packageOf(folder, header) {
  const { words: places = [] } = pkgConfig('--variable', 'pc_path', 'pkg-config');
  const named = new RegExp(`-I\\S*/${path.basename(folder).replace(/[.+]/g, '\\$&')}(\\s|/|$)`, 'm');
  const stem = path.basename(header).replace(/\.\w+$/, '');
  const wanted = [path.basename(folder), stem, `lib${stem}`, `${stem}-${path.basename(folder)}`];
  const found = places
    .flatMap((place) => place.split(path.delimiter))
    .flatMap((place) => {
      try {
        return fs
          .readdirSync(place)
          .filter((name) => name.endsWith('.pc'))
          .map((name) => path.join(place, name));
      } catch {
        return [];
      }
    })
    .filter((file) => named.test(fs.readFileSync(file, 'utf8')))
    .map((file) => path.basename(file, '.pc'));
  const rank = (name) => (wanted.includes(name) ? wanted.indexOf(name) : wanted.length + name.length);
  return found.sort((a, b) => rank(a) - rank(b))[0];
}

// ---- the header -----------------------------------------------------------------------------------------------------

// Headers whose declarations older headers use without including them.
const PREAMBLE = ['stddef.h', 'stdint.h', 'stdio.h'];
const WANTS_PREAMBLE = /unknown type name '(FILE|size_t|ssize_t|u?int\d+_t|va_list)'/;

/** The line by which a unit includes a header. */
const includeOf = (name) => (path.isAbsolute(name) ? `#include ${JSON.stringify(name)}` : `#include <${name}>`);

/**
 * Reads a header: as a path, as #include finds it, or one folder below that.
 * @param {InstanceType<typeof import('./clang.js').Clang>} clang
 * @returns {{ unit: number, cursors: object[], header: string, include: string, roots: string[], libraries: string[],
 *   notes: string[] }} `include`: the line that includes it; `roots`: folders in which headers are looked for
 */
function readHeader(clang, name, folders) {
  const notes = [];
  const libraries = [];
  let roots = folders.map((folder) => path.resolve(folder));
  let shown = isFile(name) ? path.resolve(name) : name;
  let read = parse(clang, shown);
  if (read.header === undefined && !path.isAbsolute(shown)) {
    const folder = locate(name, unique([...roots, ...standardFolders()]));
    const pkg = packageOf(folder, name);
    const found = pkg === undefined ? { flags: [], libraries: [] } : readPackage(pkg);
    clang.addFlags([`-I${folder}`, ...found.flags]);
    libraries.push(...found.libraries);
    notes.push(`${name} is ${path.join(folder, name)}${pkg === undefined ? '' : `, of the package ${pkg}`}`);
    roots = roots.filter((root) => root !== folder);
    shown = name;
    read = parse(clang, shown);
  }
  read = withNeeded(clang, shown, read, { name, roots, notes, libraries });
  if (read.errors.some(({ message }) => WANTS_PREAMBLE.test(message))) {
    clang.addFlags(PREAMBLE.map((header) => `-include${header}`));
    notes.push(`${name} does not include what it needs: read after ${PREAMBLE.map((each) => `<${each}>`).join(', ')}`);
    read = parse(clang, shown);
  }
  if (read.errors.length > 0) {
    const texts = read.errors.slice(0, 10).map(({ text }) => text);
    throw failure(`libclang cannot read the header:\n${texts.join('\n')}${hintOf(read.errors)}`);
  }
  if (!path.isAbsolute(shown)) roots.push(read.header.slice(0, -name.length - 1));
  return {
    ...read,
    include: includeOf(shown),
    roots: notes.length > 0 ? roots.filter((root) => SHARED.test(root)) : roots,
    libraries,
    notes,
  };
}

const LACKS_HEADER = /^'([^']+)' file not found/;
/** A header that needs more others than this, each in another folder, is none of a library that is installed. */
const MOST_NEEDED = 8;

/** Reads a header again with the folders of those that it includes and the compiler does not find. */
function withNeeded(clang, shown, first, { name, roots, notes, libraries }) {
  let read = first;
  const tried = new Set();
  while (tried.size < MOST_NEEDED) {
    const wanted = read.errors.map(({ message }) => LACKS_HEADER.exec(message)?.[1]).find(Boolean);
    if (wanted === undefined || tried.has(wanted)) return read;
    tried.add(wanted);
    const [folder, ...others] = foldersBelow(wanted, unique([...roots, ...standardFolders()]));
    if (others.length > 0) return read;
    // What is nowhere near may be where the package of the header says.
    const places = folder === undefined ? parentsOf(read.header) : [folder];
    const pkg = places.map((place) => packageOf(place, name)).find(Boolean);
    if (folder === undefined && pkg === undefined) return read;
    const found = pkg === undefined ? { flags: [], libraries: [] } : readPackage(pkg);
    clang.addFlags([...(folder === undefined ? [] : [`-I${folder}`]), ...found.flags]);
    libraries.push(...found.libraries);
    notes.push(`${name} includes ${wanted}: found ${folder === undefined ? `by the package ${pkg}` : `in ${folder}`}`);
    read = parse(clang, shown);
  }
  return read;
}

/** The folders that a header lies in, below those in which all headers are. */
function parentsOf(header) {
  const parents = [];
  for (let folder = path.dirname(header ?? '/'); !SHARED.test(folder) && folder !== path.dirname(folder);) {
    parents.push(folder);
    folder = path.dirname(folder);
  }
  return parents;
}

/** What to do about errors of the compiler. */
function hintOf(errors) {
  for (const { message } of errors) {
    const lacking = LACKS_HEADER.exec(message)?.[1];
    if (lacking !== undefined) return `\nGive the folder of ${lacking} by -I, or the package of the library by --pkg.`;
    const macro = /\b([A-Z][A-Z0-9]*_\w+)\b.*\b(define|set)|\bdefine\b.*\b([A-Z][A-Z0-9]*_\w+)\b/.exec(message);
    if (macro !== null) return `\nDefine it: -D ${macro[1] ?? macro[3]}=VALUE`;
  }
  return '';
}

const SHARED = /\/include(\/\w+-[\w-]+)?$/;

/**
 * Reads a header with further ones that it does not include.
 * @param {any} read what readHeader has returned
 * @param {string[]} files their paths
 */
function readFurther(clang, read, files) {
  const include = [read.include, ...files.map(includeOf)].join('\n');
  const again = parseText(clang, include);
  if (again.errors.length > 0) {
    const texts = again.errors.slice(0, 10).map(({ text }) => text);
    throw failure(`libclang cannot read the header and those of --also:\n${texts.join('\n')}${hintOf(again.errors)}`);
  }
  return { ...read, ...again, include };
}

const parse = (clang, name) => parseText(clang, includeOf(name));

function parseText(clang, text) {
  const file = clang.write('header.c', `${text}\n`);
  const unit = clang.parse(file);
  const cursors = clang.childrenOfUnit(unit);
  const first = cursors.find((cursor) => cursor.kind === Cursor.inclusion && clang.place(cursor).file === file);
  const header = first && clang.includedFile(first);
  return { unit, cursors, header, errors: clang.errors(unit) };
}

function locate(name, roots) {
  const found = foldersBelow(name, roots);
  if (found.length === 1) return found[0];
  const looked = roots.join(', ');
  if (found.length === 0) {
    throw failure(
      `there is no header '${name}'; looked in ${looked}, and below.\n` +
        'It comes with the development package of the library (Debian: lib...-dev), or give its folder by -I.',
    );
  }
  const list = found.map((folder) => `\n  ${path.join(folder, name)}`).join('');
  throw failure(`there are several headers '${name}'; give the path of one, or its folder by -I:${list}`);
}

module.exports = { readHeader, readFurther, readPackage, standardFolders };
