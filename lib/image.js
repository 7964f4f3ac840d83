'use strict';
// What a file must be before the system's loader gets it: on what is none, or is cut off, the loader hangs or crashes.

const fs = require('node:fs');

// The ELF header and its program headers, 64-bit and little-endian: System V gABI, chapters 4 and 5.
const HEADER_BYTES = 64;
const MAGIC = Buffer.from([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
const PROGRAM_HEADER_BYTES = 56;
const PT_LOAD = 1;
/** The start of the file that is looked at. */
const start = Buffer.allocUnsafeSlow(4096);
/** When the files were changed that were found whole. */
const whole = new Map();

/**
 * Why the loader must not get a file; undefined where it may, or where there is no file to look at. A FIFO would block
 * it, and a library that is shorter than its segments ends the process with SIGBUS when they are mapped.
 * @param {string} path with a separator: the loader looks for other names itself
 */
function unloadable(path) {
  if (!/[\\/]/.test(path)) return undefined;
  try {
    const status = fs.statSync(path);
    // The loader's own words for a directory are clear.
    if (status.isDirectory()) return undefined;
    if (!status.isFile()) return `${path}: not a regular file`;
    if (whole.get(path) === status.mtimeMs) return undefined;
    const wanted = bytesOfSegments(path, status.size);
    if (wanted > status.size) return `${path}: the file is cut off: it has ${status.size} bytes of at least ${wanted}`;
    whole.set(path, status.mtimeMs);
    return undefined;
  } catch {
    // What cannot be looked at the loader says itself, or has in its own cache.
    return undefined;
  }
}

/** The bytes up to the end of the last segment that is mapped; 0 for what is no library of this kind. */
function bytesOfSegments(path, size) {
  const file = fs.openSync(path, 'r');
  try {
    const read = fs.readSync(file, start, 0, start.length, 0);
    if (read < HEADER_BYTES || MAGIC.compare(start, 0, MAGIC.length) !== 0) return 0;
    const [first, count] = [Number(start.readBigUInt64LE(32)), start.readUInt16LE(56)];
    if (start.readUInt16LE(54) !== PROGRAM_HEADER_BYTES) return 0;
    const end = first + count * PROGRAM_HEADER_BYTES;
    if (end > size) return end;
    // Program headers follow the header, nearly always.
    const isThere = end <= read;
    const headers = isThere ? start : Buffer.alloc(end - first);
    if (!isThere) fs.readSync(file, headers, 0, headers.length, first);
    let bytes = 0;
    for (let at = isThere ? first : 0, i = 0; i < count; i += 1, at += PROGRAM_HEADER_BYTES) {
      bytes = Math.max(bytes, endOf(headers, at));
    }
    return bytes;
  } finally {
    fs.closeSync(file);
  }
}

/** Where the bytes of a segment end in the file. */
const endOf = (headers, at) =>
  (headers.readUInt32LE(at) === PT_LOAD ? Number(headers.readBigUInt64LE(at + 8) + headers.readBigUInt64LE(at + 32)) : 0);

module.exports = { unloadable };
