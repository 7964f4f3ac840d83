'use strict';
// Questions to the compiler: C that includes the header and asks, and what comes out of it. The types of expressions
// come from its syntax tree, values from the constants of the code it generates.

const PREFIX = 'pinned_ffi_';

/** The lines of a file that have errors, with the first error of each. */
function errorLines(file, errors) {
  const found = new Map();
  for (const line of errors.split('\n')) {
    if (!line.startsWith(`${file}:`)) continue;
    const match = /^(\d+):\d+: (?:fatal )?error: (.*)$/.exec(line.slice(file.length + 1));
    if (match !== null && !found.has(Number(match[1]))) found.set(Number(match[1]), match[2]);
  }
  return found;
}

class Prober {
  #clang;
  #precompiled;

  constructor(clang, precompiled) {
    this.#clang = clang;
    this.#precompiled = precompiled;
  }

  /** Compiles the header once, so that a question does not read it again. */
  static async of(clang, header) {
    const output = `${header}.pch`;
    await clang.text(['-x', 'c-header', '-Xclang', '-fallow-pch-with-compiler-errors', header, '-o', output]);
    return new Prober(clang, output);
  }

  #ask(file, args) {
    return this.#clang.text([
      '-Xclang',
      '-fallow-pch-with-compiler-errors',
      '-include-pch',
      this.#precompiled,
      ...args,
      file,
    ]);
  }

  /**
   * The types of expressions, as nodes of the syntax tree.
   * @param {string[]} expressions
   * @returns {Promise<(object | undefined)[]>} undefined for what has none
   */
  async types(expressions) {
    if (expressions.length === 0) return [];
    const lines = expressions.map((expression, i) => `typedef __typeof__(${expression}) ${PREFIX}${i}_;`);
    const file = this.#clang.write('types.c', `${lines.join('\n')}\n`);
    const dump = ['-Xclang', '-ast-dump=json', '-Xclang', '-ast-dump-filter', '-Xclang', PREFIX];
    const { errors, output } = await this.#ask(file, [...dump, '-fsyntax-only']);
    const wrong = errorLines(file, errors);
    const types = new Array(expressions.length).fill(undefined);
    for (const [text] of output.matchAll(/^\{\n[^]*?\n\}$/gm)) {
      const node = JSON.parse(text);
      const index = Number(node.name?.slice(PREFIX.length, -1));
      // The last part of `__typeof__` is what it stands for; before it is the expression.
      if (node.kind === 'TypedefDecl' && !wrong.has(index + 1)) types[index] = node.inner?.[0]?.inner?.at(-1);
    }
    return types;
  }

  /**
   * The values of constants.
   * @param {Map<string, string>} definitions C declarators with their values, by name: 'const int %' of each
   * @returns {Promise<{ values: Map<string, bigint | number | string | bigint[]>, faults: Map<string, string> }>}
   */
  async constants(definitions) {
    const faults = new Map();
    const values = new Map();
    let left = [...definitions];
    while (left.length > 0) {
      const lines = left.map(([name, definition]) => `${definition.replace('%', PREFIX + name)};`);
      const file = this.#clang.write('constants.c', `${lines.join('\n')}\n`);
      const { status, errors, output } = await this.#ask(file, ['-S', '-emit-llvm', '-o', '-']);
      if (status === 0) {
        for (const [, name, value] of output.matchAll(/^@pinned_ffi_(\w+) = .*?\bconstant (.*)$/gm)) {
          const read = valueOf(value);
          if (read !== undefined) values.set(name, read);
        }
        break;
      }
      const wrong = errorLines(file, errors);
      // An error that is in no line of ours is of the header: then nothing can be asked.
      if (wrong.size === 0) throw Object.assign(new Error(errors.trim()), { code: 'ERR_FAILED' });
      for (const [line, message] of wrong) faults.set(left[line - 1][0], message);
      left = left.filter((_, i) => !wrong.has(i + 1));
    }
    return { values, faults };
  }

  /** The layouts of records, as clang prints them, where it does so: for what C itself cannot ask, bitfields. */
  async layouts(types) {
    const lines = types.map((type, i) => `unsigned long ${PREFIX}${i} = sizeof(${type});`);
    const file = this.#clang.write('layouts.c', `${lines.join('\n')}\n`);
    const { output } = await this.#ask(file, ['-fsyntax-only', '-Xclang', '-fdump-record-layouts']);
    return output;
  }
}

/** A constant of LLVM's text: an integer, a double, a string, or an array of integers. */
function valueOf(text) {
  let match = /^i\d+ (-?\d+|true|false)\b/.exec(text);
  if (match !== null) return BigInt({ true: 1, false: 0 }[match[1]] ?? match[1]);
  match = /^double (\S+?)(?:,|$)/.exec(text);
  if (match !== null) return doubleOf(match[1]);
  match = /^\[\d+ x i8\] c"((?:[^"\\]|\\..)*)"/.exec(text);
  if (match !== null) return stringOf(match[1]);
  match = /^\[(\d+) x i8\] zeroinitializer/.exec(text);
  if (match !== null) return '\0'.repeat(Number(match[1]) - 1);
  match = /^\[\d+ x i64\] \[([^\]]*)\]/.exec(text);
  if (match !== null) return [...match[1].matchAll(/i64 (-?\d+)/g)].map(([, number]) => BigInt(number));
  match = /^\[(\d+) x i64\] zeroinitializer/.exec(text);
  return match === null ? undefined : new Array(Number(match[1])).fill(0n);
}

/** A double is written in decimal where that is exact, else by its bits. */
function doubleOf(text) {
  if (!text.startsWith('0x')) return Number(text);
  const bits = new DataView(new ArrayBuffer(8));
  bits.setBigUint64(0, BigInt(text));
  return bits.getFloat64(0);
}

/** The text of a C string without its NUL; bytes that are no UTF-8 make none. */
function stringOf(text) {
  const bytes = Buffer.from(
    text.replace(/\\(?:\\|([0-9A-Fa-f]{2}))/g, (_, hex) =>
      hex === undefined ? '\\' : String.fromCharCode(parseInt(hex, 16)),
    ),
    'latin1',
  );
  const content = bytes.subarray(0, bytes.length - 1);
  const string = content.toString('utf8');
  return Buffer.from(string).equals(content) ? string : undefined;
}

module.exports = { Prober };
