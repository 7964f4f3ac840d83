'use strict';
// Files that few programs need are loaded when they are first used. By then the module registry may have been reset
// (hot reload, jest.resetModules()); they must still find the files of this instance, not new ones with a state of
// their own.

const { sep } = require('node:path');
const location = require('./location.js');

/** The modules that require() has loaded; a bundle may have no require(). */
function registry() {
  try {
    return require.cache;
  } catch {
    return undefined;
  }
}

/** Node's. Not by `node:module`, which takes as long to load as ten files of the package. */
function nodesRegistry() {
  return typeof module === 'undefined' ? undefined : /** @type {any} */ (module.constructor)._cache;
}

/**
 * Whether require() has Node's registry, into which files can be put back. That of a test runner, and a bundle's, have
 * other rules: there everything is loaded at the start.
 */
const hasRegistry = registry() !== undefined && registry() === nodesRegistry();
const folder = location.folder + sep;

/** Whether the files that most programs load are in memory: in the published package (lib/instance.js). */
const hasScripts = hasRegistry && /** @type {any} */ (module).isOfScripts === true;

/** The modules of this instance by their files. */
const own = new Map();

function noteOwn() {
  const cache = registry();
  for (const file of Object.keys(cache)) {
    if (file.startsWith(folder) && !own.has(file)) own.set(file, cache[file]);
  }
}

/** Runs `load` while the registry has the modules of this instance, and leaves it as it was. */
function withOwn(load) {
  const cache = registry();
  const others = [];
  for (const [file, module] of own) {
    if (cache[file] === module) continue;
    others.push([file, cache[file]]);
    cache[file] = module;
  }
  try {
    return load();
  } finally {
    noteOwn();
    for (const [file, other] of others) {
      if (other === undefined) delete cache[file];
      else cache[file] = other;
    }
  }
}

const all = [];
const ofScripts = [];

/** Returns a function that gives the exports of the file that `load` requires. The first call loads it. */
function lazy(load) {
  let exported;
  const get = () => (exported ??= hasRegistry ? withOwn(load) : load());
  all.push(get);
  return get;
}

/**
 * The same for a file that must load whenever it is needed: the process may have no file descriptor left by then. Where
 * it is not in memory, it is loaded at the start.
 */
function lazyOfScripts(load) {
  const get = lazy(load);
  if (!hasScripts) ofScripts.push(get);
  return get;
}

/** Loads what cannot be loaded later. */
function begin() {
  // Loading a file adds to the list.
  for (const get of hasRegistry ? ofScripts : all) get();
}

module.exports = { lazy, lazyOfScripts, begin };
