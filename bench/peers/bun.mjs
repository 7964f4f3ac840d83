// bun:ffi, in Bun.
import * as ffi from 'bun:ffi';
import { translate } from './types.mjs';

export { ffi };

export function open(path, declarations) {
  const translated = Object.entries(declarations).map(([name, each]) => [name, translate('bun', each)]);
  return ffi.dlopen(path, Object.fromEntries(translated)).symbols;
}

export function callback(fn, declaration) {
  const made = new ffi.JSCallback(fn, translate('bun', declaration));
  return { pointer: made, close: () => made.close() };
}

export const ptr = ffi.ptr;
export const readF64 = ffi.read.f64;
