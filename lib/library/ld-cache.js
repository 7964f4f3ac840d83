'use strict';
// Searches /etc/ld.so.cache, the index of glibc's dynamic loader. A program looks up a name or two of the thousands
// that the file may have, so that nothing is made of the others.

const { Buffer } = require('node:buffer');

const MAGIC = 'glibc-ld.so.cache1.1';
const HEADER_SIZE = 48;
const ENTRY_SIZE = 24;
const COUNT_AT = 20;
/** The places of an entry's offsets: that of its soname and that of its file. */
const [KEY_AT, VALUE_AT] = [4, 8];

/** Not by `node:os`, which few programs need otherwise. */
const isLittle = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;
const u32 = (data, at) => (isLittle ? data.readUInt32LE(at) : data.readUInt32BE(at));

function bytesOf(value) {
  const bytes = Buffer.allocUnsafe(4);
  if (isLittle) bytes.writeUInt32LE(value);
  else bytes.writeUInt32BE(value);
  return bytes;
}

/** All offsets at which bytes occur. */
function offsetsOf(data, bytes) {
  const offsets = [];
  for (let at = data.indexOf(bytes); at >= 0; at = data.indexOf(bytes, at + 1)) offsets.push(at);
  return offsets;
}

/**
 * The entries whose sonames begin with a text, in the order of the file.
 * The format is that of glibc since 2.2: a header, entries { i32 flags, u32 key, u32 value, u32 osversion, u64 hwcap },
 * and the strings. Offsets count from the header, which an older format may stand before. A soname may be the end of a
 * path.
 * @param {Buffer | undefined} file what the file has; undefined where there is none
 * @param {string} start
 * @param {number | undefined} flags those of the entries for this machine
 * @returns {{ soname: string, file: string }[]}
 */
function entriesFor(file, start, flags) {
  const header = file?.indexOf(MAGIC) ?? -1;
  if (header < 0 || flags === undefined || start === '') return [];
  const data = file.subarray(header);
  const text = (at) => data.toString('utf8', at, Math.max(at, data.indexOf(0, at)));
  const most = Math.floor((data.length - HEADER_SIZE) / ENTRY_SIZE);
  const count = data.length < HEADER_SIZE ? 0 : Math.min(u32(data, COUNT_AT), most);
  const entries = data.subarray(HEADER_SIZE, HEADER_SIZE + count * ENTRY_SIZE);
  // As bytes: Node ends the process where a text with a lone surrogate is looked for.
  return offsetsOf(data, Buffer.from(start))
    .flatMap((key) => offsetsOf(entries, bytesOf(key)))
    .filter((at) => at % ENTRY_SIZE === KEY_AT && u32(entries, at - KEY_AT) === flags)
    .sort((a, b) => a - b)
    .map((at) => ({ key: u32(entries, at), value: u32(entries, at - KEY_AT + VALUE_AT) }))
    .filter(({ value }) => value < data.length)
    .map(({ key, value }) => ({ soname: text(key), file: text(value) }));
}

module.exports = { entriesFor };
