'use strict';
// What a header declares: functions, variables and types, those of the header itself and, for when one of them is
// needed, the types of the headers that it includes.

const { readTree } = require('./syntax.js');

const TAGS = new Set(['RecordDecl', 'EnumDecl']);

/** A struct, a union or an enum: its syntax, and the names it has. */
class Tag {
  constructor(node, isOwn) {
    this.node = node;
    this.isOwn = isOwn;
    this.kind = node.kind === 'EnumDecl' ? 'enum' : node.tagUsed;
    this.tag = node.name;
    this.typedef = undefined;
  }

  /** As C writes it; undefined for one without a name. */
  get c() {
    return this.tag === undefined ? this.typedef : `${this.kind} ${this.tag}`;
  }

  /** The name of a type: that which a typedef gives it comes first. */
  get name() {
    return this.typedef ?? this.tag;
  }

  get isComplete() {
    return this.kind === 'enum'
      ? this.node.inner?.some(({ kind }) => kind === 'EnumConstantDecl') === true
      : this.node.completeDefinition === true;
  }
}

/** What a typedef names, if it is a struct, a union or an enum itself and no pointer to one. */
function tagOfTypedef(node) {
  for (
    let type = node.inner?.find(({ kind }) => kind.endsWith('Type'));
    type !== undefined;
    type = type.inner?.at(-1)
  ) {
    if (type.kind === 'RecordType' || type.kind === 'EnumType') return type.decl;
    if (type.kind !== 'ElaboratedType' && type.kind !== 'TypedefType') return undefined;
  }
  return undefined;
}

class Declarations {
  /** By name: the first declaration of each, in the order of the header. */
  functions = new Map();
  variables = new Map();
  /** Names of typedefs of the header itself. */
  ownTypedefs = [];
  /** Structs, unions and enums of the header itself. */
  ownTags = [];
  #tags = new Map();
  #byId = new Map();
  #typedefs = new Map();

  /** @param {object} declaration what readTree gives; `isOwn`: whether it is in the header itself */
  add(declaration, isOwn) {
    const { kind, id, name } = declaration;
    if (TAGS.has(kind))
      this.#addTag(isOwn ? this.#enter(declaration.parse(), true) : { later: declaration.keep() }, id, name);
    else if (kind === 'TypedefDecl')
      this.#addTypedef(isOwn ? { node: declaration.parse() } : { later: declaration.keep() }, name, isOwn);
    else if (isOwn && kind === 'FunctionDecl') this.#addFunction(declaration.parse());
    else if (isOwn && kind === 'VarDecl' && !this.variables.has(name)) this.variables.set(name, declaration.parse());
  }

  #addFunction(node) {
    const before = this.functions.get(node.name);
    // A later declaration may be the one that has the comment.
    const isCommented = ({ inner = [] }) => inner.some(({ kind }) => kind === 'FullComment');
    if (before === undefined || (!isCommented(before) && isCommented(node))) this.functions.set(node.name, node);
  }

  /** Registers the tags inside of a record, too: in C they are visible outside of it. */
  #enter(node, isOwn) {
    const tag = new Tag(node, isOwn);
    for (const inner of node.inner ?? []) {
      if (TAGS.has(inner.kind) && inner.name !== undefined)
        this.#addTag(this.#enter(inner, isOwn), inner.id, inner.name);
    }
    return tag;
  }

  #addTag(entry, id, name) {
    const holder = { entry };
    this.#byId.set(id, holder);
    if (entry instanceof Tag && entry.isOwn) this.ownTags.push(entry);
    if (name === undefined) return;
    if (!this.#tags.has(name)) this.#tags.set(name, []);
    this.#tags.get(name).push(holder);
  }

  #addTypedef(entry, name, isOwn) {
    this.#typedefs.set(name, entry);
    if (isOwn) this.ownTypedefs.push(name);
    if (isOwn) this.#name(entry.node);
  }

  /** Gives the tag that a typedef names its name. */
  #name(node) {
    const named = tagOfTypedef(node);
    const tag =
      named &&
      (named.name === undefined || named.name === '' ? this.#open(this.#byId.get(named.id)) : this.tag(named.name));
    if (tag !== undefined) tag.typedef ??= node.name;
    return tag;
  }

  #open(holder) {
    if (holder?.entry.later !== undefined) holder.entry = this.#enter(holder.entry.later(), false);
    return holder?.entry;
  }

  /** The struct, union or enum of a tag: its definition where there is one. */
  tag(name) {
    const all = (this.#tags.get(name) ?? []).map((holder) => this.#open(holder));
    const found = all.find((each) => each.isComplete) ?? all[0];
    if (found !== undefined && found.typedef === undefined) found.typedef = all.find((each) => each.typedef)?.typedef;
    return found;
  }

  /** The tag that a typedef names; undefined where it names something else. */
  tagOf(typedef) {
    const entry = this.#typedefs.get(typedef);
    if (entry === undefined) return undefined;
    entry.node ??= entry.later();
    return this.#name(entry.node);
  }

  /** The syntax of a typedef. */
  typedef(name) {
    const entry = this.#typedefs.get(name);
    if (entry !== undefined) entry.node ??= entry.later();
    return entry?.node;
  }
}

/**
 * Reads the declarations of a file.
 * @param {(file: string) => boolean} isOwn whether a file belongs to what is bound
 */
async function readDeclarations(clang, file, isOwn, onProgress) {
  const declarations = new Declarations();
  const onDeclaration = (each) => declarations.add(each, each.file !== undefined && isOwn(each.file));
  const { status, errors } = await readTree(clang, file, onDeclaration, onProgress);
  return { declarations, status, errors };
}

module.exports = { readDeclarations, Tag };
