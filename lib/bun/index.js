'use strict';
// The exports of `pinned-ffi/bun`.

const { JSCallback } = require('./callback.js');
const { CString } = require('./cstring.js');
const libraries = require('./library.js');
const memory = require('./memory.js');
const { published } = require('../errors.js');
const { suffix } = require('../native/platform.js');
const { FFIType } = require('../types/registry.js');
require('../memory/fences.js');

/** Functions whose errors begin at the line that called them. */
const functionsOf = (all, ...names) => names.map((name) => published(name, all[name]));
const [CFunction, cc, dlopen, linkSymbols, viewSource] = functionsOf(
  libraries,
  'CFunction',
  'cc',
  'dlopen',
  'linkSymbols',
  'viewSource',
);
const [ptr, toArrayBuffer, toBuffer] = functionsOf(memory, 'ptr', 'toArrayBuffer', 'toBuffer');
const { read } = memory;
const native = { ...require('./native.js').native, dlopen };

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
