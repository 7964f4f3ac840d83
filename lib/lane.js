'use strict';
// The V8 lane: functions that optimised code calls directly. A value that goes in as it is, is tested here, in the source
// of the caller; everything else, every error among it, is the frame lane's.

const binding = require('./binding');
const { frame } = require('./memory');
const settings = require('./settings');
const { byName } = require('./types');

/** process.versions.modules of the runtimes that the whole test suite runs on in this lane: Node 20, 22, 24, 26. */
const VERIFIED = new Set(['115', '127', '137', '147']);
/** V8 calls fast functions from code of its optimising compiler only. */
const WITHOUT_OPTIMISER = /^--(?:jitless|no-opt|no-turbofan|no-turbo-fast-api-calls|max-lazy)$/;

// What native code (src/js/placing.rs) shares: words that say how a call went and how long its text is, then places for the
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

/** Why the lane is not there; undefined where it is. The placers put the addresses of views and texts into the frame. */
let reason;
let placers = null;

/** Shows the native side what flat texts are: a literal, a text that was made, and one that was put together. */
function attachTexts() {
  const made = Buffer.from('text made of bytes').toString('latin1');
  const joined = `${made} \xe9 ${made}`;
  // This flattens it.
  if (!joined.includes('\0')) binding.attachTexts?.('text of the source \xe9', made, joined);
}

function start() {
  const other = ['electron', 'bun', 'deno'].find((name) => process.versions[name] !== undefined);
  if (other !== undefined) return `not verified on ${other}`;
  const isVerified = VERIFIED.has(process.versions.modules) && process.platform === 'linux' && process.arch === 'x64';
  // The frame lane finds views by V8's functions as well, and reads flat texts where they lie.
  const hasViews = isVerified && binding.attachViews?.(shared.subarray(3), new DataView(shared.buffer, 5));
  if (isVerified) attachTexts();
  if (settings.lane !== undefined && settings.lane !== 'v8') return `PINNED_FFI_LANE=${settings.lane}`;
  if (!isVerified) {
    return `not verified on ${process.platform}-${process.arch} with NODE_MODULE_VERSION ${process.versions.modules}`;
  }
  const options = [...process.execArgv, ...(process.env.NODE_OPTIONS ?? '').split(/\s+/)];
  const option = options.map((text) => text.replaceAll('_', '-')).find((text) => WITHOUT_OPTIMISER.test(text));
  if (option !== undefined) return `${option} is set`;
  placers = (hasViews && binding.attachLane?.(shared, Number(process.versions.modules))) || null;
  return placers === null ? 'V8 or the system does not offer what it needs' : undefined;
}
reason = start();

/** Which lane calls go by where their types allow it: `v8`, `frame` or `libffi`; and why it is not `v8`. */
const lane = () => (reason === undefined ? { name: 'v8' } : { name: settings.lane === 'libffi' ? 'libffi' : 'frame', reason });

// ---- how values travel ----------------------------------------------------------------------------------------------

// Numbers of src/fast/passing.rs, Passing.
const [FRAME, I32, U32, F32, F64, POINTER, I64, U64] = [0, 3, 4, 7, 8, 32, 33, 34];

/** An integer of up to 32 bits: `as` is the expression that an integer of the type equals. */
const integer = (passing, as) => ({
  passing,
  declare: (x) => `var ${x};`,
  test: (a, x) => `typeof ${a} === 'number' && (${x} = ${as(a)}) === ${a}`,
  pass: (a, x) => x,
});
/** What the trampoline looks at by itself. */
const asItIs = (passing) => ({ passing, pass: (a) => a });

const LEAVE = 'break attempt;';
/** A pointer is a number that the trampoline checks, or NaN where native code has put the address into the frame. */
const pointer = (others) => ({
  passing: POINTER,
  declare: (x) => `var ${x} = NaN;`,
  store: (a, x, at, i, place) => {
    const kinds = [`if (typeof ${a} === 'number') ${x} = ${a};`, `if (${a} === null) ${x} = 0;`, ...others.map((other) => other(a, at, i, place))];
    return `${kinds.join('\n      else ')}\n      else ${LEAVE}`;
  },
  pass: (a, x) => x,
});
const placed = (call) => `{ ${call}; if (state[0] !== ${WENT_IN}) ${LEAVE} }`;
const ofView = (a, at, i) => `if (isView(${a})) ${placed(`placeView(${a}, ${at * 65536 + i})`)}`;
const ofText = (a, at, i, place) => `if (typeof ${a} === 'string') ${placed(`placeText(${a}, ${at * 65536 + place * 256 + i})`)}`;
const text = pointer([ofText, ofView]);

const ARGUMENTS = {
  char: integer(I32, (a) => `(${a} << 24 >> 24)`),
  i8: integer(I32, (a) => `(${a} << 24 >> 24)`),
  u8: integer(U32, (a) => `(${a} & 0xff)`),
  i16: integer(I32, (a) => `(${a} << 16 >> 16)`),
  u16: integer(U32, (a) => `(${a} & 0xffff)`),
  i32: integer(I32, (a) => `(${a} | 0)`),
  u32: integer(U32, (a) => `(${a} >>> 0)`),
  bool: { passing: U32, test: (a) => `typeof ${a} === 'boolean'`, pass: (a) => `(${a} ? 1 : 0)` },
  f32: { ...asItIs(F32), test: (a) => `typeof ${a} === 'number' && ((${a} <= MOST && ${a} >= -MOST) || !isFinite(${a}))` },
  f64: { ...asItIs(F64), test: (a) => `typeof ${a} === 'number'` },
  i64: asItIs(I64), i64_fast: asItIs(I64), long: asItIs(I64),
  u64: asItIs(U64), u64_fast: asItIs(U64), 'unsigned long': asItIs(U64),
  ptr: pointer([ofView]),
  cstring: text,
  buffer: { ...pointer([]), store: (a, x, at, i) => `${ofView(a, at, i)} else ${LEAVE}` },
};

// V8 makes BigInts of C's results itself, other than that of Node 20, where JavaScript reads them out of the frame.
const [LONG, UNSIGNED_LONG] = process.versions.modules === '115' ? [FRAME, FRAME] : [I64, U64];
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

/** How the values of a shape travel in this lane; undefined where they do not. */
function travelOf(shape) {
  if (placers === null || shape.args.length > MOST_ARGUMENTS || !returns.has(shape.result)) return undefined;
  const route = [];
  let texts = 0;
  for (let i = 0; i < shape.args.length; i += 1) {
    const how = travels.get(shape.args[i]);
    if (how === undefined || shape.parameters[i].lengthOf !== undefined) return undefined;
    if (how === text) texts += 1;
    route.push(how);
  }
  return texts > PLACES ? undefined : route;
}

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

/** The text that a call has returned. */
function givenText() {
  const length = state[1];
  if (length <= SHORT) return (textOf ??= shortTexts())(length);
  return length === NO_TEXT ? null : placers.takeText();
}

// ---- the caller -----------------------------------------------------------------------------------------------------

const words = new Uint32Array(frame.buffer);
/** What generated source uses. */
const help = {
  state, words, frame, givenText, placeView: placers?.view, placeText: placers?.text,
  longs: new BigInt64Array(frame.buffer), unsignedLongs: new BigUint64Array(frame.buffer),
  isView: ArrayBuffer.isView, isFinite: Number.isFinite, MOST: 3.4028234663852886e38,
  apply: Reflect.apply,
  /** How many of the next calls go by the frame lane, as the last one did not go in. */
  missed: () => {
    const how = state[0];
    state[0] = WENT_IN;
    // It did, and has broken a fence: this throws.
    if (how === BROKEN) binding.takeOverflow();
    return how === COLD ? PAUSE : 0;
  },
};
const NAMES = Object.keys(help).join(', ');

/** The expression of what the user gets, when `r` is what came back. */
const VALUES = {
  void: () => '',
  bool: () => 'r !== 0',
  cstring: () => 'givenText()',
  ptr: (at) => `r > 0 ? r : r === 0 ? null : read(frame, ${at})`,
  i64: (at) => `longs[${at / 8}]`,
  u64: (at) => `unsignedLongs[${at / 8}]`,
  long: (at) => `longs[${at / 8}]`,
  'unsigned long': (at) => `unsignedLongs[${at / 8}]`,
};
const valueSource = ({ result, resultAt }) => {
  const how = returns.get(result);
  if (how === I64 || how === U64) return 'r';
  if (how === FRAME && VALUES[result.name] === undefined) return `read(frame, ${resultAt})`;
  return VALUES[result.name]?.(resultAt) ?? 'r';
};

/** How V8 is told what kind of number an expression gives. */
const NUMBERS = { [I32]: (r) => `${r} | 0`, [U32]: (r) => `${r} >>> 0`, [F32]: (r) => `+${r}`, [F64]: (r) => `+${r}` };

function callerSource(shape, route) {
  const [names, declared, tests, stores, passed] = [[], [], [`arguments.length === ${route.length}`], [], ['number']];
  let texts = 0;
  for (let i = 0; i < route.length; i += 1) {
    const [how, a, x] = [route[i], `a${i}`, `x${i}`];
    names.push(a);
    if (how.declare) declared.push(how.declare(x));
    if (how.test) tests.push(how.test(a, x));
    if (how.store) stores.push(how.store(a, x, shape.at[i], i, how === text ? texts++ : undefined));
    passed.push(how.pass(a, x));
  }
  const hasPins = shape.pins.length > 0;
  const value = valueSource(shape);
  // The frame lane gives a number as well. Told so, V8 has the two meet in a register, and allocates no object for one.
  const told = (value === 'r' && NUMBERS[returns.get(shape.result)]) || ((slow) => slow);
  // V8 puts a function into its caller where it is short with all that was put into it: by `apply` the frame lane is not.
  return `'use strict';
const { ${NAMES} } = help;
const read = shape.result.read;
return (target, name) => {
  const { number } = target;
  let pause = 0;
  let slow;
  return { __proto__: null, [name]: function (${names.join(', ')}) {
    if (pause !== 0) pause -= 1;
    else attempt: {
      ${declared.join(' ')}
      if (!(${tests.join(' && ')})) break attempt;
      ${hasPins ? 'words[0] = 0;' : ''}
      ${stores.join('\n      ')}
      const r = fast(${passed.join(', ')});
      if (state[0] === ${WENT_IN}) return ${value};
    }
    if (state[0] !== ${WENT_IN}) pause = missed();
    if (slow === undefined) slow = shape.caller(target, name);
    return ${told('apply(slow, undefined, arguments)')};
  } }[name];
};`;
}

function makeRoute(shape) {
  const route = travelOf(shape);
  if (route === undefined) return undefined;
  const fast = binding.fastFunction(shape.native, route.map((how) => how.passing), returns.get(shape.result));
  if (fast === null) return undefined;
  try {
    return new Function('shape', 'help', 'fast', callerSource(shape, route))(shape, help, fast);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return undefined;
  }
}

const routes = new WeakMap();

/**
 * The maker of this lane's functions of a shape, (target, name) => what users call: by the lane, or by the frame lane, whose
 * function is made when it is first needed. Null where the shape does not go by this lane. Functions of a shape share their
 * source: V8 then has one constant target to call for all of them, which takes the number of the function.
 */
function routeOf(shape) {
  let route = routes.get(shape);
  if (route === undefined) routes.set(shape, route = makeRoute(shape) ?? null);
  return route;
}

module.exports = { lane, routeOf };
