// Deno.dlopen, in Deno.
import { translate } from './types.mjs';

const { Deno } = globalThis;
export { Deno };

function declared(declaration, more) {
  const { args, returns } = translate('deno', declaration);
  return { parameters: args, result: returns, ...more };
}

export function open(path, declarations, more) {
  const translated = Object.entries(declarations).map(([name, each]) => [name, declared(each, more)]);
  return Deno.dlopen(path, Object.fromEntries(translated)).symbols;
}

export function callback(fn, declaration) {
  const made = new Deno.UnsafeCallback(declared(declaration), fn);
  return { pointer: made.pointer, close: () => made.close() };
}

export const ptr = Deno.UnsafePointer.of;
export const readF64 = (pointer) => new Deno.UnsafePointerView(pointer).getFloat64();
