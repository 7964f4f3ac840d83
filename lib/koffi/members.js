'use strict';
// The members of structs, converted by generated source: one function for each struct, so that the engine sees what is
// called. It reads and writes scalars by the rows of the type table; everything else it leaves to encode.js and
// decode.js.

const { compile } = require('../codegen/compile.js');
const { byExpression, inlineOf, noteInline } = require('../codegen/read-values.js');
const { layoutOf } = require('./type.js');

const text = JSON.stringify;
/** `__proto__` in a literal is no property. */
const propertyOf = (name) => (name === '__proto__' ? '["__proto__"]' : text(name));
const named = (members) => members.filter(({ name }) => name !== '_');
const isScalar = ({ type }) => layoutOf(type).kind === 'scalar';
const isFloat = ({ type }) => [Float32Array, Float64Array].includes(layoutOf(type).list);
/** A 64-bit integer, which is a number where it is exact. */
const isWide = (member) => member.type.size === 8 && !isFloat(member);

/** Whether source can be generated: an array that another member counts needs that member first. */
const canCompile = (members) => members.every(({ type }) => layoutOf(type).countedBy === undefined);

// ---- out of memory --------------------------------------------------------------------------------------------------

/** The source that reads a member. */
function readSource(member, i) {
  const at = `at + ${member.offset}`;
  if (!isScalar(member)) return `help.decode(types[${i}], view, ${at})`;
  return isWide(member) ? `help.exactNumber(read${i}(view, ${at}))` : `read${i}(view, ${at})`;
}

const readers = (members) =>
  members.map((member, i) => (isScalar(member) ? `const read${i} = rows[${i}].read;` : '')).join(' ');

/**
 * Makes the functions that read a struct: `make` gives a new object, `fill` puts the members into one that exists.
 * @param {any} layout of a record
 * @param {{ decode: Function, exactNumber: Function }} help
 * @returns {{ make: Function, fill: Function } | null} null where there is no source
 */
function makeReaders({ members: all }, help) {
  if (!canCompile(all)) return null;
  const members = named(all);
  const values = members.map(readSource);
  const source = `'use strict';
${readers(members)}
return {
  make: (view, at) => ({ ${members.map(({ name }, i) => `${propertyOf(name)}: ${values[i]}`).join(', ')} }),
  fill(view, at, target) {
    ${members.map(({ name }, i) => `target[${text(name)}] = ${values[i]};`).join('\n    ')}
    return target;
  },
};`;
  return compile('koffi/read', 'rows, types, help', source, [...partsOf(members), help], () => null);
}

const partsOf = (members) => [members.map(({ type }) => layoutOf(type).row), members.map(({ type }) => type)];

// ---- into memory ----------------------------------------------------------------------------------------------------

/**
 * How a member of an object is read, once, as source. What every object has from Object.prototype is none of its
 * members.
 */
const valueSource = ({ name }, i) =>
  `let v${i} = value[${text(name)}]; if (v${i} !== undefined && prototype[${text(name)}] !== undefined && !hasOwn(value, ${text(name)})) v${i} = undefined;`;

function writeSource(member, i) {
  const at = `at + ${member.offset}`;
  if (isWide(member)) return `if (v${i} !== undefined) write${i}(view, ${at}, help.wideNumber(v${i}), name, position);`;
  const number = isFloat(member) ? `typeof v${i} === 'bigint' ? Number(v${i}) : v${i}` : `v${i}`;
  return `if (v${i} !== undefined) write${i}(view, ${at}, ${number}, name, position);`;
}

/**
 * Makes the function that writes an object into zeroed memory: (view, at, value, callMemory, name, position).
 * @param {any} layout of a record
 * @param {{ encode: Function, wideNumber: Function, again: Function }} help `again` writes the scalars once more, to
 *   throw what names the member
 * @returns {Function | null} null where there is no source
 */
function makeWriter({ members: all }, help) {
  const members = named(all);
  const scalars = members.map((member, i) => [member, i]).filter(([member]) => isScalar(member));
  const others = members.map((member, i) => [member, i]).filter(([member]) => !isScalar(member));
  const values = `[${members.map((_, i) => `v${i}`).join(', ')}]`;
  const source = `'use strict';
${scalars.map(([, i]) => `const write${i} = rows[${i}].write;`).join(' ')}
const prototype = Object.prototype, { hasOwn } = Object;
return (view, at, value, callMemory, name, position) => {
  ${members.map(valueSource).join('\n  ')}
  try {
    ${scalars.map(([member, i]) => writeSource(member, i)).join('\n    ')}
  } catch (error) {
    throw help.again(members, ${values}, view, at, name, position) ?? error;
  }
  ${others
    .map(
      ([{ name, offset }, i]) =>
        `if (v${i} !== undefined) help.encode(types[${i}], view, at + ${offset}, v${i}, callMemory, name, { outer: position, part: ${text(name)} });`,
    )
    .join('\n  ')}
};`;
  return compile('koffi/write', 'members, rows, types, help', source, [members, ...partsOf(members), help], () => null);
}

// ---- by value -------------------------------------------------------------------------------------------------------

/** Whether a struct is nothing but scalars, so that a value of it refers to no memory. */
const isPlain = ({ kind, members }) => kind === 'record' && members.every(isScalar);

/**
 * Makes the function that reads the members of an object once, into a new one: (value) => object. Null where there is
 * no source.
 */
function makeCopier({ members: all }) {
  const members = named(all);
  const source = `'use strict';
const prototype = Object.prototype, { hasOwn } = Object;
return (value) => {
  ${members.map(valueSource).join('\n  ')}
  return { ${members.map(({ name }, i) => `${propertyOf(name)}: v${i}`).join(', ')} };
};`;
  return compile('koffi/copy', '', source, [], () => null);
}

/** The most characters of a source that reads all members at once. */
const MOST_SOURCE = 1000;

/** Tells how generated source reads a plain struct out of the argument buffer, for the function that reads it. */
function noteRecord(read, { members: all }) {
  const members = named(all);
  const parts = members.map((member) => inlineOf(layoutOf(member.type).row));
  if (members.some(isWide) || !parts.every((part) => part?.source)) return;
  const source = (at) => {
    const values = members.map(({ offset }, i) => parts[i].source(at + offset));
    if (values.includes(undefined)) return undefined;
    return `{ ${members.map(({ name }, i) => `${propertyOf(name)}: ${values[i]}`).join(', ')} }`;
  };
  if (source(0)?.length <= MOST_SOURCE) noteInline(read, byExpression(source));
}

module.exports = { makeReaders, makeWriter, makeCopier, isPlain, noteRecord };
