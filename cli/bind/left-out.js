'use strict';
// The list of declarations that a module leaves out, with the reasons.

const { wrapped } = require('./text.js');

class LeftOut {
  #groups = new Map();

  /**
   * @param {string} group what is left out, of many at once
   * @param {string} [reason] why, where that differs from one to the next
   */
  add(group, name, reason) {
    if (!this.#groups.has(group)) this.#groups.set(group, []);
    this.#groups.get(group).push({ name, reason });
  }

  /** The list, a group after the other; empty where nothing was left out. */
  text() {
    const groups = [...this.#groups].map(([group, members]) => {
      const plain = members.filter(({ reason }) => reason === undefined).map(({ name }) => name);
      const reasoned = members
        .filter(({ reason }) => reason !== undefined)
        .map(({ name, reason }) => `  ${name}: ${reason}\n`);
      const list = plain.length === 0 ? '' : `${wrapped(plain, '  ')}\n`;
      return `${group} (${members.length}):\n${list}${reasoned.join('')}`;
    });
    return groups.length === 0 ? '' : `left out:\n${groups.join('')}`;
  }

  /** The list as a comment. */
  comment() {
    const text = this.text();
    return text === ''
      ? ''
      : `${text
          .trimEnd()
          .split('\n')
          .map((line) => `// ${line}`.trimEnd())
          .join('\n')}\n`;
  }
}

module.exports = { LeftOut };
