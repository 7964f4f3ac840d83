'use strict';
// Finds the files that the loader would take for a name and reads what they say of themselves, without loading them.

const fs = require('node:fs');
const path = require('node:path');
const binding = require('../native/binding.js');
const { makeError } = require('../errors.js');
const { candidates, searchDirectories, cachedFiles } = require('./resolve.js');

const listed = (variable) => (process.env[variable] ?? '').split(path.delimiter).filter((part) => part !== '');

/** The places where the loader looks for a plain file name, in its order. */
function placesOf(file) {
  if (process.platform === 'win32') {
    const system = process.env.SystemRoot ?? 'C:\\Windows';
    const folders = [
      path.dirname(process.execPath),
      path.join(system, 'System32'),
      system,
      process.cwd(),
      ...listed('PATH'),
    ];
    return folders.map((folder) => path.join(folder, file));
  }
  if (process.platform === 'darwin') {
    const fallback = listed('DYLD_FALLBACK_LIBRARY_PATH');
    const folders = [
      ...listed('DYLD_LIBRARY_PATH'),
      ...(fallback.length > 0 ? fallback : ['/usr/local/lib', '/usr/lib']),
    ];
    return folders.map((folder) => path.join(folder, file));
  }
  const { own, standard } = searchDirectories();
  const inFolder = (folder) => path.join(folder, file);
  return [...own.map(inFolder), ...cachedFiles(file), ...standard.map(inFolder)];
}

const isFile = (file) => fs.statSync(file, { throwIfNoEntry: false })?.isFile() === true;
const isPath = (name) => name.includes('/') || (process.platform === 'win32' && /[\\:]/.test(name));

/**
 * The file that the loader takes for a name inside of another library (`libc.so.6`, a path); null where there is none.
 */
function fileOf(name) {
  return (isPath(name) ? [name] : placesOf(name)).find(isFile) ?? null;
}

/** Whether this process could load what a report of the native side tells of. */
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

module.exports = { inspect, fileOf, isLoadable };
