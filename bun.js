'use strict';
// pinned-ffi/bun: the package in bun:ffi's dialect. Loading it also has the name `bun:ffi` mean it.

const { JSCallback } = require('./lib/bun/callback');
const { CString } = require('./lib/bun/cstring');
const { CFunction, cc, dlopen, linkSymbols, viewSource } = require('./lib/bun/library');
const { ptr, read, toArrayBuffer, toBuffer } = require('./lib/bun/memory');
const { native } = require('./lib/bun/native');
const { suffix } = require('./lib/platform');
const { FFIType } = require('./lib/types');
require('./lib/fence');
require('./lib/bun/hook');

module.exports = {
  CFunction, CString, FFIType, JSCallback, cc, dlopen, linkSymbols, native, ptr, read, suffix, toArrayBuffer, toBuffer,
  viewSource,
};
