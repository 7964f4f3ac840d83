'use strict';
// The flight recorder: with PINNED_FFI_TRACE=1, src/trace/ records every call before it goes in, with the types of its
// arguments and its call site. Without it, functions are bound as they are.

const path = require('node:path');
const { fileURLToPath } = require('node:url');
const binding = require('../native/binding.js');
const { describe } = require('../errors.js');
const { folder } = require('../location.js');
const config = require('../native/config.js');

if (config.trace) binding.startTrace(require('node:worker_threads').threadId);

// ---- Who made the call ----------------------------------------------------------------------------------------------

/** The number of frames that are searched for the place of a call: our own functions lie between. */
const MOST_FRAMES = 16;
const own = folder + path.sep;

const keepFrames = (_, frames) => frames;

/** The frames of the functions that led to `above`; what a program has set of Error is put back as it was. */
function framesOver(above) {
  const holder = {};
  const { prepareStackTrace, stackTraceLimit } = Error;
  // Assigned, not defined or deleted: the shape of Error stays the same, and functions that are optimised stay so.
  if (!Reflect.set(Error, 'prepareStackTrace', keepFrames)) return undefined;
  try {
    Reflect.set(Error, 'stackTraceLimit', MOST_FRAMES);
    Error.captureStackTrace(holder, above);
    return holder.stack;
  } finally {
    Reflect.set(Error, 'prepareStackTrace', prepareStackTrace);
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}

/** The file, line and column of the user's code that called `above`. */
function siteOf(above) {
  const frames = framesOver(above);
  if (!Array.isArray(frames)) return 'unknown';
  let nearest;
  for (let i = 0; i < frames.length; i++) {
    const file = fileOf(frames[i]);
    if (file === '') continue;
    const site = `${file}:${frames[i].getLineNumber()}:${frames[i].getColumnNumber()}`;
    if (!file.startsWith(own) && !file.startsWith('node:') && !file.startsWith('pinned-ffi:')) return site;
    nearest ??= site;
  }
  return nearest ?? 'unknown';
}

function fileOf(frame) {
  const name = frame.getFileName() ?? '';
  try {
    return name.startsWith('file:') ? fileURLToPath(name) : name;
  } catch {
    return name;
  }
}

// ---- The arguments --------------------------------------------------------------------------------------------------

/** The kind of a value, never what it holds. */
function kindOf(value) {
  switch (typeof value) {
    case 'string':
      return `a string of ${value.length}`;
    case 'object':
      return describe(value);
    default:
      return typeof value;
  }
}

/** A line for each argument. */
function kindsOf(descriptors, values) {
  let kinds = '';
  for (let i = 0; i < values.length; i++) {
    kinds += `${i === 0 ? '' : '\n'}${descriptors[i]?.name ?? '?'}: ${kindOf(values[i])}`;
  }
  return kinds;
}

// ---- Recording ------------------------------------------------------------------------------------------------------

const handles = new WeakMap();

/** The number and the name of a library's handle. */
function handleOf(lifetime) {
  let handle = handles.get(lifetime);
  if (handle === undefined) {
    const name = lifetime.native.name.replace(/^"(.*)"$/, '$1');
    // A crash report tells it with the library's name.
    const rival =
      lifetime.rival === null
        ? ''
        : ` (it calls Node's ${lifetime.rival} in place of its own: try PINNED_FFI_DEEPBIND=1)`;
    handle = { number: binding.traceLibrary(), name: name + rival };
    handles.set(lifetime, handle);
  }
  return handle;
}

/** A bound function that records its calls. */
function recorded(call, name, signature, lifetime) {
  const handle = handleOf(lifetime);
  const caller = (...values) => {
    const kinds = kindsOf(signature.args, values);
    const ticket = binding.beginTrace(handle.number, handle.name, name, kinds, siteOf(caller));
    let threw = true;
    try {
      const result = call(...values);
      threw = false;
      return result;
    } finally {
      binding.endTrace(ticket, threw);
    }
  };
  return Object.defineProperty(caller, 'length', { value: call.length });
}

/** The same for what starts an asynchronous call, whose values come third; it is recorded when its thread runs it. */
function recordedJob(launch, name, signature, lifetime) {
  const handle = handleOf(lifetime);
  const launcher = (pins, retained, values, epoch) => {
    binding.traceNextJob(handle.number, handle.name, name, kindsOf(signature.args, values), siteOf(launcher));
    return launch(pins, retained, values, epoch);
  };
  return launcher;
}

/** The calls through a library's handle that the recorder keeps, newest last. */
function callsOf(lifetime) {
  const calls = binding.traced(handleOf(lifetime).number);
  return calls.map(({ symbol, library, arguments: kinds, site, state, thread, isAsync }) => ({
    symbol,
    library,
    arguments: kinds === '' ? [] : kinds.split('\n'),
    site,
    state,
    thread,
    async: isAsync,
  }));
}

module.exports = { recorded, recordedJob, callsOf };
