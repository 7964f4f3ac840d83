'use strict';
// The types that a module declares: one object each, made when the type is first met; its fields follow later, because
// they may lead back to it.

const { commentOf } = require('./comments.js');
const { Cursor } = require('./clang.js');

/** The kinds of types that are unsigned integers. */
const UNSIGNED = new Set([3, 4, 5, 6, 7, 8, 9, 10, 11]);

class Entities {
  /** In the order in which they were met: records, enums, opaque types, function pointers with a name. */
  all = [];
  /** Records whose fields are still to be resolved. */
  pending = [];
  #byKey = new Map();
  #aliases = new Map();
  #names;
  #clang;
  #declarations;
  #isOwnFile;

  /**
   * @param {InstanceType<typeof import('./clang.js').Clang>} clang
   * @param {InstanceType<typeof import('./names.js').Names>} names
   * @param {(file: string | undefined) => boolean} isOwnFile
   */
  constructor(clang, declarations, names, isOwnFile) {
    this.#clang = clang;
    this.#declarations = declarations;
    this.#names = names;
    this.#isOwnFile = isOwnFile;
  }

  #add(entity, wanted) {
    entity.name = this.#names.claim(wanted);
    this.all.push(entity);
    return entity;
  }

  /** Whether a type is declared in the header itself. */
  isOwn(cursor) {
    return this.#isOwnFile(this.#clang.place(cursor).file);
  }

  docOf(cursor) {
    return commentOf(this.#clang.text(this.#clang.c.clang_Cursor_getRawCommentText(cursor)));
  }

  /**
   * The type of a struct, a union or an enum.
   * @param {string} [place] a name for one that has none
   */
  ofTag(cursor, place) {
    const key = this.#clang.keyOf(cursor);
    const known = this.#byKey.get(key);
    if (known !== undefined) return known;
    // It may have been met in another unit.
    const global = this.#clang.globalKeyOf(cursor);
    const type = this.#byKey.get(global) ?? this.#make(cursor, place);
    this.#byKey.set(key, type);
    this.#byKey.set(global, type);
    return type;
  }

  #make(cursor, place) {
    const clang = this.#clang;
    const type = clang.c.clang_getCursorType(cursor);
    const spelling = clang.text(clang.c.clang_getTypeSpelling(type));
    // Nameless types are spelt with their place in parentheses.
    const c = spelling.includes('(') ? undefined : spelling;
    const name =
      this.#declarations.typedefOf(cursor) ?? c?.replace(/^(struct|union|enum) /, '') ?? place ?? 'anonymous';
    const definition = clang.c.clang_getCursorDefinition(cursor);
    const isComplete = clang.c.clang_Type_getSizeOf(type) >= 0n;
    const doc = this.docOf(isComplete ? definition : cursor);
    if (cursor.kind === Cursor.enum) {
      const members = isComplete ? this.enumeratorsOf(definition) : [];
      if (members.length === 0) return { kind: 'scalar', name: 'int' };
      const size = Number(clang.c.clang_Type_getSizeOf(type));
      return {
        kind: 'entity',
        entity: this.#add({ kind: 'enum', c, doc, members, ...integerOf(members, size) }, name),
      };
    }
    if (!isComplete) return { kind: 'incomplete', entity: this.#add({ kind: 'opaque', c, doc }, name) };
    const isUnion = cursor.kind === Cursor.union;
    const record = this.#add({ kind: 'record', isUnion, c, type, cursor: definition, doc, fields: [] }, name);
    record.layout = {
      size: Number(clang.c.clang_Type_getSizeOf(type)),
      align: Number(clang.c.clang_Type_getAlignOf(type)),
      offsets: {},
      bits: {},
    };
    this.pending.push(record);
    return { kind: 'entity', entity: record };
  }

  /** The constants of an enum: { name, value, doc }. */
  enumeratorsOf(cursor) {
    const clang = this.#clang;
    const { c } = clang;
    const isUnsigned = UNSIGNED.has(c.clang_getCanonicalType(c.clang_getEnumDeclIntegerType(cursor)).kind);
    const valueOf = isUnsigned ? c.clang_getEnumConstantDeclUnsignedValue : c.clang_getEnumConstantDeclValue;
    return clang
      .children(cursor)
      .filter(({ kind }) => kind === Cursor.enumerator)
      .map((each) => ({ name: clang.spelling(each), value: exact(BigInt(valueOf(each))), doc: this.docOf(each) }));
  }

  /** A function pointer by the name of its typedef; those of other headers are written out. */
  alias(name, type) {
    if (!this.#declarations.typedefs.has(name)) return type;
    if (!this.#aliases.has(name)) {
      this.#aliases.set(name, { kind: 'entity', entity: this.#add({ kind: 'alias', type, doc: [] }, name) });
    }
    return this.#aliases.get(name);
  }

  of(kind) {
    return this.all.filter((entity) => entity.kind === kind);
  }
}

/** The integer type of an enum, in which all of its values are what they are in C. */
function integerOf(members, size) {
  const numbers = members.map(({ value }) => Number(value));
  const isSigned = Math.min(...numbers) < 0 || Math.max(...numbers) < 2 ** (size * 8 - 1);
  return { size, type: `${isSigned ? 'i' : 'u'}${size * 8}` };
}

/** A 64-bit integer as a number where that is exact. */
const exact = (big) => (Number.isSafeInteger(Number(big)) && BigInt(Number(big)) === big ? Number(big) : big);

module.exports = { Entities, exact };
