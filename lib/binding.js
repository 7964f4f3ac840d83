'use strict';
// Finds and loads the addon; the only place that loads native code of our own.

const fs = require('node:fs');
const path = require('node:path');
const { makeError } = require('./errors');
const { platformKey } = require('./platform');

const root = path.join(__dirname, '..');
const build = `build it with "npm run build" in ${root} (it needs cargo and a C compiler)`;

// PINNED_FFI_ADDON names another build of the addon, whatever its file is called.
function addonPath() {
  const chosen = process.env.PINNED_FFI_ADDON;
  return chosen ? path.resolve(chosen) : path.join(root, 'prebuilds', `${platformKey()}.node`);
}

function load(file) {
  const holder = { exports: {} };
  try {
    process.dlopen(holder, path.toNamespacedPath(file));
  } catch (cause) {
    throw notFound(file, cause);
  }
  return holder.exports;
}

function notFound(file, cause) {
  const chosen = process.env.PINNED_FFI_ADDON ? ' (from PINNED_FFI_ADDON)' : '';
  const fault = fs.existsSync(file)
    ? `the native addon ${file}${chosen} does not load: ${cause.message}`
    : `there is no native addon for ${platformKey()}: ${file}${chosen} does not exist`;
  const message = `pinned-ffi: ${fault}; ${build}`;
  return makeError('ERR_FFI_ADDON_NOT_FOUND', message, { path: file, platform: platformKey(), cause });
}

module.exports = load(addonPath());
