'use strict';
// Symbols that Node exports and a library defines as well, or one of the libraries that are loaded with it: these would
// call Node's definitions in place of their own.

const path = require('node:path');
const binding = require('../native/binding.js');
const search = require('./search.js');

/** As many dependencies are looked at: a program of a desktop has some hundred. */
const MOST_FILES = 1000;

/** The file of a library that another one needs. */
function dependency(name, origin, directories) {
  const places = directories.map((directory) => directory.replace(/\$(ORIGIN\b|\{ORIGIN\})/g, () => origin));
  return search.fileIn(name, places) ?? search.fileOf(name);
}

/** Whether a library has its functions already: it is loaded, and not so that it calls its own. */
const isSettled = (name) => binding.isLoaded(name) && !binding.isBoundLocally(name);

/**
 * The files that matter for a library: its own, those that the loader is going to load with it, and those that were
 * loaded so that they call their own functions.
 */
function filesOf(library) {
  const files = [library];
  const known = new Set();
  for (const file of files) {
    const { names, directories } = binding.needs(file) ?? { names: [], directories: [] };
    for (const name of names) {
      if (known.has(name) || files.length >= MOST_FILES) continue;
      known.add(name);
      const found = isSettled(name) ? null : dependency(name, path.dirname(file), directories);
      if (found !== null) files.push(found);
    }
  }
  return files;
}

/**
 * A symbol of a library or of its dependencies, in whose place Node's would be called; null where there is none, and
 * where the library is loaded already.
 * @param {string} name a path, or a name that the loader finds
 */
function rivalOf(name) {
  // The loader would wait for another process at a FIFO.
  const file = search.fileOf(name);
  return file === null || binding.isLoaded(file) ? null : binding.interposed(filesOf(file));
}

module.exports = { rivalOf };
