'use strict';
// Patterns of names, as the options of the command line have them: `*` is any text, `?` one character, a `!` before one
// takes out again what it matches.

function expressionOf(pattern) {
  const source = pattern
    .replace(/[\\^$.|+()[\]{}]/g, '\\$&')
    .replace(/\*/g, '.*')
    .replace(/\?/g, '.');
  return new RegExp(`^${source}$`, 's');
}

/** The patterns of one option: which of them a name is selected by. */
class Patterns {
  #included;
  #excluded;

  /** @param {string[]} patterns each may have a value after `=`, which is no part of it */
  constructor(patterns) {
    const parsed = patterns.map((text) => {
      const [, pattern, value] = /^!?([^=]*)(?:=(.*))?$/s.exec(text);
      return { text, isExcluding: text.startsWith('!'), value, expression: expressionOf(pattern), isUsed: false };
    });
    this.#included = parsed.filter(({ isExcluding }) => !isExcluding);
    this.#excluded = parsed.filter(({ isExcluding }) => isExcluding);
  }

  get isEmpty() {
    return this.#included.length === 0;
  }

  /** The last pattern that matches one of the names; undefined where none does, or one takes them out. */
  select(...names) {
    const matches = ({ expression }) => names.some((name) => expression.test(name));
    if (this.#excluded.some(matches)) return undefined;
    const found = this.#included.filter(matches);
    for (const each of found) each.isUsed = true;
    return found.at(-1);
  }

  /** The patterns that have matched nothing. */
  get unused() {
    return this.#included.filter(({ isUsed }) => !isUsed).map(({ text }) => text);
  }
}

module.exports = { Patterns };
