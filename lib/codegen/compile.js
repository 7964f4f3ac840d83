'use strict';
// Compiles generated source, or uses a function without generated source where the program disallows code from strings.

const { apply } = Reflect;

/** A name in a stack trace or a profile: a comment may contain neither spaces nor quotes. */
const MOST_CHARACTERS = 120;
const urlOf = (name) => `pinned-ffi:${name.replace(/[\s"'\\]+/g, '_').slice(0, MOST_CHARACTERS)}`;

/**
 * Returns the result of a function body for `values`.
 * @param {string} name the source's name in stack traces and profiles: `call/i32(i32,i32)`
 * @param {string} parameters their names
 * @param {string} source the body
 * @param {unknown[]} values
 * @param {() => unknown} otherwise gives the result where code generation is disallowed
 */
function compile(name, parameters, source, values, otherwise) {
  try {
    return apply(new Function(parameters, `${source}\n//# sourceURL=${urlOf(name)}`), undefined, values);
  } catch (error) {
    if (!(error instanceof EvalError)) throw error;
    return otherwise();
  }
}

/** The name of a function's source: its result and its arguments. */
const nameOf = (kind, { args, result }) =>
  `${kind}/${result.name}(${args.map((descriptor) => descriptor.name).join(',')})`;

/**
 * A comment for the beginning of a bound function. Where a program clones one, as postMessage does, V8's error has the
 * first 111 characters of its source, and nothing else of it: neither its name nor its own toString(). Spaces fill up
 * the rest.
 */
const noteOf = (signature) =>
  `/* C function of pinned-ffi: a worker must open the library itself. ${nameOf('', signature).slice(1).replaceAll('*/', '*')} */`.padEnd(
    SHOWN_SOURCE - 'function '.length,
  );
const SHOWN_SOURCE = 111;

module.exports = { compile, nameOf, noteOf };
