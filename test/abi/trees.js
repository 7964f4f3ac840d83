'use strict';
// Random types as trees, in JavaScript and in C: plain data, so that they can be printed, sent and made smaller.
//   { kind: 'scalar', name, size? } | { kind: 'array', element, length }
//   { kind: 'struct', fields, packed? } | { kind: 'union', fields, active }     active: the field that has a value

const assert = require('node:assert/strict');
const { ffi } = require('../helpers.js');
const { hash, hashInC } = require('./hash.js');
const { SCALARS, pick } = require('./scalars.js');

const { struct, union, array, sizeof } = ffi;
const NAMES = Object.keys(SCALARS);
const FIELD_NAMES = NAMES.filter((name) => !SCALARS[name].argumentOnly);
const MOST_BYTES = 200;

// ---- making ---------------------------------------------------------------------------------------------------------

function makeScalar(random, names = NAMES) {
  const name = pick(random, names);
  const { makeSize } = SCALARS[name];
  return makeSize ? { kind: 'scalar', name, size: makeSize(random) } : { kind: 'scalar', name };
}

function makeField(random, depth, names) {
  if (depth === 0 || random() < 0.6) return makeScalar(random, names);
  if (random() < 0.4)
    return { kind: 'array', element: makeField(random, depth - 1, names), length: 1 + Math.floor(random() * 5) };
  return makeNode(random, depth - 1, names);
}

function makeNode(random, depth, names) {
  const isStruct = random() < 0.75;
  // Half of all are narrow on purpose: what fits two registers is where the rules are.
  const fields = Array.from({ length: 1 + Math.floor(random() * (random() < 0.5 ? 3 : 6)) }, () =>
    makeField(random, depth, names),
  );
  return isStruct
    ? { kind: 'struct', fields }
    : { kind: 'union', fields, active: Math.floor(random() * fields.length) };
}

const up = (size, align) => Math.ceil(size / align) * align;

/** What C needs for a tree, by the usual rules; the package is asked for its own layout elsewhere. */
function layoutOf(tree) {
  if (tree.kind === 'scalar') return { size: sizeof(typeOf(tree)), align: sizeof(typeOf(tree)) };
  if (tree.kind === 'array') {
    const { size, align } = layoutOf(tree.element);
    return { size: size * tree.length, align };
  }
  const fields = tree.fields.map(layoutOf);
  const align = Math.max(...fields.map((field) => field.align));
  const isUnion = tree.kind === 'union';
  const end = fields.reduce((at, field) => (isUnion ? Math.max(at, field.size) : up(at, field.align) + field.size), 0);
  return { size: up(end, align), align };
}

/** A struct or a union of at most 200 bytes, of scalars with these names. */
function makeAggregate(random, names = FIELD_NAMES) {
  for (;;) {
    const tree = makeNode(random, 2, names);
    if (layoutOf(tree).size <= MOST_BYTES) return tree;
  }
}

const types = new WeakMap();

/** The ffi type of a tree, made once. */
function typeOf(tree) {
  if (!types.has(tree)) types.set(tree, makeType(tree, tree.packed ? { packed: true } : undefined));
  return types.get(tree);
}

/** A new ffi type of a tree; `options` are those of the outermost struct or union. */
function makeType(tree, options) {
  if (tree.kind === 'scalar') return SCALARS[tree.name].type ?? tree.name;
  if (tree.kind === 'array') return array(typeOf(tree.element), tree.length);
  const fields = Object.fromEntries(tree.fields.map((field, i) => [`f${i}`, typeOf(field)]));
  return tree.kind === 'struct' ? struct(fields, options) : union(fields, options);
}

// ---- C --------------------------------------------------------------------------------------------------------------

/** A C declaration of `name` with the tree's type. */
function declare(tree, name, attribute = tree.packed ? '__attribute__((packed))' : '') {
  if (tree.kind === 'scalar') return `${SCALARS[tree.name].c} ${name}`;
  if (tree.kind === 'array') return declare(tree.element, `${name}[${tree.length}]`);
  return `${tree.kind} { ${tree.fields.map((field, i) => `${declare(field, `f${i}`)};`).join(' ')} } ${attribute} ${name}`;
}

/** C statements that add what `value` holds to the sum `h`. */
function sumInC(tree, value, depth = 0) {
  if (tree.kind === 'scalar') return `h = ${hashInC[SCALARS[tree.name].kind](value, tree.size)};`;
  if (tree.kind === 'array') {
    const i = `i${depth}`;
    return `for (int ${i} = 0; ${i} < ${tree.length}; ${i}++) { ${sumInC(tree.element, `${value}[${i}]`, depth + 1)} }`;
  }
  if (tree.kind === 'union') return sumInC(tree.fields[tree.active], `${value}.f${tree.active}`, depth);
  return tree.fields.map((field, i) => sumInC(field, `${value}.f${i}`, depth)).join(' ');
}

/** A value as a C constant. */
function literal(tree, value) {
  if (tree.kind === 'scalar') return SCALARS[tree.name].literal(value);
  if (tree.kind === 'array') return `{ ${value.map((each) => literal(tree.element, each)).join(', ')} }`;
  const at = (i) => literal(tree.fields[i], value[`f${i}`]);
  return `{ ${tree.kind === 'union' ? `.f${tree.active} = ${at(tree.active)}` : tree.fields.map((_, i) => at(i)).join(', ')} }`;
}

// ---- values ---------------------------------------------------------------------------------------------------------

/** A random value of a tree, as it comes back from C: of a union the active field. */
function makeValue(random, tree) {
  if (tree.kind === 'scalar') return SCALARS[tree.name].value(random, tree.size);
  if (tree.kind === 'array') return Array.from({ length: tree.length }, () => makeValue(random, tree.element));
  if (tree.kind === 'union') return { [`f${tree.active}`]: makeValue(random, tree.fields[tree.active]) };
  return Object.fromEntries(tree.fields.map((field, i) => [`f${i}`, makeValue(random, field)]));
}

/** A value in one of the ways in which it may be passed. `wrap` reaches scalars only, as in declarations. */
function spell(random, tree, value, wrap = false) {
  if (tree.kind === 'scalar') return SCALARS[tree.name].spell(random, value, wrap);
  if (tree.kind === 'array') return value.map((each) => spell(random, tree.element, each));
  return Object.fromEntries(
    Object.keys(value).map((key) => [key, spell(random, tree.fields[key.slice(1)], value[key])]),
  );
}

/** The sum of a value: what C's statements make of it. */
function sumOf(tree, value, sum = 1) {
  if (tree.kind === 'scalar') return hash[SCALARS[tree.name].kind](sum, value);
  if (tree.kind === 'array') return value.reduce((all, each) => sumOf(tree.element, each, all), sum);
  return Object.keys(value).reduce((all, key) => sumOf(tree.fields[key.slice(1)], value[key], all), sum);
}

/** What came back holds what was passed, in the fields that were. */
function assertSame(got, passed, what) {
  if (typeof passed !== 'object' || passed === null) return void assert.strictEqual(got, passed, what);
  for (const key of Object.keys(passed)) assertSame(got[key], passed[key], what);
}

module.exports = {
  makeScalar,
  makeAggregate,
  typeOf,
  makeType,
  declare,
  sumInC,
  literal,
  makeValue,
  spell,
  sumOf,
  assertSame,
};
