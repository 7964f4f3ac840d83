'use strict';
// A signature -> encode (values into the frame) and decode (frame to value), for calls and, in a mirror, for callbacks.
// Functions of one shape (the same rows) share one prepared signature and one generated factory.
// In parentheses are the functions that every dlopen runs: V8 compiles those with the file (docs/architecture.md).

const { isPromise } = require('node:util').types;
const binding = require('./binding');
const { RESULT, makeError, wrongType } = require('./errors');
const { isLent, release } = require('./kept');
const { late } = require('./late');
const { frame, storageAddress } = require('./memory');
const settings = require('./settings');
const { rowOf, typeOf, parameter: parameterOf } = require('./types');

const contract = late(() => require('./contract'));

/** Where the number of the bound function lies in the frame, and the values of a call begin (src/memory/frame.rs). */
const NUMBER = 16;
/** One bit of the frame's pins for each (src/memory/frame.rs). */
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
  /** A result, out of the frame or as the native entry has given it. */
  decode(text) {
    return this.result.returnedByEntry ? text : this.result.read(frame, this.resultAt);
  },
  caller(target, name) {
    return (this.call ??= factory(this, callerSource, plainCaller, 'call'))(target, name);
  },
  checkedCaller(target, name, check) {
    return (this.check ??= factory(this, callerSource, plainCaller, 'check'))(target, name, check);
  },
  launcher(launch, name) {
    return (this.launch ??= factory(this, callerSource, plainCaller, 'launch'))(launch, name);
  },
  handler(callback, name, keeper) {
    return (this.handle ??= factory(this, handlerSource, plainHandler))(callback, name, keeper);
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
    call: undefined, check: undefined, launch: undefined, handle: undefined,
    // What the V8 lane knows of it: lane.js.
    route: undefined,
  };
});

/** The native entries of all bound functions: three call, by the number of pins; the last has another thread call. */
const [enter, enterWithFew, enterWithMany, start] = binding.entries();
/** src/js/function.rs, FEW_PINS. */
const FEW_PINS = 2;
const enterWith = (pins) => (pins.length > FEW_PINS ? enterWithMany : enterWithFew);

/** Has another thread call the function of a number, whose arguments are in the frame. */
function startCall({ number, library }, slot, thread, pins) {
  frame.setUint32(NUMBER, number, true);
  if (pins.length === 0) start(slot, thread, library);
  else start(slot, thread, ...pins, library);
}

/** What generated source uses. */
const help = {
  enter, enterWith,
  wrongCount, refuse, addressOfPin, keepResult, release, isPromise, settle,
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

const each = (rows, line) => rows.map(line).filter(Boolean).join('\n    ');
const countCheck = (count) => `if (arguments.length !== ${count}) throw help.wrongCount(name, ${count}, arguments.length);`;
const bitOf = (position) => `(p${position} === undefined ? 0 : ${1 << (position & 31)})`;

/** The words of pin bits at the start of the frame: one bit an argument. */
function pinWords(pins) {
  const words = [0, 1, 2, 3].map((word) => pins.filter((position) => position >> 5 === word));
  return words.map((positions, word) =>
    (positions.length > 0
      ? `frame.setInt32(${word * 4}, ${positions.map(bitOf).join(' | ') || 0}, true);`
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
  const call = `frame.setUint32(${NUMBER}, number, true);\n    `;
  const entered = enteredBy(pins, kept.concat('library'));
  if (result.returnedByEntry) return call + give(entered);
  if (result.name === 'void' && !isChecked) return `${call}${entered};`;
  const hold = result.readsMemory ? `help.held = [${names}];\n    ` : '';
  return `${hold}${call}${entered};\n    ${give(`readResult(frame, ${resultAt})`)}`;
};
const listOf = (names) => (names.length === 0 ? 'help.none' : `[${names}]`);
/** Whether a value of a row may be more than what is written of it: only a number is nothing more. */
const mayHold = (row) => row.resolve || row.pins || row.keeps || row.key !== undefined;
const endings = {
  call: finish(false),
  check: finish(true),
  launch: ({ args }, { pins, kept, names }) =>
    `return launch(${listOf(pins)}, ${listOf(kept)}, ${listOf(settings.trace || args.some(mayHold) ? names : [])});`,
};

function callerSource(shape, ending) {
  const { args, at, pins, parameters, loose } = shape;
  const names = args.map((_, i) => `a${i}`);
  const kept = args.flatMap((row, i) => (row.keeps ? [i] : []));
  const assigned = (i) => (pins.includes(i) ? `var p${i} = ` : args[i].keeps ? `k${i} = ` : '');
  const releases = kept.map((i) => `help.release(k${i});`).join(' ');
  const label = (i) => JSON.stringify(parameters[i].label);
  const isAsync = ending === 'launch';
  // What is kept must not be written twice.
  const looksLater = !isAsync && kept.length === 0 && args.some((row) => row.writeAnyText);
  const writer = (row) => (looksLater && row.writeAnyText ? 'writeAnyText' : 'write');
  return `'use strict';
const { parameters, args: { ${args.map((_, i) => `${i}: row${i}`).join(', ')} } } = shape;
${each(args, (row, i) => `const write${i} = row${i}.${writer(row)}, resolve${i} = row${i}.resolve;`)}
const readResult = shape.result.read, enter = help.enter, enterWith = help.enterWith(shape.pins);
return (${isAsync ? 'launch' : '{ number, library }'}, name, check) => ({ __proto__: null, [name]: function (${names.join(', ')}) {
    ${kept.length > 0 ? `var ${kept.map((i) => `k${i}`).join(', ')};` : ''}
    ${isAsync || kept.length > 0 ? 'try {' : ''}
    ${loose ? '' : countCheck(args.length)}
    ${each(args, (row, i) => row.resolve && `${row.pins ? `if (typeof a${i} !== 'number') ` : ''}a${i} = resolve${i}(a${i}, name, ${label(i)});`)}
    ${looksLater ? 'try {' : ''}
    ${each(args, (row, i) => `${assigned(i)}write${i}(frame, ${at[i]}, a${i}, name, ${label(i)});`)}
    ${each(parameters, ({ lengthOf: k }, i) => k !== undefined
    && `parameters[${i}].checkLength(row${i}.read(frame, ${at[i]}), a${k}, row${k}, name, ${label(i)}, ${k});`)}
    ${pinWords(pins)}
    ${isAsync ? `} catch (error) { ${releases} return help.reject(error); }` : ''}
    ${endings[ending](shape, { names, pins: pins.map((i) => `p${i}`), kept: kept.map((i) => `k${i}`) })}
    ${looksLater ? `} catch (error) { help.refuse(shape, [${names}], name); throw error; }` : ''}
    ${!isAsync && kept.length > 0 ? `} finally { ${releases} }` : ''}
} })[name];`;
}

const enterPlainly = ({ number, library }, { pins, kept }) => {
  frame.setUint32(NUMBER, number, true);
  return pins.some((pin) => pin !== undefined) ? enterWith(pins)(...pins, ...kept, library) : enter(...kept, library);
};
const plainEndings = {
  call: (shape, target, parts) => shape.decode(enterPlainly(target, parts)),
  check: (shape, target, parts, check) => check(shape.decode(enterPlainly(target, parts))),
  launch: (shape, launch, { pins, kept, values }) => launch(pins, kept, values),
};

function plainCaller(shape, ending) {
  const { args, at, pins, parameters, loose } = shape;
  const isAsync = ending === 'launch';
  const encode = (values, written, name) => {
    if (!loose && values.length !== args.length) throw wrongCount(name, args.length, values.length);
    args.forEach((row, i) => { if (row.resolve) values[i] = row.resolve(values[i], name, parameters[i].label); });
    const words = [0, 0, 0, 0];
    args.forEach((row, i) => {
      written[i] = row.write(frame, at[i], values[i], name, parameters[i].label);
      if (written[i] !== undefined && row.pins) words[i >> 5] |= 1 << (i & 31);
    });
    parameters.forEach((parameter, i) => {
      const { label, lengthOf: k } = parameter;
      if (k !== undefined) parameter.checkLength(args[i].read(frame, at[i]), values[k], args[k], name, label, k);
    });
    words.forEach((word, i) => frame.setInt32(i * 4, word, true));
  };
  return (target, name, check) => {
    const call = (...values) => {
      const written = [];
      const keptOf = () => args.flatMap((row, i) => (row.keeps ? [written[i]] : []));
      try {
        encode(values, written, name);
        return plainEndings[ending](shape, target, { pins: pins.map((i) => written[i]), kept: keptOf(), values }, check);
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

// ---- C to JS --------------------------------------------------------------------------------------------------------

/** A callback's result that is a view or a string: kept by `keeper` until its next result; returns its address. */
function addressOfPin(pin, keeper, name) {
  const kept = typeof pin === 'string' ? Buffer.from(`${pin}\0`) : pin;
  keeper.kept = kept;
  const address = storageAddress(kept);
  if (typeof address !== 'number' && typeof address !== 'bigint') {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name}: ${RESULT} must be a view of more than 0 attached bytes`);
  }
  return address;
}

/**
 * A callback on a foreign thread returned a Promise: its caller waits until it settles. True tells the native side so.
 */
function settle(promise, token, finish) {
  promise.then((value) => {
    finish(value);
    binding.answer(token);
  }).catch((error) => binding.fail(token, error));
  return true;
}

/** A callback's result whose parts have to stay alive: until its next result. A plain function would not. */
function keepResult(kept, keeper, name) {
  keeper.kept = kept;
  if (!isLent(kept)) return;
  release(kept);
  throw makeError('ERR_INVALID_ARG_TYPE', `${name}: ${RESULT} must not hold a plain function: return a JSCallback`);
}

const writerOfResult = (result) => result.writeResult ?? result.write;

/**
 * `token` is there for a call from a foreign thread only. What is done with the result is there twice, so that a callback is
 * one function.
 */
function handlerSource({ args, at, result, resultAt }) {
  const finish = `{
    ${result.resolve ? `value = resolve(value, name, '${RESULT}');` : ''}
    ${result.name === 'void' ? '' : `const pin = write(frame, ${resultAt}, value, name, '${RESULT}');`}
    ${result.keeps ? 'if (pin !== undefined) help.keepResult(pin, keeper, name);' : ''}
    ${result.pins ? `if (pin !== undefined) write(frame, ${resultAt}, help.addressOfPin(pin, keeper, name), name, '${RESULT}');` : ''}
  }`;
  return `'use strict';
const { ${args.map((_, i) => `${i}: row${i}`).join(', ')} } = shape.args;
${each(args, (row, i) => `const read${i} = row${i}.read;`)}
const write = shape.result.writeResult ?? shape.result.write, resolve = shape.result.resolve;
return (callback, name, keeper) => (token) => {
  let value = callback(${args.map((_, i) => `read${i}(frame, ${at[i]})`).join(', ')});
  if (token !== undefined && help.isPromise(value)) return help.settle(value, token, (value) => ${finish});
  ${finish}
};`;
}

function plainHandler({ args, at, result, resultAt }) {
  const write = writerOfResult(result);
  return (callback, name, keeper) => {
    const finish = (returned) => {
      const value = result.resolve ? result.resolve(returned, name, RESULT) : returned;
      const pin = write(frame, resultAt, value, name, RESULT);
      if (pin !== undefined && result.keeps) return keepResult(pin, keeper, name);
      if (pin !== undefined) write(frame, resultAt, addressOfPin(pin, keeper, name), name, RESULT);
      return undefined;
    };
    return (token) => {
      const value = callback(...args.map((row, i) => row.read(frame, at[i])));
      if (token !== undefined && isPromise(value)) return settle(value, token, finish);
      return finish(value);
    };
  };
}

module.exports = { readArgs, typesOf, shapeOf, startCall, wrongCount, MOST_ARGUMENTS };
