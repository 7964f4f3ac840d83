'use strict';
// struct, pack, union: where members lie, by the rules of the platform's C compiler and what koffi adds to them.

const structs = require('../types/struct.js');
const { makeError, wrongType } = require('../errors.js');
const { checkSize, typeOf } = require('./make.js');
const { IDENTIFIER, TypeObject, checkName, isType, layoutOf, register, removeName, shownOf } = require('./type.js');

const roundUp = (offset, align) => Math.ceil(offset / align) * align;

/** A member: a type, or [alignment, type]. */
function memberOf(name, declared, where) {
  if (!IDENTIFIER.test(name)) throw makeError('ERR_INVALID_ARG_VALUE', `Invalid member name '${name}'`);
  const isAligned = Array.isArray(declared);
  const [alignment, spec] = isAligned ? declared : [undefined, declared];
  if (isAligned && (!Number.isInteger(alignment) || alignment < 1 || (alignment & (alignment - 1)) !== 0)) {
    throw wrongType(`${where}: alignment of ${name}`, 'a power of two', alignment);
  }
  const type = typeOf(spec, `${where}: ${name}`);
  const { kind } = layoutOf(type);
  if (type.size === 0 || kind === 'prototype') {
    throw makeError(
      'ERR_INVALID_ARG_TYPE',
      `${where}: type ${type.name} cannot be used as a member (maybe try ${type.name} *)`,
    );
  }
  return { name, type, alignment };
}

/** The members with their offsets, and the size and alignment of the whole. */
function place(members, isUnion, isPacked) {
  let [end, size, align] = [0, 0, 1];
  const placed = members.map(({ name, type, alignment }) => {
    const own = isPacked ? 1 : (alignment ?? type.alignment);
    const offset = isUnion ? 0 : roundUp(end, own);
    end = offset + type.size;
    size = Math.max(size, end);
    align = Math.max(align, own);
    return { name, type, offset };
  });
  return { placed, size: roundUp(size, align), align };
}

/** koffi.struct, pack and union: (name, members), (type, members) of an opaque type, or (members). */
function define(where, kind, isPacked) {
  return (...args) => {
    const [first, declared] = args.length === 1 && !isType(args[0]) ? [undefined, args[0]] : args;
    if (typeof declared !== 'object' || declared === null)
      throw wrongType(`${where}: members`, 'an object of types by name', declared);
    const isRedefined = isType(first);
    if (isRedefined && !layoutOf(first).isOpaque) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${where}: only an opaque type can be defined later, and ${first.name} is none`,
      );
    }
    if (isRedefined) return complete(first, declared, { where, kind, isPacked });
    // Members may point to the type by its name.
    const name = checkName(first, where);
    const type = register(new TypeObject(shownOf(name, 'Void', 0, 0), { kind: 'void', isOpaque: true }));
    try {
      return complete(type, declared, { where, kind, isPacked });
    } catch (error) {
      removeName(name);
      throw error;
    }
  };
}

/** Makes a struct or a union of an opaque type. */
function complete(type, declared, { where, kind, isPacked }) {
  const { name } = type;
  const members = Object.keys(declared).map((key) => memberOf(key, declared[key], where));
  if (members.length === 0) throw makeError('ERR_INVALID_ARG_VALUE', `Empty type '${name}' is not allowed in C`);
  checkCounts(members, where);
  const { placed, size, align } = place(members, kind === 'union', isPacked);
  checkSize(size, name);
  const shown = shownOf(name, kind === 'union' ? 'Union' : 'Record', size, align, {
    members: Object.fromEntries(
      placed.filter((member) => member.name !== '_').map((member) => [member.name, { ...member }]),
    ),
  });
  return TypeObject.redefine(type, shown, { kind, members: placed, size });
}

/** An array that a member counts comes last, and its count is a number. */
function checkCounts(members, where) {
  members.forEach(({ name, type }, i) => {
    const { countedBy } = layoutOf(type);
    if (countedBy === undefined) return;
    if (i !== members.length - 1)
      throw makeError('ERR_INVALID_ARG_VALUE', `${where}: ${name} has no fixed length, so it must be the last member`);
    const counter = members.find((member) => member.name === countedBy);
    if (counter === undefined || layoutOf(counter.type).list === undefined) {
      throw makeError(
        'ERR_INVALID_ARG_VALUE',
        `${where}: ${name} is counted by ${countedBy}, which is no integer member`,
      );
    }
  });
}

const struct = define('struct', 'record', false);
const pack = define('pack', 'record', true);
const union = define('union', 'union', false);

// ---- the same for calls ---------------------------------------------------------------------------------------------

const passed = new WeakMap();

/** The type of the main entry that C's calling convention sees: the same members, at the same places. */
function passedType(type) {
  const layout = layoutOf(type);
  switch (layout.kind) {
    case 'scalar':
      return layout.row.key === undefined ? layout.passed : integerOf(type);
    case 'array':
      return structs.array(passedType(layout.of), layout.length);
    case 'record':
    case 'union':
      if (!passed.has(layout)) passed.set(layout, makeRecord(type, layout));
      return passed.get(layout);
    default:
      return 'ptr';
  }
}

/** The plain integer of the size of one whose bytes are swapped. */
const integerOf = ({ size }) => ({ 2: 'u16', 4: 'u32', 8: 'u64' })[size];

function makeRecord(type, { kind, members }) {
  if (kind === 'union') {
    return structs.union(Object.fromEntries(members.map((member, i) => [`m${i}`, passedType(member.type)])), {
      name: type.name,
    });
  }
  const fields = {};
  let end = 0;
  members.forEach((member, i) => {
    if (member.offset > end && isPadded(member, end)) fields[`gap${i}`] = structs.array('u8', member.offset - end);
    fields[`m${i}`] = passedType(member.type);
    end = member.offset + member.type.size;
  });
  const isPacked = members.some(({ type: { alignment }, offset }) => offset % alignment !== 0) || type.alignment === 1;
  if (isPacked && type.size > end) fields.end = structs.array('u8', type.size - end);
  const options = isPacked ? { name: type.name, packed: true } : { name: type.name, align: type.alignment };
  return structs.struct(fields, options);
}

/** Whether a member lies behind where C would put it. */
const isPadded = ({ type, offset }, end) => offset !== roundUp(end, type.alignment);

module.exports = { struct, pack, union, passedType };
