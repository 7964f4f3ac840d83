'use strict';
// C text -> tokens: { kind, text, at }, kind being 'word', 'number', 'string', 'character', 'punctuation' or 'end'.
// Comments and #include are left out; a #define becomes a token of kind 'define' with its value, #undef one of kind
// 'undef', and `#pragma pack` one of kind 'pack'.

const { faultAt } = require('./fault.js');

const BLANK = /(?:[ \t\r\n\f\v]|\/\/[^\n]*|\/\*[^]*?\*\/)+/y;
const WORD = /[\w$]+/y;
/** A name with characters beyond ASCII, which may be written as \uXXXX. */
const UNICODE_WORD = /(?:[\p{XID_Continue}$]|\\u[\da-fA-F]{4}|\\U[\da-fA-F]{8})+/uy;
const ESCAPE = /\\[uU]([\da-fA-F]{8}|[\da-fA-F]{4})/g;
const NAME = /^[\p{XID_Start}_$][\p{XID_Continue}$]*$/u;
/** The prefixes of a quotation mark. */
const PREFIX = /^(?:u8|[uUL])$/;
const NUMBER = /(?:0[xX][\da-fA-F']+|0[bB][01']+|\d[\d']*)(?:\.\d*)?(?:[eE][+-]?\d+)?[uUlLzZfF]*/y;
const STRING = /(?:u8|[uUL])?"(?:\\[^]|[^"\\\n])*"/y;
const CHARACTER = /(?:u8|[uUL])?'(?:\\[^]|[^'\\\n])+'/y;
const PUNCTUATION = /\.\.\.|<%|%>|<:|:>|<<|>>|<=|>=|==|!=|&&|\|\||::|[-+*/%&|^~!<>=?:;,.(){}[\]]/y;
/** Marks that are no part of longer ones. */
const SINGLE = new Set(['(', ')', '*', ',', ';', '{', '}', '[', ']', '~', '?', '+', '-', '^']);
/** Marks that stand for others, from the time of keyboards without brackets. */
const DIGRAPHS = new Map([
  ['<%', '{'],
  ['%>', '}'],
  ['<:', '['],
  [':>', ']'],
]);
const DIRECTIVE = /(?:#|%:)[ \t]*(\w*)((?:\/\*[^]*?\*\/|[^\n])*)/y;
/** The name of a macro; some headers have a comment behind it. */
const UNDEF = /^[ \t]*([A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*)[ \t\r]*(?:\/[/*][^]*)?$/;
const DEFINE = /^[ \t]*([A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*)(\(?)([^]*)$/;

/** Pragmas that change layouts in a way that is not followed; compilers ignore those that they do not know. */
const LAYOUT_PRAGMA = /^[ \t]*(?:pack|align|options|ms_struct|scalar_storage_order|reverse_bitfields)\b/;
const PACK = /^[ \t]*pack[ \t]*\(([^()]*)\)/;

const HINT_BIND = 'for macros and whole headers use `pinned-ffi bind`, or the output of `cc -E -P`';

const CONTINUED = /\\[ \t]*\r?$/;

/**
 * A text whose lines that end with a backslash are joined with the next one, as C does before it reads tokens. The line
 * breaks follow behind the whole line, so that the lines behind it keep their numbers.
 * @param {string} text
 */
function joinLines(text) {
  if (!text.includes('\\')) return text;
  const lines = [];
  let joined = '';
  let breaks = '';
  for (const line of text.split('\n')) {
    const end = line.search(CONTINUED);
    joined += end < 0 ? line : line.slice(0, end);
    if (end < 0) {
      lines.push(joined + breaks);
      joined = breaks = '';
    } else breaks += '\n';
  }
  if (breaks !== '') lines.push(joined);
  return lines.join('\n');
}

/** The token of a pragma at an offset; undefined where it changes no layout. */
function pragmaAt(text, at, pragma) {
  if (!LAYOUT_PRAGMA.test(pragma)) return undefined;
  const [, pack] = PACK.exec(pragma) ?? [];
  if (pack === undefined) throw faultAt(text, at, `#pragma${pragma} is not understood; ${HINT_BIND}`);
  return { kind: 'pack', text: pack, at };
}

/** Reads tokens one after the other. */
class Lexer {
  #at = 0;
  /** The end of the last token. */
  #behind = 0;

  /** @param {string} text */
  constructor(text) {
    this.text = text;
    // A byte order mark, which editors write in front of a file.
    if (text.charCodeAt(0) === 0xfeff) this.#at = 1;
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
      const isDirective = first === '#' || (first === '%' && text[at + 1] === ':');
      if (isDirective && this.#isLineStart(at)) {
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
    const behind = this.text.charCodeAt(at + (text?.length ?? 0));
    // 92 is the backslash of \uXXXX.
    if (!isDigit && (behind > 127 || behind === 92)) {
      const name = this.#unicodeName(at);
      if (name !== undefined) return { kind, text: name, at, hidden: undefined };
    }
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
    return { kind, text: (kind === 'punctuation' && DIGRAPHS.get(text)) || text, at, hidden: undefined };
  }

  /** A name with characters beyond ASCII; undefined where none begins. */
  #unicodeName(at) {
    const written = this.#match(UNICODE_WORD, at);
    if (written === undefined) return undefined;
    const name = written.replace(ESCAPE, (_, digits) => {
      const code = parseInt(digits, 16);
      return code >= 0xa0 && code <= 0x10ffff ? String.fromCodePoint(code) : ' ';
    });
    if (!NAME.test(name)) throw faultAt(this.text, at, `'${written}' is no name of C`);
    this.#at = this.#behind = at + written.length;
    return name;
  }

  /** The text of an expression at an offset; undefined where there is none. */
  #match(expression, at) {
    expression.lastIndex = at;
    return expression.test(this.text) ? this.text.slice(at, expression.lastIndex) : undefined;
  }

  /** The offset of the next token. */
  #skipBlank() {
    const code = this.text.charCodeAt(this.#at);
    // A blank or a comment begins with one of these.
    if (code > 32 && code !== 47) return this.#at;
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
    if (name === 'include' || name === 'line' || /^\d*$/.test(name)) return undefined;
    if (name === 'pragma') return pragmaAt(this.text, at, rest);
    if (name === 'undef') return { kind: 'undef', text: this.#undefined(rest, at), at };
    if (name !== 'define') throw faultAt(this.text, at, `#${name} is not understood; ${HINT_BIND}`);
    const [, macro, parenthesis, value] = DEFINE.exec(rest) ?? [];
    if (macro === undefined) throw faultAt(this.text, at, '#define must name a macro');
    if (parenthesis !== '')
      throw faultAt(this.text, at, `#define ${macro}(...) is a macro with parameters; ${HINT_BIND}`);
    return { kind: 'define', text: macro, at, value };
  }

  /** The name behind an #undef. */
  #undefined(rest, at) {
    const [, name] = UNDEF.exec(rest) ?? [];
    if (name === undefined) throw faultAt(this.text, at, '#undef must name a macro');
    return name;
  }

  #unreadable(at) {
    const start = this.text[at];
    if (start === '"' || start === "'")
      return faultAt(this.text, at, `a ${start === '"' ? 'string' : 'character'} that does not end`);
    const character = JSON.stringify(String.fromCodePoint(this.text.codePointAt(at)));
    return faultAt(this.text, at, `the character ${character} is not C${/\s/.test(start) ? '; write a space' : ''}`);
  }
}

module.exports = { Lexer, joinLines, pragmaAt };
