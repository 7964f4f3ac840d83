// The types of koffi.mjs: its names, and all of them as the default export.

export type * from './koffi.js';
export {
  LibraryHandle, TypeObject, Union, address, alias, alignof, alloc, array, as, call, config, decode, disposable, encode, enumeration,
  errno, extension, free, inout, introspect, load, offsetof, opaque, os, out, pack, pointer, proto, register, reset, resolve,
  sizeof, stats, struct, type, types, union, unregister, version, view,
} from './koffi.js';

declare const koffi: typeof import('./koffi.js');
export default koffi;
