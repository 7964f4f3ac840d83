// Programs that compile, and some that do not: memory of this package, pins, fences, arguments declared as objects.

import { alloc, checkFences, dlopen, fences, isFFIError, linkSymbols, out, pin, pointer, struct } from 'pinned-ffi';
import type { AllocOptions, DescribedArgument, FFIErrorCode, FFIWarning, Fences, Pin, Pointer } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

// Buffers of this package.
expect<Equal<ReturnType<typeof alloc>, Buffer>>();
alloc(64).writeInt32LE(1, 0);
alloc(64, {});
const options: AllocOptions = { align: 4096 };
alloc(0, options);

// Views that stay where they are.
const held = pin(new Float64Array(4));
expect<Equal<typeof held, Pin>>();
expect<Equal<typeof held.ptr, Pointer | null>>();
expect<Equal<typeof held.byteLength, number>>();
pin(new ArrayBuffer(8));
pin(new SharedArrayBuffer(8));
pin(alloc(8)).release();
held[Symbol.dispose]();
{
  using scoped = pin(Buffer.alloc(8));
  scoped.byteLength.toFixed();
}

// Fences.
const state: Fences = fences();
expect<Equal<typeof state.installed, boolean>>();
state.reason?.toUpperCase();
state.before + state.after + state.quarantine.bytes + state.quarantine.count;
state.quarantine.heldBytes + state.quarantine.heldCount;
expect<Equal<ReturnType<typeof checkFences>, number>>();

// Arguments as objects have the type that they name.
const Event = struct({ type: 'i32', rest: 'i64' });
const described: DescribedArgument = { type: 'ptr', name: 'event', minBytes: 192 };
const { symbols } = dlopen('X11', {
  next: { args: ['ptr', { type: 'ptr', name: 'event', minBytes: 192 }], returns: 'i32' },
  read: {
    args: ['i32', { type: 'buffer', minBytes: 1 }, { type: 'size_t', name: 'count', lengthOf: 1 }],
    returns: 'i64',
  },
  named: { args: [{ type: 'f64', name: 'x' }, { type: Event }, { type: 'cstring', minBytes: 4 }] },
  typed: {
    args: [
      { type: pointer(Event), minBytes: 16 },
      { type: 5, lengthOf: 0 },
    ],
  },
  back: {
    args: [
      { type: 'f64', name: 'x' },
      { type: out('i32'), name: 'exponent' },
    ],
    returns: 'f64',
    nonblocking: true,
  },
});
expect<Equal<Parameters<typeof symbols.next>['length'], 2>>();
expect<Equal<Parameters<typeof symbols.read>, [arg0: number | bigint, arg1: ArrayBufferView, arg2: number | bigint]>>();
expect<Equal<Parameters<typeof symbols.named>[0], number>>();
expect<Equal<Parameters<typeof symbols.back>, [arg0: number]>>();
expect<Equal<ReturnType<typeof symbols.back>, Promise<{ returns: number; out: [number] }>>>();
symbols.next(null, alloc(192));
symbols.named(1, { type: 1, rest: 2n }, 'text');
symbols.typed(Event.alloc(), 16);
linkSymbols({ f: { ptr: 4096, args: [{ type: 'i32', name: 'n' }] } }).symbols.f(1);
const apart = { f: { args: [{ type: 'bool', name: 'flag' }], guard: true } } as const;
expect<Equal<Parameters<ReturnType<typeof dlopen<typeof apart>>['symbols']['f']>, [arg0: boolean]>>();

// What is found late.
process.on('warning', (warning) => {
  const { code, found, firstBadOffset = 0 } = warning as FFIWarning;
  if (code === 'ERR_FFI_BUFFER_OVERFLOW' && found === 'quarantine') firstBadOffset.toFixed();
});
const explain = (error: unknown): number | string => {
  if (!isFFIError(error)) throw error;
  switch (error.code) {
    case 'ERR_FFI_BUFFER_OVERFLOW':
    case 'ERR_FFI_BUFFER_UNDERFLOW':
      return error.argument + error.byteLength + error.bytesPast + error.firstBadOffset;
    case 'ERR_FFI_LIBRARY_NOT_FOUND':
      return error.tried.join() + error.path;
    case 'ERR_FFI_SYMBOL_NOT_FOUND':
      return `${error.symbol} ${error.path?.length}`;
    case 'ERR_FFI_DECLARATION_INVALID':
      return error.line + error.column;
    case 'ERR_FFI_COMPILE_FAILED':
      return error.diagnostics + error.command.join(' ');
    case 'ERR_ACCESS_DENIED':
      return error.permission + error.resource;
    case 'ERR_OUT_OF_RANGE':
      // @ts-expect-error an error without further properties
      return error.argument;
    default:
      return error.message;
  }
};
const code: FFIErrorCode = 'ERR_FFI_THREAD_CLOSED';

// @ts-expect-error a size is needed
alloc();
// @ts-expect-error a size is a number
alloc('8');
// @ts-expect-error an unknown option
alloc(8, { alignment: 8 });
// @ts-expect-error an address is no view
pin(4096);
// @ts-expect-error a released pin has no address
const address: Pointer = held.ptr;
// @ts-expect-error a pin's length is read-only
held.byteLength = 0;
// @ts-expect-error the state is a copy
state.installed = false;
// @ts-expect-error pin is no class
new pin(alloc(8));
// @ts-expect-error a value of another type
symbols.named('1', { type: 1, rest: 2n }, 'text');
// @ts-expect-error a string for a pointer
symbols.next(null, 'text');
// @ts-expect-error an out parameter is not passed
symbols.back(1, 2);
// @ts-expect-error an unknown key
dlopen('x', { f: { args: [{ type: 'ptr', minByte: 4 }] } });
// @ts-expect-error a type is needed
dlopen('x', { f: { args: [{ minBytes: 4 }] } });
// @ts-expect-error an unknown type
dlopen('x', { f: { args: [{ type: 'i23' }] } });
// @ts-expect-error void is not the type of an argument
dlopen('x', { f: { args: [{ type: 'void' }] } });
// @ts-expect-error both at once
dlopen('x', { f: { args: ['ptr', { type: 'size_t', minBytes: 4, lengthOf: 0 }] } });
// @ts-expect-error bytes of a number
dlopen('x', { f: { args: [{ type: 'i32', minBytes: 4 }] } });
// @ts-expect-error a length that is no integer
dlopen('x', { f: { args: ['ptr', { type: 'f64', lengthOf: 0 }] } });
// @ts-expect-error lengthOf is an index
dlopen('x', { f: { args: ['ptr', { type: 'size_t', lengthOf: 'p' }] } });
// @ts-expect-error a result has no name
dlopen('x', { f: { returns: { type: 'i32', name: 'x' } } });

export { address, code, described, explain };

// The flow of what is copied for an isolated library.
const flowing: DescribedArgument = { type: 'buffer', name: 'input', flow: 'in' };
dlopen(
  'z',
  { compress: { args: [{ type: 'ptr', flow: 'out', minBytes: 4 }, 'ptr', { type: pointer(Event), flow: 'inout' }] } },
  { isolate: { malloc: 'own' } },
);
dlopen('z', ['void compress(void *to, const void *from);', { compress: { args: { from: { flow: 'in' } } } }]);
// @ts-expect-error It is no way.
const sideways: DescribedArgument = { type: 'buffer', flow: 'up' };
// @ts-expect-error Numbers are not copied back.
const counted: DescribedArgument = { type: 'i32', flow: 'in' };
[flowing, sideways, counted];
