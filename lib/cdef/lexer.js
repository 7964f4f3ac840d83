'use strict';
// C text -> tokens: { kind, text, at }, kind being 'word', 'number', 'string', 'character', 'punctuation' or 'end'.
// Comments, line continuations and #include are left out; a #define becomes a token of kind 'define' with its value.

const { faultAt } = require('./fault.js');

const BLANK = /(?:[ \t\r\n\f\v]|\\\r?\n|\/\/(?:\\\r?\n|[^\n])*|\/\*[^]*?\*\/)+/y;
const TOKEN =
  /([A-Za-z_$][\w$]*)|((?:0[xX][\da-fA-F']+|0[bB][01']+|\d[\d']*)(?:\.\d*)?(?:[eE][+-]?\d+)?[uUlLzZfF]*)|((?:u8|[uUL])?"(?:\\[^]|[^"\\\n])*")|((?:u8|[uUL])?'(?:\\[^]|[^'\\\n])+')|(\.\.\.|<<|>>|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^~!<>=?:;,.(){}[\]])/y;
const KINDS = [undefined, 'word', 'number', 'string', 'character', 'punctuation'];
const DIRECTIVE = /#[ \t]*(\w*)((?:\\\r?\n|\/\*[^]*?\*\/|[^\n])*)/y;
const DEFINE = /^[ \t]*([A-Za-z_]\w*)(\(?)([^]*)$/;

const HINT_BIND = 'for macros and whole headers use `pinned-ffi bind`, or the output of `cc -E -P`';

/** Reads tokens one after the other. */
class Lexer {
  #at = 0;
  #isLineStart = true;

  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  /** The next token. At the end of the text it is of kind 'end', again and again. */
  next() {
    for (;;) {
      this.#skipBlank();
      const at = this.#at;
      if (at >= this.text.length) return { kind: 'end', text: 'the end of the text', at };
      if (this.text[at] === '#' && this.#isLineStart) {
        const token = this.#directive(at);
        if (token !== undefined) return token;
        continue;
      }
      this.#isLineStart = false;
      if (this.text.startsWith('/*', at)) throw faultAt(this.text, at, 'a comment that does not end');
      TOKEN.lastIndex = at;
      const match = TOKEN.exec(this.text);
      if (match === null) throw this.#unreadable(at);
      this.#at = TOKEN.lastIndex;
      for (let i = 1; i < KINDS.length; i += 1)
        if (match[i] !== undefined) return { kind: KINDS[i], text: match[i], at, hidden: undefined };
    }
  }

  #skipBlank() {
    BLANK.lastIndex = this.#at;
    if (!BLANK.test(this.text)) {
      if (this.#at === 0) this.#isLineStart = true;
      return;
    }
    if (this.text.slice(this.#at, BLANK.lastIndex).includes('\n')) this.#isLineStart = true;
    this.#at = BLANK.lastIndex;
  }

  #directive(at) {
    DIRECTIVE.lastIndex = at;
    const [, name, rest] = DIRECTIVE.exec(this.text);
    this.#at = DIRECTIVE.lastIndex;
    if (name === 'include' || (name === 'pragma' && rest.trim() === 'once') || name === 'line' || /^\d*$/.test(name))
      return undefined;
    if (name !== 'define') throw faultAt(this.text, at, `#${name} is not understood; ${HINT_BIND}`);
    const [, macro, parenthesis, value] = DEFINE.exec(rest) ?? [];
    if (macro === undefined) throw faultAt(this.text, at, '#define must name a macro');
    if (parenthesis !== '')
      throw faultAt(this.text, at, `#define ${macro}(...) is a macro with parameters; ${HINT_BIND}`);
    return { kind: 'define', text: macro, at, value: value.replace(/\\\r?\n/g, '  ') };
  }

  #unreadable(at) {
    const start = this.text[at];
    if (start === '"' || start === "'")
      return faultAt(this.text, at, `a ${start === '"' ? 'string' : 'character'} that does not end`);
    return faultAt(this.text, at, `the character ${JSON.stringify(start)} is not C`);
  }
}

module.exports = { Lexer, HINT_BIND };
