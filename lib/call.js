'use strict';
// bind(): what users call = encode, enter, decode.

const binding = require('./binding');
const { typesOf, shapeOf, wrongCount, MOST_ARGUMENTS } = require('./marshal');
const { ending, owning } = require('./opaque');
const { withOuts } = require('./outs');
const { variadic } = require('./variadic');

const guarded = process.env.PINNED_FFI_GUARD === '1';

/**
 * The JavaScript function of a C function.
 * @param {string} name what messages call it
 * @param {number | bigint} address
 * @param {object} declaration checked by the caller: { args, returns, varargs, wrap, guard, name }
 * @param {object} library the native library that must be open
 */
function bind(name, address, declaration, library) {
  const types = typesOf(declaration, name);
  const enter = (types) => {
    const shape = shapeOf(types, name);
    const call = shape.caller(binding.bind(name, address, shape.native, library, declaration.guard ?? guarded), name);
    return ending(types.args, [name, declaration.name ?? name], call);
  };
  const plain = declaration.varargs ? withExtras(types, enter, name) : enter(types);
  const call = withResults(types, plain, name);
  return Object.defineProperties(call, {
    name: { value: name, configurable: true },
    ptr: { value: address, enumerable: true },
    native: { value: call },
  });
}

/** Prepares a variadic function for the types that follow the declared arguments. */
function withExtras(types, enter, name) {
  const fixed = types.args.length;
  return variadic(name, fixed, MOST_ARGUMENTS, (extras) => enter({
    args: [...types.args, ...extras],
    parameters: [...types.parameters, ...extras.map((row, i) => ({ row, label: fixed + i }))],
    result: types.result,
    fixed,
  }));
}

/** What comes back: the result alone, or with the values of out parameters; handles belong to their owners. */
function withResults(types, call, name) {
  const passed = types.args.filter((row) => row.passes);
  const given = passed.length === 0
    ? { rows: [types.result], of: (returned) => [returned] }
    : { rows: [types.result, ...passed.map((row) => row.target)], of: ({ returns, out }) => [returns, ...out] };
  return owning(given, passed.length === 0 ? call : withOuts(types, call, name, wrongCount));
}

module.exports = { bind };
