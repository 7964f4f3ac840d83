'use strict';
// errno, os, extension, config, stats, reset: facts about koffi and the system.

const os = require('node:os');
const binding = require('../native/binding.js');
const { dlopen } = require('../library/dlopen.js');
const { makeError, wrongType } = require('../errors.js');
const { suffix } = require('../native/platform.js');
const { read, write } = require('../pointer/read-write.js');
const { counts } = require('./decode.js');
const { resetNames } = require('./type.js');

/** The functions that return the address of errno, by platform. */
const LOCATIONS = {
  linux: [null, '__errno_location'],
  darwin: [null, '__error'],
  freebsd: [null, '__error'],
  win32: ['ucrtbase.dll', '_errno'],
};
let location;

/** The address of this thread's errno. It is found before a function may set it: to find it sets it, too. */
function errnoAddress() {
  if (location === undefined) {
    const [library, name] = LOCATIONS[process.platform] ?? LOCATIONS.linux;
    location = dlopen(library, { [name]: { returns: 'ptr' } }, { isolate: false }).symbols[name]();
  }
  return location;
}

/** errno of this thread, as the last C function has left it; with a value, sets it. */
function errno(...args) {
  if (args.length === 0) return read.i32(errnoAddress());
  const [value] = args;
  if (!Number.isInteger(value)) throw wrongType('errno: value', 'an integer', value);
  // In a callback C finds only what is set this way.
  binding.setErrno(value);
  write.i32(errnoAddress(), 0, value);
  return value;
}

/** koffi's default settings. None has an effect here: memory for calls grows as calls need it. */
const settings = {
  sync_stack_size: 2097152,
  sync_heap_size: 1048576,
  async_stack_size: 131072,
  async_heap_size: 131072,
  resident_async_pools: 8,
  max_async_calls: 256,
  max_type_size: 67108864,
};

/** koffi.config() and koffi.config(settings). */
function config(changes) {
  if (changes === undefined) return { ...settings };
  if (typeof changes !== 'object' || changes === null) throw wrongType('config: settings', 'an object', changes);
  for (const key of Object.keys(changes)) {
    if (!Object.hasOwn(settings, key)) throw makeError('ERR_INVALID_ARG_VALUE', `Unexpected config member '${key}'`);
    if (!Number.isInteger(changes[key]) || changes[key] < 0)
      throw wrongType(`config: ${key}`, 'an integer of at least 0', changes[key]);
  }
  return { ...Object.assign(settings, changes) };
}

const stats = () => ({ ...counts });

/** Forgets the names of types, so that they can be given again. */
const reset = () => resetNames();

/** The codes of Linux, on the processors of the package, that Node does not know. */
const LINUX = {
  ENOTBLK: 15,
  EDEADLOCK: 35,
  ECHRNG: 44,
  EL2NSYNC: 45,
  EL3HLT: 46,
  EL3RST: 47,
  ELNRNG: 48,
  EUNATCH: 49,
  ENOCSI: 50,
  EL2HLT: 51,
  EBADE: 52,
  EBADR: 53,
  EXFULL: 54,
  ENOANO: 55,
  EBADRQC: 56,
  EBADSLT: 57,
  EBFONT: 59,
  ENONET: 64,
  ENOPKG: 65,
  EREMOTE: 66,
  EADV: 68,
  ESRMNT: 69,
  ECOMM: 70,
  EDOTDOT: 73,
  ENOTUNIQ: 76,
  EBADFD: 77,
  EREMCHG: 78,
  ELIBACC: 79,
  ELIBBAD: 80,
  ELIBSCN: 81,
  ELIBMAX: 82,
  ELIBEXEC: 83,
  ERESTART: 85,
  ESTRPIPE: 86,
  EUSERS: 87,
  ESOCKTNOSUPPORT: 94,
  EPFNOSUPPORT: 96,
  ESHUTDOWN: 108,
  ETOOMANYREFS: 109,
  EHOSTDOWN: 112,
  EUCLEAN: 117,
  ENOTNAM: 118,
  ENAVAIL: 119,
  EISNAM: 120,
  EREMOTEIO: 121,
  ENOMEDIUM: 123,
  EMEDIUMTYPE: 124,
  ENOKEY: 126,
  EKEYEXPIRED: 127,
  EKEYREVOKED: 128,
  EKEYREJECTED: 129,
  EOWNERDEAD: 130,
  ENOTRECOVERABLE: 131,
  ERFKILL: 132,
  EHWPOISON: 133,
};

const codes = { ...(process.platform === 'linux' ? LINUX : {}), ...os.constants.errno };

module.exports = { errnoAddress, errno, config, stats, reset, extension: `.${suffix}`, os: { errno: codes } };
