'use strict';
// Writes the declarations of a header as C text for cdef() and dlopen(): without the preprocessor, with what options
// have said.

const { cdef } = require('../../index.js');
const { failure } = require('../usage.js');
const { neededBy } = require('./needed.js');
const { docText } = require('./text.js');

/** Types of declarations whose name is not that of C. */
const POINTERS = new Map([
  ['ptr', 'void *'],
  ['function', 'void *'],
  ['cstring', 'const char *'],
  ['wstring', 'const wchar_t *'],
  ['utf16', 'const char16_t *'],
]);

/** A declaration of a name, as C has it: the parts of the type stand around the name. */
function declare(type, name) {
  switch (type.kind) {
    case 'scalar':
      return `${(type.isCharacters ? 'char *' : POINTERS.get(type.name)) ?? `${type.name} `}${name}`;
    case 'owned':
      return `_Free_(${type.free}) char *${name}`;
    case 'out':
    case 'inout':
      return `${type.kind === 'out' ? '_Out_' : '_Inout_'} ${declare({ kind: 'pointer', to: type.of }, name)}`;
    case 'array':
      return declare(type.of, `${name}[${type.length}]`);
    case 'pointer':
      if (type.to.kind === 'entity' && !isDeclared(type.to.entity)) return `void *${name}`;
      return declare(type.to, type.to.kind === 'array' ? `(*${name})` : `*${name}`);
    case 'fn':
      return type.fault === undefined ? declareFunction(type, `(*${name})`, []) : `void *${name}`;
    default:
      return declareEntity(type.entity, name);
  }
}

function declareEntity(entity, name) {
  if (!isDeclared(entity)) return `void *${name}`;
  return `${entity.name} ${entity.kind === 'opaque' ? '*' : ''}${name}`;
}

// Headers of C++ have such words, so cdef() says what to do about them; a parameter of C may be called so.
const WORDS_OF_CPP = /^(class|namespace|template|typename|using|public|private|protected|virtual|operator|friend)$/;

function declareFunction({ args, returns, varargs }, name, parameters) {
  const labels = parameters.map((label) => (WORDS_OF_CPP.test(label) ? `${label}_` : label));
  const list = args.map((arg, i) => declare(arg, labels[i] ?? '').trimEnd());
  if (varargs) list.push('...');
  return declare(returns, `${name}(${list.join(', ') || 'void'})`);
}

/**
 * Whether the text can declare a type: C has no word for packing to more than one byte.
 * @param {any} entity
 */
const isDeclared = ({ kind, fault, type, options = {} }) =>
  fault === undefined && (kind !== 'alias' || type.fault === undefined) && (options.packed ?? 1) === 1;

/** Declares a type; structs and unions have been named before. */
function definition(entity) {
  const { kind, name } = entity;
  if (kind === 'opaque') return '';
  if (kind === 'enum') {
    const lines = entity.members.map((member) => `${docText(member.doc, '  ')}  ${member.name} = ${member.value},\n`);
    return `typedef enum {\n${lines.join('')}} ${name};\n`;
  }
  if (kind === 'alias') return `typedef ${declare(entity.type, name)};\n`;
  const lines = entity.fields.map((field) => {
    const label = field.isNamed || field.bits === undefined ? field.name : '';
    const bits = field.bits === undefined ? '' : ` : ${field.bits}`;
    return `${docText(field.doc, '  ')}  ${declare(field.type, label).trimEnd()}${bits};\n`;
  });
  const attributes = [
    ...(entity.options.packed === undefined ? [] : ['packed']),
    ...(entity.options.align === undefined ? [] : [`aligned(${entity.options.align})`]),
  ];
  const end = attributes.length === 0 ? '' : ` __attribute__((${attributes.join(', ')}))`;
  return `${wordOf(entity)} ${name} {\n${lines.join('')}}${end};\n`;
}

const wordOf = ({ isUnion }) => (isUnion ? 'union' : 'struct');

function literal(value) {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return value < 0n ? `(${value}LL)` : `${value}ULL`;
  return value < 0 ? `(${value})` : String(value);
}

/** The types, each after those that it holds by value. */
function definitions(entities) {
  const done = new Set();
  let text = '';
  const add = (entity) => {
    if (done.has(entity) || !isDeclared(entity)) return;
    done.add(entity);
    neededBy(entity).forEach(add);
    const own = definition(entity);
    if (own !== '') text += `${docText(entity.doc)}${own}\n`;
  };
  entities.forEach(add);
  return text;
}

/** The options of functions, which a text cannot have: an object next to it, as a comment. */
function optionsText(functions) {
  const having = functions.filter(({ type }) => type.options !== undefined);
  if (having.length === 0) return '';
  const lines = having.map(({ name, type }) => `//   ${name}: ${JSON.stringify(type.options)},\n`);
  return `// For dlopen, in an array after this text:\n// {\n${lines.join('')}// }\n\n`;
}

/**
 * @param {any} module what module.js has found
 * @returns {string} C text, which the package has taken
 */
function emitC({ title, constants, entities, functions, globals, leftOut }) {
  const types = entities.filter(isDeclared);
  const names = types
    .filter(({ kind }) => kind === 'opaque' || kind === 'record')
    .map((entity) => `typedef ${wordOf(entity)} ${entity.name} ${entity.name};\n`);
  const known = constants.filter(({ value }) => value !== null && !Number.isNaN(value));
  const prototypes = functions.map(({ name, linkName, doc, parameters, type }) => {
    const prototype = `${declareFunction(type, name, parameters)};\n`;
    // A text has no word for another name of the symbol.
    return linkName === undefined ? `${docText(doc)}${prototype}` : `// The library calls it ${linkName}: ${prototype}`;
  });
  const text = [
    title.map((line) => `// ${line}\n`).join(''),
    optionsText(functions),
    known.map(({ name, value, doc = [] }) => `${docText(doc)}#define ${name} ${literal(value)}\n`).join(''),
    names.join(''),
    definitions(types),
    prototypes.join(''),
    globals.map(({ name, type, doc }) => `${docText(doc)}extern ${declare(type, name)};\n`).join(''),
    leftOut,
  ];
  const whole = text.filter((part) => part !== '').join('\n');
  check(whole, types);
  return whole;
}

/** The package reads its own text, and gives the structs the layouts that the compiler gives them. */
function check(text, entities) {
  let set;
  try {
    set = cdef(text);
  } catch (error) {
    if (!/^ERR_FFI_/.test(error.code ?? '')) throw error;
    throw failure(`the header cannot be written as C text: ${error.message}\nWrite a module: -o FILE.mts`);
  }
  const wrong = entities.find(({ kind, name, layout }) => kind === 'record' && set.types[name]?.size !== layout.size);
  if (wrong !== undefined)
    throw failure(`the header cannot be written as C text: ${wrong.name} would not have ${wrong.layout.size} bytes`);
}

module.exports = { emitC };
