'use strict';
// The error of a library that could not be opened: the candidates, and why each was not loaded.

const fs = require('node:fs');
const { makeError } = require('../errors.js');
const { nearest } = require('../nearest.js');
const { installedNames } = require('./search.js');

/** Windows has its own words in each language, and a number for all of them. */
const ABSENT = /no such file|not found|could not be found|os error 126/i;

/** Nothing opened: either no file was there, or what was there does not load (then the loader's reason counts). */
function notOpened(expected, tried) {
  const exists = ({ path }) => /[\\/]/.test(path) && fs.existsSync(path);
  // Windows does not name the missing file: it is the library itself, or a library that it needs.
  const isNamed = ({ path, reason }) => reason.includes(path);
  const isAbsent = (attempt) =>
    !exists(attempt) && ABSENT.test(attempt.reason) && (process.platform === 'win32' || isNamed(attempt));
  const code = tried.every(isAbsent) ? 'ERR_FFI_LIBRARY_NOT_FOUND' : 'ERR_FFI_LIBRARY_INVALID';
  const hint = (attempt) => {
    if (!exists(attempt) || !ABSENT.test(attempt.reason)) return '';
    if (process.platform === 'win32') return ' (the file is there: a library that it needs may be missing)';
    // glibc says of a file for another machine that it does not exist.
    return attempt.reason.includes(`${attempt.path}:`)
      ? ' (the file is there: it may be for another architecture)'
      : '';
  };
  const textOf = (attempt) => (isNamed(attempt) ? attempt.reason : `${attempt.path}: ${attempt.reason}`);
  const list = tried.map((attempt) => `\n  ${textOf(attempt)}${hint(attempt)}`).join('');
  return makeError(
    code,
    `Failed to open library "${expected}"; tried:${list}${localHint(expected, tried) || similarHint(expected)}`,
    {
      path: expected,
      tried: tried.map(({ path }) => path),
    },
  );
}

/** For a name without a slash whose file is in the current directory, where loaders do not look. */
function localHint(expected, tried) {
  const found = [expected, ...tried.map((each) => each.path)].find(
    (name) => !/[\\/]/.test(name) && fs.statSync(name, { throwIfNoEntry: false })?.isFile(),
  );
  return found === undefined
    ? ''
    : `\nThe current directory is not searched for names. It has that file: write './${found}'.`;
}

/** For a name that resembles that of an installed library, or has another version of it. */
function similarHint(expected) {
  const [, stem, version] = /^(?:lib)?([^\\/]+?)(\.so[.\w]*)?$/.exec(expected) ?? [];
  if (stem === undefined) return '';
  // Few names differ in their first letter, and there are thousands.
  const names = installedNames().filter((name) => name[0].toLowerCase() === stem[0].toLowerCase());
  if (version !== undefined && names.includes(stem))
    return `\nAnother version of it is installed, which the name without a version finds: '${stem}'.`;
  // png is installed as libpng16, glib as libglib-2.0.
  const meant = names.find((name) => name.startsWith(stem) && /^-?[\d.]+$/.test(name.slice(stem.length)));
  const found = meant ?? nearest(stem, names);
  return found === undefined || found === stem ? '' : `\nDid you mean '${found}'?`;
}

module.exports = { notOpened };
