import ffi from './index.js';

export const {
  CFunction, CString, FFIType, JSCallback, cc, dlopen, linkSymbols, ptr, read, suffix, toArrayBuffer, toBuffer, write,
} = ffi;
export default ffi;
