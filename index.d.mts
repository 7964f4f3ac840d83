// The types of index.mjs: its names, all of them as the default export, and the types that have no value.

export type * from './index.js';
export {
  CFunction,
  CString,
  FFIType,
  JSCallback,
  alignof,
  alloc,
  arena,
  array,
  cc,
  cdef,
  checkFences,
  dlopen,
  enumeration,
  errno,
  fences,
  fn,
  group,
  inout,
  isFFIError,
  isShared,
  linkSymbols,
  offsetof,
  opaque,
  out,
  pin,
  pointer,
  ptr,
  read,
  sizeof,
  struct,
  suffix,
  text,
  toArrayBuffer,
  toBuffer,
  union,
  write,
} from './index.js';

declare const ffi: typeof import('./index.js');
export default ffi;
