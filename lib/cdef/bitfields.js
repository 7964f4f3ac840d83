'use strict';
// Bitfields without a name, which the struct types do not have: paddings stand for them.

const { Unsupported } = require('./fault.js');

const roundUp = (value, to) => Math.ceil(value / to) * to;

/**
 * The fields of a struct, in which bitfields of no bits, that is the end of a unit, are the bits that are left of it.
 * @param {any[]} fields as the parser has them
 * @param {{ size: (type: any) => number, align: (type: any) => number }} measure
 */
function withPaddings(fields, measure) {
  if (!fields.some(({ bits, name }) => bits !== undefined && name === undefined)) return fields;
  const padded = [];
  let [bit, most] = [0, 1];
  for (const field of fields) {
    const { name, type, bits } = field;
    const unit = measure.size(type) * 8;
    const align = Math.max(field.align ?? 1, measure.align(type));
    if (name !== undefined || bits === undefined) most = Math.max(most, align);
    if (bits === undefined) bit = roundUp(bit, align * 8) + unit;
    else if (bits > 0) bit = ((bit % unit) + bits > unit ? roundUp(bit, unit) : bit) + bits;
    const left = bits === 0 ? roundUp(bit, unit) - bit : 0;
    if (left > 0) padded.push({ ...field, bits: left });
    else if (bits !== 0) padded.push(field);
    bit += left;
  }
  // C does not align a struct by a bitfield that has no name; the paddings would.
  if (padded.some(({ name, type, bits }) => bits !== undefined && name === undefined && measure.align(type) > most))
    throw new Unsupported('a bitfield without a name, of a type that is wider than those of the other fields');
  return padded;
}

module.exports = { withPaddings };
