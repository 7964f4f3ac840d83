'use strict';
// Whether an ELF library exports names: a look-up in its hash table, as the loader makes it. It reads a few hundred
// bytes, so that hundreds of libraries can be asked; `inspect` reads them whole.

const fs = require('node:fs');

const LOAD = 1;
const DYNAMIC = 2;
const [NEEDED, STRINGS, SYMBOLS] = [1n, 5n, 6n];
const HASH = 0x6ffffef5n;
const VERSIONS = 0x6ffffff0n;
/** The bit of a version that only programs which were linked to it get. */
const OLD = 0x8000;

function hashOf(name) {
  let hash = 5381;
  for (const byte of Buffer.from(name)) hash = (Math.imul(hash, 33) + byte) >>> 0;
  return hash;
}

class Elf {
  #file;
  #loads = [];
  #addresses = new Map();
  #needed = [];

  /** Throws what is no ELF file of 64 bits with a GNU hash table, for a little-endian machine. */
  constructor(file) {
    this.#file = file;
    const header = this.#read(0n, 64);
    if (header.toString('latin1', 0, 6) !== '\x7fELF\x02\x01') throw new Error('not such a file');
    const [at, size, count] = [header.readBigUInt64LE(32), header.readUInt16LE(54), header.readUInt16LE(56)];
    const table = this.#read(at, size * count);
    for (let i = 0; i < count; i++) {
      const part = table.subarray(i * size);
      const [kind, offset, address, length] = [
        part.readUInt32LE(0),
        part.readBigUInt64LE(8),
        part.readBigUInt64LE(16),
        part.readBigUInt64LE(32),
      ];
      if (kind === LOAD) this.#loads.push({ offset, address, length });
      if (kind === DYNAMIC) this.#readDynamic(this.#read(offset, Number(length)));
    }
    if (!this.#addresses.has(HASH)) throw new Error('no hash table');
  }

  #readDynamic(data) {
    for (let at = 0; at + 16 <= data.length; at += 16)
      this.#addEntry(data.readBigUInt64LE(at), data.readBigUInt64LE(at + 8));
  }

  #addEntry(tag, value) {
    if (tag === NEEDED) this.#needed.push(value);
    else this.#addresses.set(tag, value);
  }

  /** The names of the libraries that it needs. */
  get dependencies() {
    return this.#needed.map((offset) => {
      const text = this.#at(this.#addresses.get(STRINGS) + offset, 256).toString('latin1');
      return text.slice(0, text.indexOf('\0'));
    });
  }

  #read(offset, length) {
    const data = Buffer.alloc(length);
    if (fs.readSync(this.#file, data, 0, length, offset) !== length) throw new Error('the file ends too early');
    return data;
  }

  #at(address, length) {
    const found = this.#loads.find((load) => address >= load.address && address < load.address + load.length);
    if (found === undefined) throw new Error('an address outside of the file');
    return this.#read(address - found.address + found.offset, length);
  }

  has(name) {
    return this.#find(name) !== undefined;
  }

  /** Whether it exports a function of that name, rather than a variable. */
  hasFunction(name) {
    const FUNCTIONS = [2, 10];
    const index = this.#find(name);
    return index !== undefined && FUNCTIONS.includes(this.#symbol(index).readUInt8(4) & 15);
  }

  /** The number of a symbol; undefined where there is none. */
  #find(name) {
    const table = this.#addresses.get(HASH);
    const header = this.#at(table, 16);
    const [buckets, first, words, shift] = [0, 4, 8, 12].map((at) => header.readUInt32LE(at));
    const hash = hashOf(name);
    const word = this.#at(table + 16n + BigInt(((hash >>> 6) % words) * 8), 8).readBigUInt64LE(0);
    const bits = (1n << BigInt(hash & 63)) | (1n << BigInt((hash >>> shift) & 63));
    if ((word & bits) !== bits) return undefined;
    const start = table + 16n + BigInt(words * 8);
    let index = this.#at(start + BigInt((hash % buckets) * 4), 4).readUInt32LE(0);
    if (index < first) return undefined;
    for (;;) {
      const value = this.#at(start + BigInt((buckets + index - first) * 4), 4).readUInt32LE(0);
      if (((value ^ hash) & ~1) === 0 && this.#isNamed(index, name) && !this.#isOld(index)) return index;
      if ((value & 1) === 1) return undefined;
      index += 1;
    }
  }

  #isOld(index) {
    const versions = this.#addresses.get(VERSIONS);
    return versions !== undefined && (this.#at(versions + BigInt(index * 2), 2).readUInt16LE(0) & OLD) !== 0;
  }

  #symbol(index) {
    return this.#at(this.#addresses.get(SYMBOLS) + BigInt(index * 24), 24);
  }

  #isNamed(index, name) {
    const symbol = this.#symbol(index).readUInt32LE(0);
    const bytes = Buffer.from(`${name}\0`);
    return this.#at(this.#addresses.get(STRINGS) + BigInt(symbol), bytes.length).equals(bytes);
  }
}

/**
 * An ELF library by its hash table: `has(name)`, and the names of those that it needs. Undefined for a file that has
 * none. It stays open while the process runs: it is one of those that are asked for many names.
 */
function openElf(file) {
  if (!opened.has(file)) opened.set(file, tryOpen(file));
  return opened.get(file);
}

const opened = new Map();

function tryOpen(file) {
  let data;
  try {
    data = fs.openSync(file, 'r');
    return new Elf(data);
  } catch {
    if (data !== undefined) fs.closeSync(data);
    return undefined;
  }
}

module.exports = { openElf };
