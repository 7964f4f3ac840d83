'use strict';
// What `pinned-ffi/bun` exports: the package in bun:ffi's dialect.

const { JSCallback } = require('./callback');
const { CString } = require('./cstring');
const { CFunction, cc, dlopen, linkSymbols, viewSource } = require('./library');
const { ptr, read, toArrayBuffer, toBuffer } = require('./memory');
const { native } = require('./native');
const { suffix } = require('../native/platform');
const { FFIType } = require('../types/registry');
require('../memory/fences');

module.exports = {
  CFunction, CString, FFIType, JSCallback, cc, dlopen, linkSymbols, native, ptr, read, suffix, toArrayBuffer, toBuffer,
  viewSource,
};
