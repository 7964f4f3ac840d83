'use strict';
// Makes `bun:ffi` resolve to this package, in import and require.

const Module = require('node:module');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const SPECIFIER = 'bun:ffi';
const root = path.join(__dirname, '..', '..');
const required = path.join(root, 'bun.js');
const imported = pathToFileURL(path.join(root, 'bun.mjs')).href;

function resolve(specifier, context, next) {
  if (specifier !== SPECIFIER) return next(specifier, context);
  return context.conditions.includes('require')
    ? { url: pathToFileURL(required).href, format: 'commonjs', shortCircuit: true }
    : { url: imported, format: 'module', shortCircuit: true };
}

/**
 * Node 20 and the first of 22: hooks for import run on a thread of their own, and require() has none. Before 20.6 there
 * are none.
 */
const registerApart = () =>
  Module.register?.('./resolve-hook-thread.mjs', { parentURL: pathToFileURL(__filename).href, data: { SPECIFIER, imported } });

/** require() where it has no hooks, and require.resolve(), which has none in Node 22 either. */
function resolveRequired() {
  const { _resolveFilename } = Module;
  Module._resolveFilename = function resolveFilename(request, ...rest) {
    return request === SPECIFIER ? required : Reflect.apply(_resolveFilename, this, [request, ...rest]);
  };
}

/** Hooks of a thread hold for all of its realms and instances. */
const INSTALLED = Symbol.for(`pinned-ffi hook ${root}`);

function install() {
  // Bun has its own, and Deno its own way.
  if (process.versions.bun !== undefined || process.versions.deno !== undefined || Module[INSTALLED]) return;
  Object.defineProperty(Module, INSTALLED, { value: true });
  if (Module.registerHooks === undefined) registerApart();
  else Module.registerHooks({ resolve });
  resolveRequired();
}

module.exports = { install };
