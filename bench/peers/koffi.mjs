// koffi, in Node.
import { promisify } from 'node:util';
import koffi from 'koffi';
import { translate } from './types.mjs';

export { koffi };

export function open(path, declarations) {
  const library = koffi.load(path);
  return Object.fromEntries(
    Object.entries(declarations).map(([name, each]) => {
      const { args, returns } = translate('koffi', each);
      return [name, library.func(name, returns, args)];
    }),
  );
}

let prototypes = 0;

/** One prototype may serve many callbacks. */
export function callbackType(declaration) {
  const { args, returns } = translate('koffi', declaration);
  return koffi.pointer(koffi.proto(`Callback${++prototypes}`, returns, args));
}

export function callback(fn, declaration) {
  const pointer = koffi.register(fn, callbackType(declaration));
  return { pointer, close: () => koffi.unregister(pointer) };
}

export const asyncOf = (call) => promisify(call.async);
export const ptr = koffi.address;
export const readF64 = (pointer) => koffi.decode(pointer, 'double');
