'use strict';
// bind(): makes the JavaScript function of a C function, and picks the path that its calls take.

const { isAsyncFunction, isGeneratorFunction, isPromise } = require('node:util').types;
const binding = require('../native/binding.js');
const { atCaller, makeError, makeFailure, nameParameter, typeNameOf, wrongValue } = require('../errors.js');
const { fastCallerOf } = require('./fast-call.js');
const { lazy } = require('../lazy.js');
const { parseTypes, internSignature, MOST_ARGUMENTS } = require('./signature.js');
/** @typedef {import('./signature.js').Signature} Signature */
/** @typedef {import('../types/registry.js').TypeDescriptor} TypeDescriptor */
const config = require('../native/config.js');
const { hasHosts } = require('../memory/hosts.js');
const trace = config.trace ? require('./recorder.js') : undefined;
const log = config.log === undefined ? undefined : require('./call-log.js');
const isLogged = log?.makeFilter(config.log);

// Most programs have neither asynchronous calls nor such declarations.
const asyncCall = lazy(() => require('./async-call.js'));
const decorate = lazy(() => require('./decorate.js'));
const abort = lazy(() => require('./abort.js'));
// Only for functions of isolated libraries.
const shapes = lazy(() => require('./pointer-shapes.js'));

// Bits of the native bind(): src/call/bound_function.rs, Options.
const GUARD = 1;
const ERRNO = 2;
const THREADS = 4;
const FREES = 8;
const LEAF = 32;

const FAILURES = {
  __proto__: null,
  negative: (result) => result < 0,
  null: (result) => result === null,
  // Also not `false` or NULL.
  nonzero: (result) => result !== 0 && result !== 0n && result !== false && result !== null,
};

/** The test for a failed call, from a declaration's `fails`. */
function failureOf(fails, result, name) {
  if (typeof fails === 'function') {
    // Such a function returns a value that is always true.
    if (isAsyncFunction(fails) || isGeneratorFunction(fails)) {
      const received = isGeneratorFunction(fails) ? 'a generator function' : 'an async function';
      const message = `${name}: fails must be a function that returns true or false, received ${received}`;
      throw makeError('ERR_INVALID_ARG_VALUE', message);
    }
    return fails;
  }
  const known = typeof fails === 'string' ? FAILURES[fails] : undefined;
  if (known === undefined) throw wrongValue(`${name}: fails`, "a function, 'negative', 'null' or 'nonzero'", fails);
  const isPointer = result.isPointerLike || result.isFunction || result.opaque !== undefined;
  const isNumber = !isPointer && result.fields === undefined && result.name !== 'void';
  const mayFail = { negative: isNumber, null: isPointer, nonzero: isNumber || (isPointer && !result.isText) };
  if (!mayFail[fails]) {
    const wanted = { negative: 'a number', null: 'a pointer or text', nonzero: 'a number or a pointer' }[fails];
    throw makeError(
      'ERR_INVALID_ARG_VALUE',
      `${name}: fails '${fails}' needs ${wanted} as the result, not ${result.name}`,
    );
  }
  return known;
}

/** Returns a result, or throws the error that it and errno describe. */
const checkerOf = function (failed, name) {
  if (failed === undefined) return undefined;
  if (Object.values(FAILURES).includes(failed)) {
    return (result) => {
      if (failed(result)) throw makeFailure(binding.lastErrno(), name, result);
      return result;
    };
  }
  return (result) => {
    // The user's function may call C, too.
    const errno = binding.lastErrno();
    const isFailure = failed(result);
    if (isPromise(isFailure))
      throw wrongValue(`${name}: the result of fails`, 'true or false', isFailure, '; fails cannot be asynchronous');
    if (isFailure) throw makeFailure(errno, name, result);
    return result;
  };
};

/** Refuses declarations that contradict `leaf`: options and types that only functions with callbacks need. */
function checkLeaf({ args, parameters }, threads, name) {
  const refuse = (what) =>
    makeError(
      'ERR_INVALID_ARG_VALUE',
      `${name}: leaf must not be true: ${what}, and a leaf function calls no callback; leave \`leaf\` out`,
    );
  if (threads) throw refuse('the declaration has `threads: true`');
  const index = args.findIndex((descriptor) => descriptor.takesFunctions);
  if (index >= 0) throw refuse(`args[${index}] is a function (${typeNameOf(args[index], parameters[index].label)})`);
}

// ---- what functions of equal declarations have in common ------------------------------------------------------------

/** The function spec of a declaration: functions of equal declarations share it. */
const makeSpec = function (declaration, name) {
  const types = parseTypes(declaration, name);
  const { varargs, nonblocking, guard = config.guard, errno, fails, threads, leaf } = declaration;
  if (leaf) checkLeaf(types, threads, name);
  const failed = fails === undefined ? undefined : failureOf(fails, types.result, name);
  const options = (guard ? GUARD : 0) | (errno || failed ? ERRNO : 0) | (threads ? THREADS : 0) | (leaf ? LEAF : 0);
  let hasOutParams = false;
  let isPlain = !varargs && !types.result.opaque;
  for (let i = 0; i < types.args.length; i += 1) {
    const descriptor = types.args[i];
    if (descriptor.outParam) hasOutParams = true;
    if (descriptor.outParam || descriptor.opaque) isPlain = false;
  }
  const signature = isPlain ? internSignature(types, name) : undefined;
  const isDirect = isPlain && !nonblocking && trace === undefined;
  return { types, failed, options, varargs, nonblocking, hasOutParams, signature, isDirect };
};

/**
 * The specs of declarations that name all their types: Maps in Maps, by keys and values, with the spec under `SPEC`.
 */
const specCache = new Map();
const SPEC = Symbol('spec');
/** The properties that differ from symbol to symbol. */
const OF_SYMBOL = new Set(['name', 'ptr', 'optional', 'timeout']);

/** The spec of a declaration, whose `args` are read once. */
const specOf = function (declaration, name) {
  let node = specCache;
  for (const key in declaration) {
    if (OF_SYMBOL.has(key)) continue;
    const value = declaration[key];
    node = node?.get(key);
    if (key !== 'args') node = node?.get(value);
    else {
      const length = Array.isArray(value) ? Math.trunc(value.length) : NaN;
      // makeSpec() throws for such a list.
      if (!(length >= 0 && length <= MOST_ARGUMENTS)) return makeSpec(declaration, name);
      const list = (declaration.args = new Array(length));
      node = node?.get(length);
      for (let i = 0; i < length; i += 1) {
        const type = (list[i] = value[i]);
        node = node?.get(type);
      }
    }
  }
  return node?.get(SPEC) ?? addSpec(declaration, name);
};

/** The next Map for a key, made where there is none; undefined for a key that is no name. */
const step = function (node, key) {
  if (node === undefined || typeof key === 'object' || typeof key === 'function') return undefined;
  if (!node.has(key)) node.set(key, new Map());
  return node.get(key);
};

const addSpec = function (declaration, name) {
  const spec = makeSpec(declaration, name);
  let node = specCache;
  for (const key in declaration) {
    if (OF_SYMBOL.has(key)) continue;
    const value = declaration[key];
    node = step(node, key);
    node = key === 'args' ? value.reduce(step, step(node, value.length)) : step(node, value);
  }
  node?.set(SPEC, spec);
  return spec;
};

/**
 * The part that functions of equal declarations share.
 * @typedef {object} FunctionSpec
 * @property {{ args: TypeDescriptor[], result: TypeDescriptor, parameters: object[], loose: boolean }} types
 * @property {Function | undefined} failed tells whether a result is a failure
 * @property {number} options bits for the native side
 * @property {boolean} varargs
 * @property {boolean} nonblocking
 * @property {boolean} hasOutParams
 * @property {Signature | undefined} signature undefined where each call, or what the declaration asks for, decides it
 * @property {boolean} isDirect whether the function of the signature is the bound function
 */

/**
 * The state behind the JavaScript function of a C function.
 * @typedef {object} BoundFunction
 * @property {string} name what messages call it
 * @property {string} inC what C calls it
 * @property {number | bigint} address
 * @property {FunctionSpec} spec
 * @property {InstanceType<typeof import('./library-lifetime.js').Lifetime>} lifetime of its library
 * @property {boolean} mayBeFast whether fast calls may reach it
 * @property {number | undefined} timeout milliseconds that a call may take, for an isolated library
 * @property {((name: string, index: number) => string | undefined) | undefined} parameterOf gives the names of
 * parameters
 * @property {object | undefined} last the call target that was made last; each has the one before
 * @property {Function | undefined} asynchronous the function of `async`, once a program has read it
 */

// ---- a bound function -----------------------------------------------------------------------------------------------

/**
 * The call target for a signature (a variadic function has several): the native function's number and its library. A
 * function that frees a handle has a separate signature.
 */
const bindNative = function (boundFunction, signature, frees) {
  for (let known = boundFunction.last; known !== undefined; known = known.before)
    if (known.signature === signature) return known;
  const library = boundFunction.lifetime.native;
  if (boundFunction.timeout !== undefined) library.limitNext(boundFunction.timeout);
  const functionId = binding.bind(
    boundFunction.name,
    boundFunction.address,
    signature.native,
    library,
    boundFunction.spec.options | (frees ? FREES : 0),
    hasHosts() ? shapes().shapesOf(signature) : undefined,
  );
  return (boundFunction.last = {
    signature,
    functionId,
    library,
    name: boundFunction.name,
    parameterOf: boundFunction.parameterOf,
    before: boundFunction.last,
    // Whether the user calls its function, so that errors begin at the user's line; `above` is what is called then.
    isOuter: boundFunction.spec.isDirect,
    above: undefined,
  });
};

/**
 * The function of a signature that calls at once. For one that frees, the code that ends the handle checks the result.
 */
const callerOf = function (boundFunction, signature, frees = false) {
  const { name, spec } = boundFunction;
  const callTarget = bindNative(boundFunction, signature, frees);
  if (spec.failed !== undefined && !frees)
    return signature.checkedCaller(callTarget, name, checkerOf(spec.failed, name));
  const isFast = boundFunction.mayBeFast && (spec.options & ~LEAF) === 0;
  const fastCaller = isFast ? fastCallerOf(signature, spec.options === LEAF) : null;
  return fastCaller !== null && binding.runsNoScript(boundFunction.address)
    ? fastCaller(callTarget, name)
    : signature.caller(callTarget, name);
};

/** The function of a signature that has a thread make the call; null stands for libuv's pool. */
function launcherOf(boundFunction, signature, thread, frees) {
  const { name, spec, lifetime } = boundFunction;
  const { launcher } = asyncCall();
  const launch = launcher(
    bindNative(boundFunction, signature, frees),
    name,
    signature,
    frees ? undefined : checkerOf(spec.failed, name),
    lifetime,
    thread,
  );
  const recorded = trace === undefined ? launch : trace.recordedJob(launch, name, signature, lifetime);
  return signature.launcher(Object.assign(recorded, { parameterOf: boundFunction.parameterOf }), name);
}

/** The function of a signature: it calls at once, or has `thread` make the call. */
function functionOf(boundFunction, signature, thread, frees = false) {
  if (thread !== undefined) return launcherOf(boundFunction, signature, thread, frees);
  const call = callerOf(boundFunction, signature, frees);
  return trace === undefined ? call : trace.recorded(call, boundFunction.name, signature, boundFunction.lifetime);
}

/** The same with all that a declaration may ask for around it. */
function makeCall(boundFunction, thread) {
  const {
    name,
    spec: { types, varargs, signature, failed },
  } = boundFunction;
  if (signature !== undefined) return functionOf(boundFunction, signature, thread);
  const makeFor = (all, frees) => functionOf(boundFunction, internSignature(all, name), thread, frees);
  return decorate().decorate(types, varargs, [name, boundFunction.inC], makeFor, checkerOf(failed, name));
}

/** The function that has a thread call. */
function asyncOn(boundFunction, thread) {
  const made = makeCall(boundFunction, thread);
  const call = boundFunction.spec.varargs || boundFunction.spec.hasOutParams ? abort().rejecting(made) : made;
  return isLogged?.(boundFunction.name, boundFunction.inC) ? log.logged(call, boundFunction, '.async') : call;
}

/**
 * Gives a function its name. Those of `callerOf` have it from the start, because changing it makes all properties slow.
 */
const named = (call, name) => (call.name === name ? call : Object.defineProperty(call, 'name', { value: name }));

/** The function of a declaration that asks for more than a call. */
function makeDecorated(boundFunction) {
  if (boundFunction.spec.nonblocking) return named(asyncOn(boundFunction, null), boundFunction.name);
  const call = makeCall(boundFunction, undefined);
  // The comment is for errors of structuredClone: codegen/compile.js.
  const outer = function (/* C function of pinned-ffi: a worker must open the library itself. */ ...values) {
    try {
      return call(...values);
    } catch (error) {
      throw atCaller(nameParameter(error, boundFunction.name, boundFunction.parameterOf), outer); // node-do-not-add-exception-line
    }
  };
  return Object.defineProperties(outer, { name: { value: boundFunction.name }, length: { value: call.length } });
}

const BOUND = Symbol('bound');
const { toString: functionText } = Function.prototype;

/** A bound function with its types, as `strlen(cstring) => size_t`. */
function prototypeOf(call) {
  const { name, spec } = call[BOUND];
  const { parameters, resultName } = spec.types;
  const types = parameters.map(({ label, descriptor }) => typeNameOf(descriptor, label));
  if (spec.varargs) types.push('...');
  return `${name}(${types.join(', ')}) => ${resultName}`;
}

/** The properties that bound functions have in addition to those of functions. */
const boundPrototype = Object.create(Function.prototype, {
  ptr: {
    get() {
      return this[BOUND]?.address;
    },
  },
  toString: {
    value() {
      return this[BOUND] === undefined ? functionText.call(this) : `function ${prototypeOf(this)} { [native code] }`;
    },
  },
  toJSON: {
    value() {
      return this[BOUND] === undefined ? undefined : { name: this.name, ptr: Number(this.ptr) };
    },
  },
  [Symbol.for('nodejs.util.inspect.custom')]: {
    value(depth, options) {
      return options.stylize(this[BOUND] === undefined ? '[Function]' : `[Function: ${prototypeOf(this)}]`, 'special');
    },
  },
  native: {
    get() {
      return this;
    },
  },
  async: {
    get() {
      const boundFunction = this[BOUND];
      return (boundFunction.asynchronous ??= abort().addAbort(named(asyncOn(boundFunction, null), boundFunction.name)));
    },
  },
});
/** An own property; one object serves for all. */
const own = { value: undefined };

/**
 * The JavaScript function of a C function.
 * @param {string} name what messages call it
 * @param {number | bigint} address
 * @param {Record<string, any>} declaration a copy, checked by the caller: { args, returns, varargs, wrap, loose, name,
 * guard, errno, fails,
 *   threads, leaf, nonblocking }
 * @param {InstanceType<typeof import('./library-lifetime.js').Lifetime>} lifetime of the library that must be open
 * @param {boolean} mayBeFast whether fast calls may reach it: it runs no JavaScript but by a JSCallback
 * @param {(name: string, index: number) => string | undefined} [parameterOf] the names of parameters, for messages
 */
const bind = function (name, address, declaration, lifetime, mayBeFast = true, parameterOf = undefined) {
  const spec = specOf(declaration, name);
  // The call target of the function; `inC` is its name in C.
  /** @type {BoundFunction} */
  const boundFunction = {
    name,
    inC: declaration.name ?? name,
    address,
    spec,
    lifetime,
    mayBeFast,
    timeout: declaration.timeout,
    parameterOf,
    last: undefined,
    asynchronous: undefined,
  };
  let call = spec.isDirect ? callerOf(boundFunction, spec.signature) : makeDecorated(boundFunction);
  if (isLogged !== undefined && !spec.nonblocking && isLogged(name, boundFunction.inC))
    call = log.logged(call, boundFunction);
  own.value = boundFunction;
  return Object.defineProperty(Object.setPrototypeOf(call, boundPrototype), BOUND, own);
};

/** The function that calls what a bound one calls, on a thread of the user's own. */
const onThread = (call, thread) => abort().addAbort(named(asyncOn(call[BOUND], thread), call.name));

module.exports = { bind, onThread };
