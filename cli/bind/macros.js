'use strict';
// Macros of the header that are plain constants: integers, floating point numbers, strings, pointers that are numbers.
// The preprocessor lists them, the compiler evaluates them.

const { failure } = require('../usage.js');

/**
 * The macros that are defined in files of the header at its end.
 * @returns {Promise<Map<string, { isFunction: boolean, body: string }>>}
 */
async function listMacros(clang, file, isOwn) {
  const { status, errors, output } = await clang.text(['-E', '-dD', file]);
  if (status !== 0) throw failure(`clang cannot read the header:\n${errors.trim()}`);
  const macros = new Map();
  let own = false;
  for (const line of output.split('\n')) {
    const marker = /^# \d+ ("(?:[^"\\]|\\.)*")/.exec(line);
    if (marker !== null) {
      own = isOwn(JSON.parse(marker[1]));
      continue;
    }
    const [, undefinition] = /^#undef (\w+)/.exec(line) ?? [];
    if (undefinition !== undefined) macros.delete(undefinition);
    const [, name, parenthesis, body] = /^#define ([\w$]+)(\()?\s*(.*)/.exec(line) ?? [];
    if (own && name !== undefined) macros.set(name, { isFunction: parenthesis !== undefined, body });
  }
  return macros;
}

const CHANGING =
  /\b__(FILE|FILE_NAME|BASE_FILE|LINE|DATE|TIME|TIMESTAMP|COUNTER|INCLUDE_LEVEL|func|FUNCTION|PRETTY_FUNCTION)__\b/;

/** Whether a body could be an expression: one that ends the line of a question would spoil the others. */
function mayBeExpression(body) {
  if (CHANGING.test(body)) return false;
  const bare = body.replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/g, '0');
  if (/[{};#]/.test(bare)) return false;
  let depth = 0;
  for (const character of bare) {
    if (character === '(' || character === '[') depth += 1;
    if (character === ')' || character === ']') depth -= 1;
    if (depth < 0) return false;
  }
  return depth === 0;
}

// What __builtin_classify_type tells.
const [INTEGER, CHAR, ENUM, BOOL, POINTER, REAL] = [1n, 2n, 3n, 4n, 5n, 8n];
const INTEGERS = new Set([INTEGER, CHAR, ENUM, BOOL]);

const WIDE = 'const unsigned long long % = (unsigned long long)';

/** What has to be asked of a macro, once it is known to be of a kind. */
function questions(name, kind) {
  if (INTEGERS.has(kind)) {
    return [
      [`v_${name}`, `${WIDE}(${name})`],
      [`s_${name}`, `const int % = ((__typeof__(${name}))-1 < (__typeof__(${name}))1)`],
      [`z_${name}`, `const int % = sizeof(${name})`],
    ];
  }
  if (kind === REAL)
    return [
      [`v_${name}`, `const double % = (double)(${name})`],
      [`z_${name}`, `const int % = (${name}) == (double)(${name})`],
    ];
  if (kind === POINTER)
    return [
      [`v_${name}`, `const char %[] = ${name}`],
      [`p_${name}`, `${WIDE}(${name})`],
    ];
  return [];
}

/** The value of a macro in JavaScript; undefined where it has none. */
function answer(name, kind, values) {
  const value = values.get(`v_${name}`);
  if (INTEGERS.has(kind)) {
    if (value === undefined || values.get(`z_${name}`) > 8n) return undefined;
    const isSigned = values.get(`s_${name}`) === 1n;
    return exact(isSigned ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value));
  }
  if (kind === REAL) return values.get(`z_${name}`) === 1n || Number.isNaN(value) ? value : undefined;
  if (value !== undefined) return value;
  const address = values.get(`p_${name}`);
  return address === undefined ? undefined : exact(BigInt.asUintN(64, address)) || null;
}

const exact = (big) => (BigInt(Number(big)) === big && Number.isSafeInteger(Number(big)) ? Number(big) : big);

/**
 * The constants among macros.
 * @param {import('./probe').Prober} prober
 * @param {string[]} names
 * @returns {Promise<{ constants: Map<string, number | bigint | string | null>, others: string[] }>}
 */
async function evaluate(prober, names) {
  const kinds = await prober.constants(
    new Map(names.map((name) => [`k_${name}`, `const int % = __builtin_classify_type(${name})`])),
  );
  const kindOf = (name) => kinds.values.get(`k_${name}`);
  const { values } = await prober.constants(new Map(names.flatMap((name) => questions(name, kindOf(name)))));
  const constants = new Map();
  const others = [];
  for (const name of names) {
    const value = kindOf(name) === undefined ? undefined : answer(name, kindOf(name), values);
    if (value === undefined) others.push(name);
    else constants.set(name, value);
  }
  return { constants, others };
}

module.exports = { listMacros, mayBeExpression, evaluate, exact };
