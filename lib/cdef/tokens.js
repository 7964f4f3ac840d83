'use strict';
// The tokens of a text, with a place in them that the parser moves.

const { faultAt } = require('./fault.js');
const { Lexer, pragmaAt } = require('./lexer.js');

/** More tokens than this come of no macro that a person has written. */
const MOST_EXPANDED = 100_000;

/** As many macros may stand for each other. */
const MOST_NESTED = 32;

class Tokens {
  #list = [];
  #at = 0;
  #lexer;
  /** The tokens of an expanded macro, read before the rest of the text. */
  #expanded = [];
  #expandedCount = 0;

  /**
   * @param {string} text
   * @param {{ onDefine: (token: any) => void, onUndefine: (token: any) => void, onPack: (token: any) => void,
   *   macro: (name: string) => string | undefined }} options `macro` is the value of a #define
   * @param {Set<string>} [hidden] macros that stand for themselves in this text
   */
  constructor(text, { onDefine, onUndefine, onPack, macro }, hidden = new Set()) {
    this.text = text;
    this.#lexer = new Lexer(text);
    this.onDefine = onDefine;
    this.onUndefine = onUndefine;
    this.onPack = onPack;
    this.macro = macro;
    this.hidden = hidden;
  }

  /** The token some places on. */
  peek(distance = 0) {
    while (this.#list.length <= this.#at + distance) this.#read();
    return this.#list[this.#at + distance];
  }

  #read() {
    for (;;) {
      const token = this.#nextUnexpanded();
      if (token.kind === 'define') this.onDefine(token);
      else if (token.kind === 'undef') this.onUndefine(token);
      else if (token.kind === 'pack') this.onPack(token);
      else if (token.text === '_Pragma' && token.kind === 'word') this.#pragma(token);
      else if (!this.#expand(token)) return void this.#list.push(token);
    }
  }

  #nextUnexpanded() {
    return this.#expanded.pop() ?? this.#lexer.next();
  }

  /** Takes `("...")`, which is a line `#pragma ...` that macros may have. */
  #pragma(token) {
    const [open, content, close] = [this.#nextUnexpanded(), this.#nextUnexpanded(), this.#nextUnexpanded()];
    if (open.text !== '(' || content.kind !== 'string' || close.text !== ')')
      throw this.fault(token, '_Pragma takes a string in parentheses');
    const written = content.text.slice(content.text.indexOf('"') + 1, -1).replace(/\\(["\\])/g, '$1');
    const pack = pragmaAt(this.text, token.at, ` ${written}`);
    if (pack !== undefined) this.onPack(pack);
  }

  /** Puts what a macro stands for in place of its name, as C's preprocessor does. */
  #expand(token) {
    if (token.kind !== 'word') return false;
    const hidden = token.hidden ?? this.hidden;
    const value = hidden.has(token.text) ? undefined : this.macro(token.text);
    if (value === undefined) return false;
    if (hidden.size === MOST_NESTED)
      throw this.fault(token, `macros stand for each other more than ${MOST_NESTED} deep`);
    const lexer = new Lexer(value);
    const within = new Set(hidden).add(token.text);
    const tokens = [];
    try {
      for (let each = lexer.next(); each.kind !== 'end'; each = lexer.next())
        tokens.push({ ...each, at: token.at, hidden: within });
    } catch (error) {
      throw this.fault(token, `the value of ${token.text}: ${error.message.split(' (line')[0]}`);
    }
    this.#expandedCount += tokens.length;
    if (this.#expandedCount > MOST_EXPANDED)
      throw this.fault(token, `${token.text} stands for more than ${MOST_EXPANDED} tokens`);
    this.#expanded.push(...tokens.reverse());
    return true;
  }

  next() {
    const token = this.peek();
    if (token.kind !== 'end') this.#at += 1;
    return token;
  }

  /** Whether the next token is this punctuation or word. */
  is(text, distance = 0) {
    const token = this.peek(distance);
    return token.text === text && (token.kind === 'punctuation' || token.kind === 'word');
  }

  /** Takes the next token if it is this one. */
  accept(text) {
    return this.is(text) ? this.next() : undefined;
  }

  expect(text, after) {
    const token = this.accept(text);
    if (token !== undefined) return token;
    throw this.fault(this.peek(), `expected '${text}' ${after}, found ${named(this.peek())}`);
  }

  /** Drops what was read: a long text keeps no tokens of the statements before. */
  drop() {
    if (this.#at === this.#list.length) this.#list = [];
    else this.#list.splice(0, this.#at);
    this.#at = 0;
  }

  /** The offset of the next token in the text; undefined if tokens were read ahead or expanded. */
  get offset() {
    return this.#list.length === this.#at && this.#expanded.length === 0 ? this.#lexer.offset : undefined;
  }

  /** Continues at an offset, after a part that was read without tokens. */
  set offset(at) {
    this.#lexer.offset = at;
  }

  get position() {
    return this.#at;
  }

  set position(at) {
    this.#at = at;
  }

  /** Skips up to the end of a group whose opening token was taken. */
  skipGroup(open, close) {
    for (let depth = 1; depth > 0;) {
      const token = this.next();
      if (token.kind === 'end') throw this.fault(open, `'${open.text}' has no '${close}'`);
      if (token.kind !== 'punctuation') continue;
      if (token.text === open.text) depth += 1;
      else if (token.text === close) depth -= 1;
    }
  }

  fault(token, message) {
    return faultAt(this.text, token.at, message);
  }
}

const named = (token) => (token.kind === 'end' ? token.text : `'${token.text}'`);

/** Whether a token is a number of floating point, in decimal digits. */
const isFloat = ({ kind, text }) => kind === 'number' && !/^0[xb]/i.test(text) && /[.eE]|^\d+[fF]$/.test(text);

module.exports = { Tokens, isFloat, named };
