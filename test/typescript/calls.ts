// Programs that compile: bound functions, with the exact types of their parameters and results.

import { CFunction, FFIType, cc, dlopen, linkSymbols, ptr } from 'pinned-ffi';
import type { JSCallback, Library, Pointer, PointerLike } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const lib = dlopen('fixture', {
  add_f64: { args: ['f64', 'f64'], returns: 'f64' },
  add_i32: { args: ['i32', 'int'], returns: 'int32_t' },
  add_tag: { args: [FFIType.i32, FFIType.double], returns: FFIType.u64 },
  add_long: { args: ['long', 'unsigned long long', 'size_t'], returns: 'unsigned long' },
  fast: { returns: 'i64_fast' },
  not: { args: ['bool'], returns: FFIType.bool },
  length: { args: ['cstring', 'wchar_t'], returns: 'cstring' },
  fill: { args: ['buffer', 'buffer_length', 'char'] },
  sort: { args: ['ptr', 'usize', 'usize', 'function'], returns: 'void' },
  find: { args: ['void*'], returns: 'pointer', wrap: true, threadsafe: false, name: 'find_ptr' },
  nothing: {},
  perhaps: { args: ['i32'], returns: 'i32', optional: true },
  certain: { args: ['i32'], returns: 'i32', optional: false },
});
const { symbols } = lib;

// Arity, parameters and results.
expect<Equal<Parameters<typeof symbols.add_f64>, [arg0: number, arg1: number]>>();
expect<Equal<ReturnType<typeof symbols.add_f64>, number>>();
expect<Equal<Parameters<typeof symbols.add_i32>, [arg0: number | bigint, arg1: number | bigint]>>();
expect<Equal<ReturnType<typeof symbols.add_i32>, number>>();
expect<Equal<Parameters<typeof symbols.add_tag>, [arg0: number | bigint, arg1: number]>>();
expect<Equal<ReturnType<typeof symbols.add_tag>, bigint>>();
expect<Equal<Parameters<typeof symbols.add_long>['length'], 3>>();
expect<Equal<ReturnType<typeof symbols.add_long>, bigint>>();
expect<Equal<ReturnType<typeof symbols.fast>, number | bigint>>();
expect<Equal<Parameters<typeof symbols.not>, [arg0: boolean]>>();
expect<Equal<ReturnType<typeof symbols.not>, boolean>>();
expect<Equal<Parameters<typeof symbols.length>, [arg0: PointerLike | string, arg1: number | bigint]>>();
expect<Equal<ReturnType<typeof symbols.length>, string | null>>();
expect<Equal<ReturnType<typeof symbols.find>, Pointer | bigint | null>>();

// What is left out: no arguments, no result.
expect<Equal<Parameters<typeof symbols.fast>, []>>();
expect<Equal<Parameters<typeof symbols.nothing>, []>>();
expect<Equal<ReturnType<typeof symbols.nothing>, void>>();
expect<Equal<ReturnType<typeof symbols.fill>, void>>();
expect<Equal<ReturnType<typeof symbols.sort>, void>>();

// Only an optional symbol may be missing.
expect<Equal<Extract<typeof symbols.perhaps, null>, null>>();
expect<Equal<Extract<typeof symbols.certain, null>, never>>();
expect<Equal<Extract<typeof symbols.nothing, null>, never>>();
expect<Equal<ReturnType<NonNullable<typeof symbols.perhaps>>, number>>();

// What a pointer may be.
const bytes = new Uint8Array(8);
symbols.find(null);
symbols.find(4096);
symbols.find(4096n);
symbols.find(bytes);
symbols.find(Buffer.alloc(8));
symbols.find(new DataView(bytes.buffer));
symbols.find(bytes.buffer);
symbols.find(new SharedArrayBuffer(8));
symbols.find(ptr(bytes, 4));
symbols.find(symbols.find(null));
symbols.find(symbols.nothing);
symbols.find({ ptr: 4096 });
symbols.length('text', 0x263a);
symbols.fill(bytes, bytes, 0x20);
symbols.sort(bytes, 8n, 1, symbols.nothing);

// What a bound function has beside its call.
expect<Equal<typeof symbols.add_f64.ptr, Pointer>>();
expect<Equal<typeof symbols.add_f64.name, string>>();
expect<Equal<typeof symbols.add_f64.length, number>>();
expect<Equal<ReturnType<typeof symbols.add_f64.native>, number>>();
const sum: (a: number, b: number) => number = symbols.add_f64;
const total: number = sum(1, 2) + (symbols.perhaps?.(1) ?? 0);

// A callback that was closed is refused only at run time.
declare const callback: JSCallback;
symbols.find(callback);
symbols.sort(bytes, 8n, 1, callback);

// The library.
expect<Equal<typeof lib.path, string | null>>();
expect<Equal<keyof typeof symbols & 'add_f64', 'add_f64'>>();
lib.close();
lib[Symbol.dispose]();
dlopen(null, { getpid: { returns: 'int' } }, { flags: 2 })
  .symbols.getpid()
  .toFixed();
dlopen(new URL('file:///usr/lib/libm.so'), { pow: { args: ['f64', 'f64'], returns: 'f64' } });
{
  using scoped = dlopen('m', { cos: { args: ['f64'], returns: 'f64' } });
  expect<Equal<ReturnType<typeof scoped.symbols.cos>, number>>();
}

// Declarations written apart.
const apart = { cos: { args: ['f64'], returns: 'f64' } } as const;
const fromApart = dlopen('m', apart);
expect<Equal<Parameters<typeof fromApart.symbols.cos>, [arg0: number]>>();
const typed: Library<typeof apart> = fromApart;
typed.symbols.cos(0);

// Declarations that are known only at run time.
const unknown: Record<string, { args: ('i32' | 'f64')[]; returns: 'f64' }> = {};
const loose = dlopen('m', unknown).symbols['x'];
expect<Equal<Parameters<NonNullable<typeof loose>>, (number | bigint)[]>>();

// 32 arguments, and more than there are names for.
const many = dlopen('fixture', {
  // prettier-ignore
  sum32: {
    args: [
      'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64',
      'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'bool',
    ],
  },
  // prettier-ignore
  sum33: {
    args: [
      'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64',
      'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64', 'f64',
      'bool',
    ],
  },
});
expect<Equal<Parameters<typeof many.symbols.sum32>['length'], 32>>();
expect<Equal<Parameters<typeof many.symbols.sum32>[31], boolean>>();
expect<Equal<Parameters<typeof many.symbols.sum33>['length'], 33>>();
expect<Equal<Parameters<typeof many.symbols.sum33>[32], boolean>>();

// Functions by address, and compiled ones.
const linked = linkSymbols({ add: { args: ['f64', 'f64'], returns: 'f64', ptr: symbols.add_f64.ptr } });
expect<Equal<Parameters<typeof linked.symbols.add>, [arg0: number, arg1: number]>>();
linked.close();
linked[Symbol.dispose]();

const cos = CFunction({ ptr: 4096n, args: ['f64'], returns: 'f64' });
expect<Equal<Parameters<typeof cos>, [arg0: number]>>();
expect<Equal<ReturnType<typeof cos>, number>>();
cos.close();

const compiled = cc({
  source: 'hello.c',
  library: ['m'],
  include: 'include',
  define: { NDEBUG: '1' },
  flags: ['-O2'],
  symbols: { hello: { args: ['cstring'], returns: 'i32' }, maybe: { optional: true } },
});
expect<Equal<ReturnType<typeof compiled.symbols.hello>, number>>();
expect<Equal<Extract<typeof compiled.symbols.maybe, null>, null>>();
const sources = [new URL('file:///a.c'), 'int two(void) { return 2; }'];
cc({ source: sources, symbols: { two: { returns: 'int' } } })
  .symbols.two()
  .toFixed();

export { total };
