'use strict';
// offsetof(type, member): where a member lies, by the layout of the type that is made of the struct.

const { named } = require('./tokens.js');
const { describeType } = require('./types.js');

const roundUp = (value, multiple) => Math.ceil(value / multiple) * multiple;

/** The value of `type, a.b[2].c`, which stands in the parentheses of an offsetof. */
function offsetIn(parser) {
  const { tokens } = parser;
  const at = tokens.peek();
  if (!parser.startsType()) throw tokens.fault(at, `expected a type, found ${named(at)}`);
  let place = { type: parser.typeName(), offset: 0n };
  tokens.expect(',', 'after the type');
  place = member(parser, place, tokens.next());
  for (;;) {
    if (tokens.accept('.')) place = member(parser, place, tokens.next());
    else if (tokens.is('[')) place = element(parser, place, tokens.next());
    else return place.offset;
  }
}

function member(parser, { type, offset }, name) {
  const { tokens } = parser;
  if (name.kind !== 'word') throw tokens.fault(name, `expected the name of a member, found ${named(name)}`);
  if (type.kind !== 'record') throw tokens.fault(name, `${describeType(type)} has no members`);
  const found = memberOf(parser, type, name);
  if (found === undefined) throw tokens.fault(name, `${describeType(type)} has no member ${name.text}`);
  return { type: found.type, offset: offset + BigInt(found.offset) };
}

function element(parser, { type, offset }, open) {
  const { tokens } = parser;
  if (type.kind !== 'array') throw tokens.fault(open, `${describeType(type)} is no array`);
  const { value } = parser.expressions.evaluate();
  tokens.expect(']', 'after the index');
  return { type: type.of, offset: offset + value * BigInt(parser.sizeOf(type.of, open)) };
}

/** A member by name, which may be one of a member without a name: { type, offset }. */
function memberOf(parser, type, name) {
  const { record } = type;
  let nameless = 0;
  for (const field of record.fields ?? []) {
    if (field.name === name.text) {
      if (field.bits !== undefined) throw parser.tokens.fault(name, `${name.text} is a bitfield, which has no offset`);
      return { type: field.type, offset: parser.offsetOf(type, name.text, name) };
    }
    if (field.name !== undefined || field.bits !== undefined) continue;
    nameless += 1;
    const found = field.type.kind === 'record' ? memberOf(parser, field.type, name) : undefined;
    if (found === undefined) continue;
    const key = `anonymous${nameless === 1 ? '' : nameless}`;
    return { type: found.type, offset: parser.offsetOf(type, key, name) + found.offset };
  }
  return record.flexible?.name === name.text ? flexibleOf(parser, type, name) : undefined;
}

/** The array without length at the end of a struct, which is no part of its type. */
function flexibleOf(parser, type, name) {
  const { fields, flexible, keyword } = type.record;
  const last = fields.at(-1);
  if (last === undefined || keyword === 'union') return { type: flexible.type, offset: 0 };
  if (last.bits !== undefined || last.name === undefined)
    throw parser.tokens.fault(
      name,
      `the place of ${name.text} behind a member without a name or with bits is not known`,
    );
  const end = parser.offsetOf(type, last.name, name) + parser.sizeOf(last.type, name);
  return { type: flexible.type, offset: roundUp(end, flexible.alignment) };
}

module.exports = { offsetIn };
