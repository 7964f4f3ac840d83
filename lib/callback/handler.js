'use strict';
// The handler of a callback: it decodes the arguments, calls the user's function and encodes its result. The mirror
// of call/generic-call.js.

const { isPromise } = require('node:util').types;
const binding = require('../native/binding.js');
const config = require('../native/config.js');
const { callIn, contexts } = require('../native/async-context.js');
const { RESULT, makeError } = require('../errors.js');
const { argBuffer, words, bytesAt, EPOCH, VALUES } = require('../memory/arg-buffer.js');
const { compile, nameOf } = require('../codegen/compile.js');
const { each, inlineOf, decodeArgument, runtime: readRuntime, DECLARED } = require('../codegen/read-values.js');
const { placeInexact } = require('../exact-numbers.js');
const { hasScopedCallback, release } = require('../memory/retained.js');
const { storageAddress } = require('../memory/access.js');
const { retainFor, slotOf, TOKEN, WHO } = require('../memory/callback-results.js');
const { encodeWithNul } = require('../types/text-units.js');

const log = config.log === undefined ? undefined : require('../call/call-log.js');
const isLogged = log?.makeFilter(config.log);

const putAgain = binding.makePutAgain();

/**
 * A callback's result that is a view or a string: kept as memory/callback-results.js says; returns its address. `unit`
 * is that of a string.
 */
function addressOfPin(pin, who, name, unit) {
  const retained = typeof pin === 'string' ? encodeWithNul(pin, unit) : pin;
  retainFor(retained, who);
  const address = storageAddress(retained);
  if (typeof address !== 'number' && typeof address !== 'bigint') {
    throw makeError('ERR_INVALID_ARG_VALUE', `${name}: ${RESULT} must be a view of more than 0 attached bytes`);
  }
  return address;
}

/**
 * A callback on a foreign thread returned a Promise: its caller waits until it settles. True tells the native side so.
 */
function settle(promise, token, finish) {
  promise
    .then((value) => {
      finish(value);
      binding.answer(token);
    })
    .catch((error) => binding.fail(token, error));
  return true;
}

/**
 * A callback that was called on a foreign thread runs in the context of the asynchronous call which led to it, or in
 * its own, and may return a Promise.
 */
function answerLater(callback, context, who, token, values, finish) {
  const slot = slotOf(who);
  const value = callIn(slot === undefined ? context : contexts[slot], callback, values);
  return isPromise(value) ? settle(value, token, finish) : finish(value);
}

/** A callback's result whose parts have to stay alive. A plain function would not. */
function retainResult(retained, who, name) {
  if (!hasScopedCallback(retained)) return retainFor(retained, who);
  release(retained);
  throw makeError('ERR_INVALID_ARG_TYPE', `${name}: ${RESULT} must not hold a plain function: return a JSCallback`);
}

/**
 * A result that takes several steps is written elsewhere first: the argument buffer is written last, at once
 * (memory/arg-buffer.js).
 */
const isWrittenAtOnce = (descriptor) =>
  descriptor.writesAtOnce === true || (descriptor.key === undefined && !descriptor.retains);

/** Copies a result into the argument buffer. */
function putResult(target, whole) {
  target.set(new Uint8Array(whole.buffer));
}

/**
 * The source that reads an argument: `raws` run before it is known whether the buffer is whole (memory/arg-buffer.js),
 * so everything that reads memory or converts the value comes later.
 */
function argumentSource(descriptor, at, i) {
  const inline = inlineOf(descriptor);
  const raws = inline?.raws(at);
  if (raws === undefined) {
    return {
      raws: [`new runtime.Uint8Array(bytes${i})`],
      value: (name) => `runtime.decodeArgument(descriptor${i}, ${name}0, name, ${i})`,
    };
  }
  const value = (name) =>
    inline.value(
      raws.map((_, k) => `${name}${k}`),
      `, name, ${i}`,
    );
  return { raws, value: inline.from === undefined ? value : (name) => `from${i}(${value(name)})` };
}

/** Declares what the source of an argument uses. */
function declareArgument(descriptor, at, i) {
  const inline = inlineOf(descriptor);
  if (inline?.raws(at) === undefined) return `const bytes${i} = runtime.bytesAt(${at}, descriptor${i}.size);`;
  return inline.from === undefined ? '' : `const from${i} = runtime.inlineOf(descriptor${i}).from;`;
}

/** The names that generated source uses. */
const runtime = {
  ...readRuntime,
  addressOfPin,
  retainResult,
  answerLater,
  bytesAt,
  putAgain,
  putResult,
  decodeArgument,
  inlineOf,
  Uint8Array,
  DataView,
  ArrayBuffer,
};

/**
 * A handler has no parameters: V8 pushes a value for each that is not passed. A call from a foreign thread has a token
 * in the argument buffer where its result may come later, which is where no call of ours is under way. What is done
 * with the result is there twice, so that a callback is one function, which is short enough for V8 to inline what the
 * user's function calls.
 */
function handlerSource({ args, at, result, resultAt }) {
  const reads = args.map((descriptor, i) => argumentSource(descriptor, at[i], i));
  const raws = reads.flatMap(({ raws: some }, i) => some.map((raw, k) => ({ name: `v${i}_${k}`, raw })));
  raws.push({ name: 'who', raw: `words[${WHO}]` }, { name: 'token', raw: `words[${TOKEN}]` });
  const names = raws.map(({ name }) => name).join(', ');
  const values = reads.map(({ value }, i) => value(`v${i}_`)).join(', ');
  const isDirect = isWrittenAtOnce(result);
  const to = isDirect ? `argBuffer, ${resultAt}` : 'whole, 0';
  const finish = `{
    ${result.resolve ? `value = resolve(value, name, position);` : ''}
    ${isDirect ? '' : 'const whole = new runtime.DataView(new runtime.ArrayBuffer(signature.result.size));'}
    ${result.name === 'void' ? '' : `const pin = write(${to}, value, name, position);`}
    ${result.retains ? 'if (pin !== undefined) runtime.retainResult(pin, who, name);' : ''}
    ${result.isPointerLike ? `if (pin !== undefined) write(${to}, runtime.addressOfPin(pin, who, name, ${result.unit}), name, position);` : ''}
    ${isDirect ? '' : 'runtime.putResult(resultBytes, whole);'}
  }`;
  return `'use strict';
const { ${args.map((_, i) => `${i}: descriptor${i}`).join(', ')} } = signature.args;
${each(args, (descriptor, i) => declareArgument(descriptor, at[i], i))}
${DECLARED}
${isDirect ? '' : `const resultBytes = runtime.bytesAt(${resultAt}, signature.result.size);`}
const write = signature.result.writeResult ?? signature.result.write, resolve = signature.result.resolve;
const position = signature.resultPosition;
const putAgain = runtime.putAgain;
const later = (callback, name, context, ${names}) =>
  runtime.answerLater(callback, context, who, token, [${values}], (value) => ${finish});
return (callback, name, context) => () => {
  var ${names};
  for (;;) {
    ${raws.map(({ name, raw }) => `${name} = ${raw};`).join(' ')}
    if (words[${EPOCH}] < 0) break;
    putAgain();
  }
  if (token >= 0) return later(callback, name, context, ${names});
  let value = callback(${values});
  ${finish}
};`;
}

/** The caller of the callback under way, its token and its arguments, in a copy that begins with the first value. */
function copyArguments(bytes) {
  for (;;) {
    const who = words[WHO];
    const token = words[TOKEN];
    const copied = new Uint8Array(bytes);
    if (words[EPOCH] < 0) {
      return { who, token, copied: new DataView(copied.buffer) };
    }
    putAgain();
  }
}

function argumentAt(descriptor, view, at, name, index) {
  try {
    return descriptor.read(view, at);
  } catch (error) {
    throw placeInexact(error, name, index);
  }
}

function plainHandler({ args, at, result, resultAt, resultPosition, size }) {
  const write = result.writeResult ?? result.write;
  const resultBytes = bytesAt(resultAt, result.size);
  const bytes = bytesAt(VALUES, size - VALUES);
  return (callback, name, context) => {
    const finish = (returned, who) => {
      const value = result.resolve ? result.resolve(returned, name, resultPosition) : returned;
      const whole = new DataView(new ArrayBuffer(Math.max(result.size, 8)));
      const pin = write(whole, 0, value, name, resultPosition);
      if (pin !== undefined && result.retains) retainResult(pin, who, name);
      else if (pin !== undefined) write(whole, 0, addressOfPin(pin, who, name, result.unit), name, resultPosition);
      putResult(resultBytes, new DataView(whole.buffer.slice(0, result.size)));
    };
    return () => {
      const { who, token, copied } = copyArguments(bytes);
      const values = args.map((descriptor, i) => argumentAt(descriptor, copied, at[i] - VALUES, name, i));
      if (token >= 0) return answerLater(callback, context, who, token, values, (value) => finish(value, who));
      return finish(callback(...values), who);
    };
  };
}

/**
 * With --abort-on-uncaught-exception V8 ends the process where an exception meets native code first, whatever is above
 * that. So what a callback throws is caught here, and native code is told.
 */
const aborts = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((option) =>
  option.replaceAll('_', '-').includes('--abort-on-uncaught-exception'),
);
const threw = aborts ? binding.makeThrew() : undefined;

const catching = (handler) =>
  !aborts
    ? handler
    : () => {
        try {
          return handler();
        } catch (error) {
          return threw(error);
        }
      };

const handlerFactory = (signature) =>
  compile(
    nameOf('callback', signature),
    'signature, argBuffer, runtime',
    handlerSource(signature),
    [signature, argBuffer, runtime],
    () => plainHandler(signature),
  );

/** With PINNED_FFI_TRACE=log, the same function, whose calls are printed. */
const logIfAsked = (callback, signature) =>
  isLogged?.(log.nameOf(callback)) ? log.loggedCallback(callback, signature) : callback;

/** The handler of the callbacks of a signature. */
const handlerOf = (signature, callback, name, context) =>
  catching((signature.handle ??= handlerFactory(signature))(logIfAsked(callback, signature), name, context));

module.exports = { handlerOf };
