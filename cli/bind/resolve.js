'use strict';
// From cursors to declarations of a module: the types of functions, variables and fields, and the offsets of fields.

const { Type } = require('./clang.js');
const { Unsupported } = require('./types.js');

/** A type, or why there is none. */
function attempt(resolve) {
  try {
    return { type: resolve() };
  } catch (error) {
    if (error instanceof Unsupported) return { fault: error.message };
    throw error;
  }
}

/** The comment of a declaration, with what its attributes say. */
function docOf(clang, entities, cursor) {
  const lines = entities.docOf(cursor);
  const reason = clang.deprecation(cursor);
  if (reason === undefined || lines.some((line) => line.startsWith('@deprecated'))) return lines;
  return [...lines, `@deprecated ${reason}`.trim()];
}

/** The types of functions and variables: each gets a `type`, or a `fault`. */
function resolveDeclared(clang, types, entities, cursors) {
  return [...cursors].map(([name, cursor]) => ({
    cursor,
    name,
    doc: docOf(clang, entities, cursor),
    ...attempt(() => types.resolve(clang.c.clang_getCursorType(cursor))),
  }));
}

/** The fields of the records that were met, of those that these lead to, and so on. */
function resolveFields(clang, types, entities) {
  while (entities.pending.length > 0) resolveRecord(clang, types, entities, entities.pending.shift());
}

function resolveRecord(clang, types, entities, record) {
  const { c } = clang;
  const cursors = clang.fields(record.type);
  let [paddings, members] = [0, 0];
  cursors.forEach((cursor, i) => {
    const spelt = clang.spelling(cursor);
    const type = c.clang_getCursorType(cursor);
    const isBits = c.clang_Cursor_isBitField(cursor) !== 0;
    const isNameless = spelt === '' || spelt.includes('(');
    const isLast = i === cursors.length - 1 && !record.isUnion;
    const isOpen = type.kind === Type.openArray || (type.kind === Type.array && c.clang_getArraySize(type) === 0n);
    // A flexible array is no part of the size of its struct.
    if (isLast && isOpen) {
      record.flexible = spelt;
      return;
    }
    const fallback = isBits ? `_padding${(paddings += isNameless ? 1 : 0)}` : '';
    const member = isNameless && !isBits ? `anonymous${(members += 1) === 1 ? '' : members}` : '';
    const name = isNameless ? fallback || member : spelt;
    const field = { name, doc: entities.docOf(cursor), isNamed: !isNameless };
    Object.assign(
      field,
      attempt(() => types.resolve(type, `${record.name}_${name}`)),
    );
    const place = Number(c.clang_Cursor_getOffsetOfField(cursor));
    if (isBits) {
      field.bits = c.clang_getFieldDeclBitWidth(cursor);
      Object.assign(field, bitfield(field));
      if (!isNameless) record.layout.bits[name] = { first: place, width: field.bits };
    } else if (place >= 0) record.layout.offsets[name] = place / 8;
    record.fields.push(field);
  });
}

/**
 * A bitfield's type: an enum has that of an unsigned int, as the compilers have it.
 * @param {any} field
 */
function bitfield({ type, bits, fault }) {
  if (bits === 0) return { fault: 'a bitfield of no bits' };
  if (fault !== undefined) return {};
  if (type.kind === 'entity' && type.entity.kind === 'enum') return { type: { kind: 'scalar', name: 'unsigned int' } };
  return type.kind === 'scalar' ? {} : { fault: 'a bitfield of a type that has no counterpart' };
}

module.exports = { resolveDeclared, resolveFields };
