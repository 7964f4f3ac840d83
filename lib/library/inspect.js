'use strict';
// Reads what the file of a library says of itself, without loading it.

const fs = require('node:fs');
const path = require('node:path');
const binding = require('../native/binding.js');
const { makeError } = require('../errors.js');
const { isPath } = require('../native/platform.js');
const { candidates } = require('./resolve.js');
const { fileOf } = require('./search.js');

/** Whether this process could load the library of a report of the native side. */
const isLoadable = ({ format, architecture }) =>
  architecture === process.arch && format === ({ win32: 'PE', darwin: 'Mach-O' }[process.platform] ?? 'ELF');

/**
 * The library of a path or a bare name, and what it says of itself. Of the files that a name may mean, the first that
 * this process could load counts, as with dlopen; a path is read whatever it is.
 * @returns {{ path: string, candidate: string, reports: any[] }}
 */
function inspect(name) {
  if (isPath(name) && fs.existsSync(name)) {
    const file = path.resolve(name);
    return { path: file, candidate: name, reports: binding.inspect(file) };
  }
  const names = candidates(name);
  const tried = [];
  for (const candidate of names) {
    const file = fileOf(candidate);
    if (file === null) continue;
    try {
      const reports = binding.inspect(file);
      if (reports.some(isLoadable)) return { path: path.resolve(file), candidate, reports };
      tried.push(
        `${file}: is for ${reports.map(({ format, architecture }) => `${format} on ${architecture}`).join(', ')}`,
      );
    } catch (error) {
      if (error.code !== 'ERR_FFI_LIBRARY_INVALID') throw error;
      tried.push(error.message);
    }
  }
  const code = tried.length > 0 ? 'ERR_FFI_LIBRARY_INVALID' : 'ERR_FFI_LIBRARY_NOT_FOUND';
  const why = tried.length > 0 ? tried : names.map((each) => `${each}: not found`);
  throw makeError(code, `no library is found by "${name}"; tried:${why.map((line) => `\n  ${line}`).join('')}`, {
    path: name,
    tried: names,
  });
}

module.exports = { inspect, isLoadable };
