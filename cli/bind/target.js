'use strict';
// The library that a header belongs to: its name, what it exports, and whether its symbols are Node's, too.

const path = require('node:path');
const { failure } = require('../usage.js');

/** What a library may be called whose header is called so. */
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

/** The library among names that exports the most of the functions. */
function guess(inspect, header, functions) {
  const found = guesses(header).flatMap((name) => {
    try {
      const library = inspect(name);
      const exported = exportsOf(library);
      return [{ name, library, matches: functions.filter((each) => exported.has(each)).length }];
    } catch (error) {
      if (!/^ERR_FFI_LIBRARY_/.test(error.code ?? '')) throw error;
      return [];
    }
  });
  return found.sort((a, b) => b.matches - a.matches).find(({ matches }) => matches > 0);
}

/** The report for this machine. */
const nativeOf = ({ reports }) => reports.find(({ architecture }) => architecture === process.arch) ?? reports[0];

const exportsOf = (library) => new Set(nativeOf(library).exports.map(({ name }) => name));

/**
 * The library to bind.
 * @param {string | undefined} wanted what --lib says
 * @param {string[]} functions the names of the functions of the header
 * @returns {{ name: string, exports?: Set<string>, library?: object, warning?: string }}
 */
function findLibrary(wanted, header, functions) {
  const { inspect } = require('../../lib/library/inspect.js');
  if (wanted === undefined) {
    const found = guess(inspect, header, functions);
    if (found !== undefined) return { name: found.name, library: found.library, exports: exportsOf(found.library) };
    return {
      name: guesses(header)[0],
      warning:
        'no library was found that has the functions of the header, so nothing is left out for that: --lib NAME says which it is',
    };
  }
  try {
    const library = inspect(wanted);
    return { name: wanted, library, exports: exportsOf(library) };
  } catch (error) {
    if (error.code !== 'ERR_FFI_LIBRARY_NOT_FOUND') throw failure(error.message);
    return { name: wanted, warning: `${error.message}\nSo no function is left out because the library lacks it` };
  }
}

/** The library as the module's dlopen takes it: a name, or a path, which counts from the module. */
function specifier(name, output, quote) {
  const isPath = name.includes('/') || (process.platform === 'win32' && /[\\:]/.test(name));
  if (!isPath) return quote(name);
  if (output === undefined || path.isAbsolute(name)) return quote(path.resolve(name));
  const relative = path.relative(path.dirname(path.resolve(output)), path.resolve(name));
  return `new URL(${quote(relative.split(path.sep).map(encodeURIComponent).join('/'))}, import.meta.url)`;
}

/**
 * Why the library has to be opened with RTLD_DEEPBIND: this Node exports functions that the library, or one that it
 * needs, calls by name; it would get Node's. undefined where that is not so.
 */
function clashWithNode({ library }) {
  if (process.platform !== 'linux' || library === undefined) return undefined;
  const { inspect } = require('../../lib/library/inspect.js');
  // Variables are not it: an executable has copies of those of the C library, which are meant to be shared.
  const isOurs = ({ name, kind }) => kind === 'function' && !name.startsWith('_');
  const ours = new Set(
    inspect(process.execPath)
      .reports[0].exports.filter(isOurs)
      .map(({ name }) => name),
  );
  const { exports, imports } = nativeOf(library);
  const functions = exports.filter(({ kind }) => kind === 'function');
  const shared = [...new Set([...functions, ...imports].map(({ name }) => name))]
    .filter((name) => ours.has(name))
    .sort();
  if (shared.length === 0) return undefined;
  return `Node exports ${shared.length} functions that the library has or wants, ${shared[0]} for one: without RTLD_DEEPBIND it would get Node's.`;
}

module.exports = { findLibrary, specifier, clashWithNode };
