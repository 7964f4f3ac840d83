'use strict';
// The V8 lane: functions that optimised code calls directly. A value that goes in as it is, is tested here, in the source
// of the caller; everything else, every error among it, is the frame lane's.
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const binding = require('./binding');
const { modules, unverified } = require('./engine');
const { withoutV8, usesV8, texts } = require('./verified');
const { words, arrays, EPOCH, BEGIN } = require('./frame');
const { halves } = require('./inline');
const memory = require('./memory');
const settings = require('./settings');
const { byName } = require('./types');

/** V8 calls fast functions from code of its optimising compiler only. */
const WITHOUT_OPTIMISER = /^--(?:jitless|no-opt|no-turbofan|no-turbo-fast-api-calls|max-lazy)$/;

// What native code (src/node/fast_call/arguments.rs) shares: words that say how a call went and how long its text is, then places for the
// texts of a call, each with room for fences.
const TEXTS = 64;
const PLACES = 8;
/** Characters of Latin-1; each may take two bytes. */
const LONGEST_TEXT = 1024;
const [, after, lead] = binding.fenceWidths();
const stride = Math.ceil((lead + 2 * LONGEST_TEXT + 1 + after) / 16) * 16;
const shared = new Uint8Array(TEXTS + PLACES * stride);
const state = new Uint32Array(shared.buffer, 0, TEXTS / 4);
const WENT_IN = 0;
const BROKEN = 2;
/** The code was not optimised, and V8 made an ordinary call, which takes ten times as long as the frame lane. */
const COLD = 3;
/** As many calls go by the frame lane before the next one tries. */
const PAUSE = 64;
const NO_TEXT = 0xffffffff;
/** The word that counts the calls which return text. */
const TURN = 2;

/** Why the lane is not there; undefined where it is. The placers put the addresses of views and texts into the frame. */
let reason;
let placers = null;

function start() {
  if (unverified !== undefined) return unverified;
  // The frame lane finds views by V8's functions as well, and reads flat texts where they lie.
  const hasViews = usesV8 && binding.attachViews?.(shared.subarray(3), new DataView(shared.buffer, 5));
  if (usesV8) binding.attachTexts?.(...texts);
  if (settings.lane !== undefined && settings.lane !== 'v8') return `PINNED_FFI_LANE=${settings.lane}`;
  if (withoutV8 !== undefined) return withoutV8;
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  const option = options.map((text) => text.replaceAll('_', '-')).find((text) => WITHOUT_OPTIMISER.test(text));
  if (option !== undefined) return `${option} is set`;
  placers = (hasViews && binding.attachLane?.(shared)) || null;
  return placers === null ? 'V8 or the system does not offer what it needs' : undefined;
}
reason = start();

/** Which lane calls go by where their types allow it: `v8`, `frame` or `libffi`; and why it is not `v8`. */
const lane = () => (reason === undefined ? { name: 'v8' } : { name: settings.lane === 'libffi' ? 'libffi' : 'frame', reason });

// ---- how values travel ----------------------------------------------------------------------------------------------

// Numbers of src/v8/fast_signature.rs, Passing.
const [FRAME, I32, U32, F32, F64, POINTER, I64, U64] = [0, 3, 4, 7, 8, 32, 33, 34];

// What is said of an argument is source, in which `@` stands for its position: `test` leaves where the value does not go in,
// `store` is what comes before the call, and `pass` what is passed.
const LEAVE = 'break attempt;';

/** An integer of up to 32 bits: `as` is the expression that an integer of the type equals. */
const integer = (passing, as) => ({
  passing, pass: 'x@', test: `var x@; if (typeof a@ !== 'number' || (x@ = (${as})) !== a@) ${LEAVE}`,
});
/** What the trampoline looks at by itself. */
const asItIs = (passing, test = '') => ({ passing, pass: 'a@', test });

/** A pointer is a number that the trampoline checks, or NaN where native code has put the address into the frame. */
const pointerOf = (isAddress, ...others) => ({
  passing: POINTER, pass: 'x@', test: 'var x@ = NaN;',
  store: (at, place) => [`if (${isAddress}) x@ = a@;`, 'if (a@ === null) x@ = 0;',
    ...others.map((other) => other(at, place)), LEAVE].join('\n      else '),
});
const pointer = (...others) => pointerOf("typeof a@ === 'number'", ...others);
const placed = (call) => `{ ${call}; if (state[0] !== ${WENT_IN}) ${LEAVE} }`;
const ofView = (at) => `if (isView(a@)) ${placed(`placeView(a@, ${at})`)}`;
const ofText = (at, place) => `if (typeof a@ === 'string') ${placed(`placeText(a@, ${at + place * 256})`)}`;
/** No text lies in the first page: the frame lane says so. */
const text = pointerOf("typeof a@ === 'number' && (a@ >= 4096 || a@ === 0)", ofText, ofView);

const ARGUMENTS = {
  char: integer(I32, 'a@ << 24 >> 24'),
  i8: integer(I32, 'a@ << 24 >> 24'),
  u8: integer(U32, 'a@ & 0xff'),
  i16: integer(I32, 'a@ << 16 >> 16'),
  u16: integer(U32, 'a@ & 0xffff'),
  i32: integer(I32, 'a@ | 0'),
  u32: integer(U32, 'a@ >>> 0'),
  bool: { passing: U32, pass: '(a@ ? 1 : 0)', test: `if (typeof a@ !== 'boolean') ${LEAVE}` },
  f32: asItIs(F32, `if (typeof a@ !== 'number' || (!(a@ <= MOST && a@ >= -MOST) && isFinite(a@))) ${LEAVE}`),
  f64: asItIs(F64, `if (typeof a@ !== 'number') ${LEAVE}`),
  i64: asItIs(I64), i64_fast: asItIs(I64), long: asItIs(I64),
  u64: asItIs(U64), u64_fast: asItIs(U64), 'unsigned long': asItIs(U64),
  ptr: pointer(ofView),
  cstring: text,
  buffer: { ...pointer(), store: (at) => `${ofView(at)} else ${LEAVE}` },
};

// V8 makes BigInts of C's results itself, other than that of Node 20, where JavaScript reads them out of the frame.
const [LONG, UNSIGNED_LONG] = modules === '115' ? [FRAME, FRAME] : [I64, U64];
/** Whether the value is in the frame before or after the call: others must not find theirs there (frame.js). */
const isInFrame = (passing) => passing === FRAME || passing === POINTER;
const RESULTS = {
  void: FRAME, char: I32, i8: I32, u8: U32, i16: I32, u16: U32, i32: I32, u32: U32, bool: U32, f32: F32, f64: F64,
  i64: LONG, long: LONG, u64: UNSIGNED_LONG, 'unsigned long': UNSIGNED_LONG, i64_fast: FRAME, u64_fast: FRAME,
  ptr: POINTER, cstring: FRAME,
};

/** The rows themselves, by identity: what is derived from one (minBytes, a struct's pointer) has rules of its own. */
function keyed(table) {
  const hows = new Map();
  for (const [name, how] of Object.entries(table)) {
    const row = byName.get(name);
    hows.set(row, how);
    if (row.wrapped !== undefined) hows.set(row.wrapped, how);
  }
  return hows;
}
const travels = keyed(ARGUMENTS);
const returns = keyed(RESULTS);

/** V8 of Node 26 ends the process where it compiles a call of more than thirty; such functions are rare. */
const MOST_ARGUMENTS = 16;

// ---- texts ----------------------------------------------------------------------------------------------------------

const { fromCharCode } = String;
/** As many characters are made a string one by one; longer texts native code makes. */
const SHORT = 32;
/** Where native code puts a short text that C has returned. */
const GIVEN = 16;
const given = shared.subarray(GIVEN, GIVEN + SHORT);

/** A switch over the length: a text is made at once of all its characters. */
const shortText = (length) => `case ${length}: return fromCharCode(${Array.from({ length }, (_, i) => `bytes[${i}]`)});`;
const shortTexts = () => new Function('fromCharCode', 'bytes', `'use strict'; return function (length) {
  switch (length) {
    ${Array.from({ length: SHORT + 1 }, (_, length) => shortText(length)).join('\n    ')}
  }
};`)(fromCharCode, given);
let textOf;

/** The text that a call has returned, whose length was read at once. Others may have called since: then it is read where it is. */
function givenText(length, turn, high, low) {
  const text = textOfState(length);
  return state[TURN] === turn ? text : memory.textAt(halves.toAddress(high, low), 'cstring');
}

function textOfState(length) {
  if (length <= SHORT) return (textOf ??= shortTexts())(length);
  return length === NO_TEXT ? null : placers.takeText();
}

// ---- the caller -----------------------------------------------------------------------------------------------------

/** What generated source uses. */
const help = {
  state, words, givenText, placeView: placers?.view, placeText: placers?.text,
  longs: arrays.i64s, unsignedLongs: arrays.u64s,
  isView: ArrayBuffer.isView, isFinite: Number.isFinite, MOST: 3.4028234663852886e38,
  apply: Reflect.apply,
  ...halves,
  /** How many of the next calls go by the frame lane, as the last one did not go in. */
  missed: (how) => {
    // It did, and has broken a fence: this throws.
    if (how === BROKEN) binding.takeOverflow();
    return how === COLD ? PAUSE : 0;
  },
};
const NAMES = Object.keys(help).join(', ');

/** The expression of what the user gets, when `r` is what came back; `@` stands for the place of the result. */
const VALUES = {
  void: '',
  bool: 'r !== 0',
  cstring: `givenText(state[1], state[${TURN}], words[@ / 4 + 1], words[@ / 4])`,
  ptr: 'r > 0 ? r : r === 0 ? null : toAddress(words[@ / 4 + 1], words[@ / 4])',
  i64: 'longs[@ / 8]',
  u64: 'unsignedLongs[@ / 8]',
  long: 'longs[@ / 8]',
  'unsigned long': 'unsignedLongs[@ / 8]',
  i64_fast: 'toSigned(words[@ / 4 + 1], words[@ / 4])',
  u64_fast: 'toUnsigned(words[@ / 4 + 1], words[@ / 4])',
};
const valueOf = (name, passing) => (passing === I64 || passing === U64 ? 'r' : VALUES[name] ?? 'r');

/** How V8 is told what kind of number `@` gives. */
const NUMBERS = { [I32]: '@ | 0', [U32]: '@ >>> 0', [F32]: '+@', [F64]: '+@' };

/** The source of a shape's functions; `hows` are those of its arguments. */
const callerSource = (function ({ args, at, pins, result, resultAt }, hows) {
  let names = '';
  let passed = 'number';
  let tests = '';
  let stores = '';
  let texts = 0;
  for (let i = 0; i < args.length; i += 1) {
    const how = hows[i];
    names += i === 0 ? 'a0' : `, a${i}`;
    passed += `, ${how.pass.replaceAll('@', i)}`;
    tests += `${how.test.replaceAll('@', i)}\n      `;
    if (how.store) stores += `${how.store(at[i] * 65536 + i, how === text ? texts++ : 0).replaceAll('@', i)}\n      `;
  }
  const passing = returns.get(result);
  const usesFrame = (isInFrame(passing) && result.name !== 'void') || hows.some((how) => isInFrame(how.passing));
  const value = valueOf(result.name, passing);
  // The frame lane gives a number as well. Told so, V8 has the two meet in a register, and allocates no object for one.
  const told = (value === 'r' && NUMBERS[passing]) || '@';
  // V8 puts a function into its caller where it is short with all that was put into it: by `apply` the frame lane is not.
  return `'use strict';
const { ${NAMES} } = help;
return (function (target, name) {
  const { number } = target;
  let pause = 0;
  let slow;
  return { __proto__: null, [name]: function (${names}) {
    if (pause !== 0) pause -= 1;
    else attempt: {
      if (arguments.length !== ${args.length}) ${LEAVE}
      ${tests}${pins.length > 0 ? 'words[0] = 0;' : ''}
      ${usesFrame ? `const epoch = ${BEGIN};` : ''}${result.name === 'cstring' ? `state[${TURN}] += 1;` : ''}
      ${stores}${usesFrame ? `if (words[${EPOCH}] !== epoch) ${LEAVE}\n      ` : ''}const r = fast(${passed});
      if (state[0] === ${WENT_IN}) return ${value.replaceAll('@', resultAt)};
    }
    // Before anything is called, which may fail at the end of the stack: the next call must not find it.
    const how = state[0];
    if (how !== ${WENT_IN}) {
      state[0] = ${WENT_IN};
      pause = missed(how);
    }
    if (slow === undefined) slow = shape.caller(target, name);
    return ${told.replace('@', 'apply(slow, undefined, arguments)')};
  } }[name];
});`;
});

/** The maker of a shape that was not asked for before; null where it does not go by this lane. */
const makeRoute = (function (shape) {
  const { args, parameters } = shape;
  if (placers === null || args.length > MOST_ARGUMENTS || !returns.has(shape.result)) return null;
  const hows = [];
  const passings = [];
  for (let i = 0; i < args.length; i += 1) {
    const how = travels.get(args[i]);
    if (how === undefined || parameters[i].lengthOf !== undefined) return null;
    hows.push(how);
    passings.push(how.passing);
  }
  if (args.length > PLACES && hows.filter((how) => how === text).length > PLACES) return null;
  const fast = binding.fastFunction(shape.native, passings, returns.get(shape.result));
  if (fast === null) return null;
  try {
    return new Function('shape', 'help', 'fast', callerSource(shape, hows))(shape, help, fast);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return null;
  }
});

/**
 * The maker of this lane's functions of a shape, (target, name) => what users call: by the lane, or by the frame lane, whose
 * function is made when it is first needed. Null where the shape does not go by this lane. Functions of a shape share their
 * source: V8 then has one constant target to call for all of them, which takes the number of the function.
 */
const routeOf = (function (shape) {
  if (shape.route === undefined) shape.route = makeRoute(shape);
  return shape.route;
});

module.exports = { lane, routeOf };
