'use strict';
// Finds and loads the addon; the only file that loads native code of this package.

const fs = require('node:fs');
const path = require('node:path');
const { makeError } = require('../errors.js');
const { platformKey } = require('./platform.js');

const build = 'build it from the source in the package with "npx pinned-ffi build" (it needs cargo and a C compiler)';

/**
 * Where the addon is. PINNED_FFI_ADDON names another build of it, whatever its file is called. In the package it lies
 * in prebuilds/ next to lib/. A bundle is one file: it has prebuilds/ or the addon next to it, or prebuilds/ one folder
 * up.
 */
function addonPath() {
  const chosen = process.env.PINNED_FFI_ADDON;
  if (chosen) return path.resolve(chosen);
  const file = `${platformKey()}.node`;
  const places = [['..', '..', 'prebuilds', file], ['..', 'prebuilds', file], ['prebuilds', file], [file]].map(
    (parts) => path.join(__dirname, ...parts),
  );
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
  const more = process.allowedNodeEnvironmentFlags.has('--allow-ffi') ? ' and --allow-ffi' : '';
  const message = `pinned-ffi: Node's permission model does not allow native addons; start Node with --allow-addons${more}`;
  return makeError('ERR_ACCESS_DENIED', message, { permission: 'Addon', resource: file, cause });
}

function notFound(file, cause) {
  const chosen = process.env.PINNED_FFI_ADDON ? ' (from PINNED_FFI_ADDON)' : '';
  const fault = fs.existsSync(file)
    ? `the native addon ${file}${chosen} does not load: ${cause.message}`
    : `there is no native addon for ${platformKey()}: ${file}${chosen} does not exist`;
  const step = cause.code === 'ERR_DLOPEN_DISABLED' ? 'start Node with --allow-addons' : build;
  const message = `pinned-ffi: ${fault}; ${step}`;
  return makeError('ERR_FFI_ADDON_NOT_FOUND', message, { path: file, platform: platformKey(), cause });
}

/** Whether a library is an addon of Node. */
const isAddon = (file) => file.endsWith('.node');

module.exports = { addonPath, load, isAddon };
