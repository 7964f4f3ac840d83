'use strict';
// The types of a function: parsed from a declaration, checked, and interned. Functions of equal types share one
// signature, with the native one and the factories of their callers.

const { RESULT, makeError, named, spellingOf, wrongType } = require('../errors.js');
const { lazy } = require('../lazy.js');
const { VALUES } = require('../memory/arg-buffer.js');
const binding = require('../native/binding.js');
const config = require('../native/config.js');
const { descriptorOf, typeOf, spelled, parameter: parameterOf } = require('../types/registry.js');
const { callerFactory } = require('./generic-call.js');

const constraints = lazy(() => require('./argument-constraints.js'));

/** One bit of the argument buffer's pins for each (src/memory/arg_buffer.rs). */
const MOST_ARGUMENTS = 128;

/** The types of the arguments, each read once; undefined where there is no such list. */
const readArgs = function (args = []) {
  const length = Array.isArray(args) ? args.length : NaN;
  if (!(length <= MOST_ARGUMENTS)) return undefined;
  const list = [];
  for (let i = 0; i < length; i += 1) list.push(args[i]);
  return list;
};

/**
 * The types of a declaration's `args` and `returns`, checked: descriptors with their labels. `wrap` takes bun's
 * conversions, `loose` its way with the number of arguments; `wording` has a dialect's messages. `isCalledByC` says
 * that the result is JavaScript's.
 */
const parseTypes = function ({ args: list = [], returns, wrap, loose = false, wording }, name, isCalledByC = false) {
  if (!Array.isArray(list)) throw wrongType(`${name}: args`, 'an array of types', list);
  const { length } = list;
  if (length > MOST_ARGUMENTS) throw tooMany(length, name);
  const parameters = [];
  const args = [];
  let hasLengths = false;
  for (let i = 0; i < length; i += 1) {
    const type = list[i];
    const known = descriptorOf(type);
    const parameter =
      known === undefined || known.refused !== undefined
        ? constraints().argumentOf(type, i, `${name}: args[${i}]`)
        : parameterOf(known, spelled(i, type, known));
    if (parameter.lengthOf !== undefined) hasLengths = true;
    const descriptor = wrap && parameter.descriptor.coercing ? parameter.descriptor.coercing : parameter.descriptor;
    if (descriptor.name === 'void' || descriptor.isArray) throw noArgument(descriptor, `${name}: args[${i}]`);
    parameters.push(parameter);
    args.push(descriptor);
  }
  if (hasLengths) constraints().checkLengths(parameters, args, name);
  const returned = descriptorOf(returns ?? 'void');
  if (returned === undefined || returned.refused !== undefined) typeOf(returns, `${name}: returns`);
  const result = wrap && returned.coercing ? returned.coercing : returned;
  if (result.isArray || result.argumentOnly !== undefined) throw noResult(result, name);
  const resultPosition = isCalledByC ? spelled(RESULT, returns, returned) : RESULT;
  const resultName = typeof returns === 'string' ? returns : result.name;
  return { __proto__: null, args, result, resultName, resultPosition, parameters, loose, wording };
};

const tooMany = (length, name) =>
  makeError(
    'ERR_INVALID_ARG_VALUE',
    `${name}: args must declare at most ${MOST_ARGUMENTS} arguments, received ${length}`,
  );

const noArgument = (descriptor, where) =>
  makeError(
    'ERR_INVALID_ARG_VALUE',
    descriptor.isArray
      ? `${where} must not be ${descriptor.name}: C passes the address of an array; declare a pointer`
      : `${where} must not be void`,
  );

const noResult = (descriptor, name) =>
  makeError(
    'ERR_INVALID_ARG_VALUE',
    `${name}: returns must not be ${descriptor.name}: ${descriptor.isArray ? 'C returns no arrays' : descriptor.argumentOnly}`,
  );

/**
 * The types of functions, prepared once for all functions that have them.
 * @typedef {object} Signature
 * @property {object} native that of the native side
 * @property {import('../types/registry.js').TypeDescriptor[]} args
 * @property {import('../types/registry.js').TypeDescriptor} result
 * @property {import('../types/registry.js').Parameter[]} parameters
 * @property {boolean} loose whether any number of arguments is taken
 * @property {object} [wording] a dialect's messages
 * @property {number[]} at where each argument lies in the argument buffer
 * @property {number[]} pins which arguments are passed along to the native entry
 * @property {number} resultAt where the result lies
 * @property {number} size the bytes of the argument buffer up to the end of the last argument
 */

// ---- signatures -----------------------------------------------------------------------------------------------------

/** The methods of signatures: each makes functions by a factory that is compiled when it is first used. */
const functionsOf = {
  caller(callTarget, name) {
    return (this.call ??= callerFactory(this, 'call'))(callTarget, name);
  },
  checkedCaller(callTarget, name, check) {
    return (this.check ??= callerFactory(this, 'check'))(callTarget, name, check);
  },
  launcher(launch, name) {
    return (this.launch ??= callerFactory(this, 'launch'))(launch, name);
  },
};

const signatures = new Map();
const keyOf = function (descriptor) {
  return descriptor.key ?? ('coercing' in descriptor ? descriptor.id : `${descriptor.id}w`);
};

/**
 * The signature of a list of types, prepared once. `fixed` is how many arguments a variadic function declares. A type
 * that only one library has keeps the signatures that have it, so that they end with it.
 */
const internSignature = function (types, name) {
  const { args, parameters, fixed } = types;
  let known = types.result.signatures ?? signatures;
  let descriptors = '';
  let texts = '';
  for (let i = 0; i < args.length; i += 1) {
    const { label, lengthOf, flow } = parameters[i];
    descriptors += `${keyOf(args[i])},`;
    known = args[i].signatures ?? known;
    if (flow !== undefined) texts += `${flow} ${i},`;
    if (lengthOf !== undefined) texts += `${JSON.stringify([label, lengthOf, parameters[i].counts])},`;
    else if (typeof label !== 'number') texts += `${JSON.stringify(label)},`;
  }
  const said = `${spellingOf(types.resultPosition)}|${types.wording?.key}`;
  const key = `${descriptors}|${keyOf(types.result)}|${texts}|${fixed}|${types.loose}|${said}`;
  let signature = known.get(key);
  if (signature === undefined) known.set(key, (signature = prepare(types, name)));
  return signature;
};

/** The bytes of the argument buffer up to the end of the last argument. */
const sizeOf = function (args, at) {
  let end = VALUES;
  for (let i = 0; i < args.length; i += 1) if (at[i] + args[i].size > end) end = at[i] + args[i].size;
  return end;
};

const prepare = function ({ args, result, resultPosition = RESULT, parameters, fixed, loose, wording }, name) {
  const ids = [];
  for (let i = 0; i < args.length; i += 1) ids.push(args[i].id);
  let native;
  try {
    native = new binding.Signature(ids, result.id, fixed, config.callPath !== 'libffi');
  } catch (error) {
    throw named(error, name);
  }
  const { places } = native;
  return {
    __proto__: functionsOf,
    native,
    args,
    result,
    resultPosition,
    parameters,
    loose,
    wording,
    at: places[0],
    pins: places[1],
    resultAt: places[2],
    size: sizeOf(args, places[0]),
    call: undefined,
    check: undefined,
    launch: undefined,
    // The factory of callbacks: callback/handler.js.
    handle: undefined,
    // The bytes of the result in the argument buffer, for calls on other threads: call/async-call.js.
    resultBytes: undefined,
    // The makers of fast callers, of leaf functions and of others: call/fast-call.js.
    fastCaller: undefined,
    leafCaller: undefined,
    // The arguments' shapes for another process: call/pointer-shapes.js.
    shapes: undefined,
  };
};

module.exports = { readArgs, parseTypes, internSignature, MOST_ARGUMENTS };
