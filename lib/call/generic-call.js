'use strict';
// The generic call: arguments go through the argument buffer, in generated source or in plain functions. It serves
// every platform and every type.

const { compile, nameOf, noteOf } = require('../codegen/compile.js');
const {
  constants,
  each,
  inlineOf,
  runtime: readRuntime,
  DECLARED,
  resultSource,
  readWords,
  readLarge,
} = require('../codegen/read-values.js');
const { placeInexact } = require('../exact-numbers.js');
const { atCaller, makeError, nameParameter } = require('../errors.js');
const { argBuffer, words, begin, bytesAt, FUNCTION_ID, EPOCH, BEGIN } = require('../memory/arg-buffer.js');
const { release } = require('../memory/retained.js');
const { lazy } = require('../lazy.js');
const binding = require('../native/binding.js');
const config = require('../native/config.js');
const { hasNoAddress } = require('../types/registry.js');

/** Few functions have pointers to structs that plain objects are passed for. */
const plainTarget = lazy(() => require('../types/plain-target.js'));
/** Errors are about the argument of an index, in the call of `name`. */
function copyBack(memory, name, index, isOver) {
  try {
    plainTarget().copyBack(memory, isOver);
  } catch (error) {
    throw placeInexact(error, name, index);
  }
}

/** The native entries of all bound functions: three call, by the number of pins; the last has another thread call. */
const [enter, enterWithFew, enterWithMany, start] = binding.entries();
/** src/node/call/entries.rs, FEW_PINS. */
const FEW_PINS = 2;
const enterWith = (pins) => (pins.length > FEW_PINS ? enterWithMany : enterWithFew);

const { apply } = Reflect;

/**
 * Makes another thread call the function of a number, whose arguments are in the argument buffer. Returns false if
 * other code has written them since `epoch`.
 */
function startCall({ functionId, library }, signature, slot, thread, pins, epoch) {
  const passed = [slot, thread, ...pins, library];
  const bits = bitsOf(signature, pins);
  if (words[EPOCH] !== epoch) return false;
  words[0] = bits[0];
  words[1] = bits[1];
  words[2] = bits[2];
  words[3] = bits[3];
  words[FUNCTION_ID] = functionId;
  apply(start, undefined, passed);
  return true;
}

/** The words that say which arguments are pins. */
function bitsOf({ pins: positions }, pins) {
  const bits = [0, 0, 0, 0];
  positions.forEach((position, i) => {
    if (pins[i] !== undefined) bits[position >> 5] |= 1 << (position & 31);
  });
  return bits;
}

/** The most times that the arguments of a call are written: an inspector does not overwrite them each time. */
const MOST_TRIES = 1000;

/** Others have written the argument buffer while the arguments of a call were written: they are written again. */
function writeAgain(tries, name) {
  if (tries < MOST_TRIES) return;
  throw makeError('ERR_FFI_INTERNAL', `${name}: other calls were made each time its arguments were written`);
}

/**
 * Keeps Node from printing a source line of the package above an uncaught error: its stack begins at the user's line.
 */
const NO_LINE = '// node-do-not-add-exception-line';

/** The names that generated source uses. */
const runtime = {
  ...readRuntime,
  bytesAt,
  Uint8Array,
  enter,
  enterWith,
  writeAgain,
  inlineOf,
  readWords,
  readLarge,
  wrongCount,
  fail,
  release,
  copyBack,
  rejected,
  none: Object.freeze([]),
  // The arguments of the last call whose result is read out of memory.
  keepAlive: undefined,
};

/**
 * The factory of a signature's functions; `ending` is one of `endings`. It may be made late, so that its source uses no
 * iterator of arrays: a program may have replaced it by then.
 */
const callerFactory = (signature, ending) =>
  compile(
    nameOf(ending === 'launch' ? 'async' : 'call', signature),
    'signature, argBuffer, runtime',
    callerSource(signature, ending),
    [signature, argBuffer, runtime],
    () => plainCaller(signature, ending),
  );

/**
 * A dialect's messages about calls.
 * @typedef {object} Wording
 * @property {string} key tells it from others
 * @property {(name: string, expected: number, received: number) => Error} wrongCount
 * @property {(error: unknown, name: string) => unknown} translate returns the error to throw in place of a call's error
 */

function wrongCount(name, expected, received) {
  return makeError(
    'ERR_INVALID_ARG_VALUE',
    `${name} expects ${expected} argument${expected === 1 ? '' : 's'}, received ${received}`,
  );
}

/**
 * Something has thrown in a call whose texts the native side looks through. Where one has a NUL, C was not called: the
 * first wrong argument is the error, as if all had been looked through before.
 */
function errorOf(error, { args, at, parameters }, values, name) {
  const hasNul = (descriptor, i) =>
    descriptor.writeAnyText && typeof values[i] === 'string' && values[i].includes('\0');
  if (!args.some(hasNul)) return error;
  try {
    args.forEach((descriptor, i) => descriptor.write(argBuffer, at[i], values[i], name, parameters[i].label));
    return error;
  } catch (wrong) {
    return wrong;
  }
}

/** The error that a call throws for `error`. `epoch` and `values` are passed if the native side looks through texts. */
function fail(error, callTarget, self, epoch, values) {
  return thrownBy(
    epoch === undefined ? error : errorOf(error, callTarget.signature, values, self.name),
    callTarget,
    self,
  );
}

/** The error in the words of the dialect, with a stack that begins at the user's line. */
function thrownBy(error, callTarget, self) {
  const { wording } = callTarget.signature;
  placeInexact(error, self.name, 'result');
  nameParameter(error, self.name, callTarget.parameterOf);
  const thrown = wording === undefined ? error : wording.translate(error, self.name);
  return callTarget.isOuter ? atCaller(thrown, callTarget.above ?? self) : thrown;
}

/** The Promise of an asynchronous call that has thrown before it was started. */
function rejected(error, launch, self) {
  return Promise.reject(atCaller(nameParameter(error, self.name, launch.parameterOf), self));
}

const countCheck = (count) =>
  `if (arguments.length !== ${count}) throw wording.wrongCount(name, ${count}, arguments.length);`;
const bitOf = (position) => `(p${position} === undefined ? 0 : ${1 << (position & 31)})`;

/** The words of pin bits at the start of the argument buffer: one bit an argument. */
function pinWords(pins) {
  const words = [0, 1, 2, 3].map((word) => pins.filter((position) => position >> 5 === word));
  return words
    .map((positions, word) => (positions.length > 0 ? `words[${word}] = ${positions.map(bitOf).join(' | ')};` : ''))
    .join(' ');
}

// ---- JS to C --------------------------------------------------------------------------------------------------------

/** After the pins come the retained values, and then the library: the engine roots all arguments of a call. */
function enteredBy(pins, others) {
  if (pins.length === 0) return `enter(${others})`;
  return `(${pins.map((pin) => `${pin} === undefined`).join(' && ')} ? enter(${others}) : enterWith(${pins.concat(others)}))`;
}

/**
 * The end of a call, as source.
 *   call    enters C and returns its result, from the argument buffer or as the entry gives it; passes the library as
 * well
 *   check   the same, through `check`, which throws for what the declaration says is a failure
 *   launch  has another thread enter C, by `launch`; an error of the arguments rejects the Promise
 * A result that reads memory may read that of an argument, so those are kept alive until it is read.
 */
const finish =
  (isChecked) =>
  ({ args, result, resultAt }, { pins, retained, names }) => {
    const give = (value) => `return ${isChecked ? `check(${value})` : value};`;
    const call = `words[${FUNCTION_ID}] = functionId;\n    `;
    const entered = enteredBy(pins, retained.concat('library'));
    const back = copyBacks(args, hasNoAddress(result));
    if (result.returnedByEntry)
      return back === '' ? call + give(entered) : `${call}const text = ${entered};\n    ${back}${give('text')}`;
    if (result.name === 'void' && !isChecked) return `${call}${entered};\n    ${back}`;
    const hold = result.readsMemory ? `runtime.keepAlive = [${names}];\n    ` : '';
    const { raws, value } = resultSource(result, resultAt);
    return `${hold}${call}${entered};\n    ${constants(raws, 'result')}${back}${give(value('result'))}`;
  };

/** Copies back into plain objects and arrays that were passed. After the result was read, because it runs setters. */
const copyBacks = (args, over) =>
  each(args, ({ copiesBack }, i) => copiesBack && `if (g${i} !== a${i}) runtime.copyBack(a${i}, name, ${i}, ${over});`);

const listOf = (names) => (names.length === 0 ? 'runtime.none' : `[${names}]`);
/** Whether a value of a descriptor may have to stay alive after it is written: a number never has to. */
const mayHold = (descriptor) =>
  descriptor.resolve || descriptor.isPointerLike || descriptor.retains || descriptor.key !== undefined;
const endings = {
  call: finish(false),
  check: finish(true),
  launch: ({ args }, { pins, retained, names }) => {
    const values = listOf(config.trace || args.some(mayHold) ? names : []);
    return `promise = launch(${listOf(pins)}, ${listOf(retained)}, ${values}, epoch);`;
  },
};

function callerSource(signature, ending) {
  const { args, at, pins, parameters, loose } = signature;
  const names = args.map((_, i) => `a${i}`);
  const retained = args.flatMap((descriptor, i) => (descriptor.retains ? [i] : []));
  const assigned = (i) => (pins.includes(i) ? `var p${i} = ` : args[i].retains ? `k${i} = ` : '');
  const releases = retained.map((i) => `runtime.release(k${i});`).join(' ');
  const forgets = retained.map((i) => `k${i} = undefined;`).join(' ');
  // A label that is no index is an object: source that wrote it out would create one in each call.
  const label = (i) => (typeof parameters[i].label === 'number' ? parameters[i].label : `label${i}`);
  const end = endings[ending](signature, {
    names,
    pins: pins.map((i) => `p${i}`),
    retained: retained.map((i) => `k${i}`),
  });
  const isAsync = ending === 'launch';
  // Retained values must not be written twice.
  const looksLater = !isAsync && retained.length === 0 && args.some((descriptor) => descriptor.writeAnyText);
  const writer = (descriptor) => (looksLater && descriptor.writeAnyText ? 'writeAnyText' : 'write');
  return `'use strict';
const { parameters, args: { ${args.map((_, i) => `${i}: descriptor${i}`).join(', ')} } } = signature;
${each(args, (descriptor, i) => `const write${i} = descriptor${i}.${writer(descriptor)}, resolve${i} = descriptor${i}.resolve;`)}
${each(parameters, ({ label: text }, i) => typeof text !== 'number' && `const label${i} = parameters[${i}].label;`)}
${DECLARED}
const { result, wording = runtime } = signature, from = runtime.inlineOf(result)?.from;
const enter = runtime.enter, enterWith = runtime.enterWith(signature.pins), fail = runtime.fail;
return (${isAsync ? 'launch' : 'callTarget'}, name, check) => { ${isAsync ? '' : 'const { functionId, library } = callTarget;'}
  const self = { __proto__: null, [name]: function ${noteOf(signature)} (${names.join(', ')}) {
    var epoch, tries = 0${isAsync ? ', promise' : ''}${retained.map((i) => `, k${i}`).join('')};
    try {
    ${loose ? '' : countCheck(args.length)}
    ${each(args, (descriptor, i) => descriptor.copiesBack && `const g${i} = a${i};`)}
    ${each(args, (descriptor, i) => descriptor.resolve && `${descriptor.isPointerLike ? `if (typeof a${i} !== 'number') ` : ''}a${i} = resolve${i}(a${i}, name, ${label(i)});`)}
    for (;;) {
    epoch = ${BEGIN};
    ${each(args, (descriptor, i) => `${assigned(i)}write${i}(argBuffer, ${at[i]}, a${i}, name, ${label(i)});`)}
    ${each(
      parameters,
      ({ lengthOf: k }, i) =>
        k !== undefined &&
        `parameters[${i}].checkLength((descriptor${i}.readBig ?? descriptor${i}.read)(argBuffer, ${at[i]}), a${k}, descriptor${k}, name, ${label(i)}, ${k});`,
    )}
    ${isAsync ? `${end}\n    if (promise !== undefined) return promise;` : `${pinWords(pins)}\n    if (words[${EPOCH}] === epoch) break;`}
    ${releases} ${forgets}
    runtime.writeAgain(tries += 1, name);
    }
    ${isAsync ? `} catch (error) { ${releases} return runtime.rejected(error, launch, self); }` : end}
    ${
      isAsync
        ? ''
        : `} catch (error) {
    throw fail(error, callTarget, self${looksLater ? `, epoch, [${names}]` : ''}); ${NO_LINE}
    }`
    }
    ${!isAsync && retained.length > 0 ? `finally { ${releases} }` : ''}
  } }[name];
  return self;
};`;
}

/** Enters C, and gives the result; `AGAIN` where others have written the argument buffer. */
function enterPlainly({ functionId, library, name }, signature, { pins, retained, values }, result, epoch) {
  const isPinned = pins.some((pin) => pin !== undefined);
  const passed = isPinned ? [...pins, ...retained, library] : [...retained, library];
  const entry = isPinned ? enterWith(pins) : enter;
  const bits = bitsOf(signature, pins);
  if (words[EPOCH] !== epoch) return AGAIN;
  // Not in a separate function, here and in startCall: V8 may run other JavaScript where a function is entered.
  words[0] = bits[0];
  words[1] = bits[1];
  words[2] = bits[2];
  words[3] = bits[3];
  words[FUNCTION_ID] = functionId;
  const text = apply(entry, undefined, passed);
  // At once: memory/arg-buffer.js.
  const first = [
    words[8],
    words[9],
    words[10],
    words[11],
    words[12],
    words[13],
    words[14],
    words[15],
    words[16],
    words[17],
    words[18],
    words[19],
    words[20],
    words[21],
    words[22],
    words[23],
  ];
  const before = words[EPOCH];
  const value = resultOf(signature.result, text, first, before, result);
  copyAllBack(signature, values, name);
  return value;
}

function resultOf(descriptor, text, first, before, result) {
  if (descriptor.returnedByEntry) return text;
  if (descriptor.size <= 4 * first.length) return readWords(descriptor, first);
  const bytes = new Uint8Array(result);
  return readLarge(descriptor, before, bytes, words[EPOCH]);
}
const AGAIN = Symbol('again');

/** The same for the values of a call that was prepared or is done. */
function copyAllBack({ args, result }, values, name) {
  for (let i = 0; i < args.length; i += 1)
    if (args[i].copiesBack && typeof values[i] === 'object') copyBack(values[i], name, i, hasNoAddress(result));
}

const plainEndings = {
  call: ({ callTarget, signature, result }, parts, epoch) => enterPlainly(callTarget, signature, parts, result, epoch),
  check(all, parts, epoch) {
    const value = plainEndings.call(all, parts, epoch);
    return value === AGAIN ? value : all.check(value);
  },
  launch: ({ callTarget: launch }, { pins, retained, values }, epoch) => launch(pins, retained, values, epoch) ?? AGAIN,
};

function plainCaller(signature, ending) {
  const { args, at, pins, parameters, loose, wording } = signature;
  const isAsync = ending === 'launch';
  const result = bytesAt(signature.resultAt, signature.result.size);
  const encode = (values, written, name) => {
    args.forEach((descriptor, i) => {
      written[i] = descriptor.write(argBuffer, at[i], values[i], name, parameters[i].label);
    });
    parameters.forEach((parameter, i) => {
      const { label, lengthOf: k } = parameter;
      if (k !== undefined)
        parameter.checkLength((args[i].readBig ?? args[i].read)(argBuffer, at[i]), values[k], args[k], name, label, k);
    });
  };
  return (callTarget, name, check) => {
    const call = (...values) => {
      const written = [];
      const retainedOf = () => args.flatMap((descriptor, i) => (descriptor.retains ? [written[i]] : []));
      try {
        if (!loose && values.length !== args.length)
          throw (wording ?? runtime).wrongCount(name, args.length, values.length);
        args.forEach((descriptor, i) => {
          if (descriptor.resolve) values[i] = descriptor.resolve(values[i], name, parameters[i].label);
        });
        for (let tries = 1; ; tries += 1) {
          const epoch = begin();
          encode(values, written, name);
          const parts = { pins: pins.map((i) => written[i]), retained: retainedOf(), values };
          const value = plainEndings[ending]({ callTarget, signature, result, check }, parts, epoch);
          if (value !== AGAIN) return value;
          release(retainedOf());
          written.fill(undefined);
          writeAgain(tries, name);
        }
      } catch (error) {
        if (!isAsync) throw thrownBy(error, callTarget, call); // node-do-not-add-exception-line
        release(retainedOf());
        return rejected(error, callTarget, call);
      } finally {
        if (!isAsync) release(retainedOf());
      }
    };
    return Object.defineProperties(call, { name: { value: name }, length: { value: args.length } });
  };
}

module.exports = { callerFactory, startCall, copyAllBack, wrongCount };
