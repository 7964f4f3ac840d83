// node:ffi, in Node 26.
import ffi from 'node:ffi';
import { translate } from './types.mjs';

export { ffi };

function declared(declaration) {
  const { args, returns } = translate('nodeffi', declaration);
  return { arguments: args, return: returns };
}

export function open(path, declarations) {
  const translated = Object.entries(declarations).map(([name, each]) => [name, declared(each)]);
  return ffi.dlopen(path, Object.fromEntries(translated)).functions;
}

const { lib: self } = ffi.dlopen(null);

export function callback(fn, declaration) {
  const pointer = self.registerCallback(declared(declaration), fn);
  return { pointer, close: () => self.unregisterCallback(pointer) };
}

export const ptr = ffi.getRawPointer;
export const readF64 = (pointer) => ffi.getFloat64(pointer, 0);
