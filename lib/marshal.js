'use strict';
// A signature -> encode (values into the frame) and decode (frame to value), for calls and, in a mirror, for callbacks.
// Functions of one shape (the same rows) share one prepared signature and one generated factory.

const binding = require('./binding');
const { argumentOf, checkLength, checkLengths } = require('./contract');
const { makeError, wrongType } = require('./errors');
const { frame, storageAddress } = require('./memory');
const { typeOf } = require('./types');

const RESULT = 'return value';
/** One bit of the frame's pins for each (src/memory/frame.rs). */
const MOST_ARGUMENTS = 128;

/** The types of a declaration's `args` and `returns`, checked. `wrap` takes bun's modular integers. */
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
  const result = choose(typeOf(returns ?? 'void', `${name}: returns`));
  if (result.argumentOnly) {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name}: returns must not be ${result.name}: ${result.argumentOnly}`);
  }
  return { args: rows, result, parameters };
}

const shapes = new Map();
const keyOf = (row) => row.key ?? (row.wrapped ? row.id : `${row.id}w`);

/** The prepared shape of a signature: { native, args, result, caller, handler }. */
function shapeOf({ args, result, parameters }, name) {
  const labels = parameters.map(({ label, lengthOf }) => (lengthOf === undefined ? label : `${label}<${lengthOf}`));
  const key = JSON.stringify([args.map(keyOf), keyOf(result), labels.filter((label) => typeof label === 'string')]);
  let shape = shapes.get(key);
  if (shape === undefined) {
    shape = prepare({ args, result, parameters }, name);
    shapes.set(key, shape);
  }
  return shape;
}

function prepare({ args, result, parameters }, name) {
  let native;
  try {
    native = new binding.Signature(args.map((row) => row.id), result.id);
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
        make = new Function('shape', 'frame', 'help', source(shape))(shape, frame, { wrongCount, addressOfPin, checkLength });
      } catch (error) {
        if (!(error instanceof EvalError)) throw error;
        make = plain(shape);
      }
    }
    return make(...parts);
  };
}

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
const returns = (result, resultAt) => (enter) => {
  if (result.returnedByEntry) return `return ${enter};`;
  return result.name === 'void' ? `${enter};` : `${enter};\n    return readResult(frame, ${resultAt});`;
};

function callerSource({ args, at, result, resultAt, pins, parameters }) {
  const names = args.map((_, i) => `a${i}`);
  const isPin = new Set(pins);
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
    ${each(args, (row, i) => `${isPin.has(i) ? `const p${i} = ` : ''}write${i}(frame, ${at[i]}, a${i}, name, ${label(i)});`)}
    ${pinWords(pins)}
    ${returns(result, resultAt)(`enter(${pins.map((i) => `p${i}`).join(', ')})`)}
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
      const kept = args.map((row, i) => {
        const pin = row.write(frame, at[i], values[i], name, parameters[i].label);
        if (pin !== undefined) words[i >> 5] |= 1 << (i & 31);
        return pin;
      });
      words.forEach((word, i) => frame.setInt32(i * 4, word, true));
      const returned = enter(...pins.map((position) => kept[position]));
      return result.returnedByEntry ? returned : result.read(frame, resultAt);
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
    ${result.pins ? `if (pin !== undefined) write(frame, ${resultAt}, help.addressOfPin(pin, keeper, name), name, '${RESULT}');` : ''}
};`;
}

function plainHandler({ args, at, result, resultAt }) {
  const write = writerOfResult(result);
  return (callback, name, keeper) => () => {
    const returned = callback(...args.map((row, i) => row.read(frame, at[i])));
    const value = result.resolve ? result.resolve(returned, name, RESULT) : returned;
    const pin = write(frame, resultAt, value, name, RESULT);
    if (pin !== undefined) write(frame, resultAt, addressOfPin(pin, keeper, name), name, RESULT);
  };
}

module.exports = { typesOf, shapeOf };
