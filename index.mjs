import ffi from './index.js';

export const {
  CFunction, CString, FFIType, JSCallback, alignof, alloc, array, cc, cdef, checkFences, dlopen, enumeration, errno, fences, fn,
  inout, linkSymbols, offsetof, opaque, out, pin, pointer, ptr, read, sizeof, struct, suffix, toArrayBuffer, toBuffer, union,
  write,
} = ffi;
export default ffi;
