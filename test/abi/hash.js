'use strict';
// The checksum that C and JavaScript both compute of the values they receive, in both languages.

const bits = new DataView(new ArrayBuffer(8));

/** Each step is a bijection of the sum so far and of the word, so that no single difference is lost. */
function mix(sum, low, high) {
  let mixed = Math.imul(sum ^ low, 0x9e3779b1);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed ^ high, 0x85ebca77);
  return mixed ^ (mixed >>> 13);
}

const mixUnits = (sum, units) => {
  for (const unit of units) sum = mix(sum, unit, 0);
  return mix(sum, units.length, 1);
};

const units16 = (text) => Array.from({ length: text.length }, (_, i) => text.charCodeAt(i));
const units32 = (text) => Array.from(text, (character) => character.codePointAt(0));
const mixText = (unitsOf) => (sum, text) => (text === null ? mix(sum, -1, -1) : mixUnits(sum, unitsOf(text)));

function mixBig(sum, value) {
  bits.setBigInt64(0, BigInt.asIntN(64, BigInt(value ?? 0)));
  return mix(sum, bits.getInt32(4), bits.getInt32(0));
}

/** By the kind of a scalar: the sum after one more value of it. Every NaN is the same one. */
const hash = {
  int: (sum, value) =>
    typeof value === 'number' && Math.abs(value) < 2 ** 32
      ? mix(sum, value | 0, value < 0 ? -1 : 0)
      : mixBig(sum, value),
  pointer: mixBig,
  bool: (sum, value) => mix(sum, value ? 1 : 0, 0),
  f32(sum, value) {
    bits.setFloat32(0, value);
    return Number.isNaN(value) ? mix(sum, 0x7fc00000, 0) : mix(sum, bits.getInt32(0), 0);
  },
  f64(sum, value) {
    bits.setFloat64(0, value);
    return Number.isNaN(value) ? mix(sum, 0, 0x7ff80000) : mix(sum, bits.getInt32(4), bits.getInt32(0));
  },
  text: mixText((text) => Buffer.from(text)),
  text16: mixText(units16),
  textWide: mixText(process.platform === 'win32' ? units16 : units32),
  bytes: mixUnits,
  length: (sum, view) => mix(sum, view.length, 0),
};

/** By the kind of a scalar: the C expression of the sum after one more value. `size` is the length of bytes. */
const hashInC = {
  int: (value) => `mix(h, (uint64_t)${value})`,
  pointer: (value) => `mix(h, (uint64_t)(uintptr_t)${value})`,
  bool: (value) => `mix(h, ${value} ? 1 : 0)`,
  f32: (value) => `mix_f32(h, ${value})`,
  f64: (value) => `mix_f64(h, ${value})`,
  text: (value) => `mix_text(h, (const unsigned char *)${value})`,
  text16: (value) => `mix_text16(h, ${value})`,
  textWide: (value) => `mix_textWide(h, ${value})`,
  bytes: (value, size) => `mix_bytes(h, ${value}, ${size})`,
  length: (value) => `mix(h, (uint64_t)${value})`,
};

const textInC = (name, unit) => `
static __attribute__((noinline)) uint32_t mix_${name}(uint32_t h, const ${unit} *text) {
  uint32_t length = 0;
  if (text == NULL) return mix(h, ~0ull);
  for (; text[length] != 0; length++) h = mix(h, (uint32_t)text[length]);
  return mix(h, 1ull << 32 | length);
}`;

const PRELUDE = `#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>
#include <wchar.h>
static __attribute__((noinline)) uint32_t mix(uint32_t h, uint64_t word) {
  h = (h ^ (uint32_t)word) * 0x9e3779b1u; h ^= h >> 15;
  h = (h ^ (uint32_t)(word >> 32)) * 0x85ebca77u; return h ^ h >> 13;
}
static __attribute__((noinline)) uint32_t mix_f32(uint32_t h, float value) {
  uint32_t word = 0x7fc00000u;
  if (value == value) memcpy(&word, &value, 4);
  return mix(h, word);
}
static __attribute__((noinline)) uint32_t mix_f64(uint32_t h, double value) {
  uint64_t word = 0x7ff8000000000000ull;
  if (value == value) memcpy(&word, &value, 8);
  return mix(h, word);
}
static __attribute__((noinline)) uint32_t mix_bytes(uint32_t h, const unsigned char *bytes, uint32_t size) {
  for (uint32_t i = 0; i < size; i++) h = mix(h, bytes[i]);
  return mix(h, 1ull << 32 | size);
}${textInC('text', 'unsigned char')}${textInC('text16', 'uint16_t')}${textInC('textWide', 'wchar_t')}
`;

module.exports = { hash, hashInC, PRELUDE };
