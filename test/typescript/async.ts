// Programs that compile, and some that do not: Promises, threads, errno, callbacks of other threads, closing.

import { CFunction, JSCallback, dlopen, errno, fn, inout, linkSymbols, opaque, out, struct } from 'pinned-ffi';
import type { AsyncFn, Handle, LibraryThread, Pointer, PointerLike, Ret } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const Point = struct({ x: 'f64', y: 'f64' });
const Database = opaque('db');

const lib = dlopen(
  'x',
  {
    add: { args: ['i32', 'f64'], returns: 'f64' },
    sleep: { args: ['u32'], nonblocking: true },
    read: { args: ['i32', 'ptr', 'size_t'], returns: 'i64', nonblocking: true, errno: true, fails: 'negative' },
    direct: { returns: 'i32', nonblocking: false },
    either: { returns: 'i32', nonblocking: Math.random() > 0.5 },
    middle: { args: [Point, Point], returns: Point, nonblocking: true },
    open: { args: ['cstring', out(Database)], returns: 'int', nonblocking: true },
    grow: { args: [inout('i32'), 'f64', out('f64')], nonblocking: true },
    printf: { args: ['cstring'], varargs: true, returns: 'int', nonblocking: true },
    name: { returns: { type: 'cstring', free: 'free' }, nonblocking: true },
    run: { args: ['function'], threads: true },
    perhaps: { args: ['i32'], returns: 'i32', optional: true },
    find: { args: ['ptr'], returns: 'ptr', fails: 'null', guard: true },
    check: { args: [], returns: 'i32', fails: (result: number) => result === -2 },
    any: { returns: 'i32', fails: (result) => result > 0 },
    nonzero: { returns: 'i32', fails: 'nonzero' },
  },
  { guard: true },
);
const { symbols } = lib;

// nonblocking: the same parameters, and a Promise of the result.
expect<Equal<Parameters<typeof symbols.sleep>, [arg0: number | bigint]>>();
expect<Equal<ReturnType<typeof symbols.sleep>, Promise<void>>>();
expect<Equal<ReturnType<typeof symbols.read>, Promise<bigint>>>();
expect<Equal<ReturnType<typeof symbols.direct>, number>>();
expect<Equal<ReturnType<typeof symbols.either>, number | Promise<number>>>();
expect<Equal<Awaited<ReturnType<typeof symbols.middle>>, { x: number; y: number }>>();
expect<Equal<Parameters<typeof symbols.open>, [arg0: PointerLike | string]>>();
expect<Equal<ReturnType<typeof symbols.open>, Promise<{ returns: number; out: [Handle<'db'> | null] }>>>();
expect<Equal<ReturnType<typeof symbols.grow>, Promise<{ returns: void; out: [number, number] }>>>();
expect<Equal<ReturnType<typeof symbols.name>, Promise<string | null>>>();
expect<Equal<Ret<{ returns: 'i32'; nonblocking: true }>, Promise<number>>>();
const printed: Promise<number> = symbols.printf('%d', ['i32', 5]);
const bytes: Promise<bigint> = symbols.read(0, new Uint8Array(8), 8);

// The others return their result, also with threads, and with what tells a failure.
expect<Equal<ReturnType<typeof symbols.run>, void>>();
expect<Equal<ReturnType<typeof symbols.find>, Pointer | bigint | null>>();
expect<Equal<ReturnType<typeof symbols.check>, number>>();
expect<Equal<ReturnType<typeof errno>, number>>();

// async: of every function.
expect<Equal<Parameters<typeof symbols.add.async>, [arg0: number | bigint, arg1: number]>>();
expect<Equal<ReturnType<typeof symbols.add.async>, Promise<number>>>();
expect<Equal<ReturnType<typeof symbols.read.async>, Promise<bigint>>>();
expect<Equal<ReturnType<typeof symbols.grow.async>, Promise<{ returns: void; out: [number, number] }>>>();
const added: AsyncFn<{ args: ['i32', 'f64']; returns: 'f64' }> = symbols.add.async;
symbols.printf.async('%d', ['i32', 5]);
symbols.perhaps?.async(1).then((result) => result.toFixed());
const called = dlopen('x', { get: { returns: fn({ args: ['i32'], returns: 'f64' }) } }).symbols.get();
called?.async(1).then((result) => result.toFixed());

// A thread of its own.
const thread = lib.thread();
expect<Equal<Parameters<typeof thread.symbols.add>, [arg0: number | bigint, arg1: number]>>();
expect<Equal<ReturnType<typeof thread.symbols.add>, Promise<number>>>();
expect<Equal<ReturnType<typeof thread.symbols.read>, Promise<bigint>>>();
expect<Equal<ReturnType<typeof thread.symbols.either>, Promise<number>>>();
expect<Equal<Extract<typeof thread.symbols.perhaps, null>, null>>();
expect<Equal<Extract<typeof thread.symbols.add, null>, never>>();
expect<Equal<ReturnType<typeof thread.close>, void>>();
const typed: LibraryThread<{ add: { args: ['i32', 'f64']; returns: 'f64' } }> = thread;
thread[Symbol.dispose]();
linkSymbols({ f: { ptr: 4096, returns: 'i32' } })
  .thread()
  .symbols.f()
  .then((result) => result.toFixed());

// Closing tells when the calls are done.
expect<Equal<ReturnType<typeof lib.close>, void>>();
expect<Equal<typeof lib.closed, Promise<void>>>();
expect<Equal<ReturnType<(typeof lib)[typeof Symbol.asyncDispose]>, Promise<void>>>();
const one = CFunction({ ptr: 4096, returns: 'i32', nonblocking: true });
expect<Equal<ReturnType<typeof one>, Promise<number>>>();
expect<Equal<ReturnType<typeof one.close>, void>>();
expect<Equal<typeof one.closed, Promise<void>>>();
one[Symbol.dispose]();
async function scoped(): Promise<void> {
  await using opened = dlopen('m', { cos: { args: ['f64'], returns: 'f64' } });
  using other = opened.thread();
  (await other.symbols.cos(0)).toFixed();
  await lib.close();
}

// Callbacks of other threads may take their time.
const callback = new JSCallback(async (n) => n * 2, { args: ['f64'], returns: 'f64' });
expect<Equal<ReturnType<typeof callback.ref>, JSCallback>>();
callback.ref().unref().close();
new JSCallback(async () => {}, { args: ['i32'] });
new JSCallback((n) => (n > 0 ? n : Promise.resolve(n)), { args: ['i32'], returns: 'i32', wrap: true });
const list: number[] = [];
new JSCallback((n) => list.push(n), { args: ['i32'] });

// @ts-expect-error a Promise is not its value
symbols.sleep(1).toFixed();
// @ts-expect-error the result of another type
const wrong: Promise<number> = symbols.read(0, null, 8);
// @ts-expect-error too few arguments
symbols.add.async(1);
// @ts-expect-error an argument of another type
symbols.add.async(1, '2');
// @ts-expect-error an out parameter is not passed
symbols.open('file', null);
// @ts-expect-error an optional symbol may be null
symbols.perhaps.async(1);
// @ts-expect-error an argument of another type, on a thread
thread.symbols.add('1', 2);
// @ts-expect-error an optional symbol may be null, on a thread
thread.symbols.perhaps(1);
// @ts-expect-error a thread's functions have no address
thread.symbols.add.ptr;
// @ts-expect-error a thread has no threads
thread.thread();
// @ts-expect-error async is read-only
symbols.add.async = symbols.add.async;
// @ts-expect-error nonblocking is a boolean
dlopen('x', { f: { nonblocking: 1 } });
// @ts-expect-error threads is a boolean
dlopen('x', { f: { threads: 'yes' } });
// @ts-expect-error errno is a boolean
dlopen('x', { f: { errno: 0 } });
// @ts-expect-error no such way to fail
dlopen('x', { f: { fails: 'zero' } });
// @ts-expect-error a function that does not tell
dlopen('x', { f: { fails: (result: number) => result.toFixed() } });
// @ts-expect-error guard is a boolean
dlopen('x', {}, { guard: 'on' });
// @ts-expect-error errno is a number
errno('EINVAL');
// @ts-expect-error a callback has no such key
new JSCallback(() => {}, { nonblocking: true });
// @ts-expect-error a Promise of another result
new JSCallback(async () => 1n, { returns: 'f64' });

export { added, bytes, list, printed, scoped, typed, wrong };
