// The types of node-ffi.mjs: its names, and all of them as the default export.

export type * from './node-ffi.js';
export {
  DynamicLibrary,
  dlclose,
  dlopen,
  dlsym,
  exportArrayBuffer,
  exportArrayBufferView,
  exportBuffer,
  exportString,
  getCurrentEventLoop,
  getFloat32,
  getFloat64,
  getInt16,
  getInt32,
  getInt64,
  getInt8,
  getRawPointer,
  getUint16,
  getUint32,
  getUint64,
  getUint8,
  setFloat32,
  setFloat64,
  setInt16,
  setInt32,
  setInt64,
  setInt8,
  setUint16,
  setUint32,
  setUint64,
  setUint8,
  suffix,
  toArrayBuffer,
  toBuffer,
  toString,
  types,
} from './node-ffi.js';

declare const ffi: typeof import('./node-ffi.js');
export default ffi;
