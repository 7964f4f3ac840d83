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

module.exports = {
  CFunction, CString, FFIType, JSCallback, alloc, cc, checkFences, dlopen, errno, fences, linkSymbols, pin, ptr, read,
  suffix, toArrayBuffer, toBuffer, write,
};
