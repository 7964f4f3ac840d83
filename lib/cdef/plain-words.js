'use strict';
// The words of plain types, such as `const char *`: read without the parser. What they are not is left to it.

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
    '__int128 __float128 _Float128 _Float16 _BitInt typeof __typeof__ __typeof typeof_unqual template class namespace using _Pragma'
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
 * The type of words that are no arithmetic type, or have stars behind them; undefined where the parser has to read
 * them.
 * @param {string} words
 * @param {boolean} hasStar
 * @param {Map<string, any> | undefined} types those that the text declares, by their names: plain-types.js
 */
function typeOfWords(words, hasStar, types) {
  if (hasStar && words.includes('*')) {
    const pointer = words.endsWith('const') ? trimmed(words.slice(0, -5)) : words;
    return pointer.endsWith('*') ? pointerToPointer(pointer, types) : undefined;
  }
  const list = words.split(/[ \t\r\n\f\v]+/);
  const isConst = list.length > 1 && (list[0] === 'const' || list.at(-1) === 'const');
  if (isConst && list[0] === 'const') list.shift();
  else if (isConst) list.pop();
  const spelling = list.join(' ');
  const declared = types?.get(spelling);
  if (declared !== undefined) return typeOfDeclared(declared, hasStar, isConst);
  const name = hasStar && spelling === 'void' ? 'void' : scalarOf(spelling);
  return hasStar && name !== undefined ? pointerToScalar(name, spelling, isConst) : name;
}

/**
 * A type that the text declares, or a pointer to it. Of a struct that C alone looks into, only the pointer is a type.
 * While the fields of a struct are read, a pointer to it waits for it.
 */
function typeOfDeclared(declared, hasStar, isConst) {
  if (declared.scalar !== undefined)
    return hasStar ? pointerToScalar(declared.scalar, declared.spelling, isConst) : declared.scalar;
  declared.isUsed = true;
  if (declared.isOpaque) return hasStar ? (declared.type ??= declared.make()) : undefined;
  if (declared.make === undefined) return hasStar ? pointers().pointer(() => declared.type) : undefined;
  declared.type ??= declared.make();
  return hasStar ? (declared.pointer ??= pointers().pointer(declared.type)) : declared.type;
}

/** More stars than a plain type has. */
const MOST_STARS = 3;

/** The type of words with stars behind them, which one more star follows. */
function pointerToPointer(words, types) {
  let stars = 1;
  let inner = words;
  for (; inner.endsWith('*'); stars += 1) inner = trimmed(inner.slice(0, -1));
  let type = stars > MOST_STARS ? undefined : typeOfWords(inner, true, types);
  for (; stars > 1 && type !== undefined; stars -= 1) type = pointers().pointer(type);
  return type;
}

/** A text without the blanks of C around it. */
const trimmed = function (text) {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (start < end && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
};
/** Whether a character, by its code, is a blank of C. */
const isBlank = function (code) {
  return code === 32 || (code >= 9 && code <= 13);
};

module.exports = { ARITHMETIC, RESERVED, TEXTS, isBlank, isName, pointerToScalar, scalarOf, trimmed, typeOfWords };
