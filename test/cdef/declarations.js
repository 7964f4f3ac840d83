'use strict';
// Random declarations of C: structs, enumerations, typedefs and prototypes, written in many ways; and parsed types as C
// again.

const { makeRandom } = require('../helpers.js');

const SCALARS = [
  ...[
    'int',
    'signed',
    'unsigned',
    'unsigned int',
    'int unsigned',
    'long',
    'long int',
    'unsigned long',
    'long unsigned int',
  ],
  ...[
    'long long',
    'int long long',
    'unsigned long long',
    'long long unsigned int',
    'short',
    'short int',
    'unsigned short',
  ],
  ...[
    'char',
    'signed char',
    'unsigned char',
    'float',
    'double',
    '_Bool',
    'bool',
    'size_t',
    'ssize_t',
    'int8_t',
    'uint8_t',
  ],
  ...[
    'int16_t',
    'uint16_t',
    'int32_t',
    'uint32_t',
    'int64_t',
    'uint64_t',
    'intptr_t',
    'uintptr_t',
    'ptrdiff_t',
    'wchar_t',
  ],
  ...['char16_t', 'pid_t', 'mode_t', 'off_t', 'time_t', 'socklen_t', 'nfds_t', 'dev_t', 'nlink_t', 'clock_t', 'uid_t'],
];
const NAMES = ['a', 'b', 'n', 'buf', 'size', '__s', 'format', 'x1', '_tail', 'data', 'Length', 'i', 'ptr', 'callback'];
const HEADERS = ['stdbool', 'stddef', 'stdint', 'sys/types', 'sys/socket', 'poll', 'uchar', 'wchar', 'time']
  .map((name) => `#include <${name}.h>\n`)
  .join('');

/** The state of one text: what it has declared so far. */
class Writer {
  #random;
  #bases = [];
  #count = 0;
  #id;

  constructor(seed, id) {
    this.#random = makeRandom(seed * 1_000_003 + id);
    this.#id = id;
  }

  #below(n) {
    return Math.floor(this.#random() * n);
  }
  #pick(list) {
    return list[this.#below(list.length)];
  }
  #is(chance) {
    return this.#random() < chance;
  }
  #name(kind) {
    return `${kind}${this.#is(0.05) ? 'é中' : ''}${this.#id}_${(this.#count += 1)}`;
  }

  // ---- types: { base } | { to, isConst } | { of, length } | { returns, parameters, isVariadic } ---------------------

  #base() {
    if (this.#bases.length > 0 && this.#is(0.3)) return { base: this.#pick(this.#bases), isConst: this.#is(0.1) };
    return { base: this.#pick(SCALARS), isConst: this.#is(0.15) };
  }

  #value(depth) {
    if (depth === 0 || this.#is(0.45)) return this.#base();
    return this.#pointer(depth - 1);
  }

  #pointer(depth) {
    const isConst = this.#is(0.1);
    if (this.#is(0.15)) return { to: { base: 'void', isConst: this.#is(0.4) }, isConst };
    if (depth > 0 && this.#is(0.15)) return { to: this.#function(depth - 1), isConst };
    if (depth > 0 && this.#is(0.1)) return { to: { of: this.#value(depth - 1), length: 1 + this.#below(9) }, isConst };
    return { to: this.#value(depth), isConst };
  }

  #function(depth) {
    const parameters = Array.from({ length: this.#below(5) }, () => this.#parameter(depth));
    const returns = this.#is(0.25) ? { base: 'void' } : this.#value(depth);
    return { returns, parameters, isVariadic: parameters.length > 0 && this.#is(0.1) };
  }

  #parameter(depth) {
    if (depth > 0 && this.#is(0.05)) return this.#function(depth - 1);
    if (this.#is(0.1)) return { of: this.#value(depth), length: this.#is(0.5) ? '' : 1 + this.#below(9) };
    return this.#value(depth);
  }

  // ---- as text ------------------------------------------------------------------------------------------------------

  /** A blank, or what stands for one. */
  #blank() {
    const way = this.#random();
    return way < 0.85 ? ' ' : way < 0.92 ? '\n  ' : way < 0.95 ? '\t' : way < 0.97 ? '/* , ( */' : ' // ;\n';
  }

  /** Words, one of which may go on in another line. */
  #joined(words) {
    return this.#is(0.02) && !words.includes('é') ? `${words.slice(0, 2)}\\\n${words.slice(2)}` : words;
  }

  #declare(type, name) {
    if (type.base !== undefined) {
      const base = this.#is(0.03) ? `typeof(${type.base})` : this.#joined(type.base);
      const words = type.isConst ? (this.#is(0.5) ? `const ${base}` : `${base} const`) : base;
      return `${words.split(' ').join(this.#blank())}${name === '' ? '' : `${this.#blank()}${name}`}`;
    }
    if (type.to !== undefined) {
      const isWrapped = type.to.of !== undefined || type.to.returns !== undefined;
      const star = `*${type.isConst ? ' const ' : this.#is(0.1) ? ' ' : ''}${name}`;
      return this.#declare(type.to, isWrapped ? `(${star})` : star);
    }
    if (type.of !== undefined) return this.#declare(type.of, `${name}[${type.length}]`);
    return this.#declare(type.returns, `${name}(${this.#list(type)})`);
  }

  #list({ parameters, isVariadic }) {
    if (parameters.length === 0) return 'void';
    const first = this.#below(NAMES.length);
    const list = parameters.map((type, i) =>
      this.#declare(type, this.#is(0.7) ? NAMES[(first + i) % NAMES.length] : ''),
    );
    return [...list, ...(isVariadic ? ['...'] : [])].join(this.#is(0.9) ? ', ' : ',');
  }

  #record() {
    const [tag, alias] = [this.#name('s'), this.#name('t')];
    const keyword = this.#is(0.8) ? 'struct' : 'union';
    const fields = Array.from({ length: 1 + this.#below(5) }, (_, i) => {
      const type = this.#is(0.2) ? { of: this.#value(2), length: 1 + this.#below(4) } : this.#value(2);
      const attribute = this.#is(0.05)
        ? ` __attribute__((${this.#pick(['packed', 'aligned(8)', 'packed, aligned(2)'])}))`
        : '';
      return `${this.#declare({ ...type, isConst: false }, `f${i}`)}${attribute};`;
    });
    if (this.#is(0.1)) fields.push(`${this.#declare(this.#base(), keyword === 'struct' ? 'tail[]' : 'tail[0]')};`);
    const packed = this.#is(0.1) ? ' __attribute__((packed))' : '';
    const defined = `typedef ${keyword} ${tag} { ${fields.join(this.#blank())} }${packed} ${alias};`;
    const pack = this.#is(0.1) ? `\n#pragma pack(push, ${this.#pick([1, 2, 4, 8])})\n` : '';
    const whole = pack === '' ? defined : `${pack}${defined}\n#pragma pack(pop)\n`;
    this.#bases.push(`${keyword} ${tag}`, alias);
    return {
      text: whole,
      checked: { name: alias, fields: fields.flatMap((field, i) => (field.includes('tail[') ? [] : [`f${i}`])) },
    };
  }

  #enumeration() {
    const tag = this.#name('e');
    const members = Array.from({ length: 1 + this.#below(4) }, () =>
      this.#is(0.5) ? this.#name('M') : `${this.#name('M')} = ${this.#below(100) - (this.#is(0.3) ? 50 : 0)}`,
    );
    this.#bases.push(`enum ${tag}`);
    const packed = this.#is(0.2) ? ' __attribute__((packed))' : '';
    return { text: `enum ${tag} { ${members.join(', ')}${this.#is(0.3) ? ',' : ''} }${packed};` };
  }

  #alias() {
    const name = this.#name('t');
    const text = `typedef ${this.#declare(this.#is(0.2) ? { to: this.#function(1) } : this.#value(2), name)};`;
    this.#bases.push(name);
    return { text };
  }

  /** Some declarations of types, and prototypes. */
  write() {
    const makers = [() => this.#record(), () => this.#enumeration(), () => this.#alias()];
    const types = Array.from({ length: this.#below(4) }, () => this.#pick(makers)());
    const functions = Array.from({ length: 1 + this.#below(5) }, () => {
      const name = this.#name('f');
      const storage = this.#is(0.2) ? 'extern ' : '';
      return { name, text: `${storage}${this.#declare(this.#function(2), name)};` };
    });
    return {
      text: [...types, ...functions].map(({ text }) => text).join('\n'),
      records: types.flatMap(({ checked }) => checked ?? []),
      functions: functions.map(({ name }) => name),
    };
  }
}

/**
 * A random text.
 * @returns {{ text: string, records: { name: string, fields: string[] }[], functions: string[] }}
 */
const makeDeclarations = (seed, id) => new Writer(seed, id).write();

/**
 * A type as the parser has it, as C: each part is a separate typedef, so that nothing depends on how declarators nest.
 */
function typeInC(type) {
  const constness = type.isConst ? 'const ' : '';
  switch (type.kind) {
    case 'scalar':
      return `${constness}${type.spelling}`;
    case 'enum':
      return `${constness}enum ${type.enumeration.tag}`;
    case 'record':
      return `${constness}${type.record.keyword} ${type.record.tag}`;
    case 'pointer':
      return `${constness}__typeof__(${typeInC(type.to)} *)`;
    case 'array':
      return `__typeof__(__typeof__(${typeInC(type.of)})[${type.length}])`;
    default: {
      const list = type.parameters.map((parameter) => typeInC(parameter.type));
      if (type.isVariadic) list.push('...');
      return `__typeof__(__typeof__(${typeInC(type.returns)})(${list.join(', ') || 'void'}))`;
    }
  }
}

module.exports = { HEADERS, makeDeclarations, typeInC };
