'use strict';
// Bitfields without a name, which the struct types do not have: paddings stand for them.

const { Unsupported } = require('./fault.js');

const roundUp = (value, to) => Math.ceil(value / to) * to;

/**
 * The fields of a record. Bitfields of no bits, that is the end of a unit, are the bits that are left of it.
 * @param {any} record as the parser has it
 * @param {{ size: (type: any) => number, align: (type: any) => number }} measure
 */
function withPaddings(record, measure) {
  const { fields, keyword, packed, pack = Infinity } = record;
  if (!fields.some(({ bits }) => bits !== undefined)) return fields;
  const isNameless = fields.some(({ bits, name }) => bits !== undefined && name === undefined);
  if (keyword === 'union') {
    return isNameless ? withoutNameless(fields, packed ? 1 : pack, measure) : fields;
  }
  checkPacked(record);
  return isNameless ? padded(fields, packed ? 1 : pack, measure, record.align) : fields;
}

/** The fields of a union without bitfields that have no name: where another field is as large, they change nothing. */
function withoutNameless(fields, pack, measure) {
  const isNameless = ({ bits, name }) => bits !== undefined && name === undefined;
  const rest = fields.filter((field) => !isNameless(field));
  const most = (of) => Math.max(0, ...rest.map(of));
  const alignOf = (field) => field.align ?? Math.min(measure.align(field.type), pack);
  const [size, align] = [most(sizeOf), most(alignOf)];
  function sizeOf({ type, bits }) {
    return bits === undefined ? measure.size(type) : Math.ceil(bits / 8);
  }
  // Processors differ in whether such a bitfield aligns the union.
  if (fields.some((field) => isNameless(field) && (sizeOf(field) > size || alignOf(field) > align)))
    throw new Unsupported('a bitfield without a name in a union, which is larger than the other fields');
  return rest;
}

/** Refuses what compilers do in different ways, or the struct types cannot do. */
function checkPacked({ fields, packed, pack }) {
  const isPacked = packed || fields.some((field) => field.isPacked);
  if (isPacked && !packed && fields.some(({ bits, isPacked: own }) => bits !== undefined && !own))
    throw new Unsupported('a packed field beside a bitfield that is not packed; pack the struct');
  // On x64 the field behind it begins at the next unit, as elsewhere; other processors may align the struct by it.
  const isFollowed = process.arch === 'x64' && isPacked === packed;
  if ((isPacked || pack !== undefined) && !isFollowed && fields.some(({ bits }) => bits === 0))
    throw new Unsupported('a bitfield of no bits in a packed struct');
}

function padded(fields, pack, measure, recordAlign = 1) {
  const result = [];
  let [bit, most] = [0, recordAlign];
  for (const field of fields) {
    const { name, type, bits } = field;
    const unit = measure.size(type) * 8;
    const align = Math.max(field.align ?? 1, Math.min(measure.align(type), pack));
    if (name !== undefined || bits === undefined) most = Math.max(most, align);
    if (bits === undefined) bit = roundUp(bit, align * 8) + unit;
    else if (bits > 0) bit = (pack === Infinity && (bit % unit) + bits > unit ? roundUp(bit, unit) : bit) + bits;
    const left = bits === 0 ? roundUp(bit, unit) - bit : 0;
    if (left > 0) result.push({ ...field, bits: left });
    else if (bits !== 0) result.push(field);
    bit += left;
  }
  const isWider = ({ name, type, bits }) =>
    bits !== undefined && name === undefined && Math.min(measure.align(type), pack) > most;
  // C does not align a struct by a bitfield that has no name; the paddings would.
  if (result.some(isWider))
    throw new Unsupported('a bitfield without a name, of a type that is wider than those of the other fields');
  return result;
}

module.exports = { withPaddings };
