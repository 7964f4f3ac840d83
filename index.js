'use strict';

const { fences, checkFences } = require('./lib/fence');
const { dlopen, linkSymbols, CFunction } = require('./lib/library');
const { JSCallback } = require('./lib/callback');
const { alloc, pin, ptr, read, write, toArrayBuffer, toBuffer } = require('./lib/pointer');
const { CString } = require('./lib/cstring');
const { FFIType } = require('./lib/types');
const { suffix } = require('./lib/platform');
const { cc } = require('./lib/cc');
const { errno } = require('./lib/errno');
const { struct, union, array, sizeof, alignof, offsetof } = require('./lib/struct');
const { pointer, out, inout } = require('./lib/reference');
const { enumeration } = require('./lib/enumeration');
const { opaque } = require('./lib/opaque');
const { fn } = require('./lib/fn');

module.exports = {
  CFunction, CString, FFIType, JSCallback, alignof, alloc, array, cc, checkFences, dlopen, enumeration, errno, fences, fn,
  inout, linkSymbols, offsetof, opaque, out, pin, pointer, ptr, read, sizeof, struct, suffix, toArrayBuffer, toBuffer, union,
  write,
};
