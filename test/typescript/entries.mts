// The ESM entry: named exports and a default one that holds the same.

import ffi, { dlopen, type Pointer } from 'pinned-ffi';
import * as all from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

expect<Equal<typeof ffi.dlopen, typeof dlopen>>();
expect<Equal<typeof all.read, typeof ffi.read>>();
expect<Equal<typeof all.default, typeof ffi>>();
expect<Equal<Exclude<keyof typeof all, 'default'>, keyof typeof ffi>>();
expect<Equal<ReturnType<typeof ffi.ptr>, Pointer>>();
expect<Equal<ReturnType<typeof ffi.CString>, string>>();
ffi
  .dlopen('m', { cos: { args: ['f64'], returns: 'f64' } })
  .symbols.cos(0)
  .toFixed();
