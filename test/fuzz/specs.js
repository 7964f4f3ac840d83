'use strict';
// Random inputs as data: trees of { k: kind, ... } that JSON can hold, so that an input can be printed, shrunk and run
// again. A node with a `place` is where the package itself goes to an address: there only what is harmless is put, and
// `isWhole` keeps such a node from being taken apart.

const { NAMES, isNumeric } = require('./atoms.js');

const EFFECTS = [
  'throw',
  'throw',
  'throw a string',
  'detach',
  'detach',
  'resize',
  'close the library',
  'close the callback',
  'call',
  'declare',
  'collect',
];
const HOW_OBJECT = ['plain', 'plain', 'plain', 'null', 'frozen', 'inherited', 'proxy'];
const HOW_ARRAY = ['plain', 'plain', 'plain', 'frozen', 'sparse', 'proxy', 'like'];

const SCALARS = [
  'char',
  'i8',
  'u8',
  'i16',
  'u16',
  'i32',
  'u32',
  'i64',
  'u64',
  'i64_fast',
  'u64_fast',
  'f32',
  'f64',
  'bool',
  'ptr',
  'cstring',
  'function',
  'long',
  'unsigned long',
  'wchar_t',
  'utf16',
  'wstring',
  'size_t',
  'int',
  'pointer',
];
const ARGUMENTS = [...SCALARS, 'buffer', 'buffer_length'];

/** Choices out of a generator of numbers in [0, 1). */
function chooser(random) {
  const int = (below) => Math.floor(random() * below);
  return {
    int,
    chance: (probability) => random() < probability,
    pick: (list) => list[int(list.length)],
    list: (most, make) => Array.from({ length: int(most + 1) }, (_, i) => make(i)),
  };
}

const atom = (name, place) => (place === undefined ? { k: 'atom', name } : { k: 'atom', name, place });
const text = (value) => ({ k: 'text', value });
const number = (value) => ({ k: 'number', value });
const object = (entries, how = 'plain') => ({ k: 'object', entries: Object.entries(entries), how });
const array = (items, how = 'plain') => ({ k: 'array', items, how });
const make = (fn, ...args) => ({ k: 'make', fn, args });

const anyAtom = (r, place = 'any') => atom(r.pick(NAMES[place]), place === 'any' ? undefined : place);

/** Anything at all. */
function hostile(r, depth = 2) {
  const kinds = depth > 0 ? 10 : 4;
  switch (r.int(kinds)) {
    case 4:
      return object(Object.fromEntries(r.list(3, () => [r.pick(KEYS), hostile(r, depth - 1)])), r.pick(HOW_OBJECT));
    case 5:
      return array(
        r.list(4, () => hostile(r, depth - 1)),
        r.pick(HOW_ARRAY),
      );
    case 6:
      return { k: 'convertible', effect: r.pick(EFFECTS), of: hostile(r, 0) };
    case 7:
      return { k: 'proxy', effect: r.pick(EFFECTS), of: hostile(r, depth - 1) };
    case 8:
      return { k: 'function', effect: r.pick([...EFFECTS, 'none']), of: hostile(r, 0) };
    case 9:
      return type(r, 1);
    default:
      return anyAtom(r);
  }
}
const KEYS = [
  'args',
  'returns',
  'type',
  'name',
  'ptr',
  'wrap',
  'guard',
  'x',
  'y',
  '0',
  'length',
  'bits',
  'minBytes',
  'lengthOf',
  'then',
  '__proto__',
  'constructor',
  'toString',
  'align',
  'size',
  'free',
  'a b',
  '',
];

/** What a place of its own may hold, where something hostile is put there. */
function hostileAt(r, place) {
  if (r.chance(0.6) || place === 'code') return anyAtom(r, place);
  let spec = hostile(r, 1);
  while (isNumber(spec)) spec = hostile(r, 1);
  return { ...spec, isWhole: true };
}

/** A proxy of what is no object is that itself. */
const isNumber = ({ k, name, of }) =>
  k === 'proxy' ? isNumber(of) : k === 'number' || (k === 'atom' && isNumeric(name));

// ---- types and declarations -----------------------------------------------------------------------------------------

/** A type that is right, of scalars, and of others down to a depth. */
function type(r, depth, names = SCALARS) {
  if (depth <= 0 || r.chance(0.7)) return text(r.pick(names));
  switch (r.int(8)) {
    case 0:
    case 1:
      return struct(r, depth);
    case 2:
      return make('union', object(fields(r, depth)));
    case 3:
      return make('array', type(r, depth - 1), number(1 + r.int(5)));
    case 4:
      return make('pointer', type(r, depth - 1));
    case 5:
      return make('enumeration', object({ A: number(0), B: number(1 + r.int(5)) }));
    case 6:
      return make('opaque', text('Handle'));
    default:
      return make('fn', object({ args: array(r.list(3, () => type(r, 0))), returns: type(r, 0) }));
  }
}

const fields = (r, depth) => {
  const all = Object.fromEntries(r.list(4, (i) => [`f${i}`, type(r, depth - 1)]));
  return Object.keys(all).length === 0 ? { f0: text('i32') } : all;
};

function struct(r, depth) {
  const declared = fields(r, depth);
  if (r.chance(0.1))
    declared.bits = object({ type: text(r.pick(['u32', 'i8', 'i64', 'bool'])), bits: number(1 + r.int(9)) });
  if (r.chance(0.8)) return make('struct', object(declared));
  return make(
    'struct',
    object(declared),
    object({ packed: r.pick([atom('true'), number(2 ** r.int(5))]), align: number(2 ** r.int(5)) }),
  );
}

const argument = (r) => {
  if (r.chance(0.1)) return make(r.pick(['out', 'inout']), type(r, 1));
  if (r.chance(0.1)) return object({ type: text('buffer'), name: text('bytes'), minBytes: number(r.int(10)) });
  return type(r, 2, ARGUMENTS);
};

const FLAGS = ['wrap', 'guard', 'errno', 'threads', 'nonblocking', 'varargs', 'optional', 'threadsafe'];

/** The declaration of a function; a right value for each argument with it. */
function declaration(r, more = {}) {
  const args = r.list(r.chance(0.05) ? 40 : 5, () => argument(r));
  const declared = { args: array(args), returns: r.chance(0.2) ? text('void') : type(r, 2), ...more };
  if (r.chance(0.3)) declared[r.pick(FLAGS)] = atom('true');
  if (r.chance(0.1))
    declared.fails = r.pick([
      text('negative'),
      text('null'),
      text('nonzero'),
      { k: 'function', effect: 'none', of: atom('false') },
    ]);
  const values = args.filter((spec) => spec.fn !== 'out').map((spec) => value(r, spec));
  return { declared: object(declared), values };
}

// ---- values that are right ------------------------------------------------------------------------------------------

function value(r, of) {
  if (of.k === 'object') return anyAtom(r, 'view');
  if (of.k === 'make') return valueOfMade(r, of);
  switch (of.value) {
    case 'f32':
    case 'f64':
      return r.pick([number(r.int(100) / 4), atom('NaN'), atom('-0'), atom('Infinity')]);
    case 'bool':
      return atom(r.pick(['true', 'false']));
    case 'cstring':
    case 'utf16':
    case 'wstring':
      return r.pick([text('a text'), text(''), atom("'emoji'"), atom('null')]);
    case 'function':
      return r.pick([atom('null'), atom('an open JSCallback'), atom('a bound function')]);
    case 'buffer':
    case 'buffer_length':
      return anyAtom(r, 'view');
    case 'ptr':
    case 'pointer':
      return r.pick([atom('null'), anyAtom(r, 'view'), atom('a live view')]);
    default:
      return number(r.int(100));
  }
}

function valueOfMade(r, { fn, args }) {
  switch (fn) {
    case 'struct':
      return object(Object.fromEntries(args[0].entries.map(([key, of]) => [key, value(r, of)])));
    case 'union':
      return object(Object.fromEntries([r.pick(args[0].entries)].map(([key, of]) => [key, value(r, of)])));
    case 'array':
      return array(Array.from({ length: args[1].value }, () => value(r, args[0])));
    case 'enumeration':
      return text('A');
    case 'fn':
      return { k: 'function', effect: 'none', of: number(1) };
    case 'inout':
      return value(r, args[0]);
    default:
      return atom('null');
  }
}

// ---- mutation -------------------------------------------------------------------------------------------------------

const children = (spec) =>
  spec.k === 'object' ? spec.entries.map(([, of]) => of) : (spec.items ?? spec.args ?? (spec.of ? [spec.of] : []));

/** A copy in which each node is, with a probability, something hostile, or behind a getter that has an effect. */
function mutate(r, spec, probability) {
  if (r.chance(probability)) return spec.place ? hostileAt(r, spec.place) : hostile(r);
  if (spec.k === 'object') {
    const entries = spec.entries.map(([key, of]) => [
      r.chance(probability / 4) ? r.pick(KEYS) : key,
      behind(r, mutate(r, of, probability), probability),
    ]);
    if (r.chance(probability)) entries.push([r.pick(KEYS), hostile(r, 1)]);
    return { ...spec, entries, how: r.chance(probability) ? r.pick(HOW_OBJECT) : spec.how };
  }
  if (spec.k === 'array') {
    const items = spec.items.map((item) => mutate(r, item, probability));
    if (r.chance(probability / 2)) items.splice(r.int(items.length + 1), r.int(2), hostile(r, 1));
    return { ...spec, items, how: r.chance(probability) ? r.pick(HOW_ARRAY) : spec.how };
  }
  if (spec.k === 'make') return { ...spec, args: spec.args.map((each) => mutate(r, each, probability)) };
  return spec;
}

const behind = (r, spec, probability) =>
  r.chance(probability / 2) && !spec.place ? { k: 'getter', effect: r.pick(EFFECTS), of: spec } : spec;

module.exports = {
  chooser,
  atom,
  text,
  number,
  object,
  array,
  make,
  anyAtom,
  hostile,
  type,
  struct,
  declaration,
  value,
  mutate,
  children,
  SCALARS,
  KEYS,
};
