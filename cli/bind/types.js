'use strict';
// A type of C, as clang's syntax tree has it, as a type of a declaration:
//   { kind: 'scalar', name }  { kind: 'pointer', to }  { kind: 'array', of, length }
//   { kind: 'fn', args, returns, varargs }  { kind: 'entity', entity }: a struct, a union, an enum, an opaque type, a
//   named function pointer.

/** What the package has no type for. */
class Unsupported extends Error {}

const scalar = (name) => ({ kind: 'scalar', name });
const PTR = scalar('ptr');

/** Names that mean the same on every platform, whatever they are there. */
const WELL_KNOWN = new Map(
  [
    ...['size_t', 'ssize_t', 'intptr_t', 'uintptr_t', 'ptrdiff_t', 'wchar_t', 'char16_t', 'char32_t'],
    ...[8, 16, 32, 64].flatMap((bits) => [`int${bits}_t`, `uint${bits}_t`]),
  ].map((name) => [name, name]),
);

const BUILTIN = new Map([
  ...[
    'char',
    'signed char',
    'unsigned char',
    'short',
    'unsigned short',
    'int',
    'unsigned int',
    'long',
    'unsigned long',
    'long long',
    'unsigned long long',
    'float',
    'double',
    'void',
  ].map((name) => [name, name]),
  ['_Bool', 'bool'],
  ['bool', 'bool'],
]);

const VA_LIST = /^(__builtin_|__gnuc_)?va_list$|__va_list_tag/;

// In C such names belong to the compiler and its library: nobody is meant to look inside of what they name.
const isReserved = (name) => /^_[_A-Z]/.test(name);

const innermost = (node) => node.inner?.at(-1);

/** The kinds that only say how a type was written. */
const isSugar = (kind) =>
  /^(Elaborated|Paren|TypeOf|TypeOfExpr|Attributed|MacroQualified|Using|BTFTagAttributed|Decltype|CountAttributed)Type$/.test(
    kind,
  );

class Types {
  #declarations;
  #entities;

  /**
   * @param {import('./declarations').Declarations} declarations
   * @param {import('./entities').Entities} entities
   */
  constructor(declarations, entities) {
    this.#declarations = declarations;
    this.#entities = entities;
  }

  /**
   * @param {object} node
   * @param {{ anonymous?: object, path?: string, name?: string }} place for a record without a name: the record, a C
   *   expression of its type, and a name for it
   */
  resolve(node, place = {}) {
    if (node === undefined) throw new Unsupported('the compiler does not tell its type');
    if (node.kind === 'QualType') return this.resolve(innermost(node), place);
    if (node.kind === 'TypedefType') return this.#typedef(node, place);
    if (isSugar(node.kind)) return this.resolve(innermost(node), place);
    switch (node.kind) {
      case 'BuiltinType':
        return this.#builtin(node.type.qualType);
      case 'PointerType':
        return this.#pointer(innermost(node), place);
      // An array that is a parameter: what it became stands last.
      case 'DecayedType':
      case 'AdjustedType':
        return this.resolve(innermost(node), place);
      case 'ConstantArrayType':
        return this.#array(node, place);
      case 'IncompleteArrayType':
        throw new Unsupported('an array of unknown length');
      case 'RecordType':
      case 'EnumType':
        return this.#tag(node.decl.name, place);
      case 'FunctionProtoType':
        return this.#function(node);
      case 'FunctionNoProtoType':
        throw new Unsupported('the types of its parameters are not declared');
      default:
        throw new Unsupported(`${node.type?.qualType ?? 'it'} has no counterpart`);
    }
  }

  #builtin(name) {
    const known = BUILTIN.get(name);
    if (known === undefined) throw new Unsupported(`${name} has no counterpart`);
    return scalar(known);
  }

  #typedef(node, place) {
    const { name } = node.decl;
    if (WELL_KNOWN.has(name)) return scalar(WELL_KNOWN.get(name));
    if (VA_LIST.test(name)) throw new Unsupported('va_list has no counterpart');
    const tag = this.#declarations.tagOf(name);
    if (tag !== undefined) return this.#entities.ofTag(tag);
    const type = this.resolve(innermost(node), place);
    return type.kind === 'fn' && this.#isPointer(node) ? this.#entities.alias(name, type) : type;
  }

  #isPointer(node) {
    for (let type = innermost(node); type !== undefined; type = innermost(type)) {
      if (type.kind === 'PointerType') return true;
      if (!isSugar(type.kind) && type.kind !== 'TypedefType' && type.kind !== 'QualType') return false;
    }
    return false;
  }

  #tag(name, { anonymous, path, name: hint }) {
    if (name === undefined || name === '') {
      if (anonymous === undefined) throw new Unsupported('a type without a name');
      return this.#entities.ofAnonymous(anonymous, path, hint);
    }
    if (VA_LIST.test(name)) throw new Unsupported('va_list has no counterpart');
    const tag = this.#declarations.tag(name);
    if (tag === undefined) throw new Unsupported(`${name} is not declared`);
    return this.#entities.ofTag(tag);
  }

  #array(node, place) {
    if (node.size === 0) throw new Unsupported('an array of no elements');
    return {
      kind: 'array',
      length: node.size,
      of: this.resolve(innermost(node), { ...place, path: place.path && `(${place.path})[0]` }),
    };
  }

  #function(node) {
    const [returns, ...args] = node.inner.map((inner) => this.resolve(inner));
    return { kind: 'fn', args, returns, varargs: node.variadic === true };
  }

  #pointer(node, place) {
    const { type: pointee, isConst } = this.#unqualified(node);
    if (/^Function(Proto|NoProto)Type$/.test(pointee.kind)) return this.#functionPointer(pointee);
    const wellKnown = this.#wellKnownName(node);
    if (isConst && TEXTS[wellKnown] !== undefined) return scalar(TEXTS[wellKnown]);
    if (pointee.kind === 'BuiltinType') {
      const { qualType } = pointee.type;
      if (isConst && qualType === 'char') return scalar('cstring');
      if (/char$|^void$|^_Bool$/.test(qualType)) return PTR;
    }
    if (pointee.kind === 'RecordType' && VA_LIST.test(pointee.decl.name))
      throw new Unsupported('va_list has no counterpart');
    if (pointee.kind === 'RecordType' && !this.#isLookedInto(pointee)) return PTR;
    return this.#pointerTo(() => this.resolve(node, { ...place, path: place.path && `*(${place.path})` }));
  }

  #pointerTo(resolve) {
    try {
      const to = resolve();
      // What has no definition is only ever pointed to: the pointer is the opaque type.
      if (to.kind === 'incomplete') return { kind: 'entity', entity: to.entity };
      return to.kind === 'scalar' && to.name === 'void' ? PTR : { kind: 'pointer', to };
    } catch (error) {
      if (error instanceof Unsupported) return PTR;
      throw error;
    }
  }

  /**
   * A function that C calls. A text that a count follows may have no NUL at its end, so it is not read. Where the types
   * have no counterpart, an address or a JSCallback can be passed.
   */
  #functionPointer(node) {
    try {
      const type = this.resolve(node);
      return { ...type, args: type.args.map((arg, i) => (isText(arg) && isCount(type.args[i + 1]) ? PTR : arg)) };
    } catch (error) {
      if (error instanceof Unsupported) return scalar('function');
      throw error;
    }
  }

  /** Whether a pointer to a record is one to its fields: not where they are the C library's own. */
  #isLookedInto({ decl: { name } }) {
    if (name === undefined || name === '') return true;
    const tag = this.#declarations.tag(name);
    return tag === undefined || tag.isOwn || !isReserved(name);
  }

  /** A type without its qualifiers and other names, and whether it is const. */
  #unqualified(node) {
    let isConst = false;
    let type = node;
    while (type.kind === 'QualType' || type.kind === 'TypedefType' || isSugar(type.kind)) {
      if (type.kind === 'QualType') isConst ||= /\bconst\b/.test(type.qualifiers);
      type = innermost(type);
    }
    return { type, isConst };
  }

  #wellKnownName(node) {
    for (let type = node; type !== undefined; type = innermost(type)) {
      if (type.kind === 'TypedefType' && WELL_KNOWN.has(type.decl.name)) return type.decl.name;
      if (type.kind !== 'QualType' && type.kind !== 'TypedefType' && !isSugar(type.kind)) return undefined;
    }
    return undefined;
  }
}

const TEXTS = { wchar_t: 'wstring', char16_t: 'utf16' };

const isText = (type) => type.kind === 'scalar' && /^(cstring|wstring|utf16)$/.test(type.name);
const isCount = (type) =>
  type?.kind === 'scalar' &&
  /^(unsigned |signed )?(int|long|long long|short)$|^s?size_t$|^u?int(32|64)_t$/.test(type.name);

module.exports = { Types, Unsupported, scalar, PTR };
