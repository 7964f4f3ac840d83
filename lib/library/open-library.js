'use strict';
// Opens the file of a library: in this process, or in a separate one.

const { isAddon } = require('../native/addon.js');
const binding = require('../native/binding.js');
const { libraryOpen } = require('../native/channels.js');
const config = require('../native/config.js');
const { outOfRange } = require('../errors.js');
const { lazy, lazyOfScripts } = require('../lazy.js');
const { Lifetime } = require('../call/library-lifetime.js');
const { candidatesInTurn, toPath } = require('./resolve.js');

/** RTLD_DEEPBIND, where the system has it. Not by `node:os`, which few programs need otherwise. */
const DEEPBIND = binding.deepbindFlag() ?? undefined;

// The process may have no file descriptor left when it is needed.
const failures = lazyOfScripts(() => require('./not-opened.js'));
const rivals = lazy(() => require('./rivals.js'));
const isolation = lazy(() => require('../isolate/library.js'));
const defaults = lazy(() => require('../isolate/defaults.js'));

/** Stands for the group of all libraries. */
const ALL = Symbol('all');
/** The value of the option `isolate` that is left out: that of PINNED_FFI_ISOLATE. */
const ISOLATES = config.isolate ? ALL : false;

/** Opens a library in this process, or in another one. Its functions are bound with the result. */
const openAs = function (path, flags, isolate, where) {
  const bits = flags === undefined ? 0 : flagsOf(flags);
  if (isolate !== false) return openIsolated(path, bits, isolate, where);
  const { found, lifetime } = open(path, bits);
  // An addon may run JavaScript, which a fast call must not.
  return { lifetime, found, mayBeFast: found === null || !isAddon(found), process: undefined };
};

/** Opens a library in a separate process, and publishes that it is open. */
function openIsolated(path, flags, isolate, where) {
  // Started first: it takes as long to start as the files of isolation take to load.
  const starts = isolate === true && binding.isolateUnavailable() === null;
  const started = starts ? new binding.IsolatedProcess(defaults().DEFAULTS) : undefined;
  const { IsolatedLifetime, processOf, everything } = isolation();
  const process = processOf(isolate === ALL ? everything() : isolate, where, started);
  const lifetime = new IsolatedLifetime(process);
  try {
    const { native, found } = openFirst(path, (candidate) => process.open(candidate, flags));
    lifetime.opened(native, found);
    publishOpen(path, found, process);
    // Fast calls run in this process.
    return { lifetime, found, mayBeFast: false, process };
  } catch (error) {
    lifetime.close();
    throw error;
  }
}

/** The flags of the options. Without any, native code takes RTLD_NOW. */
function flagsOf(flags) {
  /** @type {Record<string, number>} */
  const known = require('node:os').constants.dlopen ?? {};
  const all = Object.values(known).reduce((bits, flag) => bits | flag, 0);
  if (!Number.isInteger(flags) || flags < 0 || flags > 0x7fffffff || (flags & ~all) !== 0) {
    throw outOfRange('dlopen: options.flags', 'bits of os.constants.dlopen', flags);
  }
  const { RTLD_NOW = 0, RTLD_LAZY = 0 } = known;
  return (flags & (RTLD_NOW | RTLD_LAZY)) === 0 ? flags | RTLD_NOW : flags;
}

/** Opens a library, and publishes that it is open. */
const open = function (path, flags) {
  const { native, found, rival } = openHere(path, flags);
  publishOpen(path, found);
  return { native, found, lifetime: new Lifetime(native, rival, found) };
};

/** Publishes that a library is open; `process` is the process of an isolated one. */
const publishOpen = function (path, found, process) {
  if (!libraryOpen.hasSubscribers) return;
  const isolated = process === undefined ? {} : { isolated: process.state };
  libraryOpen.publish({ path: found, name: path === null ? null : String(path), ...isolated });
};

/** Opens the first candidate of a path that the loader of this process takes. */
const openHere = function (path, flags) {
  if (path === null) return { native: binding.Library.open(null, flags), found: null, rival: null };
  let rival = null;
  let isDeep = false;
  const { native, found } = openFirst(path, (candidate) => {
    rival = rivalOf(candidate, flags);
    isDeep = flags === 0 && (config.deepbind ?? rival !== null) && DEEPBIND !== undefined;
    return binding.Library.open(candidate, isDeep ? flagsOf(DEEPBIND) : flags);
  });
  return { native, found, rival: isDeep || (flags & (DEEPBIND ?? 0)) !== 0 ? null : rival };
};

/** Opens the first candidate of a path that `openOne` takes; the error lists all that were tried. */
const openFirst = function (path, openOne) {
  if (path === null) return { native: openOne(null), found: null };
  const expected = toPath(path);
  const tried = [];
  for (const candidate of candidatesInTurn(expected)) {
    if (tried.some(({ path }) => path === candidate)) continue;
    const native = openOne(candidate);
    if (typeof native !== 'string') return { native, found: candidate };
    tried.push({ path: candidate, reason: native });
  }
  throw failures().notOpened(expected, tried);
};

/** A symbol by which Node would take the place of a library's own functions. Addons call Node's on purpose. */
function rivalOf(candidate, flags) {
  const decides = flags === 0 && config.deepbind === undefined;
  if (DEEPBIND === undefined || !(decides || config.trace) || isAddon(candidate)) return null;
  // Most names are those of libraries that are loaded (libc), about which nothing can be done any more.
  if (!candidate.includes('/') && binding.isLoaded(candidate)) return null;
  try {
    return rivals().rivalOf(candidate);
  } catch {
    // The file cannot be looked at (no file descriptor is left, a loop of links): the loader says why.
    return null;
  }
}

module.exports = { ISOLATES, openAs };
