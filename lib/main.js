'use strict';
// What `pinned-ffi` exports.

const { fences, checkFences } = require('./fence');
const { dlopen, linkSymbols, CFunction } = require('./library');
const { JSCallback } = require('./callback');
const { alloc, pin, ptr, read, write, toArrayBuffer, toBuffer } = require('./pointer');
const { CString } = require('./cstring');
const { FFIType } = require('./types');
const { suffix } = require('./platform');
const { errno } = require('./errno');
const { struct, union, array, sizeof, alignof, offsetof } = require('./struct');
const { pointer, out, inout } = require('./reference');
const { enumeration } = require('./enumeration');
const { opaque } = require('./opaque');
const { fn } = require('./fn');

/** Its file wants node:crypto and node:child_process, which take longer to load than all of the package. */
const cc = (options) => require('./cc').cc(options);

module.exports = {
  CFunction, CString, FFIType, JSCallback, alignof, alloc, array, cc, checkFences, dlopen, enumeration, errno, fences, fn,
  inout, linkSymbols, offsetof, opaque, out, pin, pointer, ptr, read, sizeof, struct, suffix, toArrayBuffer, toBuffer, union,
  write,
};
