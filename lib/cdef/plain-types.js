'use strict';
// Plain structs, unions, enumerations and typedefs: read without the parser. A type is made when it is first used.
//
// A declared type is one of
//   { scalar, spelling }           a typedef of a scalar: its name in the type table, and the C name that was written
//   { isOpaque: true, make }       a struct or union without a body
//   { make }                       anything else; without `make`, a struct whose fields are being read
// `type` is what `make` has made. A struct that was `isUsed` without a body must not get one: the parser reads that.

const { functionPointer, splitDeclarator } = require('./plain-parameters.js');
const { ARITHMETIC, isBlank, isName, scalarOf, trimmed, typeOfWords } = require('./plain-words.js');
const { lazy } = require('../lazy.js');

// Loaded when a text has such types.
const structs = lazy(() => require('../types/struct.js'));
const enumerations = lazy(() => require('../types/enum.js'));
const opaques = lazy(() => require('../types/handle.js'));

/** More characters than plain types have. */
const LONGEST = 10_000;
const KEYWORDS = ['struct', 'union', 'enum'];

/** Takes the definition of a type at an offset. Returns whether there was a plain one; its end is `reading.end`. */
function readType(reading, from) {
  const { text } = reading;
  const at = afterBlanks(text, from);
  const isTypedef = startsWord(text, at, 'typedef');
  const start = isTypedef ? afterBlanks(text, at + 7) : at;
  const keyword = KEYWORDS.find((word) => startsWord(text, start, word));
  if (!isTypedef && keyword === undefined) return false;
  const semicolon = text.indexOf(';', start);
  if (semicolon < 0 || semicolon - start > LONGEST) return false;
  const head = text.slice(start, semicolon);
  if (keyword !== undefined && head.includes('{')) return readBody(reading, start, keyword, isTypedef);
  if (isTypedef ? !readTypedef(reading, head, keyword) : !readForward(reading, head)) return false;
  reading.end = semicolon + 1;
  return true;
}

function afterBlanks(text, at) {
  let after = at;
  while (isBlank(text.charCodeAt(after))) after += 1;
  return after;
}

const startsWord = (text, at, word) => text.startsWith(word, at) && isBlankOrBrace(text.charCodeAt(at + word.length));
const isBlankOrBrace = (code) => isBlank(code) || code === 123;

/** Declares a name. What was read before may have used it as one of the C library. */
function declare({ types, results, lists, parameters }, name, declared) {
  types.set(name, declared);
  results.clear();
  lists.clear();
  parameters.clear();
}

/** Whether a typedef may have a name. */
const isFree = ({ types }, name) => isName(name) && !ARITHMETIC.has(name) && !types.has(name);

// ---- without a body -------------------------------------------------------------------------------------------------

/** `struct s;` */
function readForward(reading, head) {
  return tagged(reading, trimmed(head).split(/\s+/)) !== undefined;
}

/** The struct or union of a tag, made opaque when it is first named; undefined where the words are none. */
function tagged(reading, words) {
  const [keyword, tag] = words;
  if (words.length !== 2 || keyword === 'enum' || !KEYWORDS.includes(keyword) || !isName(tag)) return undefined;
  const key = `${keyword} ${tag}`;
  if (reading.types.has(key)) return reading.types.get(key);
  if (hasTag(reading, tag)) return undefined;
  const declared = { isOpaque: true, isUsed: false, make: () => opaques().opaque(tag) };
  declare(reading, key, declared);
  return declared;
}

const hasTag = ({ types }, tag) => KEYWORDS.some((keyword) => types.has(`${keyword} ${tag}`));

/** `typedef ... name;` */
function readTypedef(reading, head, keyword) {
  const { types } = reading;
  if (head.endsWith(')')) {
    const found = functionPointer(head, types);
    if (found === undefined || !isFree(reading, found.name)) return false;
    declare(reading, found.name, { make: found.make });
    return true;
  }
  const { words, stars, name, length } = splitDeclarator(head) ?? {};
  if (words === undefined || length !== undefined || !isFree(reading, name)) return false;
  if (keyword !== undefined && keyword !== 'enum' && tagged(reading, words.split(/\s+/)) === undefined) return false;
  const declared = stars === 0 ? namedBy(words, types) : pointerTo(words, stars, types);
  if (declared === undefined) return false;
  declare(reading, name, declared);
  return true;
}

/** What the words of a type without stars and qualifiers declare. */
function namedBy(words, types) {
  const spelling = words.split(/\s+/).join(' ');
  if (types.has(spelling)) return types.get(spelling);
  const scalar = scalarOf(spelling);
  return scalar === undefined ? undefined : { scalar, spelling };
}

function pointerTo(words, stars, types) {
  const type = typeOfWords(words + ' *'.repeat(stars - 1), true, types);
  return type === undefined ? undefined : { make: () => type };
}

// ---- with a body ----------------------------------------------------------------------------------------------------

/** `struct s { ... };` or `typedef struct { ... } name;` */
function readBody(reading, start, keyword, isTypedef) {
  const { text } = reading;
  const open = text.indexOf('{', start);
  const close = text.indexOf('}', open);
  const end = text.indexOf(';', close);
  if (close < 0 || end < 0 || close - open > LONGEST) return false;
  const tag = trimmed(text.slice(start + keyword.length, open));
  const name = trimmed(text.slice(close + 1, end));
  if (tag !== '' && !isName(tag)) return false;
  if (isTypedef ? !isFree(reading, name) : name !== '' || (tag === '' && keyword !== 'enum')) return false;
  const body = text.slice(open + 1, close);
  const declared =
    keyword === 'enum' ? readEnum(reading, body, tag, name) : readRecord(reading, body, keyword, tag, name);
  if (declared === undefined) return false;
  if (isTypedef) declare(reading, name, declared);
  reading.end = end + 1;
  return true;
}

function readRecord(reading, body, keyword, tag, typedefName) {
  const key = `${keyword} ${tag}`;
  const before = tag === '' ? undefined : reading.types.get(key);
  if (before === undefined ? tag !== '' && hasTag(reading, tag) : !before.isOpaque || before.isUsed) return undefined;
  const declared = before ?? {};
  Object.assign(declared, { isOpaque: false, make: undefined });
  if (tag !== '' && before === undefined) declare(reading, key, declared);
  const fields = fieldsOf(body, reading.types);
  if (fields === undefined) return undefined;
  const options = { name: tag || typedefName, packed: false };
  declared.make = () => structs()[keyword](fields, options);
  return declared;
}

/** The fields between braces, by their names; undefined where the parser has to read them. */
function fieldsOf(body, types) {
  const fields = {};
  let count = 0;
  for (const line of body.split(';')) {
    if (trimmed(line) === '') continue;
    const list = declaratorsOf(line);
    for (const each of list) {
      const [name, type] = fieldOf(each, types) ?? [];
      if (type === undefined || name === '' || name === '__proto__' || Object.hasOwn(fields, name)) return undefined;
      fields[name] = type;
      count += 1;
    }
  }
  return count === 0 ? undefined : fields;
}

/** `int a, *b` as `int a` and `int *b`. */
function declaratorsOf(line) {
  if (line.includes('(')) return [line];
  const list = line.split(',');
  if (list.length === 1) return list;
  const { words } = splitDeclarator(list[0]) ?? { words: '' };
  return list.map((each, i) => (i === 0 ? each : `${words} ${each}`));
}

/** The name and the type of one field. */
function fieldOf(text, types) {
  const all = trimmed(text);
  if (all.endsWith(')')) {
    const found = functionPointer(all, types);
    return found && [found.name, found.make()];
  }
  const { words, stars, name, length } = splitDeclarator(all) ?? {};
  if (words === undefined || length === 0) return undefined;
  const type = typeOfWords(words + ' *'.repeat(Math.max(0, stars - 1)), stars > 0, types);
  return type === undefined ? undefined : [name, length === undefined ? type : structs().array(type, length)];
}

const INTEGER = /^-?(?:0|[1-9][0-9]*|0[xX][0-9a-fA-F]+)$/;

function readEnum(reading, body, tag, typedefName) {
  if (tag !== '' && hasTag(reading, tag)) return undefined;
  const { constants } = reading;
  const members = {};
  let next = 0;
  const list = body.split(',');
  if (list.length > 1 && trimmed(list.at(-1)) === '') list.pop();
  for (const each of list) {
    const [name, value, rest] = each.split('=').map(trimmed);
    if (rest !== undefined || !isName(name) || name === '__proto__' || constants.has(name)) return undefined;
    if (value !== undefined) next = integerOf(value);
    // Of others the integer type is not an int.
    if (!(next >= -(2 ** 31) && next < 2 ** 31)) return undefined;
    constants.add(name);
    members[name] = next;
    next += 1;
  }
  const options = { name: tag || typedefName || 'enum', type: 'i32' };
  const declared = { make: () => enumerations().enumeration(members, options) };
  if (tag !== '') declare(reading, `enum ${tag}`, declared);
  return declared;
}

/** An integer of C; NaN of any other text. */
const integerOf = (text) => (!INTEGER.test(text) ? NaN : text.startsWith('-') ? -Number(text.slice(1)) : Number(text));

module.exports = { readType };
