'use strict';
// Loads the entries of the package. A published package has the files that most programs load in one script, those of
// the parser of C text in another, and those that many load in a third file, because Node takes longer to find and read
// forty files than to run them (scripts/startup.js).

/** Those three. Their names are ones that no other package has: in a bundle the folder is the program's. */
const STARTUP = 'pinned-ffi.startup';
const CDEF = 'pinned-ffi.cdef';
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

/** The text of a file next to this one; undefined where it is not there. */
function read(name) {
  try {
    return require('node:fs').readFileSync(`${__dirname}/${name}`, 'utf8');
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
 * require and none of the three has is Node's to load.
 * @param {Record<string, any>} registry
 * @param {string} script STARTUP: its value is { names, functions, cdefEnd }, with a function for each file that it has
 * @returns {(index: number) => any}
 */
function loaderOf(registry, script) {
  const { require: requireFile } = Module.prototype;
  const folder = __dirname + require('node:path').sep;
  const isWindows = folder.endsWith('\\');
  const runScript = (name, text) => {
    const made = new Module(folder + name, module);
    made.filename = folder + name;
    made._compile(text, made.filename);
    return made.exports;
  };
  /** The names are those of the files of all three, in the order of their numbers. Those of CDEF end at `cdefEnd`. */
  const { names, functions, cdefEnd } = runScript(STARTUP, script);
  /** @type {[text: string, imports: Record<string, number>][] | undefined} the other ones */
  let later;

  /** Calls the function of a file as Node does. */
  function evaluate(index, made, own) {
    if (index >= functions.length && index < cdefEnd) functions.push(...runScript(CDEF, read(CDEF)).functions);
    if (index < functions.length) {
      const directory = made.filename.slice(
        0,
        made.filename.length - names[index].length + names[index].lastIndexOf('/'),
      );
      functions[index].call(made.exports, made.exports, own, made, made.filename, directory);
      return;
    }
    const [text, imports] = later[index - cdefEnd];
    made.require = (name) => (imports[name] === undefined ? requireFile.call(made, name) : load(imports[name]));
    made._compile(text, made.filename);
  }

  /** The exports of the file with a number. */
  function load(index) {
    later ??= index < cdefEnd ? undefined : partsOf(read(LATER));
    const file = folder + (isWindows ? names[index].replaceAll('/', '\\') : names[index]);
    const loaded = registry[file];
    if (loaded !== undefined) return loaded.exports;
    const made = new Module(file, module);
    made.filename = file;
    const own = (wanted) => (typeof wanted === 'number' ? load(wanted) : requireFile.call(made, wanted));
    own.cache = registry;
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
const script = registry === undefined ? undefined : read(STARTUP);

module.exports = script === undefined ? require('./entries.js') : loaderOf(registry, script)(0);
