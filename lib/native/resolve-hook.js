'use strict';
// Makes a name such as `bun:ffi` resolve to an entry of this package, in import and require.

/** @type {any} */
const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { folder, isBundled } = require('../location.js');

const root = path.dirname(folder);

/** The hook by which a specifier means an entry. */
const resolver = ({ SPECIFIER, required, imported }) =>
  function resolve(specifier, context, next) {
    if (specifier !== SPECIFIER) return next(specifier, context);
    // An array, or in some releases a Set.
    return Array.from(context.conditions).includes('require')
      ? { url: pathToFileURL(required).href, format: 'commonjs', shortCircuit: true }
      : { url: imported, format: 'module', shortCircuit: true };
  };

/**
 * Node 20 and the first of 22: hooks for import run on a separate thread, and require() has none. Before 20.6 there are
 * none. Without the permission for threads, the entry works all the same, under its own name.
 */
function registerApart({ SPECIFIER, imported }) {
  if (process.permission?.has('worker') === false) return;
  Module.register?.(`./resolve-hook-thread.mjs?${SPECIFIER}`, {
    parentURL: pathToFileURL(path.join(folder, 'native', 'resolve-hook.js')).href,
    data: { SPECIFIER, imported },
  });
}

/** require() where it has no hooks, and require.resolve(), which has none in Node 22 either. */
function resolveRequired({ SPECIFIER, required }) {
  const { _resolveFilename } = Module;
  Module._resolveFilename = function resolveFilename(request, ...rest) {
    return request === SPECIFIER ? required : Reflect.apply(_resolveFilename, this, [request, ...rest]);
  };
}

/**
 * require() of a name with `node:`: Node looks for a built-in module, until 24.11 even where a hook has resolved it.
 */
function loadRequired({ SPECIFIER, required }) {
  const { _load } = Module;
  Module._load = function load(request, ...rest) {
    return Reflect.apply(_load, this, [request === SPECIFIER ? required : request, ...rest]);
  };
}

/**
 * Makes a specifier resolve to an entry. Hooks of a thread hold for all of its realms and instances.
 * @param {string} specifier such as 'bun:ffi'
 * @param {string} entry the name of the entry's files
 */
function install(specifier, entry) {
  const installed = Symbol.for(`pinned-ffi hook ${root} ${specifier}`);
  // The files that a name would mean are not there.
  if (isBundled()) return;
  // Bun has its own, and Deno its own way.
  if (process.versions.bun !== undefined || process.versions.deno !== undefined || Module[installed]) return;
  Object.defineProperty(Module, installed, { value: true });
  const names = {
    SPECIFIER: specifier,
    required: path.join(root, `${entry}.js`),
    imported: pathToFileURL(path.join(root, `${entry}.mjs`)).href,
  };
  if (Module.registerHooks === undefined) registerApart(names);
  else Module.registerHooks({ resolve: resolver(names) });
  if (specifier.startsWith('node:')) loadRequired(names);
  resolveRequired(names);
}

module.exports = { install };
