'use strict';
// Translates declarations of bun:ffi into declarations of the main entry.

const { lazy } = require('../lazy.js');
const { argumentType, callbackArgumentType, resultType } = require('./types.js');
const { wrongArgument, wrongDeclaration } = require('./messages.js');

// Loaded for cc() only.
const nodeApi = lazy(() => require('./node-api.js'));

const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

function argsOf(declaration, typeOf) {
  if (!('args' in declaration)) return [];
  const { args } = declaration;
  if (!Array.isArray(args)) throw wrongDeclaration('Expected an object with "args" as an array');
  return Array.from(args, (type) => typeOf(type, 'unsupported signature'));
}

const signatureOf = (declaration, typeOf) => ({
  args: argsOf(declaration, typeOf),
  returns: resultType(declaration.returns),
});

/** The function pointer of a declaration; undefined where bun would not see one. */
function pointerOf({ ptr }) {
  return (typeof ptr === 'number' && ptr !== 0) || (typeof ptr === 'bigint' && ptr !== 0n) ? ptr : undefined;
}

/** A function: any number of arguments is taken, and keys that bun does not know are not looked at. */
function functionOf(declaration) {
  return { ...signatureOf(declaration, argumentType), ptr: pointerOf(declaration), loose: true };
}

/** A function that cc() compiles: it may use Node-API. */
function compiledFunctionOf(declaration) {
  const { typeOfNodeApi } = nodeApi();
  const argument = (type, unsupported) => typeOfNodeApi(type) ?? argumentType(type, unsupported);
  if (typeOfNodeApi(declaration.returns) === undefined && !declaration.args?.some?.((type) => typeOfNodeApi(type)))
    return functionOf(declaration);
  return {
    args: argsOf(declaration, argument),
    returns: typeOfNodeApi(declaration.returns) ?? resultType(declaration.returns),
  };
}

/** A function whose address is in its declaration. */
function linkedFunctionOf(declaration, key) {
  if (pointerOf(declaration) === undefined) {
    throw wrongArgument(
      `Symbol "${key}" is missing a "ptr" field. When using linkSymbols() or CFunction(), you must ` +
        'provide a "ptr" field with the memory address of the native function.',
    );
  }
  return functionOf(declaration);
}

/** A callback: as with functions, `threadsafe` is any value's truth. */
const callbackOf = (declaration) => ({
  ...signatureOf(declaration, callbackArgumentType),
  threadsafe: Boolean(declaration.threadsafe),
});

/** An object of declarations, each read by `read`. */
function symbolsOf(symbols, read) {
  if (!isObject(symbols)) throw wrongArgument('Expected an options object with symbol names');
  const entries = Object.keys(symbols).map((key) => {
    const declaration = symbols[key];
    if (!isObject(declaration)) throw wrongDeclaration(`Expected an object for key "${key}"`);
    return [key, read(declaration, key)];
  });
  if (entries.length === 0) throw wrongArgument('Expected at least one symbol');
  return Object.fromEntries(entries);
}

module.exports = { isObject, compiledFunctionOf, functionOf, linkedFunctionOf, callbackOf, symbolsOf };
