// The hook of resolve-hook.js for Nodes that run hooks on a separate thread.

let known = {};

export function initialize(data) {
  known = data;
}

export function resolve(specifier, context, next) {
  if (specifier !== known.SPECIFIER) return next(specifier, context);
  return { url: known.imported, format: 'module', shortCircuit: true };
}
