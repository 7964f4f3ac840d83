'use strict';
// The platform: the suffix of shared libraries, the form of paths, the C library, the name of the prebuilt addon.

const fs = require('node:fs');

const suffixes = { win32: 'dll', darwin: 'dylib' };

/** The ending of shared libraries here, without the dot: so, dylib or dll. */
const suffix = suffixes[process.platform] ?? 'so';

/** Whether the name of a library is a path, which loaders do not search for. */
const isPath = (name, platform = process.platform) =>
  name.includes('/') || (platform === 'win32' && /[\\:]/.test(name));

// The program interpreter stands in the first page of an ELF executable, so one small read tells the C library.
// Where it does not (a patched or a static executable), Node's own report does; it takes far longer.
function detectMusl() {
  if (process.platform !== 'linux') return false;
  const isInterpreted = interpretedByMusl(readStart('/proc/self/exe'));
  if (isInterpreted !== undefined) return isInterpreted;
  try {
    return reportHeader().glibcVersionRuntime === undefined;
  } catch {
    return false;
  }
}

/**
 * Whether the loader that the text names is musl's, `ld-musl-x86_64.so.1`; false for `ld-linux-x86-64.so.2`, `ld64.so.2`
 * and so on; undefined where it names none. A regular expression takes longer to compile.
 */
function interpretedByMusl(text) {
  for (let at = text.indexOf('/ld'); at >= 0; at = text.indexOf('/ld', at + 3)) {
    const rest = text.slice(text[at + 3] === '-' ? at + 4 : at + 3, at + 9);
    if (rest.startsWith('musl')) return true;
    if (['linux', '64', '.so'].some((start) => rest.startsWith(start)) || (rest[0] >= '0' && rest[0] <= '9'))
      return false;
  }
  return undefined;
}

// By default the report looks up the names of all network peers.
function reportHeader() {
  /** @type {any} */
  const { report } = process;
  const { excludeNetwork } = report;
  report.excludeNetwork = true;
  try {
    return report.getReport().header;
  } finally {
    report.excludeNetwork = excludeNetwork;
  }
}

function readStart(path) {
  const start = Buffer.alloc(4096);
  let descriptor;
  try {
    descriptor = fs.openSync(path, 'r');
    return start.toString('latin1', 0, fs.readSync(descriptor, start, 0, start.length, 0));
  } catch {
    return '';
  } finally {
    if (descriptor !== undefined) fs.closeSync(descriptor);
  }
}

let musl;

/** Whether this Node runs on musl (Alpine) rather than glibc. */
function isMusl() {
  musl ??= detectMusl();
  return musl;
}

/** The name of the prebuilt addon for this Node: linux-x64, linux-x64-musl, darwin-arm64, win32-x64, ... */
function platformKey() {
  return `${process.platform}-${process.arch}${isMusl() ? '-musl' : ''}`;
}

module.exports = { suffix, isPath, isMusl, platformKey };
