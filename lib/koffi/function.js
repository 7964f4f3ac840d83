'use strict';
// Functions of C with koffi's values: convert, call the main entry's function, convert.

const { compile } = require('../codegen/compile.js');
const { release } = require('../memory/retained.js');
const { makeError, wrongValue } = require('../errors.js');
const { attached, Cast, CallMemory, copyBack, refer } = require('./encode.js');
const { parameterOf } = require('./make.js');
const { NEEDS_MEMORY, argumentOf, lend, resultOf } = require('./pass.js');
const { arena, Blocks } = require('./scratch.js');

/**
 * The function of a signature.
 * @param {string} name
 * @param {{ returns: object, parameters: { type: object, direction: string }[], isVariadic: boolean }} signature
 * @param {(declaration: object) => Function} bind binds the C function by a declaration of the main entry
 */
function functionOf(name, signature, bind) {
  const { parameters, returns, isVariadic } = signature;
  const args = parameters.map(({ type }) => argumentOf(type));
  const result = resultOf(returns);
  const native = bind({
    args: args.map(({ type }) => type),
    returns: result.type,
    ...(isVariadic && { varargs: true }),
  });
  const parts = { name, native, parameters, args, result, blocks: new Blocks() };
  const call = isVariadic ? variadic(parts) : fixed(parts);
  const info = { name, arguments: parameters.map(({ type, direction }) => ({ type, direction })), result: returns };
  Object.defineProperty(call, 'name', { value: name });
  if (isVariadic) return Object.assign(call, { info });
  return Object.assign(call, { async: Object.defineProperty(asynchronous(parts), 'name', { value: name }), info });
}

const tooFew = (expected, received) =>
  makeError('ERR_INVALID_ARG_VALUE', `Expected ${expected} arguments, got ${received}`);

/** The function of a fixed number of arguments. More are ignored, as in koffi. */
const fixed = (parts) => compile('koffi', 'parts, help', fixedSource(parts), [parts, help], () => plainFixed(parts));

const help = { NEEDS_MEMORY, callWithMemory, tooFew };

/** The source of a function: one for each, so that the engine sees what is called. */
function fixedSource({ args, result }) {
  const names = args.map((_, i) => `a${i}`);
  const values = args.map(({ convert }, i) => (convert === undefined ? `a${i}` : `v${i}`));
  const converted = args.flatMap(({ convert }, i) => (convert === undefined ? [] : [i]));
  const native = `native(${values.join(', ')})`;
  return `'use strict';
const { native, args, result } = parts, { NEEDS_MEMORY } = help, from = result.convert;
${converted.map((i) => `const convert${i} = args[${i}].convert;`).join('\n')}
return function (${names.join(', ')}) {
  ${args.length === 0 ? '' : `if (arguments.length < ${args.length}) throw help.tooFew(${args.length}, arguments.length);`}
  ${converted.map((i) => `const v${i} = convert${i}(a${i});`).join(' ')}
  ${converted.length === 0 ? '' : `if (${converted.map((i) => `v${i} === NEEDS_MEMORY`).join(' || ')}) return help.callWithMemory(parts, [${names.join(', ')}], [${values.join(', ')}]);`}
  return ${result.convert === undefined ? native : `from(${native})`};
};`;
}

/** The same where code generation is disallowed. */
function plainFixed(parts) {
  const { args, native, result } = parts;
  const count = args.length;
  const call = (...values) => {
    if (values.length < count) throw tooFew(count, values.length);
    const passed = convertEach(args, values);
    if (passed.includes(NEEDS_MEMORY)) return callWithMemory(parts, values, passed);
    const returned = native(...passed);
    return result.convert === undefined ? returned : result.convert(returned);
  };
  return Object.defineProperty(call, 'length', { value: count });
}

const convertEach = (args, values) =>
  args.map(({ convert }, i) => (convert === undefined ? values[i] : convert(values[i])));

/** Gives memory of `callMemory` to the converted values that need it. */
function allocateArguments({ name, parameters, args }, values, passed, callMemory) {
  for (let i = 0; i < args.length; i += 1) {
    const { prepare } = args[i];
    if (passed[i] !== NEEDS_MEMORY) continue;
    if (prepare !== undefined) passed[i] = prepare(values[i], callMemory, name, i);
    else passed[i] = refer(parameters[i].type, values[i], parameters[i].direction, callMemory, name, i);
    if (typeof passed[i] === 'object' && passed[i] !== null && callMemory.parts.length > 0)
      attached.set(passed[i], callMemory.parts);
  }
  return passed;
}

/** Whether some property of an object, or of what `koffi.as` has of it, cannot be set. */
function isFixed(value) {
  const object = value instanceof Cast ? value.value : value;
  return (
    !Object.isExtensible(object) ||
    Object.values(Object.getOwnPropertyDescriptors(object)).some((own) => own.writable === false)
  );
}

/** Copies back what C has written through parameters. */
function finish({ name, parameters }, values, passed) {
  for (let i = 0; i < parameters.length; i += 1) {
    const { type, direction } = parameters[i];
    if (direction === 'Input') continue;
    try {
      copyBack(type, values[i], passed[i]);
    } catch (error) {
      throw isFixed(values[i])
        ? wrongValue(`${name}: argument ${i}`, 'an object or an array whose values can be set', values[i])
        : error;
    }
  }
}

/** `passed` has the values that are converted, and marks that say which need memory. */
function callWithMemory(parts, values, passed) {
  return withMemory(parts, parts, parts.native, values, passed);
}

/**
 * Makes a call that needs memory: that of the function, unless a call of it is under way. `whole` has the parameters of
 * this call.
 */
function withMemory({ blocks, result }, whole, call, values, passed) {
  const { isBusy } = blocks;
  const callMemory = new CallMemory(lend, isBusy ? undefined : blocks);
  const { top } = arena;
  blocks.isBusy = true;
  try {
    allocateArguments(whole, values, passed, callMemory);
    const returned = call(...passed);
    finish(whole, values, passed);
    return result.convert === undefined ? returned : result.convert(returned);
  } finally {
    blocks.isBusy = isBusy;
    arena.reset(top);
    release(callMemory.parts);
  }
}

/** koffi's `.async(...arguments, callback)`. */
function asynchronous(parts) {
  const { args, native, result } = parts;
  return (...all) => {
    const count = args.length;
    if (all.length < count + 1) throw tooFew(count + 1, all.length);
    const callback = all[count];
    if (typeof callback !== 'function')
      throw makeError('ERR_INVALID_ARG_TYPE', `Expected callback function as last argument of ${parts.name}.async()`);
    const values = all.slice(0, count);
    const callMemory = new CallMemory(lend);
    // An error of the program's callback is an uncaught exception, not a rejection.
    const answer = (error, value) => {
      release(callMemory.parts);
      process.nextTick(callback, error, value);
    };
    let passed;
    try {
      passed = allocateArguments(parts, values, convertEach(parts.args, values), callMemory);
    } catch (error) {
      return answer(error, undefined);
    }
    native
      .async(...passed)
      .then((returned) => {
        finish(parts, values, passed);
        return result.convert === undefined ? returned : result.convert(returned);
      })
      .then(
        (value) => answer(null, value),
        (error) => answer(error, undefined),
      );
    return undefined;
  };
}

/** A variadic function: after the declared arguments come a type and a value, again and again. */
function variadic(parts) {
  const { name, native, parameters, args } = parts;
  const count = args.length;
  return (...all) => {
    if (all.length < count) throw tooFew(count, all.length);
    if ((all.length - count) % 2 !== 0)
      throw makeError('ERR_INVALID_ARG_VALUE', 'Missing value argument for variadic call');
    const values = all.slice(0, count);
    const others = [];
    for (let i = count; i < all.length; i += 2) {
      others.push(parameterOf(all[i], `${name}: argument ${i}`));
      values.push(all[i + 1]);
    }
    const extras = others.map(({ type }) => argumentOf(type));
    const whole = { name, args: [...args, ...extras], parameters: [...parameters, ...others] };
    const withPairs = (...passed) => {
      const pairs = extras.map(({ type }, i) => [type, passed[count + i]]);
      return native(...passed.slice(0, count), ...pairs);
    };
    return withMemory(parts, whole, withPairs, values, convertEach(whole.args, values));
  };
}

module.exports = { functionOf };
