'use strict';
// struct, union and enum, with their bodies.

const { takeAttribute } = require('./attributes.js');
const { parseDeclarator } = require('./declarator.js');
const { acceptStaticAssert, parseSpecifiers, recordOf } = require('./specifiers.js');
const { named } = require('./tokens.js');
const { makeRecord, isInteger, isVoid, describeType, exact } = require('./types.js');

/** A struct or union behind its keyword: a tag, a body, or both. */
function parseRecord(parser, keyword, found) {
  const { tokens } = parser;
  const attributes = { __proto__: null };
  while (takeAttribute(parser, attributes)) {
    /* one attribute after the other */
  }
  const tag = tokens.peek().kind === 'word' ? tokens.next() : undefined;
  if (!tokens.is('{')) {
    if (tag === undefined)
      throw tokens.fault(tokens.peek(), `expected a tag or a body after '${keyword}', found ${named(tokens.peek())}`);
    return { kind: 'record', record: recordOf(parser, keyword, tag) };
  }
  const record = tag === undefined ? makeRecord(keyword, undefined) : definedRecord(parser, keyword, tag);
  record.at = (tag ?? tokens.peek()).at;
  record.text = tokens.text;
  record.pack = parser.pack;
  parser.enter();
  const fields = parseBody(parser, record);
  parser.leave();
  while (takeAttribute(parser, attributes)) {
    /* those behind the body */
  }
  record.packed = attributes.packed === true;
  record.fields = withoutEmpty(parser, record, fields);
  record.align = largest(record.tailAlign, attributes.align, found.attributes.align);
  return { kind: 'record', record };
}

const largest = (...numbers) => numbers.reduce((most, each) => (each === undefined || most > each ? most : each));

/** The record that a body belongs to. A scope may define again what a set before it has defined. */
function definedRecord(parser, keyword, tag) {
  if (parser.scope.tags.get(tag.text) === undefined && parser.scope.tag(tag.text)?.fields) {
    parser.scope.tags.set(tag.text, makeRecord(keyword, tag.text));
  }
  const record = recordOf(parser, keyword, tag);
  if (record.fields !== null) throw parser.tokens.fault(tag, `${keyword} ${tag.text} is defined twice`);
  return record;
}

function parseBody(parser, record) {
  const { tokens } = parser;
  const open = tokens.next();
  const fields = [];
  const names = new Set();
  while (!tokens.accept('}')) {
    if (tokens.accept(';')) continue;
    if (tokens.peek().kind === 'end') throw tokens.fault(open, "'{' has no '}'");
    parseFields(parser, record, fields, names);
  }
  return fields;
}

/** The fields that have bytes. Arrays without elements are no part of a type, and align what follows them. */
function withoutEmpty(parser, record, fields) {
  let align;
  const rest = [];
  for (const field of fields) {
    if (field.isFlexible) {
      const own = record.packed || field.isPacked ? 1 : alignOfEmpty(parser, field);
      const alignment = Math.min(largest(own, field.align), record.pack ?? Infinity);
      align = largest(align, alignment);
      record.flexible = { name: field.name, type: field.type, alignment };
    } else {
      // A field that follows a bitfield in its unit is not moved.
      if (align > 1 && field.bits === undefined && record.keyword === 'struct')
        field.align = largest(field.align, align);
      rest.push(field);
      record.flexible = undefined;
      if (record.keyword === 'struct') align = undefined;
    }
  }
  record.tailAlign = align;
  return rest;
}

/** The alignment of an array without elements, or of a struct without fields. */
function alignOfEmpty(parser, { type, at }) {
  if (type.kind === 'record') return largest(1, type.record.align, type.record.tailAlign);
  return isEmpty(type.of) ? alignOfEmpty(parser, { type: type.of, at }) : (parser.alignIfKnown(type.of, at) ?? 1);
}

/** Whether a type is a struct without fields that have bytes, which C has as an extension. */
const isEmpty = ({ kind, record }) => kind === 'record' && record.fields?.length === 0;

/** The fields of one line: `int a, *b, c : 3;`, or a member without a name. */
function parseFields(parser, record, fields, names) {
  const { tokens } = parser;
  const at = tokens.peek();
  if (acceptStaticAssert(parser)) return;
  const { type, attributes, storage, threadStorage, isLocal } = parseSpecifiers(parser);
  const wrong = storage ?? threadStorage;
  if (wrong !== undefined || isLocal) throw tokens.fault(wrong ?? at, `a field has no '${wrong?.text ?? 'inline'}'`);
  if (tokens.accept(';')) {
    // An enum in a struct declares its constants, as one outside does.
    if (type.kind === 'enum' && type.enumeration.members !== null) return;
    if (type.kind !== 'record' || type.record.tag !== undefined) throw tokens.fault(at, 'a field without a name');
    namesIn(type.record).forEach((name) => addName(tokens, names, name, at));
    fields.push({ name: undefined, type, at, bits: undefined, align: undefined, isFlexible: isEmpty(type) });
    return;
  }
  do {
    addField(parser, record, { fields, names }, { type, attributes });
  } while (tokens.accept(','));
  if (!tokens.is('}')) tokens.expect(';', 'after a field');
}

/** The names of fields that a member without a name gives to the struct around it. */
const namesIn = ({ fields }) => fields.flatMap(({ name, type }) => name ?? (type.record ? namesIn(type.record) : []));

function addName(tokens, names, name, at) {
  if (names.has(name)) throw tokens.fault(at, `two fields are named ${name}`);
  names.add(name);
}

function addField(parser, record, { fields, names }, base) {
  const attributes = { __proto__: null, ...base.attributes };
  const { tokens } = parser;
  const at = tokens.peek();
  const last = fields.at(-1);
  if (last?.isFlexible && last.type.kind === 'array' && last.type.length === null)
    throw tokens.fault(last.at, `${last.name} has no length, which only the last field may lack`);
  const { name, apply, attributes: own } = tokens.is(':') ? { apply: (type) => type } : parseDeclarator(parser, 'name');
  const type = apply(base.type);
  const field = { name: name?.text, type, at: name ?? at, bits: undefined, align: undefined, isFlexible: false };
  if (tokens.accept(':')) field.bits = bitsOf(parser, field);
  else if (name === undefined) throw tokens.fault(at, 'a field without a name');
  Object.assign(attributes, own);
  while (takeAttribute(parser, attributes)) {
    /* one attribute after the other */
  }
  checkField(parser, record, names, field);
  if (attributes.unsupported !== undefined)
    field.type = { kind: 'unsupported', ...attributes.unsupported, text: tokens.text };
  alignField(parser, field, attributes);
  fields.push(field);
}

function checkField(parser, record, names, field) {
  const { tokens } = parser;
  const { name, type, at } = field;
  if (isVoid(type) || type.kind === 'function')
    throw tokens.fault(at, `a field of type ${describeType(type)}; declare a pointer`);
  if (type.kind === 'record' && type.record.fields === null) {
    const reason = `${describeType(type)} is not defined before, so that its size is not known`;
    if (!type.record.isKnown) throw tokens.fault(at, reason);
    // A type of the C library, or of the compiler: only a use of the struct is wrong.
    field.type = { kind: 'unsupported', reason, at: at.at, text: tokens.text };
  }
  if (name !== undefined) addName(tokens, names, name, at);
  field.isFlexible =
    isEmpty(type) ||
    (type.kind === 'array' &&
      (type.length === 0 || isEmpty(type.of) || (type.length === null && record.keyword === 'struct')));
  if (type.kind === 'array' && type.length === null && !field.isFlexible)
    throw tokens.fault(at, `${name} has no length`);
}

/** The alignment that the text requests for a field, beyond that of its type. */
function alignField(parser, field, { align, packed }) {
  const { tokens } = parser;
  const { name, type, at, bits } = field;
  field.isPacked = packed === true;
  if (align === undefined) return;
  if (bits !== undefined) {
    if (align <= (parser.alignIfKnown(type, at) ?? 0)) return;
    throw tokens.fault(at, `${name ?? 'a bitfield'} has bits and an alignment`);
  }
  field.align = align;
}

function bitsOf(parser, { name, type, at }) {
  const { tokens } = parser;
  if (!isInteger(type)) throw tokens.fault(at, `a bitfield of ${describeType(type)}, which is no integer type`);
  const width = tokens.peek();
  const { value } = parser.expressions.evaluate();
  const most = type.name === 'bool' ? 1 : parser.sizeOf(type, at) * 8;
  if (value === 0n && name !== undefined) throw tokens.fault(width, `${name} has no bits`);
  if (value < 0n || value > most) throw tokens.fault(width, `${name ?? 'a bitfield'} has ${value} bits, of ${most}`);
  return Number(value);
}

/** An enum behind its keyword. */
function parseEnum(parser) {
  const { tokens, scope } = parser;
  const attributes = { __proto__: null };
  while (takeAttribute(parser, attributes)) {
    /* one attribute after the other */
  }
  const tag = tokens.peek().kind === 'word' ? tokens.next() : undefined;
  const integer = takeUnderlying(parser);
  if (!tokens.is('{')) {
    if (tag === undefined)
      throw tokens.fault(tokens.peek(), `expected a tag or a body after 'enum', found ${named(tokens.peek())}`);
    const known = scope.tag(tag.text) ?? addEnum(parser, tag);
    if (known.keyword !== 'enum')
      throw tokens.fault(tag, `${tag.text} is declared as ${known.keyword} before, not as enum`);
    known.integer ??= integer;
    return { kind: 'enum', enumeration: known };
  }
  const before = tag === undefined ? undefined : scope.tags.get(tag.text);
  if (before !== undefined && (before.keyword !== 'enum' || before.members !== null))
    throw tokens.fault(tag, `${tag.text} is defined twice`);
  const enumeration = before ?? addEnum(parser, tag);
  enumeration.integer ??= integer;
  enumeration.members = parseMembers(parser);
  while (takeAttribute(parser, attributes)) {
    /* those behind the body */
  }
  if (attributes.align !== undefined) throw tokens.fault(tokens.peek(), 'an enum with an alignment has no counterpart');
  enumeration.isPacked = attributes.packed === true;
  enumeration.bytes = attributes.mode?.bytes;
  return { kind: 'enum', enumeration };
}

/** Takes the integer type of an enum, `: unsigned char`. Else a colon is that of a bitfield without a name. */
function takeUnderlying(parser) {
  const { tokens } = parser;
  if (!tokens.is(':')) return undefined;
  const before = tokens.position;
  tokens.next();
  if (!parser.startsType()) {
    tokens.position = before;
    return undefined;
  }
  parser.enter();
  const { type } = parseSpecifiers(parser);
  parser.leave();
  return type;
}

/** An enum whose constants are not known yet. `at` is where it is first named. */
function addEnum({ tokens, scope }, tag) {
  const name = tag?.text;
  const at = (tag ?? tokens.peek()).at;
  const enumeration = { keyword: 'enum', tag: name, name, integer: undefined, members: null, text: tokens.text, at };
  if (name !== undefined) scope.tags.set(name, enumeration);
  return enumeration;
}

function parseMembers(parser) {
  const { tokens, scope } = parser;
  const open = tokens.next();
  const members = [];
  let next = 0n;
  while (!tokens.accept('}')) {
    const name = tokens.next();
    if (name.kind === 'end') throw tokens.fault(open, "'{' has no '}'");
    if (name.kind !== 'word') throw tokens.fault(name, `expected the name of a constant, found ${named(name)}`);
    while (takeAttribute(parser, {})) {
      /* they change nothing */
    }
    if (tokens.accept('=')) next = parser.expressions.evaluate().value;
    if (scope.constants.has(name.text)) throw tokens.fault(name, `${name.text} is defined twice`);
    members.push({ name: name.text, value: exact(next) });
    scope.constants.set(name.text, exact(next));
    next += 1n;
    if (!tokens.is('}')) tokens.expect(',', "or '}' after a constant");
  }
  if (members.length === 0) throw tokens.fault(open, 'an enum has at least one constant');
  return members;
}

module.exports = { parseRecord, parseEnum };
