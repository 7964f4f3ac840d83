'use strict';
// dlopen, linkSymbols, CFunction, cc and viewSource with the behaviour of bun:ffi.

const fs = require('node:fs');
const path = require('node:path');
const { fileURLToPath } = require('node:url');
const { makeError } = require('../errors.js');
const { lazy } = require('../lazy.js');
const main = require('../library/dlopen.js');
const { isUrl } = require('../validate.js');
const {
  isObject,
  compiledFunctionOf,
  functionOf,
  linkedFunctionOf,
  callbackOf,
  symbolsOf,
} = require('./declaration.js');
const { wrongArgument, inWords } = require('./messages.js');

/**
 * Opens a library: by a path, a name that the system's loader finds, or one of a file in the current directory.
 * `options` are the package's: bun has none.
 */
function dlopen(name, symbols, options) {
  if (typeof name !== 'string' && !isUrl(name)) throw wrongArgument('Expected string');
  if (name === '') throw wrongArgument('Invalid library name');
  const declared = symbolsOf(symbols, functionOf);
  const failed = (cause) =>
    makeError('ERR_DLOPEN_FAILED', `Failed to open library "${name}": ${cause.message.split('\n').at(1)?.trim()}`, {
      cause,
    });
  const phrases = {
    ERR_FFI_LIBRARY_NOT_FOUND: failed,
    ERR_FFI_LIBRARY_INVALID: failed,
    ERR_FFI_SYMBOL_NOT_FOUND: (cause) => wrongArgument(`Symbol "${cause.symbol}" not found in "${name}"`, cause),
  };
  return inWords(phrases, () => {
    try {
      return main.dlopen(name, declared, options);
    } catch (error) {
      const file = path.resolve(String(name));
      if (error.code !== 'ERR_FFI_LIBRARY_NOT_FOUND' || !fs.existsSync(file)) throw error;
      return main.dlopen(file, declared, options);
    }
  });
}

/** Binds functions whose addresses are known. */
const linkSymbols = (symbols) => main.linkSymbols(symbolsOf(symbols, linkedFunctionOf));

/** Binds one function whose address is known; works with and without `new`. */
function CFunction(declaration) {
  if (!isObject(declaration)) throw wrongArgument('Expected an options object with a "ptr"');
  return main.CFunction(linkedFunctionOf(declaration, 'CFunction'));
}

/** Loaded late, for the reason that lib/index.js gives. */
const compiler = lazy(() => require('../cc/compile.js'));

const nodeApi = lazy(() => require('./node-api.js'));

/** Compiles C with the system's compiler, where bun has TinyCC. */
function cc(options) {
  const symbols = symbolsOf(options?.symbols, compiledFunctionOf);
  const phrases = {
    ERR_FFI_SYMBOL_NOT_FOUND: (cause) =>
      makeError(
        'ERR_FFI_SYMBOL_NOT_FOUND',
        `"${cause.symbol}" is missing from ${sourceOf(options.source)}. Was it included in the source code?`,
        { cause, symbol: cause.symbol },
      ),
  };
  const usesNodeApi = Object.values(symbols).some((declaration) => nodeApi().usesNodeApi(declaration));
  return inWords(phrases, () =>
    usesNodeApi
      ? nodeApi().compileWithNodeApi(compiler().cc, options, symbols)
      : compiler().cc({ ...options, symbols }),
  );
}

/** A source in bun's sense: a file. The package also takes the text itself. */
function sourceOf(source) {
  const [first] = Array.isArray(source) ? source : [source];
  const name = isUrl(first) ? fileURLToPath(first) : String(first);
  return name.includes('\n') || !fs.existsSync(name) ? 'the source' : path.resolve(name);
}

const nameOf = (type) => (typeof type === 'object' ? type.name : type);
const prototypeOf = (name, { args, returns }) => `${nameOf(returns)} ${name}(${args.map(nameOf).join(', ')})`;
const NONE = 'is called through libffi (no C source is generated)';

/** A substitute for the source that bun once generated: a line for each declaration, as it was read. */
function viewSource(symbols, isCallback) {
  if (!isObject(symbols)) throw wrongArgument('Expected an options object with symbol names');
  if (isCallback) return `// ${prototypeOf('callback', callbackOf(symbols))} ${NONE}\n`;
  if (Object.keys(symbols).length === 0) return [];
  const functions = Object.entries(symbolsOf(symbols, functionOf));
  return functions.map(([name, types]) => `// ${prototypeOf(name, types)} ${NONE}\n`);
}

module.exports = { dlopen, linkSymbols, CFunction, cc, viewSource };
