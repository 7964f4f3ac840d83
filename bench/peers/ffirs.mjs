// ffi-rs, in Node. Its functions take their arguments as one array.
import ffi from 'ffi-rs';
import { translate } from './types.mjs';

export { ffi };

let libraries = 0;

function definitions(path, declarations, more) {
  const library = `library${++libraries}`;
  ffi.open({ library, path });
  return Object.fromEntries(
    Object.entries(declarations).map(([name, each]) => {
      const { args, returns } = translate('ffirs', each);
      const type = (wanted) => ffi.DataType[wanted];
      return [name, { library, retType: type(returns), paramsType: args.map(type), ...more }];
    }),
  );
}

export function open(path, declarations, more) {
  const defined = ffi.define(definitions(path, declarations, more));
  return Object.fromEntries(Object.entries(defined).map(([name, call]) => [name, (...values) => call(values)]));
}

export const readF64 = (pointer) => ffi.restorePointer({ retType: [ffi.DataType.Double], paramsValue: [pointer] })[0];
