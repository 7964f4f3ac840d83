'use strict';
// Macros of the header that are plain constants: integers, floating point numbers, strings, pointers that are numbers.
// The compiler evaluates them: a second file gives each to a variable.

const { Cursor, Type } = require('./clang.js');
const { exact } = require('./entities.js');

const CHANGING =
  /\b__(FILE|FILE_NAME|BASE_FILE|LINE|DATE|TIME|TIMESTAMP|COUNTER|INCLUDE_LEVEL|func|FUNCTION|PRETTY_FUNCTION)__\b/;

/** Whether a body could be an expression: one that ends the line of a question would spoil the others. */
function mayBeExpression(body) {
  if (CHANGING.test(body)) return false;
  const bare = body.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '0');
  if (/[{};#]/.test(bare)) return false;
  let depth = 0;
  for (const character of bare) {
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

const PREFIX = 'pinned_ffi_value_';
const MARK = 'pinned_ffi_is_defined_';
const [BOOL, LAST_INTEGER, FLOAT, DOUBLE, LONG_DOUBLE] = [3, 20, 21, 22, 23];
const isInteger = ({ kind }) => (kind >= BOOL && kind <= LAST_INTEGER) || kind === Type.enum;
const isReal = ({ kind }) => kind === FLOAT || kind === DOUBLE;
const isCharacter = ({ kind }) => kind === 4 || kind === 13;

/** Asks the compiler for the values of expressions, which may use the header. */
class Evaluator {
  #clang;
  #start;
  #name;
  #file;
  #unit;

  /** @param {string} start the line that includes the header */
  constructor(clang, start, name = 'questions.c') {
    this.#clang = clang;
    this.#start = start;
    this.#name = name;
  }

  /**
   * The variables and functions of questions that are right: by their number, the cursor of each.
   * @param {{ macro: string, text: string }[]} questions C declarations of one line, with % for the name of what they
   *   declare, each for when the macro is still defined at the end of the header
   * @returns {{ found: Map<number, object>, defined: Set<number> }} `defined`: the questions whose macro is
   */
  ask(questions) {
    const clang = this.#clang;
    const asked = questions.map(({ text }, i) => text.replaceAll('%', `${PREFIX}${i}`));
    const block = (text, i) => `#ifdef ${questions[i].macro}\nextern int ${MARK}${i}; ${text}\n#endif\n`;
    const first = this.#start.split('\n').length + 1;
    for (;;) {
      this.#parse(`${this.#start}\n${asked.map(block).join('')}`);
      const wrong = new Set();
      for (const { file, line } of clang.errors(this.#unit))
        if (file === this.#file) wrong.add(Math.floor((line - first) / 3));
      const { found, defined } = this.#answers();
      // A macro that is no expression may swallow the lines after it: they are asked again without it.
      const isSwallowed = (i) => asked[i] !== '' && defined.has(i) && !found.has(i) && !wrong.has(i);
      const isComplete = wrong.size === 0 || !asked.some((_, i) => isSwallowed(i));
      wrong.forEach((i) => {
        asked[i] = '';
        found.delete(i);
      });
      if (isComplete) return { found, defined };
    }
  }

  /** The same with a unit that stays as it is: what is found can be used while others are asked. */
  keep(questions) {
    const own = new Evaluator(this.#clang, this.#start, 'kept.c');
    return own.ask(questions);
  }

  #answers() {
    const clang = this.#clang;
    const [found, defined] = [new Map(), new Set()];
    for (const cursor of clang.childrenOfUnit(this.#unit)) {
      if (cursor.kind !== Cursor.variable && cursor.kind !== Cursor.function) continue;
      const name = clang.spelling(cursor);
      if (name.startsWith(PREFIX)) found.set(Number(name.slice(PREFIX.length)), cursor);
      else if (name.startsWith(MARK)) defined.add(Number(name.slice(MARK.length)));
    }
    return { found, defined };
  }

  #parse(text) {
    this.#file = this.#clang.write(this.#name, text);
    if (this.#unit === undefined) this.#unit = this.#clang.parseOften(this.#file);
    else this.#clang.parseAgain(this.#unit);
  }

  /** The value of a constant: { integer } or { real } or { text }; empty where there is none. */
  value(cursor) {
    const { c } = this.#clang;
    const result = c.clang_Cursor_Evaluate(cursor);
    if (result === null) return {};
    try {
      switch (c.clang_EvalResult_getKind(result)) {
        case 1:
          return {
            integer: BigInt(
              c.clang_EvalResult_isUnsignedInt(result) !== 0
                ? c.clang_EvalResult_getAsUnsigned(result)
                : c.clang_EvalResult_getAsLongLong(result),
            ),
          };
        case 2:
          return { real: c.clang_EvalResult_getAsDouble(result) };
        case 4:
          return { text: c.clang_EvalResult_getAsStr(result) };
        default:
          return {};
      }
    } finally {
      c.clang_EvalResult_dispose(result);
    }
  }

  /** The function or variable that the value of a variable is, through any number of macros; undefined for others. */
  reference(cursor) {
    const parts = this.#clang.children(cursor);
    if (parts.length !== 1) return undefined;
    return parts[0].kind === Cursor.reference ? this.#clang.spelling(parts[0]) : this.reference(parts[0]);
  }

  /** The type of a variable, without its other names. */
  typeOf(cursor) {
    return this.#clang.c.clang_getCanonicalType(this.#clang.c.clang_getCursorType(cursor));
  }

  sizeOf(type) {
    return Number(this.#clang.c.clang_Type_getSizeOf(type));
  }

  pointee(type) {
    return this.#clang.c.clang_getPointeeType(type);
  }
}

/**
 * The constants among macros.
 * @param {Evaluator} evaluator
 * @param {string[]} names
 * @param {boolean} hasVariables whether the header declares any
 * @returns {{ constants: Map<string, number | bigint | string | null>, references: Map<string, string>, others:
 *   string[] }} `references`: the functions and variables that macros stand for
 */
function evaluate(evaluator, names, hasVariables) {
  const constants = new Map();
  const references = new Map();
  const pointers = [];
  const { found, defined } = evaluator.ask(names.map((macro) => ({ macro, text: `__auto_type % = (${macro});` })));
  for (const [i, cursor] of found) {
    const type = evaluator.typeOf(cursor);
    const referred = evaluator.reference(cursor);
    if (referred !== undefined) references.set(names[i], referred);
    const { integer, real } = isInteger(type) || isReal(type) ? evaluator.value(cursor) : {};
    if (isInteger(type) && integer !== undefined && evaluator.sizeOf(type) <= 8)
      constants.set(names[i], exact(integer));
    else if (isReal(type) && real !== undefined) constants.set(names[i], real);
    else if (type.kind === Type.pointer || type.kind === LONG_DOUBLE) pointers.push({ name: names[i], type });
  }
  evaluatePointers(evaluator, pointers, constants);
  const others = names.filter((name, i) => defined.has(i) && !constants.has(name));
  if (hasVariables)
    findVariables(
      evaluator,
      others.filter((name) => !references.has(name)),
      references,
    );
  return { constants, references, others };
}

/** The variables among macros: their values are not constant, their addresses are. */
function findVariables(evaluator, names, references) {
  if (names.length === 0) return;
  const { found } = evaluator.ask(names.map((macro) => ({ macro, text: `__auto_type % = &(${macro});` })));
  for (const [i, cursor] of found) {
    const referred = evaluator.reference(cursor);
    if (referred !== undefined) references.set(names[i], referred);
  }
}

/** Texts, addresses that are numbers, and long doubles that are doubles. */
function evaluatePointers(evaluator, asked, constants) {
  if (asked.length === 0) return;
  const isText = ({ type }) => type.kind === Type.pointer && isCharacter(evaluator.pointee(type));
  const textsOf = (each) => {
    if (each.type.kind === LONG_DOUBLE)
      return [
        `const int % = (${each.name}) == (double)(${each.name});`,
        `const double % = (double)(${each.name});`,
        '',
      ];
    const number = `const unsigned long long % = (unsigned long long)(${each.name});`;
    // Older versions of libclang read a text from one of these only, newer ones from both.
    return isText(each)
      ? [`const char %[] = ${each.name};`, number, `const char *% = ${each.name};`]
      : ['', number, ''];
  };
  const questions = asked.flatMap((each) => textsOf(each).map((text) => ({ macro: each.name, text })));
  const { found } = evaluator.ask(questions);
  asked.forEach(({ name, type }, i) => {
    const [specific, number, other] = [0, 1, 2].map((k) => {
      const cursor = found.get(3 * i + k);
      return cursor === undefined ? {} : evaluator.value(cursor);
    });
    const text = specific.text ?? other.text;
    if (type.kind === LONG_DOUBLE) {
      if (specific.integer === 1n && number.real !== undefined) constants.set(name, number.real);
    } else if (text !== undefined) {
      // Bytes that are no UTF-8 make no text.
      if (!text.includes('\ufffd')) constants.set(name, text);
    } else if (number.integer !== undefined) constants.set(name, exact(BigInt.asUintN(64, number.integer)) || null);
  });
}

module.exports = { mayBeExpression, evaluate, Evaluator };
