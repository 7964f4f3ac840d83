import koffi from './koffi.js';

export const {
  LibraryHandle, TypeObject, Union, address, alias, alignof, alloc, array, as, call, config, decode, disposable, encode, enumeration,
  errno, extension, free, inout, introspect, load, offsetof, opaque, os, out, pack, pointer, proto, register, reset, resolve,
  sizeof, stats, struct, type, types, union, unregister, version, view,
} = koffi;
export default koffi;
