'use strict';
// A signature -> encode (values into the frame) and decode (frame to value), for calls and, in a mirror, for callbacks.
// Functions of one shape (the same rows) share one prepared signature and one generated factory.

const binding = require('./binding');
const { argumentOf, checkLength, checkLengths } = require('./contract');
const { makeError, wrongType } = require('./errors');
const { isLent, release } = require('./kept');
const { frame, storageAddress } = require('./memory');
const { typeOf } = require('./types');

const RESULT = 'return value';
/** One bit of the frame's pins for each (src/memory/frame.rs). */
const MOST_ARGUMENTS = 128;

/** The types of a declaration's `args` and `returns`, checked: rows with their labels. `wrap` takes bun's modular integers. */
function typesOf(declaration, name) {
  const { args = [], returns, wrap } = declaration;
  if (!Array.isArray(args)) throw wrongType(`${name}: args`, 'an array of types', args);
  if (args.length > MOST_ARGUMENTS) {
    throw makeError('ERR_INVALID_ARG_VALUE',
      `${name}: args must declare at most ${MOST_ARGUMENTS} arguments, received ${args.length}`);
  }
  const choose = (row) => (wrap && row.wrapped ? row.wrapped : row);
  const parameters = Array.from(args, (type, index) => argumentOf(type, index, `${name}: args[${index}]`));
  const rows = parameters.map(({ row }) => choose(row));
  checkLengths(parameters, rows, name);
  const none = rows.findIndex((row) => row.name === 'void');
  if (none >= 0) throw makeError('ERR_INVALID_ARG_VALUE', `${name}: args[${none}] must not be void`);
  const list = rows.findIndex((row) => row.isArray);
  if (list >= 0) {
    throw makeError('ERR_INVALID_ARG_VALUE',
      `${name}: args[${list}] must not be ${rows[list].name}: C passes the address of an array; declare a pointer`);
  }
  const result = choose(typeOf(returns ?? 'void', `${name}: returns`));
  if (result.isArray) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name}: returns must not be ${result.name}: C returns no arrays`);
  }
  if (result.argumentOnly) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name}: returns must not be ${result.name}: ${result.argumentOnly}`);
  }
  return { args: rows, result, parameters };
}

const shapes = new Map();
const keyOf = (row) => row.key ?? (row.wrapped ? row.id : `${row.id}w`);

/**
 * The prepared shape of a signature: { native, args, result, caller, handler }. `fixed` is how many arguments a variadic
 * function declares.
 */
function shapeOf({ args, result, parameters, fixed }, name) {
  const labels = parameters.map(({ label, lengthOf }) => (lengthOf === undefined ? label : `${label}<${lengthOf}`));
  const key = JSON.stringify([args.map(keyOf), keyOf(result), labels.filter((label) => typeof label === 'string'), fixed]);
  let shape = shapes.get(key);
  if (shape === undefined) {
    shape = prepare({ args, result, parameters, fixed }, name);
    shapes.set(key, shape);
  }
  return shape;
}

function prepare({ args, result, parameters, fixed }, name) {
  let native;
  try {
    native = new binding.Signature(args.map((row) => row.id), result.id, fixed);
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
  const shape = { native, args, result, parameters, at: native.arguments, resultAt: native.result, pins: native.pins };
  shape.caller = factory(shape, callerSource, plainCaller);
  shape.handler = factory(shape, handlerSource, plainHandler);
  return shape;
}

/** A factory from generated source, made when first used; the plain one where code generation is disallowed. */
function factory(shape, source, plain) {
  let make;
  return (...parts) => {
    if (make === undefined) {
      try {
        make = new Function('shape', 'frame', 'help', source(shape))(shape, frame, HELP);
      } catch (error) {
        if (!(error instanceof EvalError)) throw error;
        make = plain(shape);
      }
    }
    return make(...parts);
  };
}

/** What generated code calls. */
const HELP = { wrongCount, addressOfPin, checkLength, keepResult, release, held: undefined };

function wrongCount(name, wanted, received) {
  return makeError('ERR_INVALID_ARG_VALUE',
    `${name} takes ${wanted} argument${wanted === 1 ? '' : 's'}, received ${received}`);
}

const each = (rows, line) => rows.map(line).filter(Boolean).join('\n    ');
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

/** The lines that enter C and return its result: from the frame, or as the entry gives it. */
const returns = (result, resultAt, pins) => (enter) => {
  if (result.returnedByEntry) return `return ${enter};`;
  if (result.readsMemory) return `help.held = [${pins}];\n    ${enter};\n    return readResult(frame, ${resultAt});`;
  return result.name === 'void' ? `${enter};` : `${enter};\n    return readResult(frame, ${resultAt});`;
};

function callerSource({ args, at, result, resultAt, pins, parameters }) {
  const names = args.map((_, i) => `a${i}`);
  const isPin = new Set(pins);
  const kept = args.flatMap((row, i) => (row.keeps ? [i] : []));
  const assigned = (i) => (isPin.has(i) ? `const p${i} = ` : args[i].keeps ? `k${i} = ` : '');
  // What is kept rides along behind the pins: the engine roots all arguments of a call.
  const rides = [...pins.map((i) => `p${i}`), ...kept.map((i) => `k${i}`)];
  const label = (i) => JSON.stringify(parameters[i].label);
  return `'use strict';
const { ${args.map((_, i) => `${i}: row${i}`).join(', ')} } = shape.args;
${each(args, (row, i) => `const write${i} = row${i}.write, resolve${i} = row${i}.resolve;`)}
const readResult = shape.result.read;
return (enter, name) => function (${names.join(', ')}) {
    if (arguments.length !== ${args.length}) throw help.wrongCount(name, ${args.length}, arguments.length);
    ${each(args, (row, i) => row.resolve && `a${i} = resolve${i}(a${i}, name, ${label(i)});`)}
    ${each(parameters, ({ lengthOf }, i) => lengthOf !== undefined
    && `help.checkLength(a${i}, a${lengthOf}, name, ${label(i)}, ${lengthOf});`)}
    ${kept.length > 0 ? `let ${kept.map((i) => `k${i}`).join(', ')};\n    try {` : ''}
    ${each(args, (row, i) => `${assigned(i)}write${i}(frame, ${at[i]}, a${i}, name, ${label(i)});`)}
    ${pinWords(pins)}
    ${returns(result, resultAt, names)(`enter(${rides.join(', ')})`)}
    ${kept.map((i, n) => `${n === 0 ? '} finally { ' : ''}help.release(k${i});`).join(' ')}${kept.length > 0 ? ' }' : ''}
};`;
}

function plainCaller({ args, at, result, resultAt, pins, parameters }) {
  return (enter, name) => {
    const call = (...values) => {
      if (values.length !== args.length) throw wrongCount(name, args.length, values.length);
      args.forEach((row, i) => { if (row.resolve) values[i] = row.resolve(values[i], name, parameters[i].label); });
      parameters.forEach(({ label, lengthOf }, i) => {
        if (lengthOf !== undefined) checkLength(values[i], values[lengthOf], name, label, lengthOf);
      });
      const words = [0, 0, 0, 0];
      const kept = [];
      try {
        args.forEach((row, i) => {
          kept[i] = row.write(frame, at[i], values[i], name, parameters[i].label);
          if (kept[i] !== undefined && row.pins) words[i >> 5] |= 1 << (i & 31);
        });
        words.forEach((word, i) => frame.setInt32(i * 4, word, true));
        const returned = enter(...pins.map((position) => kept[position]), ...kept);
        return result.returnedByEntry ? returned : result.read(frame, resultAt);
      } finally {
        args.forEach((row, i) => { if (row.keeps) release(kept[i]); });
      }
    };
    Object.defineProperty(call, 'length', { value: args.length });
    return call;
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

/** A callback's result whose parts have to stay alive: until its next result. A plain function would not. */
function keepResult(kept, keeper, name) {
  keeper.kept = kept;
  if (!isLent(kept)) return;
  release(kept);
  throw makeError('ERR_INVALID_ARG_TYPE', `${name}: ${RESULT} must not hold a plain function: return a JSCallback`);
}

const writerOfResult = (result) => result.writeResult ?? result.write;

function handlerSource({ args, at, result, resultAt }) {
  return `'use strict';
const { ${args.map((_, i) => `${i}: row${i}`).join(', ')} } = shape.args;
${each(args, (row, i) => `const read${i} = row${i}.read;`)}
const write = shape.result.writeResult ?? shape.result.write, resolve = shape.result.resolve;
return (callback, name, keeper) => () => {
    ${result.name === 'void' ? '' : 'let value ='} callback(${args.map((_, i) => `read${i}(frame, ${at[i]})`).join(', ')});
    ${result.resolve ? `value = resolve(value, name, '${RESULT}');` : ''}
    ${result.name === 'void' ? '' : `const pin = write(frame, ${resultAt}, value, name, '${RESULT}');`}
    ${result.keeps ? 'if (pin !== undefined) help.keepResult(pin, keeper, name);' : ''}
    ${result.pins ? `if (pin !== undefined) write(frame, ${resultAt}, help.addressOfPin(pin, keeper, name), name, '${RESULT}');` : ''}
};`;
}

function plainHandler({ args, at, result, resultAt }) {
  const write = writerOfResult(result);
  return (callback, name, keeper) => () => {
    const returned = callback(...args.map((row, i) => row.read(frame, at[i])));
    const value = result.resolve ? result.resolve(returned, name, RESULT) : returned;
    const pin = write(frame, resultAt, value, name, RESULT);
    if (pin !== undefined && result.keeps) return void keepResult(pin, keeper, name);
    if (pin !== undefined) write(frame, resultAt, addressOfPin(pin, keeper, name), name, RESULT);
  };
}

module.exports = { typesOf, shapeOf, wrongCount, MOST_ARGUMENTS };
