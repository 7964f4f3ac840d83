import ffi from './index.js';

export const {
  CFunction, CString, FFIType, JSCallback, alloc, cc, checkFences, dlopen, errno, fences, linkSymbols, pin, ptr, read,
  suffix, toArrayBuffer, toBuffer, write,
} = ffi;
export default ffi;
