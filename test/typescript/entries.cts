// The CommonJS entry: named exports alone.

import ffi = require('pinned-ffi');
import { expect, type Equal } from './equal.js';

expect<Equal<ReturnType<typeof ffi.ptr>, ffi.Pointer>>();
ffi
  .dlopen('m', { cos: { args: ['f64'], returns: 'f64' } })
  .symbols.cos(0)
  .toFixed();

// @ts-expect-error there is no default export
ffi.default;
