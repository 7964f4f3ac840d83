'use strict';
// The text of the module.

const { checkFunction } = require('./check.js');
const { bitsOf } = require('./layout.js');
const { keyOf } = require('./names.js');
const { wrapped, docText, quote, literal, section } = require('./text.js');

/** Writes a module, part after part. */
class Emitter {
  #ffi;
  #isTyped;
  #used = new Set();
  #emitted = new Set();
  #emitting = new Set();
  #types = '';

  /**
   * @param {object} ffi the package
   * @param {boolean} isTyped TypeScript rather than JavaScript
   */
  constructor(ffi, isTyped) {
    this.#ffi = ffi;
    this.#isTyped = isTyped;
  }

  #use(name) {
    this.#used.add(name);
    return name;
  }

  // ---- types --------------------------------------------------------------------------------------------------------

  /** A type as an expression; `later` says that something in it is declared further down. */
  #type(type) {
    switch (type.kind) {
      case 'scalar':
        return { text: quote(type.name) };
      case 'array': {
        const of = this.#type(type.of);
        return { text: `${this.#use('array')}(${of.text}, ${type.length})`, later: of.later, fault: of.fault };
      }
      case 'pointer':
        return { text: this.#pointer(type) };
      case 'out':
      case 'inout':
        return { text: `${this.#use(type.kind)}(${this.#type(type.of).text})` };
      case 'fn':
        return this.#function(type);
      default:
        return this.#entity(type.entity);
    }
  }

  #entity(entity) {
    if (entity.fault !== undefined) return { text: "'ptr'", fault: true };
    return { text: entity.name, later: !this.#emitted.has(entity) };
  }

  #pointer({ to }) {
    const { text, later, fault } = this.#type(to);
    if (fault) return "'ptr'";
    const annotation = this.#isTyped && later ? `: ${this.#use('DeclaredField')}` : '';
    return `${this.#use('pointer')}(${later ? `()${annotation} => ${text}` : text})`;
  }

  #function(type) {
    if (type.fault !== undefined) return { text: "'function'" };
    const { text, later } = this.signature(type);
    return { text: `${this.#use('fn')}({ ${text} })`, later };
  }

  /** The `args` and `returns` of a declaration. */
  signature({ args, returns, varargs }) {
    const parts = args.map((arg) => this.#type(arg));
    const result = this.#type(returns);
    const texts = [];
    if (parts.length > 0) texts.push(`args: [${parts.map(({ text }) => text).join(', ')}]`);
    if (varargs) texts.push('varargs: true');
    if (result.text !== "'void'") texts.push(`returns: ${result.text}`);
    return { text: texts.join(', '), later: [...parts, result].some((part) => part.later) };
  }

  /** Declares an entity, after those that it holds by value. */
  declare(entity) {
    if (this.#emitted.has(entity) || this.#emitting.has(entity) || entity.fault !== undefined) return;
    this.#emitting.add(entity);
    for (const needed of neededBy(entity)) this.declare(needed);
    this.#emitting.delete(entity);
    this.#types += `${docText(entity.doc)}${this.#declaration(entity)}\n`;
    this.#emitted.add(entity);
  }

  #declaration(entity) {
    switch (entity.kind) {
      case 'opaque':
        return this.#opaque(entity);
      case 'enum':
        return this.#enumeration(entity);
      case 'alias':
        return this.#alias(entity);
      default:
        return this.#record(entity);
    }
  }

  #opaque({ name }) {
    const text = `export const ${name} = ${this.#use('opaque')}(${quote(name)});\n`;
    return this.#isTyped ? `${text}export type ${name} = ${this.#use('Handle')}<${quote(name)}>;\n` : text;
  }

  #enumeration({ name, members, type, c, size }) {
    const lines = members.map(
      (member) => `${docText(member.doc, '  ')}  ${keyOf(member.name)}: ${literal(member.value)},\n`,
    );
    const more = type === 'i32' ? '' : `, type: ${quote(type)}`;
    const text = `export const ${name} = ${this.#use('enumeration')}({\n${lines.join('')}}, { name: ${quote(name)}${more} });\n`;
    return c === undefined ? text : `${text}check(${name}, ${quote(c)}, ${size}, ${size}, {});\n`;
  }

  #alias(entity) {
    const { text, later } = this.#type(entity.type);
    // What holds itself by value is declared after it: then nothing is known of its arguments.
    return `export const ${entity.name} = ${later ? `${this.#use('fn')}({})` : text};\n`;
  }

  #record(entity) {
    const { name, fields, options, layout, isUnion, flexible } = entity;
    const lines = fields.map((field) => {
      const { text, later } = this.#type(field.type);
      const type = later ? "'ptr'" : text;
      return `${docText(field.doc, '  ')}  ${keyOf(field.name)}: ${field.bits === undefined ? type : `{ type: ${type}, bits: ${field.bits} }`},\n`;
    });
    const given = [`name: ${quote(name)}`, ...Object.entries(options).map(([key, value]) => `${key}: ${value}`)];
    const open =
      flexible === undefined ? '' : `  // ${flexible} is an array without a length: it begins at sizeof(${name}).\n`;
    return (
      `export const ${name} = ${this.#use(isUnion ? 'union' : 'struct')}({\n${lines.join('')}${open}}, { ${given.join(', ')} });\n` +
      this.#check(entity, layout)
    );
  }

  #check({ name, c, real, fields }, layout) {
    const offsets = fields.filter((field) => layout.offsets[field.name] !== undefined && field.bits === undefined);
    const places = offsets.map((field) => `${keyOf(field.name)}: ${layout.offsets[field.name]}`);
    const bits = fields
      .filter((field) => field.bits !== undefined && field.isNamed)
      .map((field) => {
        const { value, first, width } = bitsOf(this.#ffi, real, field.name);
        return `${keyOf(field.name)}: [${literal(value)}, ${first}, ${width}]`;
      });
    const last = bits.length === 0 ? '' : `, { ${bits.join(', ')} }`;
    return (
      `check(${name}, ${quote(c ?? name)}, ${layout.size ?? real.size}, ${layout.align ?? real.align}, ` +
      `{${places.length === 0 ? '' : ` ${places.join(', ')} `}}${last});\n`
    );
  }

  // ---- the module ---------------------------------------------------------------------------------------------------

  /**
   * @param {object} module { title, constants, entities, functions, globals, library, deepbind, leftOut, names }
   */
  module({ title, constants, entities, functions, globals, library, deepbind, leftOut }) {
    for (const kind of ['opaque', 'enum', 'record', 'alias']) {
      for (const entity of entities.filter((each) => each.kind === kind)) this.declare(entity);
    }
    const parts = [
      title.map((line) => `// ${line}\n`).join(''),
      section(
        'constants',
        constants
          .map(({ name, value, doc = [] }) => `${docText(doc)}export const ${name} = ${literal(value)};\n`)
          .join(''),
      ),
      section('types', this.#types),
      section('functions', this.#functions(functions, library, deepbind)),
      section(
        'variables',
        globals
          .map(
            ({ name, symbol, type, doc }) =>
              `${docText(doc)}export const ${name} = library.global(${quote(symbol)}, ${this.#type(type).text});\n`,
          )
          .join(''),
      ),
      this.#types.includes('\ncheck(') ? section('layouts', checkFunction(this.#isTyped, this.#hasBits)) : '',
      leftOut,
    ];
    parts.splice(1, 0, this.#imports(deepbind));
    return parts.filter((part) => part !== '').join('\n');
  }

  #functions(functions, library, deepbind) {
    const lines = functions.map(({ symbol, linkName, doc, type }) => {
      const { text } = this.signature(type);
      const name = linkName === undefined ? '' : `name: ${quote(linkName)}, `;
      return `${docText(doc, '  ')}  ${keyOf(symbol)}: { ${name}${text} },\n`.replace('{  }', '{}');
    });
    const options = deepbind === undefined ? '' : ', { flags: constants.dlopen.RTLD_DEEPBIND ?? 0 }';
    const reason = deepbind === undefined ? '' : `// ${deepbind}\n`;
    this.#use('dlopen');
    const names = functions.map(({ name, symbol }) => `${name === symbol ? name : `${keyOf(symbol)}: ${name}`},`);
    const exported = names.length === 0 ? '' : `\nexport const {\n${wrapped(names, '  ')}\n} = library.symbols;\n`;
    return `${reason}export const library = dlopen(${library}, {\n${lines.join('')}}${options});\n${exported}`;
  }

  #imports(deepbind) {
    if (this.#types.includes('\ncheck(')) {
      ['alignof', 'offsetof', 'sizeof'].forEach((name) => this.#use(name));
      if (this.#hasBits) ['ptr', 'toBuffer'].forEach((name) => this.#use(name));
      if (this.#isTyped) this.#use('DeclaredType');
    }
    const types = ['DeclaredField', 'DeclaredType', 'Handle'];
    const values = [...this.#used].filter((name) => !types.includes(name)).sort();
    const used = types.filter((name) => this.#used.has(name));
    return (
      (deepbind === undefined ? '' : "import { constants } from 'node:os';\n") +
      `import { ${values.join(', ')} } from 'pinned-ffi';\n` +
      (used.length === 0 ? '' : `import type { ${used.join(', ')} } from 'pinned-ffi';\n`)
    );
  }

  get #hasBits() {
    return /^check\(.*\}, \{ /m.test(this.#types);
  }
}

/** The entities that have to be declared before one: those it holds by value. */
function neededBy(entity) {
  const needed = [];
  const visit = (type) => {
    if (type.kind === 'entity') needed.push(type.entity);
    else if (type.kind === 'array') visit(type.of);
    else if (type.kind === 'fn' && type.fault === undefined) [...type.args, type.returns].forEach(visit);
  };
  if (entity.kind === 'alias') visit(entity.type);
  for (const { type } of entity.fields ?? []) if (type !== undefined) visit(type);
  return needed;
}

module.exports = { Emitter };
