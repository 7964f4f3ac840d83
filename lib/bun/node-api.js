'use strict';
// Functions of cc() that use Node-API: `napi_env` and `napi_value` in their declarations. A second source is compiled
// with the user's, which makes an addon of the library; Node calls its functions with an environment, in a handle
// scope.

const { Buffer } = require('node:buffer');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { listOf, splitFlags } = require('../cc/options.js');
const { makeError } = require('../errors.js');
const { loadCompiled } = require('../native/addon.js');
const { storageAddress } = require('../memory/access.js');
const { descriptorOf } = require('../types/registry.js');
const { wrongArgument } = require('./messages.js');

/** Stand for these types in a declaration. */
const ENV = Symbol('napi_env');
const VALUE = Symbol('napi_value');
const BY_NAME = { __proto__: null, napi_env: ENV, napi_value: VALUE, 18: ENV, 19: VALUE };

/** A type of Node-API, as bun names it; undefined for others. */
const typeOfNodeApi = (declared) =>
  typeof declared === 'string' || typeof declared === 'number' ? BY_NAME[declared] : undefined;

const usesNodeApi = ({ args, returns }) => returns === VALUE || args.some((type) => typeof type === 'symbol');

// ---- the source -----------------------------------------------------------------------------------------------------

/** The C types of the others, by the ids of their descriptors. */
const C_TYPES = new Map(
  Object.entries({
    0: 'char',
    1: 'signed char',
    2: 'unsigned char',
    3: 'short',
    4: 'unsigned short',
    5: 'int',
    6: 'unsigned int',
    7: 'long long',
    8: 'unsigned long long',
    9: 'double',
    10: 'float',
    11: '_Bool',
    12: 'void *',
    14: 'void *',
    15: 'long long',
    16: 'unsigned long long',
    17: 'void *',
    20: 'void *',
    21: 'unsigned long long',
    22: 'long',
    23: 'unsigned long',
    25: 'void *',
    26: 'void *',
  }).map(([id, type]) => [Number(id), type]),
);
const SLOT = 8;

/** The descriptor and the C type of an argument or result; these two types have no descriptor. */
function partOf(type, name, what) {
  if (typeof type === 'symbol') return { type, inC: 'void *', descriptor: undefined };
  const descriptor = descriptorOf(type);
  const inC = descriptor.name === 'void' ? 'void' : C_TYPES.get(descriptor.id);
  if (inC === undefined || descriptor.fields !== undefined)
    throw wrongArgument(
      `${name}: ${what} of a function with napi_env or napi_value must be a number, a pointer or text`,
    );
  return { type, inC, descriptor };
}

const partsOf = ([name, { args, returns }]) => ({
  name,
  args: args.map((type, i) => partOf(type, name, `args[${i}]`)),
  result: partOf(returns, name, 'returns'),
});

/** The function that Node calls: other arguments and results are in memory, whose address is the last argument. */
function callerSource({ name, args, result }, i) {
  const count = args.length + 1;
  const values = args.map(({ type, inC }, at) => {
    if (type === ENV) return 'env';
    return type === VALUE ? `argv[${at}]` : `*(${inC} *)(memory + ${(at + 1) * SLOT})`;
  });
  const call = `${name}(${values.join(', ')})`;
  const outcome =
    result.type === VALUE
      ? `return ${call};`
      : `${result.inC === 'void' ? '' : `*(${result.inC} *)memory = `}${call}; return 0;`;
  return `extern ${result.inC} ${name}(${args.map(({ inC }) => inC).join(', ') || 'void'}) __attribute__((weak));
static void *pinned_ffi_call_${i}(void *env, void *info) {
  __SIZE_TYPE__ argc = ${count};
  void *argv[${count}];
  double address = 0;
  char *memory;
  napi_get_cb_info(env, info, &argc, argv, 0, 0);
  napi_get_value_double(env, argv[${count - 1}], &address);
  memory = (char *)(__SIZE_TYPE__)address;
  ${outcome}
}
`;
}

const sourceFor = (functions) => `
extern int napi_get_cb_info(void *, void *, __SIZE_TYPE__ *, void **, void **, void **);
extern int napi_get_value_double(void *, void *, double *);
extern int napi_create_function(void *, const char *, __SIZE_TYPE__, void *(*)(void *, void *), void *, void **);
extern int napi_set_named_property(void *, void *, const char *, void *);
${functions.map(callerSource).join('')}
void *napi_register_module_v1(void *env, void *exports) {
  void *call;
${functions
  .map(
    ({ name }, i) => `  napi_create_function(env, "${name}", ${name.length}, pinned_ffi_call_${i}, 0, &call);
  napi_set_named_property(env, exports, "${name}", call);
`,
  )
  .join('')}  return exports;
}
`;

// ---- the headers of Node-API ----------------------------------------------------------------------------------------

const HEADER = 'node/node_api.h';

/** The folder for `#include <node/node_api.h>`: of this Node, of the system, or what node-gyp has downloaded. */
function headerFolder() {
  const prefix = path.resolve(path.dirname(process.execPath), '..');
  const cached = path.join(os.homedir(), process.platform === 'darwin' ? 'Library/Caches' : '.cache', 'node-gyp');
  const versions = fs.existsSync(cached) ? fs.readdirSync(cached).map((version) => path.join(cached, version)) : [];
  return [prefix, '/usr/local', '/usr', ...versions]
    .map((folder) => path.join(folder, 'include'))
    .find((folder) => fs.existsSync(path.join(folder, HEADER)));
}

/** The options of cc(), with the second source and the headers. */
function optionsFor(options, functions) {
  const folder = headerFolder();
  const headers = folder === undefined ? [] : [folder, path.join(folder, 'node')];
  return {
    ...options,
    source: [...listOf(options.source), sourceFor(functions)],
    include: [...listOf(options.include), ...headers],
    // The functions of Node-API are Node's.
    ...(process.platform === 'darwin' && {
      flags: [...listOf(splitFlags(options.flags)), '-undefined', 'dynamic_lookup'],
    }),
  };
}

const withAdvice = (error) =>
  error.code === 'ERR_FFI_COMPILE_FAILED' && /node_api\.h/.test(error.message) && headerFolder() === undefined
    ? makeError(
        error.code,
        `${error.message}\nThe headers of Node-API are not found: install them (they are in Node's archives for ` +
          'download, in the Debian package libnode-dev, in node-api-headers of npm), or name their folder by `include`.',
        { diagnostics: error.diagnostics, command: error.command, cause: error },
      )
    : error;

// ---- calls ----------------------------------------------------------------------------------------------------------

/** The values that native code uses in calls under way. */
const alive = [];

/** Writes an argument; returns what has to stay alive. */
function encode({ descriptor }, data, at, argument, name, i) {
  const value = descriptor.resolve ? descriptor.resolve(argument, name, i) : argument;
  const pin = descriptor.write(data, at, value, name, i);
  if (pin === undefined || !descriptor.isPointerLike) return pin;
  const pinned = typeof pin === 'string' ? Buffer.from(`${pin}\0`) : pin;
  descriptor.write(data, at, storageAddress(pinned), name, i);
  return pinned;
}

/** The JavaScript function of one that takes or returns values of Node-API. */
function callerOf({ name, args, result }, native, library) {
  const call = (...values) => {
    // Throws where the library is closed.
    library.symbol(name);
    const bytes = new Uint8Array(SLOT * (args.length + 1));
    const data = new DataView(bytes.buffer);
    const retained = [bytes];
    const passed = args.map((part, i) => {
      if (part.descriptor !== undefined) retained.push(encode(part, data, (i + 1) * SLOT, values[i], name, i));
      return part.type === VALUE ? values[i] : undefined;
    });
    alive.push(retained);
    try {
      const returned = native(...passed, storageAddress(bytes));
      return result.type === VALUE ? returned : result.descriptor.read(new DataView(bytes.buffer), 0);
    } finally {
      alive.pop();
    }
  };
  return Object.defineProperties(call, {
    name: { value: name },
    length: { value: args.length },
    ptr: { value: library.symbol(name) },
    native: { value: call },
  });
}

const missing = (symbol, file) =>
  makeError('ERR_FFI_SYMBOL_NOT_FOUND', `Symbol "${symbol}" not found in "${file}"`, { symbol, path: file });

/**
 * Compiles and opens a library some of whose functions use Node-API.
 * @param {Function} cc the main entry's
 * @param {any} options
 * @param {Record<string, any>} symbols
 */
function compileWithNodeApi(cc, options, symbols) {
  if (process.platform === 'win32')
    throw wrongArgument(
      'cc: napi_env and napi_value are not supported on Windows: a library cannot refer to Node there',
    );
  const ours = Object.entries(symbols).filter(([, declaration]) => usesNodeApi(declaration));
  const functions = ours.map(partsOf);
  const others = Object.fromEntries(Object.entries(symbols).filter(([, declaration]) => !usesNodeApi(declaration)));
  let library;
  try {
    library = cc({ ...optionsFor(options, functions), symbols: others });
  } catch (error) {
    throw withAdvice(error);
  }
  const absent = functions.find(({ name }) => library.symbol(name) === null);
  if (absent !== undefined) {
    library.close();
    throw missing(absent.name, library.path);
  }
  const exported = loadCompiled(library.path);
  for (const each of functions) library.symbols[each.name] = callerOf(each, exported[each.name], library);
  return library;
}

module.exports = { compileWithNodeApi, typeOfNodeApi, usesNodeApi };
