'use strict';
// register, unregister: function pointers that C may keep. call, and functions of pointers that C gives.

const { JSCallback } = require('../callback/js-callback.js');
const { linkSymbols } = require('../library/dlopen.js');
const { BoundedMap } = require('../bounded-map.js');
const { makeError, wrongType } = require('../errors.js');
const { Cast } = require('./encode.js');
const { counts } = require('./decode.js');
const { functionOf } = require('./function.js');
const { typeOf } = require('./make.js');
const { callbackDeclaration, callbackOf } = require('./pass.js');
const { layoutOf } = require('./type.js');

/** The registered callbacks by their addresses. */
const registered = new Map();

/** The prototype of a type: of `P *`, as koffi wants it. */
function prototypeOf(spec, where) {
  const type = typeOf(spec, `${where}: type`);
  const layout = layoutOf(type);
  if (layout.kind === 'callback') return layout.prototype;
  throw makeError('ERR_INVALID_ARG_TYPE', `Unexpected ${type.name} type, expected <callback> * type`);
}

/** koffi.register(callback, type), and the older (receiver, callback, type). */
function register(...args) {
  const [receiver, callback, spec] = args.length > 2 ? args : [undefined, ...args];
  if (typeof callback !== 'function') throw wrongType('register: callback', 'a function', callback);
  const prototype = prototypeOf(spec, 'register');
  const bound = receiver === undefined ? callback : callback.bind(receiver);
  const pointer = new JSCallback(callbackOf(prototype, bound), callbackDeclaration(prototype));
  const address = BigInt(pointer.ptr);
  registered.set(address, pointer);
  counts.callbacks += 1;
  return address;
}

/** koffi.unregister(pointer). */
function unregister(address) {
  if (typeof address !== 'bigint') throw wrongType('unregister: callback', 'what koffi.register() returned', address);
  const pointer = registered.get(address);
  if (pointer === undefined) throw makeError('ERR_FFI_CALLBACK_CLOSED', 'Could not find matching registered callback');
  registered.delete(address);
  counts.callbacks -= 1;
  pointer.close();
}

/** The last functions by address, of each prototype. */
const functions = new WeakMap();
const MOST_FUNCTIONS = 256;

/** The function at an address. */
function functionAt(address, prototype) {
  if (!functions.has(prototype)) functions.set(prototype, new BoundedMap(MOST_FUNCTIONS));
  const known = functions.get(prototype);
  const key = BigInt(address);
  const { name } = prototype;
  const bind = (declaration) => linkSymbols({ [name]: { ...declaration, ptr: key } }).symbols[name];
  return known.get(key) ?? known.set(key, functionOf(name, layoutOf(prototype).signature, bind));
}

/** koffi.call(pointer, type, ...arguments). */
function call(pointer, spec, ...values) {
  const type = typeOf(spec, 'call: type');
  const layout = layoutOf(type);
  const prototype = layout.kind === 'callback' ? layout.prototype : type;
  if (layoutOf(prototype).kind !== 'prototype')
    throw makeError('ERR_INVALID_ARG_TYPE', `Unexpected ${type.name} type, expected prototype type`);
  if (typeof pointer !== 'bigint' && typeof pointer !== 'number')
    throw wrongType('call: pointer', 'a function pointer', pointer);
  return functionAt(pointer, prototype)(...values);
}

/** koffi.as(value, type). */
function as(value, spec) {
  const type = typeOf(spec, 'as: type');
  if (!['pointer', 'text', 'callback'].includes(layoutOf(type).kind)) {
    throw makeError('ERR_INVALID_ARG_TYPE', 'Only pointer or string types can be used for casting');
  }
  return new Cast(value, type);
}

module.exports = { register, unregister, functionAt, call, as };
