'use strict';
// Prototypes of plain types, such as `size_t strlen(const char *s);`: read without the parser, which need not be loaded
// then. Anything else, mistakes included, is left to the parser; a test compares both. The text is searched and cut
// rather than matched: a program reads its declarations once, before any of this is optimised.

const { BoundedMap } = require('../bounded-map.js');
const { lazy } = require('../lazy.js');
const { byName } = require('../types/registry.js');

const pointers = lazy(() => require('../types/typed-pointer.js'));
const names = lazy(() => require('./names.js'));

/** The arithmetic types as programs write them most, by their words -> the name in the type table. */
const ARITHMETIC = new Map([
  ['_Bool', 'bool'],
  ['unsigned', 'unsigned int'],
  ['long int', 'long'],
  ['long unsigned int', 'unsigned long'],
  ['unsigned long int', 'unsigned long'],
  ['long long int', 'long long'],
  ['unsigned long long int', 'unsigned long long'],
]);
const SAME =
  'char,signed char,unsigned char,short,unsigned short,int,unsigned int,long,unsigned long,long long,unsigned long long,' +
  'float,double,bool,size_t,ssize_t,intptr_t,uintptr_t,ptrdiff_t,wchar_t,char16_t,char32_t,' +
  'int8_t,uint8_t,int16_t,uint16_t,int32_t,uint32_t,int64_t,uint64_t';
for (const name of SAME.split(',')) ARITHMETIC.set(name, name);

/** Words that mean something where a name may stand. */
const RESERVED = new Set(
  (
    'void char short int long float double signed unsigned bool _Bool __signed __signed__ __int8 __int16 __int32 ' +
    'const volatile restrict _Atomic __const __const__ __volatile __volatile__ __restrict __restrict__ ' +
    '_Restrict_ __restrict_arr _Nonnull _Nullable ' +
    'extern static inline __inline __inline__ __forceinline register auto _Noreturn noreturn _Thread_local thread_local ' +
    '__thread constexpr __extension__ typedef struct union enum __attribute__ __attribute _Alignas alignas __declspec ' +
    'asm __asm__ __asm _Static_assert static_assert __cdecl _cdecl __stdcall _stdcall __fastcall __vectorcall WINAPI ' +
    'WINAPIV APIENTRY CALLBACK STDCALL PASCAL NTAPI WSAAPI __ptr64 __unaligned far FAR near NEAR _Complex __complex__ ' +
    '__int128 __float128 _Float128 _Float16 _BitInt typeof __typeof__ __typeof typeof_unqual template class namespace using'
  ).split(' '),
);
/** Marks such as _Out_ and __In. */
const MARK = /^__?[A-Z]/;

const NO_WORD = /\W/;

/** Whether a text is a name that may be declared. */
const isName = function (text) {
  const first = text.charCodeAt(0);
  // 95 is `_`, in front of which are only digits and other marks.
  if (!(first >= 65) || NO_WORD.test(text) || RESERVED.has(text)) return false;
  return first !== 95 || !MARK.test(text);
};

/**
 * The text types of pointers to constant characters, by the name that was written: uint16_t is no text, char16_t is.
 */
const TEXTS = { __proto__: null, char: 'cstring', wchar_t: 'wstring', char16_t: 'utf16' };
/** Types whose pointers may point to any bytes, so that they are plain addresses. */
const BYTES = new Set(['i8', 'u8', 'char', 'bool', 'void']);

/**
 * The type of a pointer to a scalar.
 * @param {string} name in the type table
 * @param {string} spelling as the text has it
 * @param {boolean} isConst
 */
function pointerToScalar(name, spelling, isConst) {
  const text = isConst ? (TEXTS[spelling] ?? TEXTS[name]) : undefined;
  if (text !== undefined) return text;
  if (BYTES.has(byName.get(name).name)) return 'ptr';
  if (!pointersByName.has(name)) pointersByName.set(name, pointers().pointer(name));
  return pointersByName.get(name);
}
const pointersByName = new Map();

/** The name in the type table of the words of a type; undefined where they are no scalar. */
function scalarOf(words) {
  const known = ARITHMETIC.get(words);
  if (known !== undefined) return known;
  if (!words.endsWith('_t')) return undefined;
  const name = names().KNOWN.get(words);
  return name === undefined || name.includes('*') || !byName.has(name) ? undefined : name;
}

/**
 * The type of words that are no arithmetic type, or have a star behind them; undefined where the parser has to read
 * them.
 */
function typeOfWords(words, hasStar) {
  const list = words.split(/[ \t\r\n\f\v]+/);
  const isConst = list.length > 1 && (list[0] === 'const' || list.at(-1) === 'const');
  if (isConst && list[0] === 'const') list.shift();
  else if (isConst) list.pop();
  const spelling = list.join(' ');
  const name = hasStar && spelling === 'void' ? 'void' : scalarOf(spelling);
  return hasStar && name !== undefined ? pointerToScalar(name, spelling, isConst) : name;
}

/** A text without the blanks of C around it. */
const trimmed = function (text) {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
};
const isBlank = function (code) {
  return code === 32 || (code >= 9 && code <= 13);
};

/** The type of a parameter; undefined where the parser has to read it. */
const typeOfParameter = function (text) {
  const all = trimmed(text);
  const star = all.lastIndexOf('*');
  if (star >= 0) {
    const name = trimmed(all.slice(star + 1));
    return name === '' || isName(name) ? typeOfWords(trimmed(all.slice(0, star)), true) : undefined;
  }
  const start = all.lastIndexOf(' ') + 1;
  if (start > 0 && isName(all.slice(start))) {
    const type = ARITHMETIC.get(all.slice(0, start - 1));
    if (type !== undefined) return type;
  }
  const type = ARITHMETIC.get(all) ?? typeOfWords(all, false);
  if (type !== undefined || !isName(all.slice(start))) return type;
  return typeOfWords(trimmed(all.slice(0, start)), false);
};

/** The type of a result; undefined where the parser has to read it. */
const typeOfResult = function (text) {
  const all = trimmed(text);
  const type = all.startsWith('extern ') ? trimmed(all.slice(7)) : all;
  if (type.endsWith('*')) return typeOfWords(trimmed(type.slice(0, -1)), true);
  return type === 'void' ? type : (ARITHMETIC.get(type) ?? typeOfWords(type, false));
};

/** The types of a list of parameters; null where the parser has to read it. */
const typesOfList = function (text, known) {
  const types = [];
  if (text === '' || text === 'void') return types;
  const list = text.split(',');
  for (let i = 0; i < list.length; i += 1) {
    let type = known.get(list[i]);
    if (type === undefined) known.set(list[i], (type = typeOfParameter(list[i])));
    if (type === undefined) return null;
    types.push(type);
  }
  return types;
};

/** More characters than plain prototypes have before their parameters, and in them. */
const LONGEST = 1000;
const [SEMICOLON, STAR] = [59, 42];

/**
 * The reader of the plain prototypes of a text. No name of names.js may mean anything else there.
 * @param {string} text
 */
const startReading = function (text) {
  // The next parentheses: what has none is not searched again. Many functions have their results and parameters in
  // common.
  return { text, open: -1, close: -1, end: 0, name: '', results: new Map(), lists: new Map(), parameters: new Map() };
};

const offsetOf = function (text, character, from) {
  const found = text.indexOf(character, from);
  return found < 0 ? text.length : found;
};

/**
 * The prototype at an offset, not before that of the last call; undefined where the parser has to read it. Its name and
 * its end are `reading.name` and `reading.end`.
 * @param {ReturnType<typeof startReading>} reading
 * @param {number} at
 * @returns {{ args: any[], returns: any } | undefined}
 */
const readPrototype = function (reading, at) {
  const { text, results, lists } = reading;
  if (reading.open < at) reading.open = offsetOf(text, '(', at);
  if (reading.close < reading.open) reading.close = offsetOf(text, ')', reading.open);
  const { open, close } = reading;
  if (open - at > LONGEST || close - open > LONGEST || close === text.length) return undefined;
  if (text.charCodeAt(close + 1) !== SEMICOLON && close + 1 !== text.length) return undefined;
  const head = text.slice(at, open);
  let start = head.lastIndexOf(' ') + 1;
  if (head.charCodeAt(start) === STAR) start += 1;
  const name = head.slice(start);
  if (start === 0 || !isName(name)) return undefined;
  const result = head.slice(0, start);
  let returns = results.get(result);
  if (returns === undefined) results.set(result, (returns = typeOfResult(result)));
  const list = text.slice(open + 1, close);
  let args = lists.get(list);
  if (args === undefined) lists.set(list, (args = typesOfList(list, reading.parameters)));
  if (returns === undefined || args === null) return undefined;
  reading.name = name;
  reading.end = close + 2;
  return { args, returns };
};

/** The declarations of texts. Programs open a library again and again. */
const entriesByText = new BoundedMap(64);

/**
 * The names and declarations of the functions of a text that consists of plain prototypes; undefined for any other
 * text.
 * @param {string} text
 * @returns {[string, { args: any[], returns: any }][] | undefined}
 */
const plainEntries = function (text) {
  const known = entriesByText.get(text);
  if (known !== undefined) return copied(known);
  const reading = startReading(text);
  const entries = [];
  const names = new Set();
  while (reading.end < text.length) {
    const declaration = readPrototype(reading, reading.end);
    if (declaration !== undefined) {
      entries.push([reading.name, declaration]);
      names.add(reading.name);
    } else if (trimmed(text.slice(reading.end)) === '') break;
    else return undefined;
  }
  // The parser compares the declarations of a name.
  if (names.size < entries.length) return undefined;
  return copied(entriesByText.set(text, entries));
};

/** Entries that the caller may change. */
const copied = function (entries) {
  const copy = new Array(entries.length);
  for (let i = 0; i < copy.length; i += 1) copy[i] = [entries[i][0], entries[i][1]];
  return copy;
};

module.exports = { startReading, readPrototype, plainEntries, pointerToScalar, RESERVED, TEXTS };
