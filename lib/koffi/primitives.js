'use strict';
// koffi's names of scalars and texts. Each stands for a row of the type table.

const { NamedType, byName } = require('../types/registry.js');
const { DeclaredType } = require('../types/native-type.js');
const { TypeObject, addBuiltin, builtin, layoutOf, shownOf } = require('./type.js');

const isWide = byName.get('long').size === 8;
const wcharUnit = byName.get('wchar_t').size;

/** The primitives of koffi: the name in the type table, and the typed array of their values. */
const PRIMITIVES = {
  Bool: ['bool'],
  Int8: ['i8', Int8Array],
  UInt8: ['u8', Uint8Array],
  Int16: ['i16', Int16Array],
  UInt16: ['u16', Uint16Array],
  Int32: ['i32', Int32Array],
  UInt32: ['u32', Uint32Array],
  Int64: ['i64_fast', BigInt64Array],
  UInt64: ['u64_fast', BigUint64Array],
  Float32: ['f32', Float32Array],
  Float64: ['f64', Float64Array],
};
const LONG = isWide ? 'Int64' : 'Int32';
const ULONG = isWide ? 'UInt64' : 'UInt32';

/** Names of the same type; the first one is what the type shows. */
const NAMES = [
  ['Bool', 'bool'],
  ['Int8', 'int8_t', 'int8'],
  ['UInt8', 'uint8_t', 'uint8'],
  ['Int8', 'char'],
  ['UInt8', 'unsigned char', 'uchar'],
  ['Int16', 'char16_t', 'char16'],
  ['Int32', 'char32_t', 'char32'],
  [wcharUnit === 2 ? 'Int16' : 'Int32', 'wchar_t', 'wchar'],
  ['Int16', 'int16_t', 'int16'],
  ['UInt16', 'uint16_t', 'uint16'],
  ['Int16', 'short'],
  ['UInt16', 'unsigned short', 'ushort'],
  ['Int32', 'int32_t', 'int32'],
  ['UInt32', 'uint32_t', 'uint32'],
  ['Int32', 'int'],
  ['UInt32', 'unsigned int', 'uint'],
  ['Int64', 'int64_t', 'int64'],
  ['UInt64', 'uint64_t', 'uint64'],
  ['Int64', 'intptr_t', 'intptr'],
  ['UInt64', 'uintptr_t', 'uintptr'],
  ['UInt64', 'size_t'],
  [LONG, 'long'],
  [ULONG, 'unsigned long', 'ulong'],
  ['Int64', 'long long', 'longlong'],
  ['UInt64', 'unsigned long long', 'ulonglong'],
  ['Float32', 'float', 'float32'],
  ['Float64', 'double', 'float64'],
];

function addType([primitive, ...names]) {
  const [passed, list] = PRIMITIVES[primitive];
  const row = byName.get(passed);
  const type = new TypeObject(shownOf(names[0], primitive, row.size, row.align), {
    kind: 'scalar',
    row,
    passed,
    named: new NamedType(names[0], row),
    list,
  });
  names.forEach((name) => addBuiltin(name, type));
}

/** Integers of the other byte order: the row of the same width, with its bytes reversed. */
function addSwapped(primitive, ...names) {
  const base = byName.get(PRIMITIVES[primitive][0]);
  const reverse = (view, at) => new Uint8Array(view.buffer, view.byteOffset + at, base.size).reverse();
  const row = {
    ...base,
    name: names[0],
    key: `koffi ${names[0]}`,
    read(view, at) {
      const copied = new DataView(new ArrayBuffer(8));
      for (let i = 0; i < base.size; i += 1) copied.setUint8(i, view.getUint8(at + base.size - 1 - i));
      return base.read(copied, 0);
    },
    write(view, at, value, name, position) {
      base.write(view, at, value, name, position);
      reverse(view, at);
    },
  };
  const passed = Object.freeze(new DeclaredType(row));
  const type = new TypeObject(shownOf(names[0], `${primitive}S`, base.size, base.align), {
    kind: 'scalar',
    row,
    passed,
    named: passed,
    list: undefined,
  });
  names.forEach((name) => addBuiltin(name, type));
}

/** Text types: a pointer to characters of so many bytes. */
function addText(primitive, unit, passed, shown, ...names) {
  const { size, align } = byName.get('ptr');
  const type = new TypeObject(shownOf(shown, primitive, size, align), { kind: 'text', unit, passed });
  names.forEach((name) => addBuiltin(name, type));
  return type;
}

addBuiltin('void', new TypeObject(shownOf('void', 'Void', 0, 0), { kind: 'void' }));
NAMES.forEach(addType);
for (const bits of [16, 32, 64]) {
  for (const [prefix, primitive] of [
    ['int', `Int${bits}`],
    ['uint', `UInt${bits}`],
  ]) {
    // The types of this machine's own order, which is little endian on every platform, are the plain ones.
    addType([primitive, `${prefix}${bits}_le_t`, `${prefix}${bits}_le`]);
    addSwapped(primitive, `${prefix}${bits}_be_t`, `${prefix}${bits}_be`);
  }
}
const TEXT32 = wcharUnit === 4 ? 'wstring' : 'ptr';
const texts = {
  char: addText('String', 1, 'cstring', 'char *', 'str', 'string'),
  char16_t: addText('String16', 2, 'utf16', 'char16_t *', 'str16', 'string16'),
  char32_t: addText('String32', 4, TEXT32, 'char32_t *', 'str32', 'string32'),
  wchar_t: addText(wcharUnit === 2 ? 'String16' : 'String32', wcharUnit, 'wstring', 'wchar_t *', 'wstring'),
};

/** The text type that a pointer to a type is; undefined where it is a plain pointer. */
const textOf = (type) => (builtin.get(type.name) === type ? texts[type.name] : undefined);

/** koffi.types. */
const types = Object.freeze(Object.fromEntries(builtin));

/** The type of koffi for a name of the type table, as C text may have it; undefined where there is none. */
function typeOfTableName(name) {
  const row = byName.get(name);
  if (row === undefined || row.refused !== undefined || row.argumentOnly !== undefined) return undefined;
  const named = builtin.get(name);
  if (named !== undefined) return named;
  const id = row.name.replace(/_fast$/, '');
  return [...builtin.values()].find(
    (type) => layoutOf(type).kind === 'scalar' && layoutOf(type).passed.replace?.(/_fast$/, '') === id,
  );
}

module.exports = { types, textOf, typeOfTableName };
