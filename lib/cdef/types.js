'use strict';
// C types as the parser has them:
//   { kind: 'scalar', name, spelling }   name: of the type table; spelling: the C name that was written
//   { kind: 'pointer', to }  { kind: 'array', of, length, isVariable }   length: null where it is not known, or is that
//                            of a variable-length array
//   { kind: 'function', parameters: [{ name, type, mark }], isUnspecified, returns, isVariadic }   isUnspecified: of
//   `f()` { kind: 'unsupported', reason, at, text, size }   has no counterpart: pointers to it are addresses; `size` is
//                                                     also its alignment, where it is known
//   { kind: 'record', record }: a struct or union  { kind: 'enum', enumeration }
//   { kind: 'koffi', type, spelling }   a type of lib/koffi
// A const type is a copy with `isConst`.

const scalar = (name, spelling = name) => ({ kind: 'scalar', name, spelling });
const pointerTo = (to) => ({ kind: 'pointer', to });
const VOID = scalar('void');

/** A struct or union: `fields` is null until its body is read, `isDeclared` says that the text has `struct tag;`. */
const makeRecord = (keyword, tag) => ({
  keyword,
  tag,
  name: tag,
  fields: null,
  packed: false,
  pack: undefined,
  align: undefined,
  tailAlign: undefined,
  flexible: undefined,
  isDeclared: false,
  isKnown: false,
  text: undefined,
  at: 0,
});

const isVoid = (type) => type.kind === 'scalar' && type.name === 'void';
const isInteger = (type) =>
  type.kind === 'enum' || (type.kind === 'scalar' && !/^(void|float|double|cstring|utf16|function)$/.test(type.name));

/** A constant array has constant elements. */
const asConst = (type) =>
  type.kind === 'array' ? { ...type, of: asConst(type.of) } : type.isConst ? type : { ...type, isConst: true };

/** The type of a parameter: arrays and functions become pointers. */
function decayed(type) {
  if (type.kind === 'array') return pointerTo(type.of);
  return type.kind === 'function' ? pointerTo(type) : type;
}

/** A type as C writes it, for messages. */
function describeType(type, depth = 0) {
  if (depth > 8) return '...';
  const constness = type.isConst ? 'const ' : '';
  switch (type.kind) {
    case 'scalar':
    case 'koffi':
      return constness + type.spelling;
    case 'pointer':
      return `${describeType(type.to, depth + 1)} *`;
    case 'array':
      return `${describeType(type.of, depth + 1)}[${type.length ?? ''}]`;
    case 'function':
      return 'a function';
    case 'unsupported':
      return `a type that has no counterpart`;
    case 'enum':
      return `${constness}enum ${type.enumeration.tag ?? ''}`.trim();
    default:
      return (
        constness +
        (type.record.tag === undefined
          ? (type.record.name ?? `a ${type.record.keyword}`)
          : `${type.record.keyword} ${type.record.tag}`)
      );
  }
}

/** An integer of C as JavaScript has it: a number where it is exact. */
const exact = (value) => (value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value);

module.exports = { scalar, pointerTo, VOID, makeRecord, isVoid, isInteger, asConst, decayed, describeType, exact };
