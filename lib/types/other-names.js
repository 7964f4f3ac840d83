'use strict';
// The names of the types in koffi, Deno, node:ffi, ffi-napi and C, for messages about unknown names.

const { nearest, didYouMean } = require('../nearest.js');

/** The names that other packages, and C, have for the types. */
const MEANT = {
  __proto__: null,
  string: 'cstring',
  str: 'cstring',
  CString: 'cstring',
  'const char *': 'cstring',
  'const char*': 'cstring',
  'char *': 'cstring',
  'void *': 'ptr',
  int8: 'i8',
  uint8: 'u8',
  int16: 'i16',
  uint16: 'u16',
  int32: 'i32',
  uint32: 'u32',
  int64: 'i64',
  uint64: 'u64',
  float32: 'f32',
  float64: 'f64',
  boolean: 'bool',
  byte: 'u8',
  uchar: 'unsigned char',
  ushort: 'unsigned short',
  uint: 'unsigned int',
  ulong: 'unsigned long',
  unsigned: 'unsigned int',
  longlong: 'long long',
  ulonglong: 'unsigned long long',
  size: 'size_t',
  str16: 'utf16',
  External: 'ptr',
  external: 'ptr',
  object: 'ptr',
  arraybuffer: 'buffer',
  Buffer: 'buffer',
  undefined: 'void',
  none: 'void',
  string16: 'utf16',
  utf8: 'cstring',
  Utf8: 'cstring',
  'utf-8': 'cstring',
  cstr: 'cstring',
  wstr: 'wstring',
  number: 'f64',
  bigint: 'i64',
  intptr: 'intptr_t',
  uintptr: 'uintptr_t',
  off_t: 'i64',
  time_t: 'i64',
  func: 'function',
  str32: 'wstring',
  string32: 'wstring',
  'unsigned long long int': 'unsigned long long',
  'long long int': 'long long',
  'long int': 'long',
  'unsigned short int': 'unsigned short',
  'short int': 'short',
  signed: 'int',
  'signed int': 'int',
  _Bool: 'bool',
  uint16_be_t: 'u16be',
  int16_be_t: 'i16be',
  uint32_be_t: 'u32be',
  int32_be_t: 'i32be',
  uint64_be_t: 'u64be',
  int64_be_t: 'i64be',
  uint16_le_t: 'u16le',
  int16_le_t: 'i16le',
  uint32_le_t: 'u32le',
  int32_le_t: 'i32le',
  uint64_le_t: 'u64le',
  int64_le_t: 'i64le',
  be16: 'u16be',
  be32: 'u32be',
  be64: 'u64be',
  __be16: 'u16be',
  __be32: 'u32be',
  __be64: 'u64be',
  in_port_t: 'u16be',
  in_addr_t: 'u32be',
  'wchar_t *': 'wstring',
  'wchar_t*': 'wstring',
  'const wchar_t *': 'wstring',
  'const wchar_t*': 'wstring',
  'char16_t *': 'utf16',
  'const char16_t *': 'utf16',
  'const void *': 'ptr',
  'const void*': 'ptr',
};

/** Numbers of C that have no type here. */
const ABSENT = /^(?:long double|__float128|_Float\w+|half|f16|[iu]128|u?int128|(?:unsigned )?__int128)$/;

/** The hint for an unknown name: the type that was probably meant, or where C types are accepted. */
function hintFor(declared, where, byName) {
  if (MEANT[declared] !== undefined) return didYouMean(MEANT[declared]);
  if (ABSENT.test(declared)) return '; JavaScript and the package have no counterpart of it';
  const target = /^(?:const )?(.*[^ *]) ?\*$/.exec(declared)?.[1];
  if (target !== undefined && (byName.has(target) || MEANT[target] !== undefined)) {
    const name = byName.has(target) ? target : MEANT[target];
    return `. Did you mean pointer('${name}')${where.includes('args') ? `, out('${name}')` : ''} or 'ptr'?`;
  }
  const near = nearest(declared, byName.keys());
  if (near !== undefined) return didYouMean(near);
  return /[ *]/.test(declared) ? '; for types as C writes them declare the function as C text' : '';
}

module.exports = { hintFor };
