'use strict';
// The text of the module.

const path = require('node:path');
const { checkFunction } = require('./check.js');
const { bitsOf } = require('./layout.js');
const { neededBy } = require('./needed.js');
const { keyOf, labelOf } = require('./names.js');
const { asCommonJs } = require('./commonjs.js');
const { TypeText } = require('./emit-types.js');
const { wrapped, docText, quote, literal, section } = require('./text.js');
const { isPath } = require('../../lib/native/platform.js');

// The compiler cannot take the names of parameters from a declaration: they are given to it as a tuple.
const NAMED = `/** A function with the names that its parameters have in C; \`More\` are those of \`...\`. */
type Named<F, Names extends unknown[], More extends unknown[] = []> = F extends {
  (...args: infer Args): infer Result;
  readonly async: (...args: never) => infer Later;
}
  ? ((...args: [...NamedArguments<Names, Args>, ...more: More]) => Result) &
      BoundFunction<(...args: [...NamedArguments<Names, Args>, ...more: More]) => Later>
  : never;
type NamedArguments<Names extends unknown[], Args> = { [I in keyof Names]: I extends keyof Args ? Args[I] : never };
`;

/** The arguments of the functions that make types, and the types that they return. */
const CONTENT = { struct: 'fields', union: 'fields', enumeration: 'values', fn: 'declaration' };
const TYPES = {
  struct: ['StructType', ''],
  union: ['UnionType', ''],
  enumeration: ['EnumerationType', ', false'],
  fn: ['FunctionType', ''],
};

/** Writes a module, part after part. */
class Emitter {
  #isTyped;
  #isCommonJs;
  #types;
  #names;
  #declared = '';
  #emitting = new Set();

  /** @param {{ isTyped: boolean, isCommonJs: boolean }} format TypeScript rather than JavaScript; CommonJS */
  constructor({ isTyped, isCommonJs }) {
    this.#isTyped = isTyped;
    this.#isCommonJs = isCommonJs;
    this.#types = new TypeText(isTyped);
  }

  // ---- types --------------------------------------------------------------------------------------------------------

  /** Declares an entity, after those that it holds by value. */
  #declare(entity) {
    const types = this.#types;
    if (types.emitted.has(entity) || this.#emitting.has(entity) || entity.fault !== undefined) return;
    this.#emitting.add(entity);
    for (const needed of neededBy(entity)) this.#declare(needed);
    this.#emitting.delete(entity);
    const text = this.#declaration(entity);
    const at = text.indexOf(`export const ${entity.name}`);
    this.#declared += `${text.slice(0, at)}${docText(entity.doc)}${text.slice(at)}\n`;
    types.emitted.add(entity);
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

  #opaque({ name, free, owner }) {
    const options = [
      ...(owner === undefined ? [] : [`owner: ${owner.name}`]),
      ...(free === undefined
        ? []
        : [`free: ${free.length === 1 ? quote(free[0]) : `[${free.map(quote).join(', ')}]`}`]),
    ];
    const more = options.length === 0 ? '' : `, { ${options.join(', ')} }`;
    const text = `export const ${name} = ${this.#types.use('opaque')}(${quote(name)}${more});\n`;
    return this.#isTyped ? `${text}export type ${name} = ${this.#types.use('Handle')}<${quote(name)}>;\n` : text;
  }

  /**
   * A type by one of the package's functions. In TypeScript its type has a name, too: what refers to it would else
   * repeat all of it, at each place.
   */
  #named(name, make, content, options) {
    const call = this.#types.use(make);
    if (!this.#isTyped) return `export const ${name} = ${call}(${content}${options});\n`;
    const [declaration, type] = [this.#names.claim(`${name}_${CONTENT[make]}`), this.#names.claim(`${name}_type`)];
    const [generic, more] = TYPES[make];
    return (
      `const ${declaration} = ${content} as const;\n` +
      `export interface ${type} extends ${this.#types.use(generic)}<typeof ${declaration}${more}> {}\n` +
      `export const ${name}: ${type} = ${call}(${declaration}${options});\n`
    );
  }

  #enumeration({ name, members, type, c, size, exported = [] }) {
    const lines = members.map(
      (member) => `${docText(member.doc, '  ')}  ${keyOf(member.name)}: ${literal(member.value)},\n`,
    );
    const more = type === 'i32' ? '' : `, type: ${quote(type)}`;
    const text = this.#named(name, 'enumeration', `{\n${lines.join('')}}`, `, { name: ${quote(name)}${more} }`);
    const names = exported.map(({ name: member, exportName }) =>
      exportName === member ? `${member},` : `${keyOf(member)}: ${exportName},`,
    );
    const constants = names.length === 0 ? '' : `export const {\n${wrapped(names, '  ')}\n} = ${name}.values;\n`;
    return `${text}${constants}${c === undefined ? '' : `check(${name}, ${quote(c)}, ${size}, ${size}, {});\n`}`;
  }

  #alias(entity) {
    const { text, later } = this.#types.of(entity.type);
    // A type that holds itself by value is declared after it; its arguments are not known then.
    const declaration = /^fn\((.*)\)$/s.exec(text)?.[1];
    if (declaration === undefined) return `export const ${entity.name} = ${text};\n`;
    return this.#named(entity.name, 'fn', later ? '{}' : declaration, '');
  }

  #record(entity) {
    const { name, fields, options, isUnion, flexible } = entity;
    const lines = fields.map((field) => {
      const { text, later } = this.#types.of(field.type);
      const type = later ? "'ptr'" : text;
      return `${docText(field.doc, '  ')}  ${keyOf(field.name)}: ${field.bits === undefined ? type : `{ type: ${type}, bits: ${field.bits} }`},\n`;
    });
    const given = [`name: ${quote(name)}`, ...Object.entries(options).map(([key, value]) => `${key}: ${value}`)];
    const open =
      flexible === undefined ? '' : `  // ${flexible} is an array without a length: it begins at sizeof(${name}).\n`;
    return (
      this.#named(name, isUnion ? 'union' : 'struct', `{\n${lines.join('')}${open}}`, `, { ${given.join(', ')} }`) +
      this.#check(entity)
    );
  }

  #check({ name, c, real, fields, layout }) {
    const offsets = fields.filter((field) => layout.offsets[field.name] !== undefined && field.bits === undefined);
    const places = offsets.map((field) => `${keyOf(field.name)}: ${layout.offsets[field.name]}`);
    const bits = fields
      .filter((field) => field.bits !== undefined && field.isNamed)
      .map((field) => {
        const { value, first, width } = bitsOf(real, field.name);
        return `${keyOf(field.name)}: [${literal(value)}, ${first}, ${width}]`;
      });
    const last = bits.length === 0 ? '' : `, { ${bits.join(', ')} }`;
    return (
      `check(${name}, ${quote(c ?? name)}, ${layout.size}, ${layout.align}, ` +
      `{${places.length === 0 ? '' : ` ${places.join(', ')} `}}${last});\n`
    );
  }

  // ---- the module ---------------------------------------------------------------------------------------------------

  /** @param {any} module what module.js has found */
  module({
    title,
    names,
    constants,
    entities,
    functions,
    aliases,
    globals,
    library,
    output,
    shims,
    deepbind,
    leftOut,
  }) {
    this.#names = names;
    for (const kind of ['opaque', 'enum', 'record', 'alias']) {
      for (const entity of entities.filter((each) => each.kind === kind)) this.#declare(entity);
    }
    const texts = [
      section(
        'constants',
        constants
          .map(({ exportName, value, doc = [] }) => `${docText(doc)}export const ${exportName} = ${literal(value)};\n`)
          .join(''),
      ),
      section('types', this.#declared),
      section('functions', library === undefined ? '' : this.#library(functions, library, output, deepbind)),
      section('functions of the header itself', shims.functions.length === 0 ? '' : this.#shims(shims)),
      section('variables', globals.map((each) => this.#global(each)).join('')),
      section('other names', aliases.map(({ exportName, of }) => `export const ${exportName} = ${of};\n`).join('')),
      section('layouts', this.#isChecked ? checkFunction(this.#isTyped, this.#hasBits) : ''),
    ];
    if (this.#isTyped && texts.some((text) => text.includes(': Named<'))) {
      this.#types.use('BoundFunction');
      texts.push(section('names of parameters', NAMED));
    }
    const head = title.map((line) => `// ${line}\n`).join('');
    const text = [head, this.#imports(deepbind), ...texts, leftOut].filter((part) => part !== '').join('\n');
    return this.#isCommonJs ? asCommonJs(text) : text;
  }

  #library(functions, library, output, deepbind) {
    const options = deepbind === undefined ? '' : ', { flags: constants.dlopen.RTLD_DEEPBIND ?? 0 }';
    const reason = deepbind === undefined ? '' : `// ${deepbind}\n`;
    this.#types.use('dlopen');
    const place = specifier(library, output);
    return (
      `${reason}export const library = dlopen(${place}, {\n${this.#declarations(functions)}}${options});\n` +
      (functions.length === 0 ? '' : `const { symbols } = library;\n\n${this.#exports(functions, 'symbols')}`)
    );
  }

  #declarations(functions) {
    return functions
      .map(({ name, linkName, type }) => {
        const { text } = this.#types.signature(type);
        const parts = [linkName === undefined ? '' : `name: ${quote(linkName)}`, text].filter((part) => part !== '');
        return `  ${keyOf(name)}: {${parts.length === 0 ? '' : ` ${parts.join(', ')} `}},\n`;
      })
      .join('');
  }

  #exports(functions, symbols) {
    return functions
      .map(({ name, exportName, doc, prototype, parameters, type }) => {
        const place = `${symbols}${/^[A-Za-z_$][\w$]*$/.test(name) ? `.${name}` : `[${quote(name)}]`}`;
        const comment = docText([...doc, ...(doc.length > 0 ? [''] : []), `\`${prototype}\``]);
        return `${comment}export const ${exportName}${this.#label(place, parameters, type)} = ${place};\n`;
      })
      .join('');
  }

  /** The type of a function with the names of its parameters; those that are out parameters are not passed. */
  #label(place, parameters, type) {
    if (!this.#isTyped) return '';
    const names = type.args.flatMap(({ kind }, i) => (kind === 'out' ? [] : [parameters[i] || `arg${i}`]));
    const labels = names.map((name) => `${labelOf(name)}: 0`);
    if (labels.length === 0) return '';
    const more = type.varargs ? `, ${this.#types.use('Extra')}[]` : '';
    return `: Named<typeof ${place}, [${labels.join(', ')}]${more}>`;
  }

  #shims({ functions, source, options }) {
    this.#types.use('cc');
    const text = source.replace(/[\\`]|\$\{/g, '\\$&');
    const lines = Object.entries(options).map(([key, value]) => `  ${key}: ${listOf(value)},\n`);
    return (
      '/** C functions that call those which only the header has: compiled when this module is loaded the first time. */\n' +
      `export const shims = cc({\n  source: \`\n${text}\`,\n${lines.join('')}` +
      `  symbols: {\n${this.#declarations(functions).replace(/^/gm, '  ').trimEnd()}\n  },\n});\n\n` +
      this.#exports(functions, 'shims.symbols')
    );
  }

  #global({ exportName, name, type, doc }) {
    return `${docText(doc)}export const ${exportName} = library.global(${quote(name)}, ${this.#types.of(type).text});\n`;
  }

  #imports(deepbind) {
    const types = this.#types;
    if (this.#isChecked) {
      ['alignof', 'offsetof', 'sizeof'].forEach((name) => types.use(name));
      if (this.#hasBits) ['ptr', 'toBuffer'].forEach((name) => types.use(name));
      if (this.#isTyped) types.use('DeclaredType');
    }
    const isType = (name) => /^[A-Z]/.test(name);
    const list = (kind) => [...types.used].filter((name) => isType(name) === kind).sort();
    const [values, names] = [list(false), list(true)];
    return (
      (deepbind === undefined ? '' : "import { constants } from 'node:os';\n") +
      (values.length === 0 ? '' : `import { ${values.join(', ')} } from 'pinned-ffi';\n`) +
      (names.length === 0 ? '' : `import type { ${names.join(', ')} } from 'pinned-ffi';\n`)
    );
  }

  get #isChecked() {
    return this.#declared.includes('\ncheck(');
  }

  get #hasBits() {
    return /^check\(.*\}, \{ /m.test(this.#declared);
  }
}

const listOf = (value) => (Array.isArray(value) ? `[${value.map(quote).join(', ')}]` : quote(value));

/** The library as the module's dlopen takes it: a name, or a path, which counts from the module. */
function specifier(name, output) {
  if (!isPath(name)) return quote(name);
  if (output === undefined || path.isAbsolute(name)) return quote(path.resolve(name));
  const relative = path.relative(path.dirname(path.resolve(output)), path.resolve(name));
  return `new URL(${quote(relative.split(path.sep).map(encodeURIComponent).join('/'))}, import.meta.url)`;
}

module.exports = { Emitter };
