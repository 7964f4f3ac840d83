'use strict';
// C text -> tokens: { kind, text, at }, kind being 'word', 'number', 'string', 'character', 'punctuation' or 'end'.
// Comments, line continuations and #include are left out; a #define becomes a token of kind 'define' with its value.

const { faultAt } = require('./fault.js');

const BLANK = /(?:[ \t\r\n\f\v]|\\\r?\n|\/\/(?:\\\r?\n|[^\n])*|\/\*[^]*?\*\/)+/y;
const WORD = /[\w$]+/y;
/** The prefixes of a quotation mark. */
const PREFIX = /^(?:u8|[uUL])$/;
const NUMBER = /(?:0[xX][\da-fA-F']+|0[bB][01']+|\d[\d']*)(?:\.\d*)?(?:[eE][+-]?\d+)?[uUlLzZfF]*/y;
const STRING = /(?:u8|[uUL])?"(?:\\[^]|[^"\\\n])*"/y;
const CHARACTER = /(?:u8|[uUL])?'(?:\\[^]|[^'\\\n])+'/y;
const PUNCTUATION = /\.\.\.|<<|>>|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^~!<>=?:;,.(){}[\]]/y;
/** Marks that are no part of longer ones. */
const SINGLE = new Set(['(', ')', '*', ',', ';', '{', '}', '[', ']', '~', '?', '+', '-', '^', '%']);
const DIRECTIVE = /#[ \t]*(\w*)((?:\\\r?\n|\/\*[^]*?\*\/|[^\n])*)/y;
const DEFINE = /^[ \t]*([A-Za-z_]\w*)(\(?)([^]*)$/;

/** Pragmas that change no layout. */
const PRAGMA = /^[ \t]*(?:once|GCC|clang|STDC|region|endregion|warning|comment)\b/;

const HINT_BIND = 'for macros and whole headers use `pinned-ffi bind`, or the output of `cc -E -P`';

/** Reads tokens one after the other. */
class Lexer {
  #at = 0;
  /** The end of the last token. */
  #behind = 0;

  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }

  /** The offset at which the next token is searched. */
  get offset() {
    return this.#at;
  }

  set offset(at) {
    this.#at = this.#behind = at;
  }

  /** The next token. At the end of the text it is of kind 'end', again and again. */
  next() {
    const { text } = this;
    for (;;) {
      const at = this.#skipBlank();
      const first = text[at];
      if (first === undefined) return { kind: 'end', text: 'the end of the text', at };
      if (SINGLE.has(first)) {
        this.#at = this.#behind = at + 1;
        return { kind: 'punctuation', text: first, at, hidden: undefined };
      }
      if (first === '#' && this.#isLineStart(at)) {
        const token = this.#directive(at);
        if (token !== undefined) return token;
        continue;
      }
      return this.#tokenAt(at, first);
    }
  }

  #tokenAt(at, first) {
    const isDigit = first >= '0' && first <= '9';
    let kind = isDigit ? 'number' : 'word';
    let text = this.#match(isDigit ? NUMBER : WORD, at);
    const quote = text === undefined ? first : PREFIX.test(text) ? this.text[at + text.length] : undefined;
    if (quote === '"' || quote === "'") {
      kind = quote === '"' ? 'string' : 'character';
      // A prefix without a text behind it is a word.
      const quoted = this.#match(quote === '"' ? STRING : CHARACTER, at);
      if (quoted === undefined && text !== undefined) kind = 'word';
      text = quoted ?? text;
    } else if (text === undefined) {
      if (this.text.startsWith('/*', at)) throw faultAt(this.text, at, 'a comment that does not end');
      kind = 'punctuation';
      text = this.#match(PUNCTUATION, at);
    }
    if (text === undefined) throw this.#unreadable(at);
    this.#at = this.#behind = at + text.length;
    return { kind, text, at, hidden: undefined };
  }

  /** The text of an expression at an offset; undefined where there is none. */
  #match(expression, at) {
    expression.lastIndex = at;
    return expression.test(this.text) ? this.text.slice(at, expression.lastIndex) : undefined;
  }

  /** The offset of the next token. */
  #skipBlank() {
    const code = this.text.charCodeAt(this.#at);
    // A blank, a comment or a line continuation begins with one of these.
    if (code > 32 && code !== 47 && code !== 92) return this.#at;
    BLANK.lastIndex = this.#at;
    if (BLANK.test(this.text)) this.#at = BLANK.lastIndex;
    return this.#at;
  }

  /** Whether nothing but blanks and comments is in front of an offset on its line. */
  #isLineStart(at) {
    return this.#behind === 0 || this.text.slice(this.#behind, at).includes('\n');
  }

  #directive(at) {
    DIRECTIVE.lastIndex = at;
    const [, name, rest] = DIRECTIVE.exec(this.text);
    this.#at = this.#behind = DIRECTIVE.lastIndex;
    if (name === 'include' || (name === 'pragma' && PRAGMA.test(rest)) || name === 'line' || /^\d*$/.test(name))
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

module.exports = { Lexer };
