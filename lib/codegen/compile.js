'use strict';
// Compiles generated source, or uses a function without generated source where the program disallows code from strings.

const { apply } = Reflect;

/**
 * Returns the result of a function body for `values`.
 * @param {string} parameters their names
 * @param {string} source the body
 * @param {unknown[]} values
 * @param {() => unknown} otherwise gives the result where code generation is disallowed
 */
function compile(parameters, source, values, otherwise) {
  try {
    return apply(new Function(parameters, source), undefined, values);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return otherwise();
  }
}

module.exports = { compile };
