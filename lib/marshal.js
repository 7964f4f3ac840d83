'use strict';
// A signature -> encode (values into the frame) and decode (frame to value), for calls; handler.js has callbacks.
// Functions of one shape (the same rows) share one prepared signature and one generated factory.
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const binding = require('./binding');
const { makeError, wrongType } = require('./errors');
const { frame, words, begin, bytesAt, NUMBER, EPOCH, VALUES, BEGIN } = require('./frame');
const { catching, handlerSource, plainHandler, help: handlerHelp } = require('./handler');
const { constants, decode, each, inlineOf, help: inlineHelp, DECLARED } = require('./inline');
const { release } = require('./kept');
const { late } = require('./late');
const { resultSource, readWords, readLarge } = require('./result-source');
const settings = require('./settings');
const { rowOf, typeOf, parameter: parameterOf } = require('./types');

const contract = late(() => require('./contract'));

/** One bit of the frame's pins for each (src/memory/arg_buffer.rs). */
const MOST_ARGUMENTS = 128;

/** The types of the arguments, each read once; undefined where there is no such list. */
function readArgs(args = []) {
  const length = Array.isArray(args) ? args.length : NaN;
  if (!(length <= MOST_ARGUMENTS)) return undefined;
  const list = [];
  for (let i = 0; i < length; i += 1) list.push(args[i]);
  return list;
}

/**
 * The types of a declaration's `args` and `returns`, checked: rows with their labels. `wrap` takes bun's conversions,
 * `loose` its way with the number of arguments.
 */
const typesOf = (function ({ args: list = [], returns, wrap, loose = false }, name) {
  if (!Array.isArray(list)) throw wrongType(`${name}: args`, 'an array of types', list);
  const { length } = list;
  if (length > MOST_ARGUMENTS) throw tooMany(length, name);
  const parameters = [];
  const args = [];
  let hasLengths = false;
  for (let i = 0; i < length; i += 1) {
    const type = list[i];
    const known = rowOf(type);
    const parameter = known === undefined || known.refused !== undefined
      ? contract().argumentOf(type, i, `${name}: args[${i}]`)
      : parameterOf(known, i);
    if (parameter.lengthOf !== undefined) hasLengths = true;
    const row = wrap && parameter.row.wrapped ? parameter.row.wrapped : parameter.row;
    if (row.name === 'void' || row.isArray) throw noArgument(row, `${name}: args[${i}]`);
    parameters.push(parameter);
    args.push(row);
  }
  if (hasLengths) contract().checkLengths(parameters, args, name);
  const returned = rowOf(returns ?? 'void');
  if (returned === undefined || returned.refused !== undefined) typeOf(returns, `${name}: returns`);
  const result = wrap && returned.wrapped ? returned.wrapped : returned;
  if (result.isArray || result.argumentOnly !== undefined) throw noResult(result, name);
  return { __proto__: null, args, result, parameters, loose };
});

const tooMany = (length, name) => makeError('ERR_INVALID_ARG_VALUE',
  `${name}: args must declare at most ${MOST_ARGUMENTS} arguments, received ${length}`);

const noArgument = (row, where) => makeError('ERR_INVALID_ARG_VALUE', row.isArray
  ? `${where} must not be ${row.name}: C passes the address of an array; declare a pointer`
  : `${where} must not be void`);

const noResult = (row, name) => makeError('ERR_INVALID_ARG_VALUE',
  `${name}: returns must not be ${row.name}: ${row.isArray ? 'C returns no arrays' : row.argumentOnly}`);

// ---- shapes ---------------------------------------------------------------------------------------------------------

/** What shapes have in common: they make functions, each kind by a factory that is made when first used. */
const functionsOf = {
  caller(target, name) {
    return (this.call ??= factory(this, callerSource, plainCaller, 'call'))(target, name);
  },
  checkedCaller(target, name, check) {
    return (this.check ??= factory(this, callerSource, plainCaller, 'check'))(target, name, check);
  },
  launcher(launch, name) {
    return (this.launch ??= factory(this, callerSource, plainCaller, 'launch'))(launch, name);
  },
  handler(callback, name, context) {
    return catching((this.handle ??= factory(this, handlerSource, plainHandler))(callback, name, context));
  },
};

const shapes = new Map();
const keyOf = (function (row) {
  return row.key ?? (row.wrapped ? row.id : `${row.id}w`);
});

/** The shape of a signature's types: what is prepared of it once. `fixed` is how many arguments a variadic function declares. */
const shapeOf = (function (types, name) {
  const { args, parameters, fixed } = types;
  let rows = '';
  let texts = '';
  for (let i = 0; i < args.length; i += 1) {
    const { label, lengthOf } = parameters[i];
    rows += `${keyOf(args[i])},`;
    if (lengthOf !== undefined) texts += `${JSON.stringify(`${label}<${lengthOf}`)},`;
    else if (typeof label === 'string') texts += `${JSON.stringify(label)},`;
  }
  const key = `${rows}|${keyOf(types.result)}|${texts}|${fixed}|${types.loose}`;
  let shape = shapes.get(key);
  if (shape === undefined) shapes.set(key, shape = prepare(types, name));
  return shape;
});

/** The bytes of the frame up to the end of the last argument. */
const sizeOf = (function (args, at) {
  let end = VALUES;
  for (let i = 0; i < args.length; i += 1) if (at[i] + args[i].size > end) end = at[i] + args[i].size;
  return end;
});

const prepare = (function ({ args, result, parameters, fixed, loose }, name) {
  const ids = [];
  for (let i = 0; i < args.length; i += 1) ids.push(args[i].id);
  let native;
  try {
    native = new binding.Signature(ids, result.id, fixed, settings.lane !== 'libffi');
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
  const { places } = native;
  return {
    __proto__: functionsOf, native, args, result, parameters, loose, at: places[0], pins: places[1], resultAt: places[2],
    size: sizeOf(args, places[0]),
    call: undefined, check: undefined, launch: undefined, handle: undefined,
    // The bytes of the result in the frame, for calls on other threads: pending.js.
    resultBytes: undefined,
    // What the V8 lane knows of it: lane.js.
    route: undefined,
  };
});

/** The native entries of all bound functions: three call, by the number of pins; the last has another thread call. */
const [enter, enterWithFew, enterWithMany, start] = binding.entries();
/** src/node/call/entries.rs, FEW_PINS. */
const FEW_PINS = 2;
const enterWith = (pins) => (pins.length > FEW_PINS ? enterWithMany : enterWithFew);

const { apply } = Reflect;

/**
 * Has another thread call the function of a number, whose arguments are in the frame. False where others have written them
 * since `epoch`.
 */
function startCall({ number, library }, shape, slot, thread, pins, epoch) {
  const passed = [slot, thread, ...pins, library];
  const bits = bitsOf(shape, pins);
  if (words[EPOCH] !== epoch) return false;
  words[0] = bits[0];
  words[1] = bits[1];
  words[2] = bits[2];
  words[3] = bits[3];
  words[NUMBER] = number;
  apply(start, undefined, passed);
  return true;
}

/** The words that say which arguments are pins. */
function bitsOf({ pins: positions }, pins) {
  const bits = [0, 0, 0, 0];
  positions.forEach((position, i) => { if (pins[i] !== undefined) bits[position >> 5] |= 1 << (position & 31); });
  return bits;
}

/** As often the arguments of a call are written: what changes them each time is no inspector. */
const MOST_TRIES = 1000;

/** Others have written the frame while the arguments of a call were written: they are written again. */
function writeAgain(tries, name) {
  if (tries < MOST_TRIES) return;
  throw makeError('ERR_FFI_INTERNAL', `${name}: other calls were made each time its arguments were written`);
}

/** What generated source uses. */
const help = {
  ...inlineHelp, ...handlerHelp, enter, enterWith, writeAgain, inlineOf, readWords, readLarge,
  wrongCount, refuse, release,
  none: Object.freeze([]),
  reject: (error) => Promise.reject(error),
  // The arguments of the last call whose result is read out of memory.
  held: undefined,
};

/**
 * A factory from generated source; the plain one where code generation is disallowed. `ending` is one of `endings`. It may be
 * made late, so that it uses no iterator of arrays: a program may have replaced it by then.
 */
function factory(shape, source, plain, ending) {
  try {
    return new Function('shape', 'frame', 'help', source(shape, ending))(shape, frame, help);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return plain(shape, ending);
  }
}

function wrongCount(name, wanted, received) {
  return makeError('ERR_INVALID_ARG_VALUE',
    `${name} takes ${wanted} argument${wanted === 1 ? '' : 's'}, received ${received}; declare \`loose: true\` to take `
    + 'any number');
}

/**
 * Something has thrown in a call whose texts the native side looks through. Where one has a NUL, C was not called: the first
 * thing that is wrong with an argument is thrown, as if all had been looked through before.
 */
function refuse({ args, at, parameters }, values, name) {
  const hasNul = (row, i) => row.writeAnyText && typeof values[i] === 'string' && values[i].includes('\0');
  if (!args.some(hasNul)) return;
  args.forEach((row, i) => row.write(frame, at[i], values[i], name, parameters[i].label));
}

const countCheck = (count) => `if (arguments.length !== ${count}) throw help.wrongCount(name, ${count}, arguments.length);`;
const bitOf = (position) => `(p${position} === undefined ? 0 : ${1 << (position & 31)})`;

/** The words of pin bits at the start of the frame: one bit an argument. */
function pinWords(pins) {
  const words = [0, 1, 2, 3].map((word) => pins.filter((position) => position >> 5 === word));
  return words.map((positions, word) =>
    (positions.length > 0
      ? `words[${word}] = ${positions.map(bitOf).join(' | ')};`
      : '')).join(' ');
}

// ---- JS to C --------------------------------------------------------------------------------------------------------

/** What is kept rides along behind the pins, and then the library: the engine roots all arguments of a call. */
function enteredBy(pins, others) {
  if (pins.length === 0) return `enter(${others})`;
  return `(${pins.map((pin) => `${pin} === undefined`).join(' && ')} ? enter(${others}) : enterWith(${pins.concat(others)}))`;
}

/**
 * How a call ends, as source.
 *   call    enters C and returns its result, from the frame or as the entry gives it; the library rides along
 *   check   the same, through `check`, which throws for what the declaration says is a failure
 *   launch  has another thread enter C, by `launch`; what is wrong with the arguments rejects the Promise
 * A result that reads memory may read that of an argument, so those are held until it is read.
 */
const finish = (isChecked) => ({ result, resultAt }, { pins, kept, names }) => {
  const give = (value) => `return ${isChecked ? `check(${value})` : value};`;
  const call = `words[${NUMBER}] = number;\n    `;
  const entered = enteredBy(pins, kept.concat('library'));
  if (result.returnedByEntry) return call + give(entered);
  if (result.name === 'void' && !isChecked) return `${call}${entered};`;
  const hold = result.readsMemory ? `help.held = [${names}];\n    ` : '';
  const { raws, value } = resultSource(result, resultAt);
  return `${hold}${call}${entered};\n    ${constants(raws, 'result')}${give(value('result'))}`;
};

const listOf = (names) => (names.length === 0 ? 'help.none' : `[${names}]`);
/** Whether a value of a row may be more than what is written of it: only a number is nothing more. */
const mayHold = (row) => row.resolve || row.pins || row.keeps || row.key !== undefined;
const endings = {
  call: finish(false),
  check: finish(true),
  launch: ({ args }, { pins, kept, names }) => {
    const held = listOf(settings.trace || args.some(mayHold) ? names : []);
    return `promise = launch(${listOf(pins)}, ${listOf(kept)}, ${held}, epoch);`;
  },
};

function callerSource(shape, ending) {
  const { args, at, pins, parameters, loose } = shape;
  const names = args.map((_, i) => `a${i}`);
  const kept = args.flatMap((row, i) => (row.keeps ? [i] : []));
  const assigned = (i) => (pins.includes(i) ? `var p${i} = ` : args[i].keeps ? `k${i} = ` : '');
  const releases = kept.map((i) => `help.release(k${i});`).join(' ');
  const forgets = kept.map((i) => `k${i} = undefined;`).join(' ');
  const label = (i) => JSON.stringify(parameters[i].label);
  const end = endings[ending](shape, { names, pins: pins.map((i) => `p${i}`), kept: kept.map((i) => `k${i}`) });
  const isAsync = ending === 'launch';
  // What is kept must not be written twice.
  const looksLater = !isAsync && kept.length === 0 && args.some((row) => row.writeAnyText);
  const writer = (row) => (looksLater && row.writeAnyText ? 'writeAnyText' : 'write');
  return `'use strict';
const { parameters, args: { ${args.map((_, i) => `${i}: row${i}`).join(', ')} } } = shape;
${each(args, (row, i) => `const write${i} = row${i}.${writer(row)}, resolve${i} = row${i}.resolve;`)}
${DECLARED}
const { result } = shape, from = help.inlineOf(result)?.from;
const enter = help.enter, enterWith = help.enterWith(shape.pins);
return (${isAsync ? 'launch' : '{ number, library }'}, name, check) => ({ __proto__: null, [name]: function (${names.join(', ')}) {
    var epoch, tries = 0${isAsync ? ', promise' : ''}${kept.map((i) => `, k${i}`).join('')};
    ${isAsync || kept.length > 0 ? 'try {' : ''}
    ${loose ? '' : countCheck(args.length)}
    ${each(args, (row, i) => row.resolve && `${row.pins ? `if (typeof a${i} !== 'number') ` : ''}a${i} = resolve${i}(a${i}, name, ${label(i)});`)}
    ${looksLater ? 'try {' : ''}
    for (;;) {
    epoch = ${BEGIN};
    ${each(args, (row, i) => `${assigned(i)}write${i}(frame, ${at[i]}, a${i}, name, ${label(i)});`)}
    ${each(parameters, ({ lengthOf: k }, i) => k !== undefined
    && `parameters[${i}].checkLength(row${i}.read(frame, ${at[i]}), a${k}, row${k}, name, ${label(i)}, ${k});`)}
    ${isAsync ? `${end}\n    if (promise !== undefined) return promise;` : `${pinWords(pins)}\n    if (words[${EPOCH}] === epoch) break;`}
    ${releases} ${forgets}
    help.writeAgain(tries += 1, name);
    }
    ${isAsync ? `} catch (error) { ${releases} return help.reject(error); }` : end}
    ${looksLater ? `} catch (error) { help.refuse(shape, [${names}], name); throw error; }` : ''}
    ${!isAsync && kept.length > 0 ? `} finally { ${releases} }` : ''}
} })[name];`;
}

/** Enters C, and gives the result; `AGAIN` where others have written the frame. */
function enterPlainly({ number, library }, shape, { pins, kept }, result, epoch) {
  const isPinned = pins.some((pin) => pin !== undefined);
  const passed = isPinned ? [...pins, ...kept, library] : [...kept, library];
  const entry = isPinned ? enterWith(pins) : enter;
  const bits = bitsOf(shape, pins);
  if (words[EPOCH] !== epoch) return AGAIN;
  // Not in a function of their own, here and in startCall: V8 may run other JavaScript where one is entered.
  words[0] = bits[0];
  words[1] = bits[1];
  words[2] = bits[2];
  words[3] = bits[3];
  words[NUMBER] = number;
  const text = apply(entry, undefined, passed);
  // At once: frame.js.
  const first = [words[8], words[9], words[10], words[11], words[12], words[13], words[14], words[15], words[16], words[17],
    words[18], words[19], words[20], words[21], words[22], words[23]];
  const before = words[EPOCH];
  if (shape.result.returnedByEntry) return text;
  if (shape.result.size <= 4 * first.length) return readWords(shape.result, first);
  const bytes = new Uint8Array(result);
  return readLarge(shape.result, before, bytes, words[EPOCH]);
}
const AGAIN = Symbol('again');

const plainEndings = {
  call: ({ target, shape, result }, parts, epoch) => enterPlainly(target, shape, parts, result, epoch),
  check(all, parts, epoch) {
    const value = plainEndings.call(all, parts, epoch);
    return value === AGAIN ? value : all.check(value);
  },
  launch: ({ target: launch }, { pins, kept, values }, epoch) => launch(pins, kept, values, epoch) ?? AGAIN,
};

function plainCaller(shape, ending) {
  const { args, at, pins, parameters, loose } = shape;
  const isAsync = ending === 'launch';
  const result = bytesAt(shape.resultAt, shape.result.size);
  const encode = (values, written, name) => {
    args.forEach((row, i) => {
      written[i] = row.write(frame, at[i], values[i], name, parameters[i].label);
    });
    parameters.forEach((parameter, i) => {
      const { label, lengthOf: k } = parameter;
      if (k !== undefined) parameter.checkLength(args[i].read(frame, at[i]), values[k], args[k], name, label, k);
    });
  };
  return (target, name, check) => {
    const call = (...values) => {
      const written = [];
      const keptOf = () => args.flatMap((row, i) => (row.keeps ? [written[i]] : []));
      try {
        if (!loose && values.length !== args.length) throw wrongCount(name, args.length, values.length);
        args.forEach((row, i) => { if (row.resolve) values[i] = row.resolve(values[i], name, parameters[i].label); });
        for (let tries = 1; ; tries += 1) {
          const epoch = begin();
          encode(values, written, name);
          const parts = { pins: pins.map((i) => written[i]), kept: keptOf(), values };
          const value = plainEndings[ending]({ target, shape, result, check }, parts, epoch);
          if (value !== AGAIN) return value;
          release(keptOf());
          written.fill(undefined);
          writeAgain(tries, name);
        }
      } catch (error) {
        if (!isAsync) throw error;
        release(keptOf());
        return Promise.reject(error);
      } finally {
        if (!isAsync) release(keptOf());
      }
    };
    return Object.defineProperties(call, { name: { value: name }, length: { value: args.length } });
  };
}

module.exports = { readArgs, typesOf, shapeOf, startCall, wrongCount, MOST_ARGUMENTS };
