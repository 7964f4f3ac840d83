'use strict';
// Types as the text of a declaration, and which names of the package that text uses.

const { quote } = require('./text.js');

class TypeText {
  /** The names that the module has to import. */
  used = new Set();
  /** The entities that are declared already. Others are referred to by a function, which runs later. */
  emitted = new Set();
  #isTyped;

  /** @param {boolean} isTyped TypeScript rather than JavaScript */
  constructor(isTyped) {
    this.#isTyped = isTyped;
  }

  use(name) {
    this.used.add(name);
    return name;
  }

  /**
   * A type as an expression.
   * @returns {{ text: string, later?: boolean, fault?: boolean }} `later`: something in it is declared further down;
   *   `fault`: it has no counterpart
   */
  of(type) {
    switch (type.kind) {
      case 'scalar':
        return { text: quote(type.name) };
      case 'owned':
        return { text: `{ type: ${quote(type.of.name)}, free: ${quote(type.free)} }` };
      case 'array': {
        const of = this.of(type.of);
        return { text: `${this.use('array')}(${of.text}, ${type.length})`, later: of.later, fault: of.fault };
      }
      case 'pointer':
        return { text: this.#pointer(type) };
      case 'out':
      case 'inout':
        return { text: `${this.use(type.kind)}(${this.of(type.of).text})` };
      case 'fn':
        return this.#function(type);
      default:
        return this.#entity(type.entity);
    }
  }

  #entity(entity) {
    const { fault, type } = entity;
    if (fault !== undefined) return { text: "'ptr'", fault: true };
    if (entity.kind === 'alias' && type.fault !== undefined) return { text: "'function'" };
    return { text: entity.name, later: !this.emitted.has(entity) };
  }

  #pointer({ to }) {
    const { text, later, fault } = this.of(to);
    if (fault) return "'ptr'";
    const annotation = this.#isTyped && later ? `: ${this.use('DeclaredField')}` : '';
    return `${this.use('pointer')}(${later ? `()${annotation} => ${text}` : text})`;
  }

  #function(type) {
    if (type.fault !== undefined) return { text: "'function'" };
    const { text, later } = this.signature(type);
    return { text: `${this.use('fn')}({${text === '' ? '' : ` ${text} `}})`, later };
  }

  /** The `args`, `returns` and options of a declaration. */
  signature({ args, returns, varargs, options = {} }) {
    const parts = args.map((arg) => {
      const part = this.of(arg);
      return arg.lengthOf === undefined ? part : { ...part, text: `{ type: ${part.text}, lengthOf: ${arg.lengthOf} }` };
    });
    const result = this.of(returns);
    const texts = [];
    if (parts.length > 0) texts.push(`args: [${parts.map(({ text }) => text).join(', ')}]`);
    if (varargs) texts.push('varargs: true');
    if (result.text !== "'void'") texts.push(`returns: ${result.text}`);
    for (const [key, value] of Object.entries(options))
      texts.push(`${key}: ${typeof value === 'string' ? quote(value) : value}`);
    return { text: texts.join(', '), later: [...parts, result].some((part) => part.later) };
  }
}

module.exports = { TypeText };
