'use strict';
// Loads the entries of the package. A published package has the files that most programs load in a few scripts, and
// those that many load in one more file, because Node takes longer to find and read forty files than to run them
// (scripts/startup.js).

/**
 * The scripts: what every program loads, what a first call of C loads, what a library loads that is not in the process
 * yet, what pointers and texts load, the parser of C text, isolated libraries. Their names are ones that no other
 * package has: in a bundle the folder is the program's.
 */
const SCRIPTS = ['startup', 'calls', 'libraries', 'pointers', 'cdef', 'isolation'].map((name) => `pinned-ffi.${name}`);
/** As many are read at the start: when one of them is needed the process may have no file descriptor left. */
const READ_AT_START = 4;
const LATER = 'pinned-ffi.later';

const Module = /** @type {any} */ (module.constructor);

/**
 * Node's registry; undefined where others load the files: a bundle has none, and that of a test runner has other rules.
 */
function nodesRegistry() {
  try {
    // As a property: webpack warns of any other use of `require`.
    const registry = require.cache;
    const isNodes = typeof __dirname === 'string' && registry !== undefined && registry === Module._cache;
    return isNodes && typeof Module.prototype._compile === 'function' ? registry : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The bytes of a file next to this one. A script becomes a text when it is compiled: texts lie in V8's memory for new
 * objects, and those of all scripts would have V8 collect garbage before a first call.
 */
const read = (name) => require('node:fs').readFileSync(`${__dirname}/${name}`);

/** The same; undefined where it is not there. */
function readIfThere(name) {
  try {
    return read(name);
  } catch {
    return undefined;
  }
}

/**
 * The files that LATER has.
 * @param {string} text a line of JSON, and after it the sources: [length, { what the file requires: number }] for each
 */
function partsOf(text) {
  let at = text.indexOf('\n') + 1;
  return JSON.parse(text.slice(0, at)).map(([length, imports]) => [text.slice(at, (at += length)), imports]);
}

/**
 * Loads files of the package as Node would load them from disk: by their names, with the same modules, once. What they
 * require and none of the files has is Node's to load.
 * @param {Record<string, any>} registry
 * @param {(Buffer | undefined)[]} scripts those of SCRIPTS that are read at the start: each has the functions of some
 *   files, and the first one says how many each has
 * @returns {(index: number) => any}
 */
function loaderOf(registry, scripts) {
  const { require: requireFile } = Module.prototype;
  const folder = __dirname + require('node:path').sep;
  const isWindows = folder.endsWith('\\');
  /** @type {Function[]} by the numbers of the files, those of each script once it was compiled */
  const functions = [];

  function compile(number, from) {
    const compiled = new Module(folder + SCRIPTS[number], module);
    compiled.filename = folder + SCRIPTS[number];
    // What cannot be read now throws: Node aborts when it compiles no text.
    const bytes = scripts[number] ?? read(SCRIPTS[number]);
    scripts[number] = undefined;
    compiled._compile(bytes.toString(), compiled.filename);
    compiled.exports.functions.forEach((run, i) => (functions[from + i] = run));
    return compiled.exports;
  }
  /** The names are those of all files, in the order of their numbers. */
  const { names, counts } = compile(0, 0);
  /** @type {[text: string, imports: Record<string, number>][] | undefined} the files that are in no script */
  let later;

  /** The function of a file; undefined where no script has it. */
  function functionOf(index) {
    for (let number = 0, from = 0; number < counts.length && !(index in functions); number += 1) {
      if (index < from + counts[number]) compile(number, from);
      from += counts[number];
    }
    return functions[index];
  }

  /** Calls the function of a file as Node does. */
  function evaluate(index, made, own) {
    const run = functionOf(index);
    if (run !== undefined) {
      const directory = made.filename.slice(
        0,
        made.filename.length - names[index].length + names[index].lastIndexOf('/'),
      );
      run.call(made.exports, made.exports, own, made, made.filename, directory);
      return;
    }
    later ??= partsOf(read(LATER).toString());
    const [text, imports] = later[index - names.length + later.length];
    made.require = (name) => (imports[name] === undefined ? requireFile.call(made, name) : load(imports[name]));
    made._compile(text, made.filename);
  }

  /** The exports of the file with a number. */
  function load(index) {
    const file = folder + (isWindows ? names[index].replaceAll('/', '\\') : names[index]);
    const loaded = registry[file];
    if (loaded !== undefined) return loaded.exports;
    const made = new Module(file, module);
    made.filename = file;
    const own = (wanted) => (typeof wanted === 'number' ? load(wanted) : requireFile.call(made, wanted));
    own.cache = registry;
    made.isOfScripts = true;
    registry[file] = made;
    try {
      evaluate(index, made, own);
      made.loaded = true;
    } finally {
      if (!made.loaded) delete registry[file];
    }
    return made.exports;
  }
  return load;
}

const registry = nodesRegistry();
const scripts = registry === undefined ? [undefined] : SCRIPTS.slice(0, READ_AT_START).map(readIfThere);

module.exports = scripts.includes(undefined) ? require('./entries.js') : loaderOf(registry, scripts)(0);
