'use strict';
// The exports of `pinned-ffi`.

const { storeFast } = require('./fast-properties.js');
const { fences, checkFences } = require('./memory/fences.js');
const { isFFIError, published } = require('./errors.js');
const { lazy, lazyOfScripts } = require('./lazy.js');
const { suffix } = require('./native/platform.js');
const config = require('./native/config.js');

/** Functions of a file that is loaded when one of them is first called. */
const functionsIn = (get, names) => names.map((name) => published(name, (...values) => get()[name](...values)));
/** The same for a file that only programs with declared types need. */
const functionsOf = (load, ...names) => functionsIn(lazy(load), names);

const [dlopen, linkSymbols, CFunction] = functionsIn(
  lazyOfScripts(() => require('./library/dlopen.js')),
  ['dlopen', 'linkSymbols', 'CFunction'],
);
const [struct, union, fn, sizeof, alignof] = functionsOf(
  () => require('./cdef/accept.js'),
  'struct',
  'union',
  'fn',
  'sizeof',
  'alignof',
);
const [text, offsetof] = functionsOf(() => require('./types/struct.js'), 'text', 'offsetof');
const [array] = functionsOf(() => require('./types/flexible.js'), 'array');
const [cdef] = functionsOf(() => require('./cdef/index.js'), 'cdef');
const [pointer] = functionsOf(() => require('./types/typed-pointer.js'), 'pointer');
const [out, inout] = functionsOf(() => require('./types/out-param.js'), 'out', 'inout');
const [enumeration] = functionsOf(() => require('./types/enum.js'), 'enumeration');
const [pin] = functionsOf(() => require('./memory/pin.js'), 'pin');
const [opaque] = functionsOf(() => require('./types/handle.js'), 'opaque');
const [errno] = functionsOf(() => require('./call/errno.js'), 'errno');
const [arena, isShared] = functionsOf(() => require('./isolate/memory.js'), 'arena', 'isShared');
const [group] = functionsOf(() => require('./isolate/process.js'), 'group');
if (config.arena) require('./memory/arena.js').makeArena();
/** Its file wants node:crypto and node:child_process, which take about as long to load as all of the package. */
const [cc] = functionsOf(() => require('./cc/compile.js'), 'cc');

module.exports = {
  CFunction,
  CString: undefined,
  FFIType: undefined,
  JSCallback: undefined,
  alignof,
  alloc: undefined,
  arena,
  array,
  cc,
  cdef,
  checkFences,
  dlopen,
  enumeration,
  errno,
  fences,
  fn,
  group,
  inout,
  isFFIError,
  isShared,
  linkSymbols,
  offsetof,
  opaque,
  out,
  pin,
  pointer,
  ptr: undefined,
  read: undefined,
  sizeof,
  struct,
  suffix,
  text,
  toArrayBuffer: undefined,
  toBuffer: undefined,
  union,
  write: undefined,
};

/**
 * An export whose file is loaded when it is first read: programs that use the package from CommonJS may do
 * without. What is set is the object's that it is set on, and frozen exports stay as they are.
 */
function lazyExport(name, load) {
  const exported = lazy(load);
  const data = (value) => ({ value, writable: true, enumerable: true, configurable: true });
  const get = () => {
    const value = exported()[name];
    Reflect.defineProperty(module.exports, name, data(value));
    storeFast(module.exports);
    return value;
  };
  function set(value) {
    Object.defineProperty(this, name, data(value));
  }
  Object.defineProperty(module.exports, name, { get, set, enumerable: true, configurable: true });
}
lazyExport('FFIType', () => require('./types/registry.js'));
lazyExport('CString', () => require('./pointer/cstring.js'));
const declarations = lazy(() => require('./cdef/index.js'));
lazyExport('JSCallback', () => {
  const exported = require('./callback/js-callback.js');
  exported.acceptText((...values) => declarations().parseSignature(...values));
  return exported;
});
lazyExport('alloc', () => require('./memory/alloc.js'));
lazyExport('ptr', () => require('./pointer/ptr.js'));
lazyExport('read', () => require('./pointer/read-write.js'));
lazyExport('write', () => require('./pointer/read-write.js'));
lazyExport('toArrayBuffer', () => require('./pointer/external.js'));
lazyExport('toBuffer', () => require('./pointer/external.js'));
