'use strict';
// Loads the entries of the package. A published package has the files that most programs load in one file more, because
// Node takes longer to find and read forty files than to run them (scripts/startup.js).

/** That file. Its name is one that no other package has: in a bundle the folder is the program's. */
const STARTUP = 'pinned-ffi.startup';

/** Whether Node itself loads files here: a bundle has none, and the registry of a test runner has other rules. */
function isLoadedByNode() {
  try {
    return typeof __dirname === 'string' && require.cache === /** @type {any} */ (require('node:module'))._cache;
  } catch {
    return false;
  }
}

/** The contents of the file; undefined without one. */
function readStartup() {
  if (!isLoadedByNode()) return undefined;
  try {
    return require('node:fs').readFileSync(require('node:path').join(__dirname, STARTUP));
  } catch {
    return undefined;
  }
}

/**
 * Loads a file out of `data` as Node would load it from disk: by its name, with the same module, once. What it requires
 * and `data` does not have is Node's to load.
 * @param {Buffer} data a line of JSON, and after it the texts: [name, length, { what it requires: index }] for each
 * @returns {(index: number) => any}
 */
function loaderOf(data) {
  const path = require('node:path');
  const Module = /** @type {any} */ (require('node:module'));
  const { _cache: registry } = Module;
  const { require: requireFile } = Module.prototype;
  const end = data.indexOf('\n');
  let at = end + 1;
  const files = JSON.parse(data.toString('latin1', 0, end)).map(([name, length, imports]) => {
    at += length;
    return { file: path.join(__dirname, name), start: at - length, end: at, imports };
  });

  function load(index) {
    const { file, start, end, imports } = files[index];
    const loaded = registry[file];
    if (loaded !== undefined) return loaded.exports;
    const made = new Module(file, module);
    made.filename = file;
    made.require = (name) => (imports[name] === undefined ? requireFile.call(made, name) : load(imports[name]));
    registry[file] = made;
    try {
      made._compile(data.toString('latin1', start, end), file);
      made.loaded = true;
    } finally {
      if (!made.loaded) delete registry[file];
    }
    return made.exports;
  }
  return load;
}

const startup = readStartup();

module.exports = startup === undefined ? require('./entries.js') : loaderOf(startup)(0);
