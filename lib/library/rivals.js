'use strict';
// Symbols that are exported by Node and defined by a library, or by a dependency that is loaded with it. The loader
// binds calls of such a function to Node's definition.

const path = require('node:path');
const binding = require('../native/binding.js');
const search = require('./search.js');

/** The most files that are examined. A library for desktop programs may load a hundred others. */
const MOST_FILES = 1000;

/** The file of a library that another one needs. */
function dependency(name, origin, directories) {
  const places = directories.map((directory) => directory.replace(/\$(ORIGIN\b|\{ORIGIN\})/g, () => origin));
  return search.fileIn(name, places) ?? search.fileOf(name);
}

/** Whether a library is loaded already, and not by RTLD_DEEPBIND: then nothing can be done about it any more. */
const isSettled = (name) => binding.isLoaded(name) && !binding.isBoundLocally(name);

/**
 * The files that are examined for a library: its file, those that the loader will load with it, and those that it
 * needs and that were loaded by RTLD_DEEPBIND.
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
