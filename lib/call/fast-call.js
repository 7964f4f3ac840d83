'use strict';
// The fast call: V8's optimised code calls C directly. The generated caller tests each value; whatever it does not
// take, every error among it, is left to the generic call before anything has happened.

const binding = require('../native/binding.js');
const { modules, options, unverified } = require('../native/runtime.js');
const { withoutV8, usesV8, attachTexts } = require('../native/v8.js');
const { words, arrays, EPOCH, BEGIN } = require('../memory/arg-buffer.js');
const { compile, nameOf, noteOf } = require('../codegen/compile.js');
const { halves } = require('../codegen/read-values.js');
const { SHORT, TEXT_SLOTS, TURN, shared, state, textOfLength } = require('./fast-texts.js');
const { numberOfBig } = require('../memory/big-words.js');
const { lazy } = require('../lazy.js');
const config = require('../native/config.js');
const { byName } = require('../types/registry.js');

const access = lazy(() => require('../memory/access.js'));

/** V8 calls fast functions from code of its optimising compiler only. */
const WITHOUT_OPTIMISER = ['--jitless', '--no-opt', '--no-turbofan', '--no-turbo-fast-api-calls', '--max-lazy'];

const WENT_IN = 0;
const BROKEN = 2;
/** The code was not optimised, and V8 made an ordinary call, which takes ten times as long as a generic call. */
const COLD = 3;
/** Callbacks are open, and will be for a while. */
const SHUT = 4;
/** This many calls take the generic path before the next one tries. */
const PAUSE = 64;
const SHORT_PAUSE = 16;
const NO_TEXT = 0xffffffff;
/** The word of the bits of the pins. */
const PINS = 3;

/** Why there are no fast calls; undefined where there are. */
let reason;
/** Native functions: `text` puts a text between fences, `takeText` gives the one that the last call has returned. */
let texts = null;

function start() {
  if (unverified !== undefined) return unverified;
  // The generic call finds views by V8's functions as well, and reads flat texts where they lie.
  const hasViews = usesV8 && binding.attachViews?.(shared.subarray(3), new DataView(shared.buffer, 5));
  if (usesV8) attachTexts();
  if (config.callPath !== undefined && config.callPath !== 'fast') return config.callPathSetting;
  if (withoutV8 !== undefined) return withoutV8;
  const option = options.find((text) => WITHOUT_OPTIMISER.includes(text));
  if (option !== undefined) return `${option} is set`;
  texts = (hasViews && binding.attachFastCalls?.(shared)) || null;
  return texts === null ? 'V8 or the system does not offer what it needs' : undefined;
}
reason = start();

/** The path that calls take where their types allow it: `fast`, `generic` or `libffi`; and why it is not `fast`. */
const callPath = () =>
  reason === undefined ? { name: 'fast' } : { name: config.callPath === 'libffi' ? 'libffi' : 'generic', reason };

// ---- argument classes -----------------------------------------------------------------------------------------------

// Numbers of src/v8/fast_signature.rs, FastType.
const [IN_ARG_BUFFER, I32, U32, F32, F64, POINTER, I64, U64] = [0, 3, 4, 7, 8, 32, 33, 34];
const [TEXT, VIEW, POINTER_OR_VIEW, TEXT_OR_VIEW] = [35, 36, 37, 38];

// An argument is described by source, in which `@` stands for its position: `test` leaves if the value does not
// fit, `store` runs before the call, and `pass` is the expression that is passed.
const LEAVE = 'break attempt;';

/** An integer of up to 32 bits: `as` is the expression that an integer of the type equals. */
const integer = (nativeClass, as) => ({
  nativeClass,
  pass: 'x@',
  test: `var x@; if (typeof a@ !== 'number' || (x@ = (${as})) !== a@) ${LEAVE}`,
});
/** The checks that the trampoline makes itself. */
const unconverted = (nativeClass, test = '') => ({ nativeClass, pass: 'a@', test });

/**
 * A pointer is a number that the trampoline checks. There are two functions of such a signature: the one that is called
 * while no argument is a view takes `x`, a double; the other one takes `v`, any value. Views are passed as they are, so
 * that the trampoline finds their blocks. For a text, which was put between fences before, NaN is passed.
 */
const pointerOf = (nativeClass, ofViews, isNumber, number, ...others) => ({
  nativeClass,
  pass: 'x@',
  ofViews,
  passWithViews: 'v@',
  test: 'var x@ = NaN, v@ = NaN;',
  store: (slot) =>
    [
      `if (${isNumber}) ${number}`,
      'if (a@ === null) x@ = v@ = 0;',
      ...others.map((other) => other(slot)),
      `if (isView(a@)) { v@ = a@; hasViews = true; } else ${LEAVE}`,
    ].join('\n      else '),
});
/** A text whose units have so many bytes. */
const ofUnits = (unit) => (slot) =>
  `if (typeof a@ === 'string') { storeText(a@, @ + ${slot * 256 + unit * 65536}); if (state[0] !== ${WENT_IN}) ${LEAVE} }`;
const ofText = ofUnits(1);
const pointer = pointerOf(POINTER, POINTER_OR_VIEW, "typeof a@ === 'number'", 'x@ = v@ = a@;');
/** Nothing that C reads or writes lies in the first page: the generic call says so. */
const isMemory = "typeof a@ === 'number' && (a@ >= 4096 || a@ === 0)";
const memory = pointerOf(POINTER, POINTER_OR_VIEW, isMemory, 'x@ = v@ = a@;');
const textOfUnits = (unit) => ({
  ...pointerOf(TEXT, TEXT_OR_VIEW, isMemory, 'x@ = v@ = a@;', ofUnits(unit)),
  hasTexts: true,
});
/** A pointer of a dialect whose addresses are BigInts: a number is none there, but undefined is NULL. */
const bigAddress = (isAddress) => ({
  ...pointerOf(
    TEXT,
    TEXT_OR_VIEW,
    isAddress,
    `{ x@ = v@ = numberOfBig(a@); if (!(x@ >= 0)) ${LEAVE} }`,
    () => 'if (a@ === undefined) x@ = v@ = 0;',
    ofText,
  ),
  hasTexts: true,
});
const address = bigAddress("typeof a@ === 'bigint'");
const memoryAddress = bigAddress("typeof a@ === 'bigint' && (a@ >= 4096n || a@ === 0n)");

const ARGUMENTS = {
  __proto__: null,
  char: integer(I32, 'a@ << 24 >> 24'),
  i8: integer(I32, 'a@ << 24 >> 24'),
  u8: integer(U32, 'a@ & 0xff'),
  i16: integer(I32, 'a@ << 16 >> 16'),
  u16: integer(U32, 'a@ & 0xffff'),
  i32: integer(I32, 'a@ | 0'),
  u32: integer(U32, 'a@ >>> 0'),
  bool: { nativeClass: U32, pass: '(a@ ? 1 : 0)', test: `if (typeof a@ !== 'boolean') ${LEAVE}` },
  f32: unconverted(F32, `if (typeof a@ !== 'number' || (!(a@ <= MOST && a@ >= -MOST) && isFinite(a@))) ${LEAVE}`),
  f64: unconverted(F64, `if (typeof a@ !== 'number') ${LEAVE}`),
  i64: unconverted(I64),
  i64_fast: unconverted(I64),
  long: unconverted(I64),
  u64: unconverted(U64),
  u64_fast: unconverted(U64),
  i64_number: unconverted(I64),
  u64_number: unconverted(U64),
  'unsigned long': unconverted(U64),
  ptr: pointer,
  cstring: textOfUnits(1),
  utf16: textOfUnits(2),
  wstring: textOfUnits(byName.get('wchar_t').size),
  buffer: { nativeClass: VIEW, pass: 'a@', test: `if (!isView(a@)) ${LEAVE}` },
};

// V8 makes BigInts of C's results itself, other than that of Node 20, where JavaScript reads them out of the argument
// buffer.
const [LONG, UNSIGNED_LONG] = modules === '115' ? [IN_ARG_BUFFER, IN_ARG_BUFFER] : [I64, U64];
const RESULTS = {
  __proto__: null,
  void: IN_ARG_BUFFER,
  char: I32,
  i8: I32,
  u8: U32,
  i16: I32,
  u16: U32,
  i32: I32,
  u32: U32,
  bool: U32,
  f32: F32,
  f64: F64,
  i64: LONG,
  long: LONG,
  u64: UNSIGNED_LONG,
  'unsigned long': UNSIGNED_LONG,
  i64_fast: IN_ARG_BUFFER,
  u64_fast: IN_ARG_BUFFER,
  i64_number: IN_ARG_BUFFER,
  u64_number: IN_ARG_BUFFER,
  ptr: POINTER,
  cstring: IN_ARG_BUFFER,
  utf16: IN_ARG_BUFFER,
  wstring: IN_ARG_BUFFER,
};

/**
 * The entry of a table for a descriptor, or for the descriptor of which it is the `wrap: true` form. Descriptors are
 * compared by identity: one that is derived from another (minBytes, a struct's pointer) is checked differently.
 */
function entryOf(table, descriptor) {
  const base = descriptor.coerces ?? descriptor;
  return byName.get(base.name) === base ? table[base.name] : undefined;
}
const classesByName = { __proto__: null, address, memory, memoryAddress };
/**
 * The argument class of a descriptor. A dialect's has `fastClass`, the name of one that takes no other values than the
 * descriptor does: what is left is the generic call's.
 */
const classOf = (descriptor) =>
  entryOf(ARGUMENTS, descriptor) ?? classesByName[descriptor.fastClass] ?? ARGUMENTS[descriptor.fastClass];
const resultClassOf = (descriptor) => entryOf(RESULTS, descriptor);

/** V8 of Node 26 ends the process where it compiles a call of more than thirty; such functions are rare. */
const MOST_ARGUMENTS = 16;

// ---- texts ----------------------------------------------------------------------------------------------------------

/**
 * The text that a call has returned, whose length was read at once. Others may have called since: then it is read where
 * it is. `unit` is how many bytes its units have.
 */
function returnedText(length, turn, high, low, unit) {
  const text = textOfState(length);
  if (state[TURN] === turn) return text;
  const address = halves.toAddress(high, low);
  return address === null ? null : access().wideTextAt(address, unit, 'cstring');
}

function textOfState(length) {
  if (length <= SHORT) return textOfLength(length);
  return length === NO_TEXT ? null : texts.takeText();
}

// ---- the caller -----------------------------------------------------------------------------------------------------

/** The names that generated source uses. */
const runtime = {
  state,
  words,
  returnedText,
  storeText: texts?.text,
  longs: arrays.i64s,
  unsignedLongs: arrays.u64s,
  numberOfBig,
  isView: ArrayBuffer.isView,
  isFinite: Number.isFinite,
  MOST: 3.4028234663852886e38,
  apply: Reflect.apply,
  ...halves,
  /** The number of next calls that take the generic path, because the last attempt failed. */
  missed: (outcome) => {
    // It did, and has broken a fence, or called a callback although it is a leaf function: this throws.
    if (outcome === BROKEN) binding.takeFailure();
    if (outcome === COLD) return PAUSE;
    return outcome === SHUT ? SHORT_PAUSE : 0;
  },
};
const NAMES = Object.keys(runtime).join(', ');

/** The expression of a text whose units have so many bytes. */
const textSource = (unit) => `returnedText(state[1], state[${TURN}], words[@ / 4 + 1], words[@ / 4], ${unit})`;

/** The expression of the value for the user, where `r` is the value that C returned; `@` is the place of the result. */
const VALUES = {
  void: '',
  bool: 'r !== 0',
  cstring: textSource(1),
  utf16: textSource(2),
  wstring: textSource(byName.get('wchar_t').size),
  ptr: 'r > 0 ? r : r === 0 ? null : toAddress(words[@ / 4 + 1], words[@ / 4])',
  i64: 'longs[@ / 8]',
  u64: 'unsignedLongs[@ / 8]',
  long: 'longs[@ / 8]',
  'unsigned long': 'unsignedLongs[@ / 8]',
  i64_fast: 'toSigned(words[@ / 4 + 1], words[@ / 4])',
  u64_fast: 'toUnsigned(words[@ / 4 + 1], words[@ / 4])',
  i64_number: "toExactSigned(words[@ / 4 + 1], words[@ / 4], name, 'result', self)",
  u64_number: "toExactUnsigned(words[@ / 4 + 1], words[@ / 4], name, 'result', self)",
};
const valueOf = (name, nativeClass) => (nativeClass === I64 || nativeClass === U64 ? 'r' : (VALUES[name] ?? 'r'));

/** Source by which V8 sees the kind of number that `@` gives. */
const NUMBERS = { [I32]: '@ | 0', [U32]: '@ >>> 0', [F32]: '+@', [F64]: '+@' };

/** The source of a signature's functions; `argClasses` are those of its arguments. */
const callerSource = function (signature, argClasses) {
  const { args, result, resultAt } = signature;
  let names = '';
  let passed = 'functionId';
  let passedWithViews = 'functionId';
  let tests = '';
  let stores = '';
  let textCount = 0;
  let mayHaveViews = false;
  for (let i = 0; i < args.length; i += 1) {
    const argClass = argClasses[i];
    names += i === 0 ? 'a0' : `, a${i}`;
    passed += `, ${argClass.pass.replaceAll('@', i)}`;
    passedWithViews += `, ${(argClass.passWithViews ?? argClass.pass).replaceAll('@', i)}`;
    tests += `${argClass.test.replaceAll('@', i)}\n      `;
    if (argClass.store) {
      mayHaveViews = true;
      stores += `${argClass.store(argClass.hasTexts ? textCount++ : 0).replaceAll('@', i)}\n      `;
    }
  }
  const nativeClass = resultClassOf(result);
  const value = valueOf(result.name, nativeClass);
  // The generic call gives a number as well. Typed so, V8 has the two meet in a register, and allocates no object for
  // one.
  const typed = (value === 'r' && NUMBERS[nativeClass]) || '@';
  const usesTexts = textCount > 0;
  // V8 puts a function into its caller where it is short with all that was put into it: by `apply` the generic call is
  // not.
  return `'use strict';
const { ${NAMES} } = runtime;
let fastWithViews;
return (function (callTarget, name) {
  const { functionId } = callTarget;
  let pause = 0;
  let slow;
  const self = { __proto__: null, [name]: function ${noteOf(signature)} (${names}) {
    if (pause !== 0) pause -= 1;
    else attempt: {
      if (arguments.length !== ${args.length}) ${LEAVE}
      ${mayHaveViews ? 'let hasViews = false;' : ''}
      ${tests}${usesTexts ? `state[${PINS}] = 0;\n      const epoch = ${BEGIN};` : ''}
      ${result.returnedByEntry ? `state[${TURN}] += 1;` : ''}
      ${stores}${usesTexts ? `if (words[${EPOCH}] !== epoch) ${LEAVE}\n      ` : ''}const r = ${
        mayHaveViews ? `hasViews ? (fastWithViews ??= withViews())(${passedWithViews}) : ` : ''
      }fast(${passed});
      if (state[0] === ${WENT_IN}) return ${value.replaceAll('@', resultAt)};
    }
    // Before anything is called, which may fail at the end of the stack: the next call must not find it.
    const outcome = state[0];
    if (outcome !== ${WENT_IN}) {
      state[0] = ${WENT_IN};
      pause = missed(outcome);
    }
    if (slow === undefined) slow = signature.caller(callTarget, name);
    return ${typed.replace('@', 'apply(slow, undefined, arguments)')};
  } }[name];
  callTarget.above = self;
  return self;
});`;
};

/** Stands for a function that could not be made. */
const neverGoesIn = () => {
  state[0] = COLD;
};

/** The maker of a signature's fast callers, for leaf functions or for others; null where the signature has none. */
const makeFastCaller = function (signature, isLeaf) {
  const { args, parameters } = signature;
  if (texts === null || args.length > MOST_ARGUMENTS) return null;
  const resultClass = resultClassOf(signature.result);
  if (resultClass === undefined) return null;
  const argClasses = [];
  const nativeClasses = [];
  for (let i = 0; i < args.length; i += 1) {
    const argClass = classOf(args[i]);
    if (argClass === undefined || parameters[i].lengthOf !== undefined) return null;
    argClasses.push(argClass);
    nativeClasses.push(argClass.nativeClass);
  }
  if (args.length > TEXT_SLOTS && argClasses.filter((argClass) => argClass.hasTexts).length > TEXT_SLOTS) return null;
  const fast = binding.fastFunction(signature.native, nativeClasses, resultClass, isLeaf);
  if (fast === null) return null;
  // Made when a view is passed first: most functions with pointers never get one.
  const withViews = () => {
    const classes = argClasses.map(({ nativeClass, ofViews }) => ofViews ?? nativeClass);
    return binding.fastFunction(signature.native, classes, resultClass, isLeaf) ?? neverGoesIn;
  };
  return compile(
    // Of equal sources V8 would make one function with two targets, and call neither of them directly.
    nameOf(isLeaf ? 'leaf' : 'call', signature),
    'signature, runtime, fast, withViews',
    callerSource(signature, argClasses),
    [signature, runtime, fast, withViews],
    () => null,
  );
};

/**
 * The maker of a signature's functions, (callTarget, name) => what users call: by a fast call, or by the generic call,
 * whose function is made when it is first needed. Null where the signature has no fast call. Functions of a signature
 * share their source: V8 then has one constant target to call for all of them, which takes the id of the function.
 * Leaf functions have a separate target, which open callbacks do not close.
 */
const fastCallerOf = function (signature, isLeaf) {
  const kind = isLeaf ? 'leafCaller' : 'fastCaller';
  if (signature[kind] === undefined) signature[kind] = makeFastCaller(signature, isLeaf);
  return signature[kind];
};

module.exports = { callPath, fastCallerOf };
