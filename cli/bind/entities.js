'use strict';
// The types that a module declares: one object each, made when the type is first met, with what is still to be asked.

const { commentOf } = require('./comments.js');
const { Tag } = require('./declarations.js');

const TAGS = new Set(['RecordDecl', 'EnumDecl']);

/** The fields of a record as they are written, each with the unnamed type that stands before it. */
function fieldsOf(node) {
  const fields = [];
  let anonymous;
  for (const inner of node.inner ?? []) {
    if (TAGS.has(inner.kind) && inner.name === undefined) anonymous = inner;
    if (inner.kind === 'FieldDecl') fields.push({ node: inner, anonymous });
  }
  return fields;
}

class Entities {
  /** In the order in which they were met: records, enums, opaque types, function pointers with a name. */
  all = [];
  /** Records whose fields are still to be resolved. */
  pending = [];
  #byTag = new Map();
  #aliases = new Map();
  #names;
  #ownTypedefs;

  /**
   * @param {import('./names').Names} names
   * @param {string[]} ownTypedefs names of typedefs that the header itself makes
   */
  constructor(names, ownTypedefs) {
    this.#names = names;
    this.#ownTypedefs = new Set(ownTypedefs);
  }

  #add(entity, wanted) {
    entity.name = this.#names.claim(wanted);
    this.all.push(entity);
    return entity;
  }

  /** The type of a struct, a union or an enum that has a name. */
  ofTag(tag) {
    const key = tag.node;
    const known = this.#byTag.get(key);
    if (known !== undefined) return known;
    const type = this.#make(tag);
    this.#byTag.set(key, type);
    return type;
  }

  #make(tag) {
    const doc = commentOf(tag.node);
    if (tag.kind === 'enum') {
      if (!tag.isComplete) return { kind: 'scalar', name: 'int' };
      return { kind: 'entity', entity: this.#add({ kind: 'enum', c: tag.c, node: tag.node, doc }, tag.name) };
    }
    if (!tag.isComplete) return { kind: 'incomplete', entity: this.#add({ kind: 'opaque', c: tag.c, doc }, tag.name) };
    return { kind: 'entity', entity: this.#record(tag, `(*(${tag.c} *)0)`, tag.name, doc) };
  }

  #record(tag, expression, name, doc) {
    const record = this.#add(
      {
        kind: 'record',
        isUnion: tag.kind === 'union',
        c: tag.c,
        expression,
        written: fieldsOf(tag.node),
        doc,
        fields: [],
      },
      name,
    );
    this.pending.push(record);
    return record;
  }

  /**
   * The type of a record or enum without a name.
   * @param {object} node
   * @param {string | undefined} expression an expression of C that is of the type
   * @param {string} name what it is called here
   */
  ofAnonymous(node, expression, name) {
    const known = this.#byTag.get(node);
    if (known !== undefined) return known;
    const tag = new Tag(node, true);
    const entity =
      tag.kind === 'enum'
        ? this.#add({ kind: 'enum', c: undefined, node, doc: commentOf(node) }, name)
        : this.#record(tag, expression, name, commentOf(node));
    const type = { kind: 'entity', entity };
    this.#byTag.set(node, type);
    return type;
  }

  /** The type of a member without a name, whose fields are reached as if they were those around it. */
  ofMember(node, outer, name) {
    const type = this.ofAnonymous(node, outer.expression, name);
    type.entity.memberOf = outer;
    return type;
  }

  /** A function pointer by the name of its typedef; those of other headers are written out. */
  alias(name, type) {
    if (!this.#ownTypedefs.has(name)) return type;
    if (!this.#aliases.has(name)) {
      this.#aliases.set(name, { kind: 'entity', entity: this.#add({ kind: 'alias', type, doc: [] }, name) });
    }
    return this.#aliases.get(name);
  }

  of(kind) {
    return this.all.filter((entity) => entity.kind === kind);
  }
}

module.exports = { Entities };
