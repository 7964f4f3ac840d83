'use strict';
// The part before the declarators: storage, qualifiers, attributes, marks and the type itself.

const {
  ARITHMETIC,
  ARITHMETICS,
  SPELLINGS,
  STORAGE,
  QUALIFIERS,
  CONVENTIONS,
  REFUSED,
  TYPE_OF,
  UNSUPPORTED,
} = require('./names.js');
const { takeAttribute } = require('./attributes.js');
const { named } = require('./tokens.js');
const { scalar, asConst, makeRecord } = require('./types.js');
const { nearest } = require('./nearest.js');

/**
 * SAL's marks, which end with an underscore. Those with a meaning here are in the table; others of its form are
 * understood and change nothing.
 */
const MARKS = { __proto__: null, _Out_: 'out', _Inout_: 'inout', _Text_: 'text' };
const OTHER_MARK =
  /^_{1,2}(?:In|Out|Inout|Ret|Outptr|Deref|Pre|Post|Reserved|Success|Must|Check|Printf|Null|At|When|COM)[A-Za-z_]*_$/;

/** The name of the type table that means the same, for who writes the package's names in C text. */
const TABLE_NAMES = {
  __proto__: null,
  i8: 'int8_t',
  u8: 'uint8_t',
  i16: 'int16_t',
  u16: 'uint16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  i64: 'int64_t',
  u64: 'uint64_t',
  f32: 'float',
  f64: 'double',
  usize: 'size_t',
  isize: 'ssize_t',
  ptr: 'void *',
  pointer: 'void *',
  cstring: 'const char *',
  string: 'const char *',
  str: 'const char *',
  buffer: 'void *',
  function: 'void (*)(void)',
  callback: 'void (*)(void)',
  boolean: 'bool',
  uchar: 'unsigned char',
  utf16: 'const char16_t *',
  wstring: 'const wchar_t *',
  int8: 'int8_t',
  uint8: 'uint8_t',
  int16: 'int16_t',
  uint16: 'uint16_t',
  int32: 'int32_t',
  uint32: 'uint32_t',
  int64: 'int64_t',
  uint64: 'uint64_t',
  longlong: 'long long',
  ulonglong: 'unsigned long long',
  char16: 'char16_t',
  float32: 'float',
  float64: 'double',
};

/** Whether the next token begins a type or a declaration. */
function startsType(parser) {
  const token = parser.tokens.peek();
  if (token.kind !== 'word') return false;
  const { text } = token;
  return (
    ARITHMETIC.has(text) ||
    SPELLINGS[text] !== undefined ||
    STORAGE.has(text) ||
    QUALIFIERS.has(text) ||
    isTag(text) ||
    MARKS[text] !== undefined ||
    text === '_Free_' ||
    text === '__attribute__' ||
    text === 'typedef' ||
    REFUSED.has(text) ||
    TYPE_OF.has(text) ||
    parser.scope.typedef(text) !== undefined
  );
}

const isTag = (text) => text === 'struct' || text === 'union' || text === 'enum';

/**
 * The specifiers at the next tokens.
 * @returns {{ type: any, isTypedef: boolean, isLocal: boolean, isConst: boolean, isConstant: boolean, marks: object,
 *   attributes: object, storage: any, threadStorage: any, restrict: any, tag: any, at: any }}
 */
function parseSpecifiers(parser) {
  const { tokens } = parser;
  const found = {
    type: undefined,
    isTypedef: false,
    isLocal: false,
    isConst: false,
    isConstant: false,
    marks: { __proto__: null },
    attributes: { __proto__: null },
    storage: undefined,
    threadStorage: undefined,
    restrict: undefined,
    tag: undefined,
    at: tokens.peek(),
    unsupported: undefined,
  };
  const words = [];
  while (take(parser, found, words)) {
    /* one specifier after the other */
  }
  if (found.unsupported === undefined && LONG_DOUBLE.test(words.join(' ')))
    found.unsupported = { reason: "'long double' has no counterpart", at: found.at.at, size: LONG_DOUBLE_SIZE };
  if (found.unsupported !== undefined) {
    found.type = { kind: 'unsupported', ...found.unsupported, text: tokens.text };
  } else if (words.length > 0) {
    const name = ARITHMETICS.get([...words].sort().join(' '));
    if (name === undefined || found.type !== undefined) throw tokens.fault(found.at, noArithmetic(words));
    found.type = scalar(name, words.join(' '));
  }
  if (found.type === undefined) throw unknownType(parser);
  if (found.restrict !== undefined && (words.length > 0 || found.type.kind === 'record' || found.type.kind === 'enum'))
    throw tokens.fault(found.restrict, `'${found.restrict.text}' is for pointers`);
  if (found.isConst) found.type = asConst(found.type);
  return found;
}

/** Compilers for Windows differ. */
const LONG_DOUBLE_SIZE =
  process.platform === 'win32' ? undefined : process.platform === 'darwin' && process.arch === 'arm64' ? 8 : 16;
const LONG_DOUBLE = /^(?:long double|double long)$/;
const noArithmetic = (words) => `'${words.join(' ')}' is no type of C`;

/** A function with one of these words may have a body: no library exports it. */
const LOCAL = new Set(['static', 'inline', '__inline', '__inline__', '__forceinline']);

/** A declaration has one of these. */
const STORAGE_CLASS = new Set(['typedef', 'extern', 'static', 'auto', 'register']);

const THREAD_STORAGE = new Set(['_Thread_local', 'thread_local', '__thread']);
const RESTRICT = new Set(['restrict', '__restrict', '__restrict__']);

function noteStorage(tokens, found, token) {
  if (found.storage !== undefined)
    throw tokens.fault(token, `'${token.text}' behind '${found.storage.text}': a declaration has one storage class`);
  found.storage = token;
}

/** Takes one specifier; false where the next token is none. */
function take(parser, found, words) {
  const { tokens } = parser;
  const token = tokens.peek();
  if (token.kind !== 'word') return takeAttribute(parser, found.attributes);
  const { text } = token;
  const word = SPELLINGS[text] ?? text;
  if (ARITHMETIC.has(word)) {
    tokens.next();
    words.push(word);
    return true;
  }
  if (STORAGE_CLASS.has(text)) noteStorage(tokens, found, token);
  else if (THREAD_STORAGE.has(text)) found.threadStorage = token;
  else if (RESTRICT.has(text)) found.restrict = token;
  if (text === 'typedef') found.isTypedef = true;
  else if (LOCAL.has(text)) found.isLocal = true;
  else if (text === 'constexpr') found.isConstant = true;
  else if (text === 'const' || text === '__const' || text === '__const__') found.isConst = true;
  else if (found.type === undefined && (UNSUPPORTED.has(text) || isComplex(parser, words)))
    return takeUnsupported(parser, found, token);
  else if (UNSUPPORTED.has(text) || (REFUSED.has(text) && found.type === undefined && words.length === 0))
    throw tokens.fault(token, `'${text}': ${REFUSED.get(text)}`);
  else if (TYPE_OF.has(text) && (text !== '_Atomic' || tokens.is('(', 1))) return takeTypeOf(parser, found, words);
  else if (isTag(text)) return takeTag(parser, found, words);
  else if (takeAttribute(parser, found.attributes) || takeMark(parser, found.marks)) return true;
  else if (!STORAGE.has(text) && !QUALIFIERS.has(text) && !CONVENTIONS.has(text)) {
    const known = found.type === undefined && words.length === 0 ? parser.scope.typedef(text) : undefined;
    if (known === undefined) return false;
    found.type = known;
  }
  tokens.next();
  return true;
}

/** Whether the next word is the macro of <complex.h>, rather than a name: `double complex z`, `complex double *`. */
function isComplex({ tokens, scope }, words) {
  if (!tokens.is('complex') || scope.typedef('complex') !== undefined) return false;
  const next = tokens.peek(1);
  return words.length === 0 ? ARITHMETIC.has(next.text) : next.kind === 'word' || tokens.is('*', 1);
}

/** Takes typeof(type), typeof(expression) or _Atomic(type). */
function takeTypeOf(parser, found, words) {
  const { tokens } = parser;
  const token = tokens.next();
  if (found.type !== undefined || words.length > 0) throw tokens.fault(token, `expected a name, found '${token.text}'`);
  const open = tokens.expect('(', `after ${token.text}`);
  if (startsType(parser)) found.type = parser.typeName();
  else if (token.text === '_Atomic') throw tokens.fault(open, '_Atomic takes a type here');
  else found.type = parser.typeOfExpression();
  tokens.expect(')', 'after the type');
  return true;
}

/** Takes a word of a type that has no counterpart. */
function takeUnsupported({ tokens }, found, token) {
  // Else it is `complex`.
  const reason = REFUSED.get(token.text) ?? REFUSED.get('_Complex');
  const size = token.text === '__int128' ? 16 : undefined;
  found.unsupported ??= { reason: `'${token.text}': ${reason}`, at: token.at, size };
  tokens.next();
  if (tokens.is('(')) tokens.skipGroup(tokens.next(), ')');
  return true;
}

function takeTag(parser, found, words) {
  const { tokens } = parser;
  if (found.type !== undefined || words.length > 0)
    throw tokens.fault(tokens.peek(), `expected a name, found ${named(tokens.peek())}`);
  const { text } = tokens.next();
  found.type = text === 'enum' ? parser.parseEnum(found) : parser.parseRecord(text, found);
  return true;
}

/** Takes `_Static_assert(...);`, if it is next. It is not checked. */
function acceptStaticAssert({ tokens }) {
  const word = tokens.accept('_Static_assert') ?? (tokens.is('(', 1) ? tokens.accept('static_assert') : undefined);
  if (word === undefined) return false;
  tokens.skipGroup(tokens.expect('(', `after ${word.text}`), ')');
  tokens.expect(';', `after ${word.text}(...)`);
  return true;
}

/** Takes a mark such as _Out_ or _Free_(symbol), if one is next. */
function takeMark(parser, marks) {
  const { tokens } = parser;
  const { text } = tokens.peek();
  if (MARKS[text] !== undefined) {
    marks[MARKS[text]] = tokens.next();
    return true;
  }
  if (text === '_Free_') {
    tokens.next();
    tokens.expect('(', 'after _Free_');
    const symbol = tokens.next();
    if (symbol.kind !== 'word')
      throw tokens.fault(symbol, `_Free_ takes the name of a function, found ${named(symbol)}`);
    tokens.expect(')', 'after _Free_');
    marks.free = symbol;
    return true;
  }
  if (!OTHER_MARK.test(text) || parser.scope.typedef(text) !== undefined) return false;
  tokens.next();
  if (tokens.is('(')) tokens.skipGroup(tokens.next(), ')');
  return true;
}

/** The record of a tag, made when it is first named. */
function recordOf(parser, keyword, tag) {
  const known = parser.scope.tag(tag.text);
  if (known === undefined) {
    const record = makeRecord(keyword, tag.text);
    parser.scope.tags.set(tag.text, record);
    return record;
  }
  if (known.keyword !== keyword)
    throw parser.tokens.fault(tag, `${tag.text} is declared as ${known.keyword} before, not as ${keyword}`);
  return known;
}

function unknownType(parser) {
  const { tokens, scope } = parser;
  const token = tokens.peek();
  if (token.kind !== 'word') return tokens.fault(token, `expected a type, found ${named(token)}`);
  const meant = TABLE_NAMES[token.text] ?? nearest(token.text, scope.typeNames());
  const tag = scope.tag(token.text);
  if (tag !== undefined)
    return tokens.fault(token, `unknown type '${token.text}'; did you mean '${tag.keyword} ${token.text}'?`);
  return tokens.fault(
    token,
    `unknown type '${token.text}'; ${
      meant === undefined
        ? `declare it before: \`typedef ... ${token.text};\`, or \`typedef struct ${token.text} ${token.text};\` if only C looks inside`
        : `did you mean '${meant}'?`
    }`,
  );
}

module.exports = { acceptStaticAssert, parseSpecifiers, startsType, takeMark, recordOf };
