'use strict';
// The exports of `pinned-ffi/bun`.

const { JSCallback } = require('./callback.js');
const { CString } = require('./cstring.js');
const { CFunction, cc, dlopen, linkSymbols, viewSource } = require('./library.js');
const { ptr, read, toArrayBuffer, toBuffer } = require('./memory.js');
const { native } = require('./native.js');
const { suffix } = require('../native/platform.js');
const { FFIType } = require('../types/registry.js');
require('../memory/fences.js');

module.exports = {
  CFunction,
  CString,
  FFIType,
  JSCallback,
  cc,
  dlopen,
  linkSymbols,
  native,
  ptr,
  read,
  suffix,
  toArrayBuffer,
  toBuffer,
  viewSource,
};
