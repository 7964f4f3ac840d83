'use strict';
// Prototypes of plain types, such as `size_t strlen(const char *s);`: read without the parser, which need not be loaded
// then. plain-types.js reads plain structs, enumerations and typedefs. Anything else, mistakes included, is left to the
// parser; a test compares both. The text is searched and cut rather than matched: a program reads its declarations
// once, before any of this is optimised.

const { BoundedMap } = require('../bounded-map.js');
const { lazy } = require('../lazy.js');
const { typeOfResult, typesOfList } = require('./plain-parameters.js');
const { isName, trimmed } = require('./plain-words.js');
const { scopesByText } = require('./sets.js');

// Loaded for a text that declares types.
const plainTypes = lazy(() => require('./plain-types.js'));

/** More characters than plain prototypes have before their parameters, and in them. */
const LONGEST = 1000;
const [SEMICOLON, STAR, OPEN, CLOSE] = [59, 42, 40, 41];

/**
 * The reader of the plain prototypes of a text. No name of names.js may mean anything else there.
 * @param {string} text
 * @param {Map<string, any>} [types] those that the text declares: plain-types.js
 */
const startReading = function (text, types) {
  // The next parentheses: what has none is not searched again. Many functions have their results and parameters in
  // common.
  const [results, lists, parameters] = [new Map(), new Map(), new Map()];
  return {
    text,
    types,
    constants: new Set(),
    open: -1,
    next: -1,
    close: -1,
    end: 0,
    name: '',
    results,
    lists,
    parameters,
  };
};

const offsetOf = function (text, character, from) {
  const found = text.indexOf(character, from);
  return found < 0 ? text.length : found;
};

/** The parenthesis that closes the one at an offset; the end of the text where that is far away. */
function closing(text, open) {
  const end = Math.min(text.length, open + LONGEST);
  for (let i = open, depth = 0; i < end; i += 1) {
    const character = text.charCodeAt(i);
    if (character === OPEN) depth += 1;
    else if (character === CLOSE && (depth -= 1) === 0) return i;
  }
  return text.length;
}

/** The end of the parameters before `, ...`; 0 where there are none. */
function endOfFixed(list) {
  const comma = list.lastIndexOf(',');
  return comma > 0 && trimmed(list.slice(comma + 1)) === '...' ? comma : 0;
}

/** Finds the parentheses of the prototype at an offset. */
const findParentheses = function (reading, at) {
  const { text } = reading;
  if (reading.open < at) {
    reading.open = reading.next < at ? offsetOf(text, '(', at) : reading.next;
    reading.next = offsetOf(text, '(', reading.open + 1);
  }
  if (reading.close < reading.open) reading.close = offsetOf(text, ')', reading.open);
  return reading.next < reading.close ? closing(text, reading.open) : reading.close;
};

/**
 * The prototype at an offset, not before that of the last call; undefined where the parser has to read it. Its name and
 * its end are `reading.name` and `reading.end`.
 * @param {ReturnType<typeof startReading>} reading
 * @param {number} at
 * @returns {{ args: any[], returns: any, varargs?: boolean } | undefined}
 */
const readPrototype = function (reading, at) {
  const { text, types, results, lists } = reading;
  const close = findParentheses(reading, at);
  const { open } = reading;
  if (open - at > LONGEST || close - open > LONGEST || close >= text.length) return undefined;
  if (text.charCodeAt(close + 1) !== SEMICOLON && close + 1 !== text.length) return undefined;
  const head = text.slice(at, open);
  let start = head.lastIndexOf(' ') + 1;
  while (head.charCodeAt(start) === STAR) start += 1;
  const name = head.slice(start);
  if (start === 0 || !isName(name)) return undefined;
  const result = head.slice(0, start);
  let returns = results.get(result);
  if (returns === undefined) results.set(result, (returns = typeOfResult(result, types)));
  let list = text.slice(open + 1, close);
  const varargs = list.endsWith('...');
  if (varargs) list = list.slice(0, endOfFixed(list));
  let args = lists.get(list);
  if (args === undefined) lists.set(list, (args = typesOfList(list, types, reading.parameters)));
  if (returns === undefined || args === null || (varargs && args.length === 0)) return undefined;
  reading.name = name;
  reading.end = close + 2;
  return varargs ? { args, returns, varargs } : { args, returns };
};

/** The declarations of texts. Programs open a library again and again. */
const declarationsByText = new BoundedMap(64);

/**
 * The functions of a text whose declarations are plain, and the types that it declares; undefined for any other text.
 * The caller may change the entries.
 * @param {string} text
 * @returns {{ entries: [string, { args: any[], returns: any }][], types: Map<string, any> | undefined } | undefined}
 */
const plainDeclarations = function (text) {
  let known = declarationsByText.get(text);
  if (known === undefined) {
    try {
      known = readDeclarations(text);
    } catch {
      // A type that cannot be made: the parser names its place.
    }
    if (known === undefined) return undefined;
    declarationsByText.set(text, known);
  }
  return { entries: copied(known.entries), types: known.types };
};

/** The types of a text that was read; undefined where it declares none. */
const typesOfPlain = function (text) {
  return declarationsByText.get(text)?.types;
};

/** Whether a text may be plain although it has more than prototypes of scalars. */
const hasTypes = function (text) {
  return text.includes('struct') || text.includes('typedef') || text.includes('enum') || text.includes('union');
};

const readDeclarations = function (text) {
  const declaresTypes = hasTypes(text);
  // The types of a text that was parsed are those of its scope.
  if (declaresTypes && scopesByText.get(text) !== undefined) return undefined;
  const reading = startReading(withoutComments(text), declaresTypes ? new Map() : undefined);
  const entries = [];
  const names = new Set();
  while (reading.end < reading.text.length) {
    if (declaresTypes && plainTypes().readType(reading, reading.end)) continue;
    const declaration = readPrototype(reading, reading.end);
    if (declaration !== undefined) {
      entries.push([reading.name, declaration]);
      names.add(reading.name);
    } else if (trimmed(reading.text.slice(reading.end)) === '') break;
    else return undefined;
  }
  // The parser compares the declarations of a name.
  return names.size < entries.length ? undefined : { entries, types: reading.types };
};

const COMMENTS = /\/\/[^\n]*|\/\*[^]*?\*\//g;

/** A text without its comments. One with a continued line, which may be one of a comment, is left to the parser. */
const withoutComments = function (text) {
  return text.includes('/') && !text.includes('\\') ? text.replace(COMMENTS, ' ') : text;
};

/** Entries that the caller may change. */
const copied = function (entries) {
  const copy = new Array(entries.length);
  for (let i = 0; i < copy.length; i += 1) copy[i] = [entries[i][0], entries[i][1]];
  return copy;
};

module.exports = { startReading, readPrototype, plainDeclarations, typesOfPlain };
