'use strict';
// Every scalar that a signature can have: how C spells it, values of it, and the ways in which JavaScript may pass one.
//   c       the C type; `promoted` the one that arrives where it is an extra argument of a variadic function
//   kind    how it is summed (hash.js)
//   value   a random value, as it comes back from C; one in three is an edge
//   spell   another way of passing the value; with `wrap` one that only `wrap: true` takes
//   literal the value as a C constant

const { ffi } = require('../helpers.js');
const {
  integerNames,
  floatNames,
  pointerNames,
  functionNames,
  edgesOf,
  expectBack,
} = require('../fixtures/scalars.js');

const pick = (random, list) => list[Math.floor(random() * list.length)];
const word = (random) => Math.floor(random() * 2 ** 32);
const bigWord = (random) => (BigInt(word(random)) << 32n) | BigInt(word(random));

// ---- integers -------------------------------------------------------------------------------------------------------

/** C's name, where it is not that of the declaration. */
const C_NAMES = {
  char: 'signed char',
  i8: 'int8_t',
  u8: 'uint8_t',
  i16: 'int16_t',
  u16: 'uint16_t',
  char16_t: 'uint16_t',
  i32: 'int32_t',
  u32: 'uint32_t',
  c_int: 'int',
  c_uint: 'unsigned int',
  char32_t: 'uint32_t',
  i64: 'int64_t',
  u64: 'uint64_t',
  isize: 'ssize_t',
  usize: 'size_t',
  i64_fast: 'int64_t',
  u64_fast: 'uint64_t',
};

function integer(type, c = C_NAMES[type.name] ?? type.name) {
  const edges = edgesOf(type);
  const bits = type.size * 8;
  const exact = (value) => Number.isSafeInteger(Number(value));
  return {
    c,
    kind: 'int',
    promoted: type.size < 4 ? 'int' : c,
    value: (random) =>
      expectBack(
        type,
        random() < 0.33
          ? pick(random, edges)
          : (type.signed ? BigInt.asIntN : BigInt.asUintN)(bits, bigWord(random) >> BigInt(Math.floor(random() * 48))),
      ),
    spell(random, value, wrap) {
      if (!wrap) return random() < 0.7 || !exact(value) ? value : random() < 0.5 ? BigInt(value) : Number(value);
      const turns = BigInt((word(random) % 2001) - 1000) << BigInt(bits);
      const around = BigInt(value) + turns;
      if (!exact(around) || random() < 0.3) return around;
      const fraction = random() < 0.3 && Math.abs(Number(around)) < 2 ** 50 ? 0.5 : 0;
      return Number(around) + (around < 0n ? -fraction : fraction);
    },
    literal: (value) => `(${c})0x${BigInt.asUintN(64, BigInt(value)).toString(16)}ull`,
  };
}

/**
 * A 64-bit integer whose values are numbers: those that a number does not hold are errors, and `wrap` changes nothing.
 */
function exactInteger(type) {
  const cut = (value) => Number((type.signed ? BigInt.asIntN : BigInt.asUintN)(53, BigInt(value)));
  const scalar = integer(type);
  return {
    ...scalar,
    value: (random) => cut(scalar.value(random)),
    spell: (random, value) => scalar.spell(random, value, false),
  };
}

const enumerations = ['u8', 'i16', 'i32', 'u64'].map((name) => {
  const scalar = integer(integerNames.find((type) => type.name === name));
  const type = ffi.enumeration({ zero: 0, one: 1 }, { type: name });
  return [`enumeration of ${name}`, { ...scalar, type, spell: (random, value) => scalar.spell(random, value, false) }];
});

// ---- floating point and bool ----------------------------------------------------------------------------------------

const digits = (value) => (Object.is(value, -0) ? '-0.0' : value.toExponential(17));
const floatLiteral = (value) =>
  Number.isNaN(value)
    ? '__builtin_nan("")'
    : Math.abs(value) === Infinity
      ? `${value < 0 ? '-' : ''}__builtin_inf()`
      : digits(value);

const float = ({ row, edges }) => ({
  c: row === 'f32' ? 'float' : 'double',
  kind: row,
  promoted: 'double',
  value(random) {
    if (random() < 0.33) return pick(random, edges);
    const value = (random() - 0.5) * 2 ** (random() * 200 - 100);
    return row === 'f32' ? Math.fround(value) : value;
  },
  spell: (random, value, wrap) =>
    wrap && row === 'f32' && Math.abs(value) === Infinity ? (value > 0 ? 1e300 : -1e300) : value,
  literal: (value) => `(${row === 'f32' ? 'float' : 'double'})${floatLiteral(value)}`,
});

const bool = {
  c: '_Bool',
  kind: 'bool',
  promoted: 'int',
  value: (random) => random() < 0.5,
  spell: (random, value, wrap) =>
    wrap ? pick(random, value ? [true, 1, -1n, 'x', 0.1] : [false, 0, 0n, '', null, undefined, NaN]) : value,
  literal: (value) => (value ? '1' : '0'),
};

// ---- pointers and text ----------------------------------------------------------------------------------------------

const pointer = {
  c: 'void *',
  kind: 'pointer',
  promoted: 'void *',
  value: (random) =>
    random() < 0.2 ? null : random() < 0.2 ? 2n ** 64n - 1n - BigInt(word(random)) : word(random) * 2 ** 16 + 1,
  spell: (random, value) => (random() < 0.8 || value === null ? value : BigInt(value)),
  literal: (value) => `(void *)0x${BigInt(value ?? 0).toString(16)}ull`,
};

const makeText = (random) =>
  Array.from({ length: Math.floor(random() * 24) }, () =>
    pick(random, ['a', 'Z', '7', ' ', '%', '\\', '"', 'é', '€', '你', '😀']),
  ).join('');

const text = (c, kind, literal) => ({
  c,
  kind,
  promoted: c,
  value: (random) => (random() < 0.1 ? null : makeText(random)),
  spell: (random, value) => value,
  literal: (value) => (value === null ? '(void *)0' : literal(value)),
});

const octal = (value) =>
  `"${Array.from(Buffer.from(value), (byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}"`;
const units = (c, list) => `(${c}[]){ ${[...list, 0].join(', ')} }`;
const in16 = (c) => (value) =>
  units(
    c,
    Array.from({ length: value.length }, (_, i) => value.charCodeAt(i)),
  );
const inPoints = (value) =>
  units(
    'wchar_t',
    Array.from(value, (character) => character.codePointAt(0)),
  );

/** A view whose bytes are read by C: of up to 64 bytes, which V8 keeps in its heap, or of more. */
const bytes = (type) => ({
  type,
  c: 'unsigned char *',
  kind: 'bytes',
  promoted: 'unsigned char *',
  argumentOnly: true,
  makeSize: (random) => 1 + Math.floor(random() * (random() < 0.7 ? 64 : 300)),
  value: (random, size) => Uint8Array.from({ length: size }, () => word(random)),
  spell: (random, value) => (random() < 0.3 ? new DataView(value.buffer) : value),
});

const length = { ...bytes(undefined), c: 'size_t', kind: 'length', promoted: 'size_t' };

// ---- the table ------------------------------------------------------------------------------------------------------

/** By the name in a declaration; where that is not its type, `type` is. */
const SCALARS = Object.fromEntries([
  ...integerNames.map((type) => [type.name, integer(type)]),
  ...['i64', 'u64'].map((name) => [`${name}_number`, exactInteger(integerNames.find((type) => type.name === name))]),
  ...enumerations,
  ...floatNames.map((type) => [type.name, float(type)]),
  ['bool', bool],
  ...[...pointerNames, ...functionNames].map((name) => [name, pointer]),
  ['pointer(u8)', { ...pointer, type: ffi.pointer('u8') }],
  ['cstring', text('const char *', 'text', octal)],
  ['utf16', text('uint16_t *', 'text16', in16('uint16_t'))],
  ['wstring', text('wchar_t *', 'textWide', process.platform === 'win32' ? in16('wchar_t') : inPoints)],
  ['buffer', bytes()],
  ['view', bytes('ptr')],
  ['buffer_length', length],
  ['buffer_bytelength', length],
]);

module.exports = { SCALARS, pick };
