'use strict';
// The cache of cc(): a directory that only the user can write, with libraries by a digest of everything that was read
// for them.

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { suffix } = require('../native/platform.js');

const isWindows = process.platform === 'win32';

// --- The directory

/**
 * $PINNED_FFI_CACHE, else the platform's place for caches; else, where that is not ours alone to write, a directory
 * that lives as long as this process.
 */
function cacheDirectory() {
  const directory = path.join(process.env.PINNED_FFI_CACHE || path.join(userCaches(), 'pinned-ffi'), 'cc');
  try {
    makeDirectory(directory);
    if (makePrivate(directory)) return directory;
  } catch {
    // Falls through: a cache that cannot be made is none.
  }
  return temporaryDirectory();
}

// Not mkdir's own `recursive`: Node 20 never returns from it for a path under /proc.
function makeDirectory(directory) {
  if (fs.existsSync(directory)) return;
  if (!fs.existsSync(path.dirname(directory))) makeDirectory(path.dirname(directory));
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (error.code !== 'EEXIST') throw error;
  }
}

function userCaches() {
  if (isWindows) return process.env.LOCALAPPDATA || path.join(os.homedir(), 'AppData', 'Local');
  if (process.platform === 'darwin') return path.join(os.homedir(), 'Library', 'Caches');
  return process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache');
}

const [OTHERS_WRITE, STICKY, ROOT, OVERFLOW] = [0o002, 0o1000, 0, 65534];

/**
 * Whether a directory is, or is made, this user's alone. What lies in it is loaded as code: one that others could write
 * to will not do, nor one that they could replace, because they own a directory above it or may rename what is in that.
 */
function makePrivate(directory) {
  fs.accessSync(directory, fs.constants.W_OK | fs.constants.X_OK);
  if (isWindows) return true;
  const real = fs.realpathSync(directory);
  const user = process.geteuid();
  const status = fs.statSync(real);
  if (status.uid !== user || (status.mode & 0o022) !== 0) return false;
  // The user that a container shows for those it does not know owns its root.
  const owners = [user, ROOT, OVERFLOW];
  for (let above = path.dirname(real); ; above = path.dirname(above)) {
    const { uid, mode } = fs.statSync(above);
    if (!owners.includes(uid) || ((mode & OTHERS_WRITE) !== 0 && (mode & STICKY) === 0)) return false;
    if (above === path.dirname(above)) break;
  }
  if ((status.mode & 0o777) !== 0o700) fs.chmodSync(real, 0o700);
  return true;
}

let temporary;

function temporaryDirectory() {
  if (temporary === undefined || !fs.existsSync(temporary)) {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-'));
    temporary = directory;
    process.once('exit', () => remove(directory));
  }
  return temporary;
}

// Windows does not remove a library that is loaded; the system's own cleaning of its temporary files will.
function remove(directory) {
  try {
    fs.rmSync(directory, { recursive: true, force: true });
  } catch {
    // Left behind.
  }
}

/** A day: no compiler takes that long. */
const OLD_MS = 24 * 60 * 60 * 1000;

/** A directory to compile in. Old files that a killed process left in the cache are removed. */
function workDirectory(directory) {
  for (const name of fs.readdirSync(directory)) {
    if (!name.startsWith('build-')) continue;
    const left = path.join(directory, name);
    const { mtimeMs = Infinity } = fs.statSync(left, { throwIfNoEntry: false }) ?? {};
    if (Date.now() - mtimeMs > OLD_MS) remove(left);
  }
  return fs.mkdtempSync(path.join(directory, 'build-'));
}

// --- The entries

/** The digest of parts, each a text or bytes. */
function digest(parts) {
  const sum = createHash('sha256');
  for (const part of parts) sum.update(`${part.length}:`).update(part);
  return sum.digest('hex').slice(0, 40);
}

/** The bytes of a file that a library was made from; none if it cannot be read. */
function contentOf(file) {
  try {
    return fs.readFileSync(file);
  } catch {
    return 'none';
  }
}

const list = (directory, key) => path.join(directory, `${key}.json`);
const libraryOf = (directory, key, files) =>
  path.join(directory, `${digest([key, ...files.flatMap((file) => [file, contentOf(file)])])}.${suffix}`);

/**
 * The library of a key; undefined where there is none, or where a file that was linked into it has another content by
 * now.
 * @param {string} key the digest of what is known before anything is linked
 */
function find(directory, key) {
  let files;
  try {
    files = JSON.parse(fs.readFileSync(list(directory, key), 'utf8'));
  } catch {
    return undefined;
  }
  const library = libraryOf(directory, key, files);
  return fs.existsSync(library) ? library : undefined;
}

/**
 * Puts a library into the cache, with the files that were linked into it. It comes by its name whole: a process that is
 * killed and a full disk leave nothing behind that would be found.
 */
function publish(directory, key, work, output, files) {
  const library = libraryOf(directory, key, files);
  put(output, library);
  const names = path.join(work, 'files.json');
  fs.writeFileSync(names, JSON.stringify(files));
  put(names, list(directory, key));
  return library;
}

function put(from, to) {
  const descriptor = fs.openSync(from, 'r+');
  try {
    fs.fsyncSync(descriptor);
  } finally {
    fs.closeSync(descriptor);
  }
  try {
    fs.renameSync(from, to);
  } catch (error) {
    // Another process may have been faster; its file is the same, and on Windows it may be open.
    if (!fs.existsSync(to)) throw error;
  }
}

/** Keeps a library for this process alone. */
function keepForProcess(output) {
  const library = path.join(fs.mkdtempSync(path.join(temporaryDirectory(), 'library-')), path.basename(output));
  fs.copyFileSync(output, library);
  return library;
}

module.exports = { cacheDirectory, workDirectory, digest, contentOf, find, publish, keepForProcess };
