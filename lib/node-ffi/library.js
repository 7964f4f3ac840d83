'use strict';
// DynamicLibrary, dlopen, dlclose and dlsym.

const { RTLD_LAZY } = require('node:os').constants.dlopen ?? {};
const { openLibrary } = require('../library/dlopen.js');
const { lazy } = require('../lazy.js');
const { Uncloneable, refusingClones } = require('../memory/uncloneable.js');
const { checkPermission } = require('../native/permission.js');
const { isObject, parseSignature } = require('./signature.js');
const { argumentType, resultType } = require('./types.js');
const { addressOf } = require('./validate.js');
const { CLOSED, failed, libraryClosed, wording, wrongArgument, wrongType, wrongValue } = require('./words.js');

const callbacks = lazy(() => require('./callback.js'));

/** The loader's own words in the main entry's error, which has a line for each file that was tried. */
const reasonOf = (error) => error.message.split('\n').at(1)?.trim() ?? error.message;

/** Opens as the main entry does, which resolves all symbols at once; where the library has open ends, as Node does. */
function openAsNode(path) {
  try {
    return openLibrary(path, {}, wording);
  } catch (error) {
    if (RTLD_LAZY === undefined || !/undefined symbol/.test(error.message)) throw error;
    return openLibrary(path, { flags: RTLD_LAZY }, wording);
  }
}

function open(path) {
  try {
    return openAsNode(path);
  } catch (error) {
    if (!/^ERR_FFI_LIBRARY_(?:NOT_FOUND|INVALID)$/.test(error.code)) throw error;
    throw failed(`dlopen failed: ${reasonOf(error)}`, error);
  }
}

/** A name of a symbol; `what` is Node's word for it. */
function checkName(name, what) {
  if (typeof name !== 'string') throw wrongType(`${what} must be a string`);
  if (name.includes('\0')) throw wrongValue(`${what} must not contain null bytes`);
}

/** To Node all pointers are one type, so that a function that was requested with one may be with another. */
const keyOf = ({ returns, args, threads }) =>
  [threads, returns, ...args].map((name) => (name === 'memory' ? 'ptr' : name)).join();

/** An object without a prototype, of a Map. */
const objectOf = (map, read) => {
  const object = { __proto__: null };
  for (const [name, value] of map) object[name] = read(value);
  return object;
};
const itself = (value) => value;

/** The library of each function, which it keeps alive, as in Node. */
const owners = new WeakMap();

/** A loaded library. It is closed by close(), or once nothing refers to it or its functions. */
class DynamicLibrary extends Uncloneable {
  #library;
  #path;
  #isOpen = true;
  /** Addresses by name. */
  #symbols = new Map();
  /** { key, call } by name. */
  #functions = new Map();
  /** Callbacks by address. */
  #callbacks = new Map();

  constructor(path) {
    super();
    checkPermission();
    if (typeof path !== 'string' && path !== null) throw wrongType('Library path must be a string or null');
    if (path?.includes('\0')) throw wrongValue('Library path must not contain null bytes');
    this.#library = open(path);
    this.#path = path ?? '';
    // Node has them on the object itself, too.
    Object.defineProperties(this, {
      path: { get: () => this.#path, enumerable: true },
      symbols: { get: () => this.getSymbols(), enumerable: true },
    });
  }

  get functions() {
    return this.getFunctions();
  }

  close() {
    if (!this.#isOpen) return;
    this.#library.close();
    this.#isOpen = false;
    this.#symbols.clear();
    this.#functions.clear();
    for (const callback of this.#callbacks.values()) callback.close();
    this.#callbacks.clear();
  }

  getFunction(name, signature) {
    checkName(name, 'Function name');
    if (!isObject(signature)) throw wrongType('Function signature must be an object');
    return this.#bind(this.#prepare(name, signature));
  }

  getFunctions(definitions) {
    this.#checkOpen();
    if (definitions === undefined) return objectOf(this.#functions, ({ call }) => call);
    if (!isObject(definitions)) throw wrongType('Functions signatures must be an object');
    // All of them before the first one is bound: where one is wrong, none is.
    const prepared = Object.keys(definitions).map((name) => {
      checkName(name, 'Function name');
      const signature = definitions[name];
      if (!isObject(signature)) throw wrongType(`Signature of function ${name} must be an object`);
      return this.#prepare(name, signature);
    });
    return objectOf(
      prepared.map((each) => [each.name, this.#bind(each)]),
      itself,
    );
  }

  getSymbol(name) {
    checkName(name, 'Symbol name');
    const address = this.#resolve(name);
    this.#symbols.set(name, address);
    return address;
  }

  getSymbols() {
    this.#checkOpen();
    return objectOf(this.#symbols, itself);
  }

  registerCallback(...args) {
    const [first, second] = args;
    const hasSignature = typeof first !== 'function';
    if (hasSignature && !isObject(first)) throw wrongType('First argument must be a function or a signature object');
    const callback = hasSignature ? second : first;
    if (typeof callback !== 'function') throw wrongType('Second argument must be a function');
    const signature = hasSignature ? parseSignature(first, '<callback>') : { returns: 'void', args: [] };
    this.#checkOpen();
    const registered = new (callbacks().Callback)(callback, signature);
    this.#callbacks.set(registered.address, registered);
    return registered.address;
  }

  unregisterCallback(pointer) {
    const [address, callback] = this.#callbackAt(pointer);
    callback.close();
    this.#callbacks.delete(address);
  }

  refCallback(pointer) {
    if (!this.#callbackAt(pointer)[1].ref()) throw wrongValue('Callback not found');
  }

  unrefCallback(pointer) {
    if (!this.#callbackAt(pointer)[1].unref()) throw wrongValue('Callback not found');
  }

  #checkOpen() {
    if (!this.#isOpen) throw libraryClosed();
  }

  #callbackAt(pointer) {
    this.#checkOpen();
    const address = addressOf(pointer, 'first argument');
    const callback = this.#callbacks.get(address);
    if (callback === undefined) throw wrongValue('Callback not found');
    return [address, callback];
  }

  /** The address of a symbol, as Node has it or fails to have it. */
  #resolve(name) {
    this.#checkOpen();
    const known = this.#symbols.get(name);
    if (known !== undefined) return known;
    try {
      return BigInt(this.#library.find(name));
    } catch (error) {
      if (error.code === CLOSED) throw libraryClosed(error);
      throw failed(`dlsym failed: ${this.#path || process.argv0}: undefined symbol: ${name}`, error);
    }
  }

  /** Finds a function and checks its signature. Throws if it is missing or was requested with another signature. */
  #prepare(name, declared) {
    const signature = parseSignature(declared, name);
    const key = keyOf(signature);
    // After the signature, whose getters may close the library.
    const known = this.#functions.get(name);
    if (known !== undefined && known.key !== key)
      throw wrongValue(`Function ${name} was already requested with a different signature`);
    return { name, signature, key, address: this.#resolve(name) };
  }

  /** The function that was prepared, bound if it is none yet. */
  #bind({ name, signature: { returns, args, threads }, key, address }) {
    // A getter of another definition may have closed it.
    this.#checkOpen();
    this.#symbols.set(name, address);
    const known = this.#functions.get(name);
    if (known !== undefined && known.key === key) return known.call;
    const call = this.#library.bind(name, {
      args: args.map(argumentType),
      returns: resultType(returns),
      ...(threads && { threads }),
    });
    Object.defineProperty(call, 'pointer', { value: address, writable: true, enumerable: true, configurable: true });
    owners.set(call, this);
    this.#functions.set(name, { key, call });
    return call;
  }
}

/** The first releases of Node 20 have no such symbol. */
const DISPOSE = Symbol.dispose ?? Symbol.for('nodejs.dispose');
const { close } = DynamicLibrary.prototype;
refusingClones(DynamicLibrary);
Object.defineProperty(DynamicLibrary.prototype, DISPOSE, {
  value: close,
  writable: true,
  enumerable: true,
  configurable: true,
});
// Node's are native functions, whose methods are enumerable.
for (const name of Object.getOwnPropertyNames(DynamicLibrary.prototype)) {
  if (name !== 'constructor') Object.defineProperty(DynamicLibrary.prototype, name, { enumerable: true });
}

/** Opens a library and binds functions of it. */
function dlopen(path, definitions) {
  const lib = new DynamicLibrary(path);
  try {
    const functions = definitions === undefined ? Object.freeze({ __proto__: null }) : lib.getFunctions(definitions);
    return { lib, functions, [DISPOSE]: () => lib.close() };
  } catch (error) {
    lib.close();
    throw error;
  }
}

/** A library, or what has the method of one: Node looks no further. */
function checkHandle(handle, method) {
  if (typeof handle?.[method] !== 'function') throw wrongArgument('handle', 'an instance of DynamicLibrary', handle);
}

function dlclose(handle) {
  checkHandle(handle, 'close');
  handle.close();
}

function dlsym(handle, symbol) {
  checkHandle(handle, 'getSymbol');
  return handle.getSymbol(symbol);
}

module.exports = { DynamicLibrary, dlopen, dlclose, dlsym };
