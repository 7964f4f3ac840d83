'use strict';
// errno, os, extension, config, stats, reset: what koffi tells of itself and of the system.

const os = require('node:os');
const { dlopen } = require('../library');
const { makeError, wrongType } = require('../errors');
const { suffix } = require('../platform');
const { read, write } = require('../pointer');
const { counts } = require('./decode');
const { resetNames } = require('./type');

/** The functions that return the address of errno, by platform. */
const LOCATIONS = { linux: [null, '__errno_location'], darwin: [null, '__error'], freebsd: [null, '__error'], win32: ['ucrtbase.dll', '_errno'] };
let location;

/** The address of this thread's errno. */
function errnoAddress() {
  if (location === undefined) {
    const [library, name] = LOCATIONS[process.platform] ?? LOCATIONS.linux;
    location = dlopen(library, { [name]: { returns: 'ptr' } }).symbols[name]();
  }
  return location;
}

/** errno of this thread, as the last C function has left it; with a value, sets it. */
function errno(...args) {
  if (args.length === 0) return read.i32(errnoAddress());
  const [value] = args;
  if (!Number.isInteger(value)) throw wrongType('errno: value', 'an integer', value);
  write.i32(errnoAddress(), 0, value);
  return value;
}

/** What koffi's settings are by default. None has an effect here: memory for calls grows as calls need it. */
const settings = {
  sync_stack_size: 2097152, sync_heap_size: 1048576, async_stack_size: 131072, async_heap_size: 131072, resident_async_pools: 8,
  max_async_calls: 256, max_type_size: 67108864,
};

/** koffi.config() and koffi.config(settings). */
function config(changes) {
  if (changes === undefined) return { ...settings };
  if (typeof changes !== 'object' || changes === null) throw wrongType('config: settings', 'an object', changes);
  for (const key of Object.keys(changes)) {
    if (!Object.hasOwn(settings, key)) throw makeError('ERR_INVALID_ARG_VALUE', `Unexpected config member '${key}'`);
    if (!Number.isInteger(changes[key]) || changes[key] < 0) throw wrongType(`config: ${key}`, 'an integer of at least 0', changes[key]);
  }
  return { ...Object.assign(settings, changes) };
}

const stats = () => ({ ...counts });

/** Forgets the names of types, so that they can be given again. */
const reset = () => resetNames();

/** errno must be found before it is wanted: to find it sets it. */
errnoAddress();

module.exports = { errno, config, stats, reset, extension: `.${suffix}`, os: { errno: { ...os.constants.errno } } };
