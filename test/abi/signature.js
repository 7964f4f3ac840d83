'use strict';
// Random signatures: plain data { seed, args, returns, fixed }, their C, and the values of their calls.
//   returns undefined is void; fixed is there for variadic functions: how many arguments come before the dots.

const { ffi, makeRandom } = require('../helpers.js');
const { SCALARS } = require('./scalars.js');
const { makeScalar, makeAggregate, typeOf, declare, sumInC, literal, makeValue } = require('./trees.js');

const MOST_ARGUMENTS = 32;
/** How many constants C has for each result and for each argument of a callback. */
const TURNS = 3;
const RETURNED = Object.keys(SCALARS).filter((name) => !SCALARS[name].argumentOnly);

/** Whether libffi can carry a type by value: of packed structs it cannot carry all. */
function isCarried(tree) {
  try {
    ffi.linkSymbols({ f: { ptr: 4096, args: [typeOf(tree)] } }).close();
    return true;
  } catch {
    return false;
  }
}

function makeByValue(random) {
  const tree = makeAggregate(random);
  const packed = { ...tree, packed: true };
  return tree.kind === 'struct' && random() < 0.15 && isCarried(packed) ? packed : tree;
}

/** The signature of a number: always the same for the same seed. Every count of arguments comes up. */
function makeSignature(seed, index) {
  const own = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca77)) >>> 0;
  const random = makeRandom(own);
  const count = index % 2 === 0 ? (index / 2) % (MOST_ARGUMENTS + 1) : Math.floor(random() * 9);
  const args = Array.from({ length: count }, () => (random() < 0.7 ? makeScalar(random) : makeByValue(random)));
  const kind = random();
  const returns = kind < 0.1 ? undefined : kind < 0.65 ? makeScalar(random, RETURNED) : makeByValue(random);
  const isVariadic = count > 0 && random() < 0.1;
  return { seed: own, args, returns, fixed: isVariadic ? 1 + Math.floor(random() * count) : undefined };
}

/** What a callback gets for an argument: of a view it is the address. */
function inCallback(tree) {
  if (tree.kind !== 'scalar' || !SCALARS[tree.name].argumentOnly) return tree;
  return { kind: 'scalar', name: SCALARS[tree.name].kind === 'length' ? 'size_t' : 'ptr' };
}

/** The declarations of a signature, for dlopen and for JSCallback. */
const declarationOf = ({ args, returns, fixed }, wrap) => ({
  args: args.slice(0, fixed).map((tree) => typeOf(tree)),
  returns: returns === undefined ? 'void' : typeOf(returns),
  ...(fixed === undefined ? {} : { varargs: true }),
  wrap,
});
const callbackOf = (signature, wrap) => declarationOf({ ...signature, args: signature.args.map(inCallback) }, wrap);

/** The constants that C has: a result and the arguments of a callback for each turn. */
function constantsOf({ seed, args, returns }) {
  const random = makeRandom(seed ^ 0x5bd1e995);
  return Array.from({ length: TURNS }, () => ({
    result: returns === undefined ? undefined : makeValue(random, returns),
    args: args.map((tree) => makeValue(random, inCallback(tree))),
  }));
}

// ---- C --------------------------------------------------------------------------------------------------------------

const isScalar = (tree) => tree.kind === 'scalar';

/** The body's variable of an argument behind the dots. */
function extraInC(tree, type, name) {
  return `${type} ${name} = (${type})va_arg(list, ${isScalar(tree) ? SCALARS[tree.name].promoted : type});`.replace(
    isScalar(tree) ? '' : `(${type})`,
    '',
  );
}

/**
 * f_ID sums its arguments and returns the constant of the turn; ask_ID calls back with the constants of the turn and
 * returns the sum of the result.
 */
function sourceOf(signature, id) {
  const { args, returns, fixed } = signature;
  const constants = constantsOf(signature);
  const list = (value) => `{ ${constants.map(value).join(', ')} }`;
  const type = (i) => `A${id}_${i}`;
  const result = returns === undefined ? 'void' : `R${id}`;
  const parameters = args.map((_, i) => `${type(i)} a${i}`);
  const isVariadic = fixed !== undefined;
  const head = isVariadic ? [...parameters.slice(0, fixed), '...'] : parameters;
  const lines = [
    ...args.map((tree, i) => `typedef ${declare(tree, type(i))};`),
    ...(returns ? [`typedef ${declare(returns, result)};`] : []),
    ...(returns ? [`static ${result} const r${id}[] = ${list((each) => literal(returns, each.result))};`] : []),
    `${result} f_${id}(${head.join(', ') || 'void'}) {`,
    '  uint32_t h;',
    ...(isVariadic ? [`  va_list list; va_start(list, a${fixed - 1});`] : []),
    ...(isVariadic ? args.slice(fixed).map((tree, i) => `  ${extraInC(tree, type(fixed + i), `a${fixed + i}`)}`) : []),
    ...args.map((tree, i) => `  h = 1; ${sumInC(tree, `a${i}`)} state[${i}] = h;`),
    ...(isVariadic ? ['  va_end(list);'] : []),
    returns ? `  return r${id}[state[${MOST_ARGUMENTS}]];\n}` : '}',
  ];
  if (!isVariadic) lines.push(callbackInC(signature, id, list, result));
  return lines.join('\n');
}

function callbackInC({ args, returns }, id, list, result) {
  const trees = args.map(inCallback);
  const type = (i) => `C${id}_${i}`;
  const call = `f(${trees.map((_, i) => `v${id}_${i}[state[${MOST_ARGUMENTS}]]`).join(', ')})`;
  return [
    ...trees.map(
      (tree, i) => `typedef ${declare(tree, type(i))};
static ${type(i)} const v${id}_${i}[] = ${list((each) => literal(tree, each.args[i]))};`,
    ),
    `uint32_t ask_${id}(${result} (*f)(${trees.map((_, i) => type(i)).join(', ') || 'void'})) {`,
    returns
      ? `  ${result} r = ${call}; uint32_t h = 1; ${sumInC(returns, 'r')} return h;\n}`
      : `  ${call}; return 1;\n}`,
  ].join('\n');
}

/** What the functions of one library share: the sums of the arguments, and the turn behind them. */
const STATE = `static uint32_t state[${MOST_ARGUMENTS + 1}];\nuint32_t *get_state(void) { return state; }\n`;

// ---- words ----------------------------------------------------------------------------------------------------------

const inline = (tree) => (tree === undefined ? 'void' : declare(tree, '').trim().replace(/\s+/g, ' '));

/** The prototype of a signature in C. */
function prototypeOf({ args, returns, fixed }) {
  const list = args.map(inline);
  return `${inline(returns)} f(${
    [...list.slice(0, fixed), ...(fixed === undefined ? [] : [`... ${list.slice(fixed).join(', ')}`])].join(', ') ||
    'void'
  })`;
}

/** How a type is declared in JavaScript. */
function typeText(tree) {
  if (tree === undefined) return "'void'";
  if (tree.kind === 'scalar') return SCALARS[tree.name].type === undefined ? `'${tree.name}'` : tree.name;
  if (tree.kind === 'array') return `array(${typeText(tree.element)}, ${tree.length})`;
  const fields = tree.fields.map((field, i) => `f${i}: ${typeText(field)}`).join(', ');
  return `${tree.kind}({ ${fields} }${tree.packed ? ', { packed: true }' : ''})`;
}

function declarationText({ args, returns, fixed }) {
  const [declared, extras] = [args.slice(0, fixed), fixed === undefined ? [] : args.slice(fixed)].map((list) =>
    list.map(typeText).join(', '),
  );
  const variadic = fixed === undefined ? '' : `, varargs: true /* ${extras} */`;
  return `{ args: [${declared}], returns: ${typeText(returns)}${variadic} }`;
}

module.exports = {
  makeSignature,
  declarationOf,
  callbackOf,
  constantsOf,
  sourceOf,
  prototypeOf,
  declarationText,
  inCallback,
  STATE,
  TURNS,
  MOST_ARGUMENTS,
};
