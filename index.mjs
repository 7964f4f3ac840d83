import ffi from './index.js';

export const {
  CFunction, CString, FFIType, JSCallback, alloc, cc, checkFences, dlopen, fences, linkSymbols, pin, ptr, read, suffix,
  toArrayBuffer, toBuffer, write,
} = ffi;
export default ffi;
