'use strict';
// Finds and loads the addon; the only file that loads native code of this package.

const fs = require('node:fs');
const path = require('node:path');
const { makeError } = require('../errors.js');
const { folder, isBundled } = require('../location.js');
const { platformKey } = require('./platform.js');

const build = 'build it from the source in the package with "npx pinned-ffi build" (it needs cargo and a C compiler)';

/**
 * The addon in the package. Bundlers that look for the files which a program needs (ncc, the tracers of hosts) find it
 * by this expression: it has to be written with __dirname, and to be no part of a longer one.
 */
const inPackage = (file) =>
  typeof __dirname === 'undefined' ? undefined : path.join(__dirname, '..', '..', 'prebuilds', file);

/**
 * The places of the addon. In the package it lies in prebuilds/ next to lib/. A bundle is one file: it has the addon or
 * prebuilds/ next to it, or prebuilds/ one folder up, or the package is installed where it lies.
 */
function placesOf(file) {
  if (!isBundled()) return [inPackage(file)];
  const near = [[file], ['prebuilds', file], ['..', 'prebuilds', file]].map((parts) => path.join(folder, ...parts));
  const installed = [];
  for (let up = folder; ; up = path.dirname(up)) {
    installed.push(path.join(up, 'node_modules', 'pinned-ffi', 'prebuilds', file));
    if (up === path.dirname(up)) break;
  }
  return [...near, inPackage(file), ...installed].filter((place) => place !== undefined);
}

/** The addon's file. PINNED_FFI_ADDON names another build of it, whatever its file is called. */
function addonPath() {
  const chosen = process.env.PINNED_FFI_ADDON;
  if (chosen) return path.resolve(chosen);
  const places = placesOf(`${platformKey()}.node`);
  return places.find((place) => fs.existsSync(place)) ?? places[0];
}

function load(file) {
  const holder = { exports: {} };
  try {
    process.dlopen(holder, path.toNamespacedPath(file));
  } catch (cause) {
    throw refusal(file, cause) ?? notFound(file, cause);
  }
  return holder.exports;
}

/** Why Node loads no addon at all; undefined where it would. */
function refusal(file, cause) {
  if (cause.code !== 'ERR_DLOPEN_DISABLED') return undefined;
  if (process.permission === undefined) {
    const message = 'pinned-ffi: Node was started with --no-addons, which disables native addons; start it without';
    return makeError('ERR_FFI_ADDON_NOT_FOUND', message, { path: file, platform: platformKey(), cause });
  }
  const isFFIDenied = process.allowedNodeEnvironmentFlags.has('--allow-ffi') && !process.permission.has('ffi');
  const more = isFFIDenied ? ' and --allow-ffi' : '';
  const message = `pinned-ffi: Node's permission model does not allow native addons; start Node with --allow-addons${more}`;
  return makeError('ERR_ACCESS_DENIED', message, { permission: 'Addon', resource: file, cause });
}

/** The advice for a bundle: the package that it was made from has the addon. */
const copyIt = (file) =>
  'this program is a bundle, which needs the addon beside it: ' +
  `cp node_modules/pinned-ffi/prebuilds/${path.basename(file)} ${path.dirname(file)}/ (docs/bundlers.md)`;

function notFound(file, cause) {
  const chosen = process.env.PINNED_FFI_ADDON ? ' (from PINNED_FFI_ADDON)' : '';
  const fault = fs.existsSync(file)
    ? `the native addon ${file}${chosen} does not load: ${cause.message}`
    : `there is no native addon for ${platformKey()}: ${file}${chosen} does not exist`;
  const message = `pinned-ffi: ${fault}; ${isBundled() && chosen === '' ? copyIt(file) : build}`;
  return makeError('ERR_FFI_ADDON_NOT_FOUND', message, { path: file, platform: platformKey(), cause });
}

/** The exports of an addon that `cc` has compiled. An error has the loader's message. */
function loadCompiled(file) {
  const holder = { exports: {} };
  process.dlopen(holder, file);
  return holder.exports;
}

/** Whether a library is an addon of Node. */
const isAddon = (file) => file.endsWith('.node');

module.exports = { addonPath, load, loadCompiled, isAddon };
