// pinned-ffi, by the call path and with the fences that the environment says.
import process from 'node:process';
import { translate } from './types.mjs';

// compare.js measures another checkout of the package.
const { default: ffi } = await import(process.env.BENCH_PACKAGE ?? '../../index.js');

export { ffi };

const each = (declarations, change) =>
  Object.fromEntries(Object.entries(declarations).map(([name, declaration]) => [name, change(declaration)]));

/** Functions of a library, by declarations in the words of types.mjs. */
export const open = (path, declarations) =>
  ffi.dlopen(
    path,
    each(declarations, (declaration) => translate('pinned', declaration)),
  ).symbols;

/** A C function pointer: what is passed, and how it is closed. */
export function callback(fn, declaration) {
  const made = new ffi.JSCallback(fn, translate('pinned', declaration));
  return { pointer: made, close: () => made.close() };
}

export const asyncOf = (call) => call.async;
export const ptr = ffi.ptr;
export const readF64 = ffi.read.f64;
