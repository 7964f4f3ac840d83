// Values and their types: libraries without symbols, functions by name, pins of views.

import { dlopen, pin, struct } from 'pinned-ffi';
import type { Pointer } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const library = dlopen('m');
const pow = library.function('pow', { args: ['f64', 'f64'], returns: 'f64' });
expect<Equal<ReturnType<typeof pow>, number>>();
expect<Equal<ReturnType<typeof library.symbol>, Pointer | bigint | null>>();
const maybe = library.function('pow', { args: ['f64'], returns: 'f64', optional: true });
// @ts-expect-error it may be null
maybe(1);

const Point = struct({ x: 'f64', y: 'f64' });
pin(Point.alloc()).release();
