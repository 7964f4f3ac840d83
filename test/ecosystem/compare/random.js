'use strict';
// Seeded random values for the workloads: the same seed gives the same values on every Node.

const LETTERS = 'abc XYZ 0123 äöüß éñ Ωλ Жд 中文 \u{1F600}\u{1F680} \n"\\';

class Random {
  #state;

  /** @param {string} seed */
  constructor(seed) {
    // FNV-1a, so that similar seeds do not begin alike.
    this.#state = [...seed].reduce((hash, each) => Math.imul(hash ^ each.codePointAt(0), 0x01000193), 0x811c9dc5);
  }

  /** A number of 32 bits (mulberry32). */
  next() {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return (value ^ (value >>> 14)) >>> 0;
  }

  /** An integer from `from` to `to`, both included. */
  integer(from, to) {
    return from + (this.next() % (to - from + 1));
  }

  pick(list) {
    return list[this.next() % list.length];
  }

  /** A new Buffer that can be compressed a little: runs and repeated bytes between random ones. */
  bytes(length) {
    const bytes = Buffer.allocUnsafe(length);
    for (let at = 0; at < length;) {
      const end = Math.min(length, at + this.integer(1, 40));
      const isRun = this.next() % 3 === 0;
      const byte = this.next();
      for (; at < end; at += 1) bytes[at] = isRun ? byte : this.next();
    }
    return bytes;
  }

  text(length, letters = LETTERS) {
    const all = [...letters];
    return Array.from({ length }, () => this.pick(all)).join('');
  }

  double() {
    return (this.next() - 2 ** 31) / this.integer(1, 10_000);
  }

  /** A nested value of what JSON has, and Buffers. */
  value(depth = 4) {
    const scalars = [
      () => this.next() | 0,
      () => this.double(),
      () => this.text(this.integer(0, 60)),
      () => null,
      () => this.next() % 2 === 0,
      () => this.bytes(this.integer(0, 300)),
    ];
    const nested = [
      () => Array.from({ length: this.integer(0, 8) }, () => this.value(depth - 1)),
      () =>
        Object.fromEntries(
          Array.from({ length: this.integer(0, 8) }, (_, i) => [
            `key${i}${this.pick(['', 'é', '中'])}`,
            this.value(depth - 1),
          ]),
        ),
    ];
    return this.pick(depth > 0 ? [...scalars, ...nested, ...nested, ...nested] : scalars)();
  }
}

module.exports = { Random };
