'use strict';
// Constant expressions: integers with the types and the conversions of C.

const { Buffer } = require('node:buffer');
const { named } = require('./tokens.js');

const LIMIT_32 = 2n ** 31n;
const ESCAPES = { n: 10, t: 9, r: 13, 0: 0, a: 7, b: 8, f: 12, v: 11, '\\': 92, "'": 39, '"': 34, '?': 63, e: 27 };
const LEVELS = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
const LEVEL_OF = new Map(LEVELS.flatMap((operators, level) => operators.map((operator) => [operator, level])));

/** A value of an integer type: it wraps as that type does. */
const integer = (value, bits, isUnsigned) => ({
  value: (isUnsigned ? BigInt.asUintN : BigInt.asIntN)(bits, value),
  bits,
  isUnsigned,
});
const int = (value) => integer(BigInt(value), 32, false);

/** The type of a constant by its value, as C has it. */
const fitting = (value, isUnsigned = false, mayBeUnsigned = isUnsigned) => {
  if (!isUnsigned && value < LIMIT_32 && value >= -LIMIT_32) return integer(value, 32, false);
  if (mayBeUnsigned && value < 2n * LIMIT_32) return integer(value, 32, true);
  return integer(value, 64, isUnsigned || value >= 2n ** 63n);
};

/** A constant of a scope as a value. */
const valueOf = (constant) => fitting(BigInt(constant));

function literal(tokens, token) {
  const match = /^(0[xX][\da-fA-F]+|0[bB][01]+|\d+)([uUlLzZ]*)$/.exec(token.text.replaceAll("'", ''));
  if (match === null) throw tokens.fault(token, `${token.text} is no integer constant`);
  const [, digits, suffix] = match;
  const isOctal = /^0\d/.test(digits);
  if (isOctal && /[89]/.test(digits)) throw tokens.fault(token, `${digits} is no octal number`);
  const value = BigInt(isOctal ? `0o${digits}` : digits);
  if (value >= 2n ** 64n) throw tokens.fault(token, `${digits} does not fit 64 bits`);
  const isUnsigned = /u/i.test(suffix);
  if (/l/i.test(suffix)) return integer(value, 64, isUnsigned || value >= 2n ** 63n);
  return fitting(value, isUnsigned, isUnsigned || !/^[1-9]/.test(digits));
}

/** The value of a character constant: of several characters, such as 'RIFF', the last one is the lowest byte. */
function character(tokens, token) {
  const open = token.text.indexOf("'");
  const text = token.text.slice(open + 1, -1);
  const codes = [];
  for (let at = 0; at < text.length;) {
    const [code, length] = unescapeAt(text, at);
    codes.push(code);
    at += length;
  }
  const isPlain = codes.length === 1 || (open === 0 && codes.slice(1).every((code) => code < 128));
  if (codes.length > MOST_CHARACTERS || !isPlain)
    throw tokens.fault(token, `${token.text} is no character constant; it has at most ${MOST_CHARACTERS} characters`);
  return int(codes.reduce((value, code) => (value << 8n) | BigInt(code), 0n));
}
const MOST_CHARACTERS = 4;

/** The code of a character or of an escape, and how many characters it takes. */
function unescapeAt(text, at) {
  if (text[at] !== '\\') return [text.codePointAt(at), text.codePointAt(at) > 0xffff ? 2 : 1];
  const numeric = /^\\(?:x([\da-fA-F]+)|([0-7]{1,3})|u([\da-fA-F]{4}))/.exec(text.slice(at));
  if (numeric !== null) {
    const [whole, hex, octal, unicode] = numeric;
    return [parseInt(hex ?? unicode ?? octal, octal === undefined ? 16 : 8), whole.length];
  }
  return [ESCAPES[text[at + 1]] ?? text.charCodeAt(at + 1), 2];
}

/** The text of a string token. */
function textOf(token) {
  const inner = token.text.slice(token.text.indexOf('"') + 1, -1);
  let text = '';
  for (let at = 0; at < inner.length;) {
    const [code, length] = unescapeAt(inner, at);
    text += String.fromCodePoint(Math.min(code, 0x10ffff));
    at += length;
  }
  return text;
}

/** The bytes of a string token, with the NUL behind it. */
function bytesOf(tokens, token) {
  if (!token.text.startsWith('"')) throw tokens.fault(token, 'typeof and sizeof take plain strings only');
  const inner = token.text.slice(1, -1);
  let bytes = 1;
  for (let at = 0; at < inner.length;) {
    const [code, length] = unescapeAt(inner, at);
    bytes += inner[at] === '\\' && inner[at + 1] !== 'u' ? 1 : Buffer.byteLength(String.fromCodePoint(code));
    at += length;
  }
  return bytes;
}

const OPERATORS = {
  '|': (a, b) => a | b,
  '^': (a, b) => a ^ b,
  '&': (a, b) => a & b,
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
  '%': (a, b) => a % b,
};
const COMPARISONS = {
  '==': (a, b) => a === b,
  '!=': (a, b) => a !== b,
  '<': (a, b) => a < b,
  '>': (a, b) => a > b,
  '<=': (a, b) => a <= b,
  '>=': (a, b) => a >= b,
};

/** Words that take a type in parentheses. */
const MEASURES = new Set(['sizeof', '_Alignof', 'alignof', '__alignof__', '__alignof']);

const OFFSETS = new Set(['offsetof', '__builtin_offsetof']);

/** Evaluates expressions of a parser's tokens. */
class Expressions {
  #parser;

  /**
   * @param {{ tokens: object, scope: object, startsType: () => boolean, typeName: () => object,
   *   typeOfExpression: () => object, typeOfOperand: () => object, sizeOf: Function, alignOf: Function,
   *   offsetIn: () => bigint }} parser
   */
  constructor(parser) {
    this.#parser = parser;
  }

  /** The value of an expression: { value: bigint, bits, isUnsigned }. */
  evaluate() {
    this.#parser.enter();
    try {
      return this.#conditional();
    } finally {
      this.#parser.leave();
    }
  }

  /** The value of an operand of a cast. */
  evaluateUnary() {
    return this.#unary();
  }

  #conditional() {
    const { tokens } = this.#parser;
    const condition = this.#binary(0);
    if (!tokens.accept('?')) return condition;
    const yes = this.evaluate();
    tokens.expect(':', 'in a conditional expression');
    const no = this.evaluate();
    const chosen = condition.value !== 0n ? yes : no;
    return integer(chosen.value, Math.max(yes.bits, no.bits), commonIsUnsigned(yes, no));
  }

  #binary(least) {
    const { tokens } = this.#parser;
    let left = this.#unary();
    for (;;) {
      const operator = tokens.peek();
      const level = operator.kind === 'punctuation' ? LEVEL_OF.get(operator.text) : undefined;
      if (level === undefined || level < least) return left;
      tokens.next();
      left = this.#apply(operator, left, this.#binary(level + 1));
    }
  }

  #apply(operator, left, right) {
    const { text } = operator;
    if (text === '&&') return int(left.value !== 0n && right.value !== 0n);
    if (text === '||') return int(left.value !== 0n || right.value !== 0n);
    if (text === '<<' || text === '>>') return this.#shift(operator, left, right);
    const bits = Math.max(left.bits, right.bits);
    const isUnsigned = commonIsUnsigned(left, right);
    const [a, b] = [left, right].map(({ value }) => integer(value, bits, isUnsigned).value);
    if (COMPARISONS[text] !== undefined) return int(COMPARISONS[text](a, b));
    if ((text === '/' || text === '%') && b === 0n) throw this.#parser.tokens.fault(operator, 'a division by zero');
    return integer(OPERATORS[text](a, b), bits, isUnsigned);
  }

  #shift(operator, left, right) {
    if (right.value < 0n || right.value >= BigInt(left.bits))
      throw this.#parser.tokens.fault(operator, `a shift by ${right.value}, of ${left.bits} bits`);
    return integer(
      operator.text === '<<' ? left.value << right.value : left.value >> right.value,
      left.bits,
      left.isUnsigned,
    );
  }

  #unary() {
    const parser = this.#parser;
    const { tokens } = parser;
    parser.enter();
    try {
      const token = tokens.next();
      if (token.kind === 'number') return literal(tokens, token);
      if (token.kind === 'character') return character(tokens, token);
      if (token.kind === 'word') return this.#word(token);
      if (token.kind === 'punctuation') {
        if (token.text === '(') return this.#parenthesis();
        if (token.text === '-') return this.#changed((value) => -value);
        if (token.text === '~') return this.#changed((value) => ~value);
        if (token.text === '+') return this.#unary();
        if (token.text === '!') return int(this.#unary().value === 0n);
      }
      throw tokens.fault(token, `expected a constant expression, found ${named(token)}`);
    } finally {
      parser.leave();
    }
  }

  #changed(change) {
    const { value, bits, isUnsigned } = this.#unary();
    return integer(change(value), bits, isUnsigned);
  }

  #parenthesis() {
    const parser = this.#parser;
    if (!parser.startsType()) {
      const value = this.evaluate();
      parser.tokens.expect(')', 'at the end of the expression');
      return value;
    }
    const at = parser.tokens.peek();
    const type = parser.typeName();
    parser.tokens.expect(')', 'after the type');
    const { value } = this.#unary();
    return parser.castTo(type, value, at);
  }

  #word(token) {
    const parser = this.#parser;
    const { tokens } = parser;
    if (MEASURES.has(token.text)) {
      if (token.text === 'sizeof' && !tokens.is('(')) {
        const operand = tokens.peek();
        return integer(BigInt(parser.sizeOf(parser.typeOfOperand(), operand)), 64, true);
      }
      const open = tokens.expect('(', `after ${token.text}`);
      const at = tokens.peek();
      const isType = parser.startsType();
      if (!isType && token.text !== 'sizeof') throw tokens.fault(open, `${token.text} takes a type here`);
      const type = isType ? parser.typeName() : parser.typeOfExpression();
      tokens.expect(')', isType ? 'after the type' : 'after the expression');
      return integer(BigInt(token.text === 'sizeof' ? parser.sizeOf(type, at) : parser.alignOf(type, at)), 64, true);
    }
    if (OFFSETS.has(token.text)) {
      tokens.expect('(', `after ${token.text}`);
      const value = parser.offsetIn();
      tokens.expect(')', 'after the member');
      return integer(value, 64, true);
    }
    if (token.text === 'true' || token.text === 'false') return int(token.text === 'true');
    const constant = parser.scope.constant(token.text);
    if (typeof constant === 'number' || typeof constant === 'bigint') {
      if (typeof constant === 'number' && !Number.isInteger(constant))
        throw tokens.fault(token, `${token.text} is no integer`);
      return valueOf(constant);
    }
    throw tokens.fault(
      token,
      constant === undefined
        ? `'${token.text}' is not declared before; declare it with \`enum\` or \`#define ${token.text} value\``
        : `${token.text} is a text, not an integer`,
    );
  }
}

/** C's usual arithmetic conversions. */
const commonIsUnsigned = (a, b) =>
  a.bits === b.bits ? a.isUnsigned || b.isUnsigned : a.bits > b.bits ? a.isUnsigned : b.isUnsigned;

module.exports = { Expressions, bytesOf, integer, textOf };
