'use strict';
// The results and parameters of plain prototypes: read without the parser.

const { ARITHMETIC, isBlank, isName, trimmed, typeOfWords } = require('./plain-words.js');
const { lazy } = require('../lazy.js');
const { byName } = require('../types/registry.js');

const functions = lazy(() => require('../callback/function-pointer.js'));

const RESTRICT = /^(?:restrict|__restrict)[ \t\r\n\f\v]+/;

/** The type of a parameter; undefined where the parser has to read it. */
const typeOfParameter = function (text, types) {
  const all = trimmed(text);
  if (all.endsWith(')')) return functionPointer(all, types)?.make();
  if (all.endsWith(']')) return typeOfArray(all, types);
  const star = all.lastIndexOf('*');
  if (star >= 0) {
    let name = trimmed(all.slice(star + 1));
    if (name.includes(' ')) name = name.replace(RESTRICT, '');
    return name === '' || isName(name) ? typeOfWords(trimmed(all.slice(0, star)), true, types) : undefined;
  }
  const start = all.lastIndexOf(' ') + 1;
  if (start > 0 && isName(all.slice(start))) {
    const type = ARITHMETIC.get(all.slice(0, start - 1));
    if (type !== undefined) return type;
  }
  const type = ARITHMETIC.get(all) ?? typeOfWords(all, false, types);
  if (type !== undefined || !isName(all.slice(start))) return type;
  return typeOfWords(trimmed(all.slice(0, start)), false, types);
};

/** The type of a parameter that is an array, `int a[]` or `int a[4]`: a pointer. */
function typeOfArray(text, types) {
  const declarator = splitDeclarator(text);
  // There is no array of void.
  if (declarator?.stars === 0 && declarator.words.includes('void')) return undefined;
  return declarator && typeOfWords(declarator.words + ' *'.repeat(declarator.stars), true, types);
}

const DIGITS = /^[1-9][0-9]{0,5}$/;

/**
 * The parts of `words *name[4]`; undefined where it is none. `length` is 0 of `[]`, and undefined without brackets.
 */
function splitDeclarator(text) {
  let all = trimmed(text);
  let length;
  if (all.endsWith(']')) {
    const open = all.indexOf('[');
    const digits = trimmed(all.slice(open + 1, -1));
    if (digits !== '' && !DIGITS.test(digits)) return undefined;
    length = Number(digits);
    all = trimmed(all.slice(0, open));
  }
  let start = all.length;
  while (start > 0 && !isBetween(all.charCodeAt(start - 1))) start -= 1;
  const name = all.slice(start);
  if (!isName(name)) return undefined;
  let words = trimmed(all.slice(0, start));
  let stars = 0;
  for (; words.endsWith('*'); stars += 1) words = trimmed(words.slice(0, -1));
  return { words, stars, name, length };
}

/** Whether a character is a blank or a star. */
const isBetween = (code) => code === 42 || isBlank(code);

/** The name of `int (*name)(int)`, and what makes its type; undefined where it is none. */
function functionPointer(text, types) {
  const open = text.indexOf('(');
  const close = text.indexOf(')', open);
  const middle = trimmed(text.slice(open + 1, close));
  const rest = trimmed(text.slice(close + 1));
  if (!middle.startsWith('*') || !rest.startsWith('(') || !rest.endsWith(')')) return undefined;
  const name = trimmed(middle.slice(1));
  const list = rest.slice(1, -1);
  if ((name !== '' && !isName(name)) || list.includes('(') || list.includes(')')) return undefined;
  const returns = typeOfResult(text.slice(0, open), types);
  const args = typesOfList(list, types, new Map());
  if (returns === undefined || args === null) return undefined;
  return { name, make: () => functions().fn({ args: withoutCountedTexts(args), returns }) };
}

const isText = (type) => type === 'cstring' || type === 'wstring' || type === 'utf16';
const isCount = (type) =>
  typeof type === 'string' && /^(i16|i32|u32|i64|u64|long|unsigned long)$/.test(byName.get(type)?.name);

/** The arguments of a function that C calls. A text that a count follows may have no NUL, so that it is not read. */
const withoutCountedTexts = (args) => args.map((arg, i) => (isText(arg) && isCount(args[i + 1]) ? 'ptr' : arg));

/** The type of a result; undefined where the parser has to read it. */
const typeOfResult = function (text, types) {
  const all = trimmed(text);
  const type = all.startsWith('extern ') ? trimmed(all.slice(7)) : all;
  if (type.endsWith('*')) return typeOfWords(trimmed(type.slice(0, -1)), true, types);
  return type === 'void' ? type : (ARITHMETIC.get(type) ?? typeOfWords(type, false, types));
};

/** The parameters of a list some of which are function pointers. */
function splitList(text) {
  const list = [];
  let [start, depth] = [0, 0];
  for (let i = 0; i < text.length; i += 1) {
    const character = text[i];
    if (character === '(') depth += 1;
    else if (character === ')') depth -= 1;
    else if (character === ',' && depth === 0) {
      list.push(text.slice(start, i));
      start = i + 1;
    }
  }
  list.push(text.slice(start));
  return list;
}

/** The types of a list of parameters; null where the parser has to read it. */
const typesOfList = function (text, types, parameters) {
  const result = [];
  if (text === '' || text === 'void') return result;
  const list = text.includes('(') ? splitList(text) : text.split(',');
  for (let i = 0; i < list.length; i += 1) {
    let type = parameters.get(list[i]);
    if (type === undefined) parameters.set(list[i], (type = typeOfParameter(list[i], types)));
    if (type === undefined) return null;
    result.push(type);
  }
  return result;
};

module.exports = { functionPointer, splitDeclarator, typeOfResult, typesOfList, withoutCountedTexts };
