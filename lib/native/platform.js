'use strict';
// The platform: the suffix of shared libraries, the form of paths, the C library, the name of the prebuilt addon.

const { Buffer } = require('node:buffer');
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
  const start = readStart('/proc/self/exe');
  // Most have that. V8 takes 0.1 ms to compile a regular expression and to search by it.
  if (start.includes('/ld-linux')) return false;
  const interpreter = /\/ld-?(musl|64|\.so|\d)/.exec(start);
  if (interpreter !== null) return interpreter[1] === 'musl';
  try {
    return reportHeader().glibcVersionRuntime === undefined;
  } catch {
    return false;
  }
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
