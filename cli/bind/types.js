'use strict';
// A type of C as a type of a declaration:
//   { kind: 'scalar', name }  { kind: 'pointer', to }  { kind: 'array', of, length }
//   { kind: 'fn', args, returns, varargs }  { kind: 'entity', entity }: a struct, a union, an enum, an opaque type, a
//   named function pointer.

const { Type } = require('./clang.js');

/** The error for a type of C that the package does not have. */
class Unsupported extends Error {}

const scalar = (name) => ({ kind: 'scalar', name });
const isScalar = (type, name) => type?.kind === 'scalar' && type.name === name;
const PTR = scalar('ptr');
/** A pointer to characters, which C does not promise to be text. */
const CHARACTERS = { kind: 'scalar', name: 'ptr', isCharacters: true };

/** Names that mean the same on every platform, whatever they are there. */
const WELL_KNOWN = new Map(
  [
    ...['size_t', 'ssize_t', 'intptr_t', 'uintptr_t', 'ptrdiff_t', 'wchar_t', 'char16_t', 'char32_t'],
    ...[8, 16, 32, 64].flatMap((bits) => [`int${bits}_t`, `uint${bits}_t`]),
  ].map((name) => [name, name]),
);

/** The names of the kinds of types that the compiler has built in. */
const BUILTIN = new Map([
  [2, 'void'],
  [3, 'bool'],
  [4, 'char'],
  [5, 'unsigned char'],
  [8, 'unsigned short'],
  [9, 'unsigned int'],
  [10, 'unsigned long'],
  [11, 'unsigned long long'],
  [13, 'char'],
  [14, 'signed char'],
  [16, 'short'],
  [17, 'int'],
  [18, 'long'],
  [19, 'long long'],
  [21, 'float'],
  [22, 'double'],
]);

const VA_LIST = /^(__builtin_|__gnuc_)?va_list$|__va_list(_tag)?$/;
const TEXTS = { wchar_t: 'wstring', char16_t: 'utf16' };

// In C such names belong to the compiler and its library: programs must not look inside of the types that they name.
const isReserved = (name) => /^_[_A-Z]/.test(name);

class Types {
  #clang;
  #entities;
  #isText;

  /**
   * @param {InstanceType<typeof import('./clang.js').Clang>} clang
   * @param {InstanceType<typeof import('./entities.js').Entities>} entities
   * @param {(name: string) => boolean} isText whether the user said that pointers to a typedef of that name are text
   */
  constructor(clang, entities, isText) {
    this.#clang = clang;
    this.#entities = entities;
    this.#isText = isText;
  }

  /**
   * @param {any} type a CXType
   * @param {string} [name] for a struct, union or enum that has none
   */
  resolve(type, name) {
    const { c } = this.#clang;
    const builtin = BUILTIN.get(type.kind);
    if (builtin !== undefined) return scalar(builtin);
    switch (type.kind) {
      case Type.typedef:
        return this.#typedef(type, name);
      case Type.elaborated:
        return this.resolve(c.clang_Type_getNamedType(type), name);
      case Type.attributed:
        return this.resolve(c.clang_Type_getModifiedType(type), name);
      case Type.pointer:
        return this.#pointer(c.clang_getPointeeType(type), name);
      case Type.array: {
        const length = Number(c.clang_getArraySize(type));
        if (length === 0) throw new Unsupported('an array of no elements');
        return { kind: 'array', length, of: this.resolve(c.clang_getArrayElementType(type), name) };
      }
      case Type.openArray:
      case Type.variableArray:
        throw new Unsupported('an array of unknown length');
      case Type.record:
      case Type.enum:
        return this.#tag(type, name);
      case Type.function:
        return this.#function(type);
      case Type.functionWithoutTypes:
        throw new Unsupported('the types of its parameters are not declared');
      default:
        return this.#other(type, name);
    }
  }

  /** Parentheses and typeof, which libclang has no kind for; and what has no counterpart. */
  #other(type, name) {
    const { c } = this.#clang;
    if (type.kind === Type.unexposed) {
      if (this.#isFunction(type)) return this.#function(type);
      const canonical = c.clang_getCanonicalType(type);
      if (canonical.kind !== Type.unexposed && canonical.kind !== Type.invalid) return this.resolve(canonical, name);
    }
    const spelling = this.spelling(type);
    if (VA_LIST.test(spelling)) throw new Unsupported('va_list has no counterpart');
    throw new Unsupported(`${spelling === '' ? 'it' : spelling} has no counterpart`);
  }

  spelling(type) {
    return this.#clang.text(this.#clang.c.clang_getTypeSpelling(type));
  }

  #isFunction(type) {
    return this.#clang.c.clang_getResultType(type).kind !== Type.invalid;
  }

  #nameOf(type) {
    return this.#clang.spelling(this.#clang.c.clang_getTypeDeclaration(type));
  }

  #underlying(type) {
    const { c } = this.#clang;
    return c.clang_getTypedefDeclUnderlyingType(c.clang_getTypeDeclaration(type));
  }

  #typedef(type, place) {
    const name = this.#nameOf(type);
    if (WELL_KNOWN.has(name)) return scalar(WELL_KNOWN.get(name));
    if (VA_LIST.test(name)) throw new Unsupported('va_list has no counterpart');
    const underlying = this.#underlying(type);
    const isPointer = underlying.kind === Type.pointer;
    const found = this.resolve(underlying, isPointer ? `${name}_value` : place);
    return found.kind === 'fn' && isPointer ? this.#entities.alias(name, found) : found;
  }

  #tag(type, name) {
    const cursor = this.#clang.c.clang_getTypeDeclaration(type);
    if (VA_LIST.test(this.#clang.spelling(cursor))) throw new Unsupported('va_list has no counterpart');
    return this.#entities.ofTag(cursor, name);
  }

  #function(type) {
    const { c } = this.#clang;
    const canonical = c.clang_getCanonicalType(type);
    if (canonical.kind === Type.functionWithoutTypes)
      throw new Unsupported('the types of its parameters are not declared');
    const count = c.clang_getNumArgTypes(type);
    const args = Array.from({ length: count }, (_, i) => this.#parameter(c.clang_getArgType(type, i)));
    const returns = this.resolve(c.clang_getResultType(type));
    return { kind: 'fn', args, returns, varargs: c.clang_isFunctionTypeVariadic(type) !== 0 };
  }

  /** An array that is a parameter is a pointer to its first element; a function, one to the function. */
  #parameter(type) {
    const { c } = this.#clang;
    const { type: bare } = this.#unqualified(type);
    if (VA_LIST.test(this.spelling(type))) throw new Unsupported('va_list has no counterpart');
    if ([Type.array, Type.openArray, Type.variableArray].includes(bare.kind))
      return this.#pointer(c.clang_getArrayElementType(bare));
    return bare.kind === Type.function ? this.#functionPointer(bare) : this.resolve(type);
  }

  #pointer(pointee, place) {
    const { type, isConst, names } = this.#unqualified(pointee);
    if (type.kind === Type.function || type.kind === Type.functionWithoutTypes || this.#isFunction(type))
      return this.#functionPointer(type);
    const wellKnown = names.find((name) => WELL_KNOWN.has(name));
    if (isConst && TEXTS[wellKnown] !== undefined) return scalar(TEXTS[wellKnown]);
    const builtin = BUILTIN.get(type.kind);
    if (builtin !== undefined) {
      const isCharacters = builtin.endsWith('char');
      if ((isConst && builtin === 'char') || (isCharacters && names.some(this.#isText))) return scalar('cstring');
      if (isCharacters) return CHARACTERS;
      if (builtin === 'void' || builtin === 'bool') return PTR;
    }
    if (type.kind === Type.record) {
      const name = this.#nameOf(type);
      if (VA_LIST.test(name)) throw new Unsupported('va_list has no counterpart');
      if (isReserved(name) && !this.#entities.isOwn(this.#clang.c.clang_getTypeDeclaration(type))) return PTR;
    }
    return this.#pointerTo(() => this.resolve(pointee, place));
  }

  #pointerTo(resolve) {
    try {
      const to = resolve();
      // A type without a definition is only used behind pointers: the pointer is the opaque type.
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
  #functionPointer(pointee) {
    try {
      const type = this.#function(pointee);
      return { ...type, args: type.args.map((arg, i) => (isText(arg) && isCount(type.args[i + 1]) ? PTR : arg)) };
    } catch (error) {
      if (error instanceof Unsupported) return scalar('function');
      throw error;
    }
  }

  /** A type without its qualifiers and other names: whether it is const, and the typedefs that were met. */
  #unqualified(type) {
    const { c } = this.#clang;
    const names = [];
    let isConst = false;
    let bare = type;
    for (;;) {
      isConst ||= c.clang_isConstQualifiedType(bare) !== 0;
      if (bare.kind === Type.typedef) {
        names.push(this.#nameOf(bare));
        bare = this.#underlying(bare);
      } else if (bare.kind === Type.elaborated) bare = c.clang_Type_getNamedType(bare);
      else if (bare.kind === Type.attributed) bare = c.clang_Type_getModifiedType(bare);
      else if (bare.kind === Type.unexposed && !this.#isFunction(bare)) {
        const canonical = c.clang_getCanonicalType(bare);
        if (canonical.kind === Type.unexposed) break;
        bare = canonical;
      } else break;
    }
    return { type: bare, isConst, names };
  }
}

const isText = (type) => type.kind === 'scalar' && /^(cstring|wstring|utf16)$/.test(type.name);
const isCount = (type) =>
  type?.kind === 'scalar' &&
  /^(unsigned |signed )?(int|long|long long|short)$|^s?size_t$|^u?int(32|64)_t$/.test(type.name);

module.exports = { Types, Unsupported, scalar, isScalar };
