'use strict';
// Resolves the name of a library to the candidates that the loader should try, in order.

const { fileURLToPath } = require('node:url');
const { wrongType, wrongValue } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { isPath } = require('../native/platform.js');
const { isUrl } = require('../validate.js');

/** Most names are those of files that the loader finds itself. */
const search = lazy(() => require('./search.js'));

/**
 * A path as a string: from a path, a file: URL, or a "file:" string.
 * @param {string | URL} value
 * @param {string} [where] what an error calls the value
 */
const toPath = function (value, where = 'dlopen: path') {
  if (typeof value !== 'string' && !isUrl(value)) throw wrongType(where, 'a string or a file: URL', value);
  if (value === '') throw wrongValue(where, 'a path or a name, not empty', value);
  const text = typeof value !== 'string' || value.startsWith('file:') ? pathOfUrl(value, where) : value;
  if (text.includes('\0')) throw wrongValue(where, 'a path or a name without a NUL character', text);
  return text;
};

function pathOfUrl(value, where) {
  try {
    return fileURLToPath(value);
  } catch (cause) {
    throw wrongValue(where, `a file: URL (${cause.message})`, value.href ?? value);
  }
}

/**
 * The files that dlopen tries, in order, for a path or a bare name ("sqlite3", "libz.so.1"). Never throws. What the
 * loader finds itself comes first; the others are looked for when they are asked for. Names may come twice. Several are
 * needed even where the first one exists: libm.so may be a text file for the linker.
 * @param {string} name
 * @returns {Iterable<string>}
 */
const candidatesInTurn = function (name, platform = process.platform) {
  if (isPath(name, platform)) return [name];
  if (platform === 'win32') return windowsNames(name);
  if (platform === 'darwin') return appleNames(name);
  return elfNames(name);
};

/**
 * All of them, each once.
 * @param {string} name
 * @returns {string[]}
 */
const candidates = (name, platform = process.platform) => unique(candidatesInTurn(name, platform));

const unique = (names) => [...new Set(names)];

// --- Windows and macOS

function windowsNames(name) {
  return /\.dll$/i.test(name) ? unique([name, `lib${name}`]) : [`${name}.dll`, `lib${name}.dll`];
}

function appleNames(name) {
  const isFile = name.endsWith('.dylib');
  const files = isFile ? [name] : [`lib${name}.dylib`];
  if (isFile && !name.startsWith('lib')) files.push(`lib${name}`);
  if (!isFile && name.startsWith('lib')) files.unshift(`${name}.dylib`);
  const homebrew = unique([process.env.HOMEBREW_PREFIX ?? '/opt/homebrew', '/opt/homebrew', '/usr/local']);
  const framework = `${name}.framework/${name}`;
  return [
    ...files,
    ...(isFile ? [] : [framework, `/System/Library/Frameworks/${framework}`]),
    ...homebrew.flatMap((prefix) => files.map((file) => `${prefix}/lib/${file}`)),
    ...files.map((file) => `/usr/lib/${file}`),
  ];
}

// --- Linux and the other ELF systems

function* elfNames(name) {
  const [, stem, version] = /^(.+?)\.so((?:\.\w+)*)$/.exec(name) ?? [null, name, null];
  const isFile = version !== null;
  const stems = stem.startsWith('lib') ? [stem] : [`lib${stem}`];
  if (isFile && stems[0] !== stem) stems.unshift(stem);
  if (!isFile && stems[0] === stem) stems.push(`lib${stem}`);
  const files = stems.map((each) => `${each}.so${version ?? ''}`);
  yield* files;
  yield* search().furtherNames(files);
}

module.exports = { candidates, candidatesInTurn, toPath };
