// The hook of resolve-hook.js where Node runs hooks on a thread of their own.

let known = {};

export function initialize(data) {
  known = data;
}

export function resolve(specifier, context, next) {
  if (specifier !== known.SPECIFIER) return next(specifier, context);
  return { url: known.imported, format: 'module', shortCircuit: true };
}
