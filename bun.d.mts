// The types of bun.mjs: its names, and all of them as the default export.

export type * from './bun.js';
export {
  CFunction,
  CString,
  FFIType,
  JSCallback,
  cc,
  dlopen,
  linkSymbols,
  native,
  ptr,
  read,
  suffix,
  toArrayBuffer,
  toBuffer,
  viewSource,
} from './bun.js';

declare const ffi: typeof import('./bun.js');
export default ffi;
