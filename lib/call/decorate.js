'use strict';
// Decorates calls with what declarations ask for beyond a plain call: varargs, out parameters, handles.

const { wrongCount } = require('./generic-call.js');
const { MOST_ARGUMENTS } = require('./signature.js');
const { endHandles, adoptHandles } = require('./handle-ownership.js');
const { withOutParams } = require('./out-params.js');
const { parameter, spelled } = require('../types/registry.js');
const { variadic } = require('./varargs.js');

/**
 * A function with all that its declaration asks for.
 * @param {string[]} names what the function is known by
 * @param {(types: object, frees: boolean) => Function} make makes the function that calls with these types; where it
 *   frees a handle, its result is not checked yet
 * @param {Function} [check] throws for a result that is a failure
 */
function decorate(types, varargs, names, make, check) {
  const [name] = names;
  const call = (all) => endHandles(all, names, make, check);
  return withResults({ ...types, varargs }, varargs ? withExtras(types, call, name) : call(types), name);
}

/** Prepares a variadic function for the types that follow the declared arguments. */
function withExtras(types, enter, name) {
  const fixed = types.args.length;
  return variadic(name, fixed, MOST_ARGUMENTS, (extras) =>
    enter({
      args: [...types.args, ...extras.map(({ descriptor }) => descriptor)],
      parameters: [
        ...types.parameters,
        ...extras.map(({ descriptor, type }, i) => parameter(descriptor, spelled(fixed + i, type, descriptor))),
      ],
      result: types.result,
      fixed,
      loose: types.loose,
    }),
  );
}

/** The result alone, or with the values of out parameters; handles get their owners. */
function withResults(types, call, name) {
  const passed = types.args.filter((descriptor) => descriptor.outParam);
  const results =
    passed.length === 0
      ? { descriptors: [types.result], of: (returned) => [returned] }
      : {
          descriptors: [types.result, ...passed.map((descriptor) => descriptor.target)],
          of: ({ returns, out }) => [returns, ...out],
        };
  return adoptHandles(results, passed.length === 0 ? call : withOutParams(types, call, name, wrongCount));
}

module.exports = { decorate };
