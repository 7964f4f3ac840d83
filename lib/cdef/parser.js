'use strict';
// Declarations of C -> a scope. Records and enumerations are in records.js, declarators in declarator.js.

const { lazy } = require('../lazy.js');
const { parseDeclarator, parseTypeName } = require('./declarator.js');
const { positionOf } = require('./fault.js');
const { joinLines } = require('./lexer.js');
const { KNOWN } = require('./names.js');
const { readPrototype, startReading } = require('./plain.js');
const { isSameType } = require('./same-type.js');
const { Scope } = require('./scope.js');
const { acceptStaticAssert, parseSpecifiers, startsType } = require('./specifiers.js');
const { Tokens, named } = require('./tokens.js');
const { describeType, isInteger, isVoid, scalar } = require('./types.js');

// Loaded for texts that have constants, structs or enumerations.
const constants = lazy(() => require('./constants.js'));
const expressionTypes = lazy(() => require('./expression-type.js'));
const expressions = lazy(() => require('./expression.js'));
const offsets = lazy(() => require('./offset.js'));
const records = lazy(() => require('./records.js'));

/** A text that is nested deeper than this is none that a person has written. */
const MOST_DEPTH = 200;

/** A function that was read without the parser. It is parsed when its C type or its marks are needed. */
class PlainFunction {
  #declared;

  /**
   * @param {string} text the whole text
   * @param {number} at where its name is
   * @param {object} plain its declaration
   * @param {() => any} parse
   */
  constructor(text, at, plain, parse) {
    this.text = text;
    this.at = at;
    this.plain = plain;
    this.parse = parse;
  }

  get type() {
    return (this.#declared ??= this.parse()).type;
  }

  get marks() {
    return (this.#declared ??= this.parse()).marks;
  }
}

class Parser {
  #depth = 0;
  #measure;
  #expressions;
  #reading;
  #packs = [undefined];

  /**
   * @param {string} text
   * @param {InstanceType<typeof import('./scope.js').Scope>} scope where the declarations go
   * @param {{ size: (type: any) => number, align: (type: any) => number,
   *   offset: (type: any, field: string) => number }} measure of complete types
   */
  constructor(text, scope, measure) {
    this.scope = scope;
    scope.text = joinLines(text);
    this.#measure = measure;
    this.tokens = new Tokens(scope.text, {
      onDefine: ({ text: name, value }) => {
        scope.isPlain = false;
        scope.macros.set(name, value);
      },
      onUndefine: ({ text: name }) => scope.undefine(name),
      onPack: (token) => this.#pack(token),
      macro: (name) => scope.macro(name),
    });
  }

  /** The evaluator of constant expressions. */
  get expressions() {
    return (this.#expressions ??= new (expressions().Expressions)(this));
  }

  /** Reads the whole text. */
  parse() {
    const { tokens, scope } = this;
    let blocks = 0;
    for (;;) {
      tokens.drop();
      if (this.#plainPrototype() || tokens.accept(';')) continue;
      if (blocks > 0 && tokens.accept('}')) blocks -= 1;
      else if (tokens.peek().kind === 'end') break;
      else if (this.#acceptExternC()) blocks += 1;
      else this.#declaration();
    }
    if (blocks > 0) throw tokens.fault(tokens.peek(), '`extern "C" {` has no \'}\'');
    scope.macros.forEach((value, name) => value !== null && this.#addConstant(name, value));
    return scope;
  }

  /** Takes a prototype of plain types, unless the text may give their names another meaning. */
  #plainPrototype() {
    const { tokens, scope } = this;
    const at = scope.isPlain ? tokens.offset : undefined;
    if (at === undefined) return false;
    this.#reading ??= startReading(tokens.text);
    const declaration = readPrototype(this.#reading, at);
    if (declaration === undefined) return false;
    const { name, end, open } = this.#reading;
    if (scope.functions.has(name) || scope.variables.has(name)) return false;
    tokens.offset = end;
    const { text } = tokens;
    const parse = () => this.#parseAlone(text.slice(at, end)).functions.get(name);
    scope.functions.set(name, new PlainFunction(text, open - name.length, declaration, parse));
    return true;
  }

  #parseAlone(text) {
    const scope = new Scope();
    scope.isPlain = false;
    return new Parser(text, scope, this.#measure).parse();
  }

  /** Reads a text that is one type, with a name in it or not. */
  parseType() {
    const { type } = parseSpecifiers(this);
    const whole = parseDeclarator(this, 'alone').apply(type);
    this.tokens.accept(';');
    const rest = this.tokens.peek();
    if (rest.kind !== 'end') throw this.tokens.fault(rest, `expected the end of the type, found ${named(rest)}`);
    return whole;
  }

  /** The widest alignment of fields by `#pragma pack(n)`, `pack(push, n)`, `pack(pop)`; undefined without one. */
  get pack() {
    return this.#packs.at(-1);
  }

  #pack(token) {
    const parts = token.text.split(',').map((part) => part.trim());
    const packs = this.#packs;
    const bytes = parts.at(-1);
    if (parts[0] === 'pop') {
      if (packs.length > 1) packs.pop();
      return;
    }
    if (parts[0] === 'push') packs.push(this.pack);
    if (/^(?:1|2|4|8|16)$/.test(bytes)) packs[packs.length - 1] = Number(bytes);
    else if (bytes === '' && parts.length === 1) packs[packs.length - 1] = undefined;
    else if (parts[0] !== 'push' || /^\d/.test(bytes))
      throw this.tokens.fault(token, `#pragma pack(${token.text}) is not understood; it takes 1, 2, 4, 8 or 16`);
  }

  /** Takes `extern "C" {`; of `extern "C" int f();` the first two words. */
  #acceptExternC() {
    const { tokens } = this;
    if (!tokens.is('extern') || tokens.peek(1).kind !== 'string') return false;
    tokens.next();
    tokens.next();
    return tokens.accept('{') !== undefined;
  }

  #declaration() {
    const { tokens } = this;
    if (acceptStaticAssert(this)) return;
    const specifiers = parseSpecifiers(this);
    if (tokens.is(';') || tokens.peek().kind === 'end') {
      tokens.accept(';');
      const { record } = specifiers.type;
      if (record !== undefined) record.isDeclared = true;
      else if (specifiers.type.kind !== 'enum') throw tokens.fault(specifiers.at, 'a type without a name to declare');
      return;
    }
    for (;;) {
      if (this.#declare(specifiers)) return;
      if (tokens.accept(',')) continue;
      if (tokens.peek().kind === 'end' || tokens.accept(';')) return;
      throw this.#afterDeclarator(tokens.peek());
    }
  }

  #afterDeclarator(token) {
    if (token.text === '{')
      return this.tokens.fault(token, "a function body; end the declaration with ';' (`cc` compiles bodies)");
    if (token.text === 'noexcept' || token.text === 'throw')
      return this.tokens.fault(token, `'${token.text}' is C++; leave it out`);
    return this.tokens.fault(token, `expected ';' after a declaration, found ${named(token)}`);
  }

  /** Declares one name. Returns whether it had a body, which ends the declaration. */
  #declare(specifiers) {
    const { tokens, scope } = this;
    const { name, apply, attributes } = parseDeclarator(this, 'name');
    const { label } = attributes;
    if (name === undefined) throw tokens.fault(tokens.peek(), `expected a name, found ${named(tokens.peek())}`);
    const type = apply(specifiers.type);
    const { storage } = specifiers;
    if (storage?.text === 'auto' || storage?.text === 'register')
      throw tokens.fault(storage, `'${storage.text}' is for variables in functions`);
    if (specifiers.isTypedef) this.#typedef(name, type, specifiers, attributes);
    else if (type.kind === 'function' && specifiers.isLocal && tokens.is('{')) {
      tokens.skipGroup(tokens.next(), '}');
      return true;
    } else if (this.#isRepeated(name, type) && type.isUnspecified) return false;
    else if (type.kind === 'function')
      scope.functions.set(name.text, { type, marks: specifiers.marks, at: name.at, text: tokens.text, label });
    else if (isVoid(type)) throw tokens.fault(name, `${name.text} is of type void`);
    else {
      scope.variables.set(name.text, { type, at: name.at, text: tokens.text });
      if (tokens.accept('=')) constants().takeInitializer(this, name, type, specifiers);
    }
    return false;
  }

  /** Whether the text has declared a name before. Throws where it was another type. */
  #isRepeated(name, type) {
    const { functions, variables } = this.scope;
    const before = functions.get(name.text) ?? variables.get(name.text);
    if (before === undefined) return false;
    if (!isSameType(before.type, type)) throw this.#conflict(name, before);
    return true;
  }

  #conflict(name, { at }) {
    const { line } = positionOf(this.tokens.text, at);
    return this.tokens.fault(
      name,
      `${name.text} is declared with another type on line ${line}; leave the declaration that is meant`,
    );
  }

  #typedef(name, type, { type: base, attributes: before }, attributes) {
    const changed = this.#withAttributes(name, type, base, before, attributes);
    // `typedef struct s s;` says that there is such a struct, which only C looks into unless its body follows.
    if (base.record !== undefined && !base.record.isKnown) {
      base.record.isDeclared = true;
      base.record.name ??= name.text;
    }
    if (base.enumeration !== undefined) base.enumeration.name ??= name.text;
    if (KNOWN.has(name.text)) this.scope.isPlain = false;
    const known = this.scope.typedefs.get(name.text);
    if (known !== undefined && !isSameType(known, changed))
      throw this.tokens.fault(
        name,
        `${name.text} is declared as another type before; leave the declaration that is meant`,
      );
    this.scope.typedefs.set(name.text, changed);
  }

  /** The type that the attributes of a typedef make of its type. */
  #withAttributes(name, type, base, before, attributes) {
    const unsupported = (reason, at) => ({ kind: 'unsupported', reason, at, text: this.tokens.text });
    const { unsupported: found = before.unsupported, mode = before.mode } = attributes;
    if (found !== undefined) return unsupported(found.reason, found.at);
    if (mode !== undefined) {
      const isUnsigned = type.kind === 'scalar' && type.name.startsWith('unsigned');
      return isInteger(type) && mode.bytes <= 8
        ? scalar(`${isUnsigned ? 'u' : ''}int${mode.bytes * 8}_t`, name.text)
        : unsupported(`${name.text} has a mode that has no counterpart`, name.at);
    }
    const align = attributes.align ?? (base.record?.align === before.align ? undefined : before.align);
    if (align === undefined || type.kind === 'unsupported' || align === this.alignIfKnown(type, name)) return type;
    return unsupported(
      `${name.text} has an alignment that its type has not; put the attribute behind 'struct'`,
      name.at,
    );
  }

  // ---- what the parts of the parser ask for -------------------------------------------------------------------------

  enter() {
    this.#depth += 1;
    if (this.#depth > MOST_DEPTH) throw this.tokens.fault(this.tokens.peek(), `nested more than ${MOST_DEPTH} deep`);
  }

  leave() {
    this.#depth -= 1;
  }

  startsType() {
    return startsType(this);
  }

  typeName() {
    this.enter();
    const type = parseTypeName(this);
    this.leave();
    return type;
  }

  /** The type of the expression in the parentheses of typeof(...) or sizeof(...). */
  typeOfExpression() {
    return expressionTypes().typeOfExpression(this);
  }

  typeOfOperand() {
    return expressionTypes().typeOfOperand(this);
  }

  textOf(token) {
    return expressions().textOf(token);
  }

  parseEnum() {
    return records().parseEnum(this);
  }

  parseRecord(keyword, found) {
    return records().parseRecord(this, keyword, found);
  }

  sizeOf(type, at) {
    return this.#measured('size', type, at);
  }

  alignOf(type, at) {
    return this.#measured('align', type, at);
  }

  /** The alignment of a type; undefined where it has no counterpart, which is an error once it is used. */
  alignIfKnown(type, at) {
    try {
      return this.alignOf(type, at);
    } catch (error) {
      if (error.line === undefined) throw error;
      return undefined;
    }
  }

  /** The offset of a field of a struct or union. */
  offsetOf(type, field, at) {
    return this.#measured('offset', type, at, field);
  }

  /** The value of what stands in the parentheses of an offsetof. */
  offsetIn() {
    return offsets().offsetIn(this);
  }

  #measured(what, type, at, field) {
    if (isVoid(type) || type.kind === 'function') throw this.tokens.fault(at, `${describeType(type)} has no size`);
    if (type.kind === 'unsupported' && type.size !== undefined) return type.size;
    try {
      return this.#measure[what](type, field);
    } catch (error) {
      if (error.line !== undefined) throw error;
      throw this.tokens.fault(at, error.message);
    }
  }

  /** A value converted to an integer type. */
  castTo(type, value, at) {
    if (!isInteger(type) && type.kind !== 'pointer')
      throw this.tokens.fault(at, `${describeType(type)} is no integer type`);
    const isUnsigned =
      type.kind === 'pointer' || (type.kind === 'scalar' && /^(u|unsigned|size_t|bool|char(16|32))/.test(type.name));
    const { integer } = expressions();
    if (type.name === 'bool') return integer(value === 0n ? 0n : 1n, 32, false);
    const bits = this.sizeOf(type, at) * 8;
    const wrapped = integer(value, bits, isUnsigned).value;
    return integer(wrapped, Math.max(bits, 32), isUnsigned && bits >= 32);
  }

  // ---- #define ------------------------------------------------------------------------------------------------------

  /** Adds the value of a macro to the constants, if it is one: others only stand for their text. */
  #addConstant(name, value) {
    const outer = this.tokens;
    this.tokens = new Tokens(value, outer, new Set([name]));
    try {
      const found = constants().constantIn(this);
      if (this.tokens.peek().kind === 'end') this.scope.constants.set(name, found);
    } catch (error) {
      if (error.line === undefined) throw error;
    } finally {
      this.tokens = outer;
    }
  }
}

module.exports = { Parser };
