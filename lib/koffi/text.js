'use strict';
// C text of koffi: types and prototypes. The parser is that of lib/cdef; names and qualifiers of koffi are added here.

const { parseDeclarator } = require('../cdef/declarator.js');
const { faultAt } = require('../cdef/fault.js');
const { Parser } = require('../cdef/parser.js');
const { Scope } = require('../cdef/scope.js');
const { parseSpecifiers } = require('../cdef/specifiers.js');
const { makeError } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { typeOfTableName } = require('./primitives.js');
const { findName, namesVersion } = require('./type.js');

/** Words of calling conventions: the platforms of the package have one convention each. */
const CONVENTION = /\b_{0,2}(?:cdecl|stdcall|fastcall|thiscall)\b/g;
const MARK = /^_(?:Out|Inout|In)_$/;

/** The names of koffi's types in front of those that C text may always use. */
class Names extends Scope {
  constructor(local) {
    super();
    this.local = local;
    this.isPlain = false;
  }

  typedef(name) {
    const type = this.local.get(name) ?? findName(name);
    return type === undefined ? super.typedef(name) : { kind: 'koffi', type, spelling: type.name };
  }
}

const ofC = lazy(() => require('../cdef/convert.js').measure);
const measure = {
  size: (type) => (type.kind === 'koffi' ? type.type.size : ofC().size(type)),
  align: (type) => (type.kind === 'koffi' ? type.type.alignment : ofC().align(type)),
  offset: (type, field) => ofC().offset(type, field),
};

/**
 * Arrays of arrays in the text of a type. In koffi each length makes an array of what stands before it, so that
 * `int[2][3]` has three arrays of two; in C, and in prototypes, it is two of three.
 */
function inOrderOfKoffi(type) {
  const lengths = [];
  let of = type;
  for (; of.kind === 'array'; { of } = of) lengths.push(of.length);
  return lengths.reduce((inner, length) => ({ kind: 'array', of: inner, length }), of);
}

/** Makes types of what the parser has read, by functions that make koffi's types. */
class Reader {
  #make;

  /**
   * @param {{ pointerTo: Function, arrayOf: Function, opaque: Function, disposable: Function, prototype: Function }}
   *   make
   */
  constructor(make) {
    this.#make = make;
  }

  /** The parser of a text whose conventions and `!` were replaced. */
  #parser(text) {
    const local = new Map();
    let rest = text.replace(CONVENTION, (word) => ' '.repeat(word.length));
    for (let i = 0; rest.includes('!'); i += 1) {
      const end = rest.indexOf('!');
      const start = Math.max(...['(', ',', ';'].map((mark) => rest.lastIndexOf(mark, end))) + 1;
      const parts = rest.slice(start, end).trim().split(/\s+/);
      if (parts[0] === '') throw faultAt(text, 0, "'!' stands behind the type that it is of");
      const marks = parts.filter((part) => MARK.test(part));
      const name = `disposable_${i}`;
      local.set(name, this.#make.disposable(this.type(parts.filter((part) => !MARK.test(part)).join(' '))));
      rest = `${rest.slice(0, start)}${marks.join(' ')} ${name} ${rest.slice(end + 1)}`;
    }
    return new Parser(rest, new Names(local), measure);
  }

  /** A type, such as `int`, `const char *` or `float [8]`. */
  type(text) {
    const parser = this.#parser(text);
    const { type: base } = parseSpecifiers(parser);
    let whole = inOrderOfKoffi(parseDeclarator(parser, 'type').apply(base));
    while (parser.tokens.accept('*')) whole = { kind: 'pointer', to: whole };
    const rest = parser.tokens.peek();
    if (rest.kind !== 'end') throw parser.tokens.fault(rest, `expected the end of the type, found '${rest.text}'`);
    const type = this.#convert(whole);
    if (type === undefined) throw makeError('ERR_INVALID_ARG_VALUE', `Unknown or invalid type name '${text}'`);
    return type;
  }

  /** A prototype: { name, returns, parameters: [{ type, direction }], isVariadic }. */
  prototype(text) {
    const scope = this.#parser(text.trim().replace(/;?$/, ';')).parse();
    const [[name, declared] = [], ...others] = [...scope.functions];
    if (name === undefined || others.length > 0)
      throw faultAt(text, 0, 'expected one prototype, such as `int atoi(const char *)`');
    return { name, ...this.#signature(declared.type) };
  }

  #signature({ parameters, returns, isVariadic }) {
    return {
      returns: this.#convert(returns),
      parameters: parameters.map(({ type, marks }) => ({
        type: this.#convert(type),
        direction: marks.out ? 'Output' : marks.inout ? 'InputOutput' : 'Input',
      })),
      isVariadic,
    };
  }

  #convert(type) {
    switch (type.kind) {
      case 'koffi':
        return type.type;
      case 'scalar':
        return findName(type.name) ?? typeOfTableName(type.name);
      case 'pointer':
        return this.#make.pointerTo(this.#convert(type.to));
      case 'array':
        if (!type.length) throw makeError('ERR_INVALID_ARG_VALUE', 'an array type needs a length, such as int[4]');
        return this.#make.arrayOf(this.#convert(type.of), type.length);
      case 'function':
        return this.#make.prototype(this.#signature(type));
      case 'unsupported':
        throw faultAt(type.text, type.at, type.reason);
      case 'record':
        return findName(type.record.tag ?? '') ?? this.#make.opaque();
      default:
        throw makeError('ERR_INVALID_ARG_VALUE', 'an enum is declared by koffi.enumeration()');
    }
  }
}

/** The parsed form of texts, valid while the names mean the same. */
let known = new Map();
let knownVersion = 0;

/** The type of a text, which is read once. */
function typeOfText(reader, text) {
  if (knownVersion !== namesVersion()) {
    known = new Map();
    knownVersion = namesVersion();
  }
  let type = known.get(text);
  if (type === undefined) type = findName(text);
  if (type === undefined) {
    try {
      type = reader.type(text);
    } catch (error) {
      if (error.code !== 'ERR_FFI_DECLARATION_INVALID' || !/^\s*\w+\s*$/.test(text)) throw error;
      throw makeError('ERR_INVALID_ARG_VALUE', `Unknown or invalid type name '${text.trim()}'`, { cause: error });
    }
  }
  if (known.size < 1000) known.set(text, type);
  return type;
}

module.exports = { Reader, typeOfText };
