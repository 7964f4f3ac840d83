// Programs that do not compile: each line after an expectation holds the one mistake that it names.

import {
  CFunction,
  FFIType,
  JSCallback,
  cc,
  dlopen,
  linkSymbols,
  pointer,
  ptr,
  read,
  struct,
  toBuffer,
  write,
} from 'pinned-ffi';
import type { FFIErrorCode, Pointer } from 'pinned-ffi';

const { symbols } = dlopen('fixture', {
  add_f64: { args: ['f64', 'f64'], returns: 'f64' },
  add_i32: { args: ['i32', 'i32'], returns: 'i32' },
  add_i64: { args: ['i64', 'i64'], returns: 'i64' },
  not: { args: ['bool'], returns: 'bool' },
  find: { args: ['ptr'], returns: 'ptr' },
  length: { args: ['cstring'], returns: 'size_t' },
  fill: { args: ['buffer', 'buffer_length'] },
  sort: { args: ['function'] },
  nothing: {},
  perhaps: { optional: true },
  perhapsNot: { optional: Math.random() > 0.5 },
});

// @ts-expect-error too few arguments
symbols.add_f64(1);
// @ts-expect-error too many arguments
symbols.add_f64(1, 2, 3);
// @ts-expect-error an argument where there is none
symbols.nothing(1);
// @ts-expect-error a string for a number
symbols.add_f64(1, '2');
// @ts-expect-error a BigInt for f64
symbols.add_f64(1, 2n);
// @ts-expect-error null for an integer
symbols.add_i32(1, null);
// @ts-expect-error a boolean for an integer
symbols.add_i32(1, true);
// @ts-expect-error a number for bool
symbols.not(1);
// @ts-expect-error i64 comes back as a bigint
const sum: number = symbols.add_i64(1, 2n);
// @ts-expect-error a string for ptr
symbols.find('text');
// @ts-expect-error undefined for ptr
symbols.find(undefined);
// @ts-expect-error a plain object for ptr
symbols.find({ x: 1 });
// @ts-expect-error an object whose address is null
symbols.find({ ptr: null });
// @ts-expect-error a plain array for ptr
symbols.find([1, 2]);
// @ts-expect-error a plain function for ptr
symbols.find(() => {});
// @ts-expect-error a pointer may be NULL, or lie above 2 ** 53
const found: Pointer = symbols.find(null);
// @ts-expect-error a boolean for cstring
symbols.length(true);
// @ts-expect-error an ArrayBuffer for buffer
symbols.fill(new ArrayBuffer(8), new Uint8Array(8));
// @ts-expect-error null for buffer
symbols.fill(null, new Uint8Array(8));
// @ts-expect-error a number for buffer_length
symbols.fill(new Uint8Array(8), 8);
// @ts-expect-error a plain function for function
symbols.sort(() => 0);
// @ts-expect-error a view for function
symbols.sort(new Uint8Array(8));
// @ts-expect-error an optional symbol may be null
symbols.perhaps();
// @ts-expect-error a symbol that is optional at times may be null
symbols.perhapsNot();
// @ts-expect-error a symbol that was not declared
symbols.add_f32(1, 2);
// @ts-expect-error symbols are read-only
symbols.nothing = symbols.perhaps!;
// @ts-expect-error so is a function's address
symbols.nothing.ptr = 4096 as Pointer;

// @ts-expect-error an unknown type of an argument
dlopen('x', { f: { args: ['i23'] } });
// @ts-expect-error an unknown type of a result
dlopen('x', { f: { returns: 'int33_t' } });
// @ts-expect-error an unknown numeric tag
dlopen('x', { f: { args: [25] } });
// @ts-expect-error names are case-sensitive
dlopen('x', { f: { args: ['I32'] } });
// @ts-expect-error void is not the type of an argument
dlopen('x', { f: { args: ['void'] } });
// @ts-expect-error nor is its tag
dlopen('x', { f: { args: [FFIType.void] } });
// @ts-expect-error a buffer is not the type of a result: its length is not known
dlopen('x', { f: { returns: 'buffer' } });
// @ts-expect-error napi_value belongs to bun's cc
dlopen('x', { f: { args: ['napi_value'] } });
// @ts-expect-error so does its tag
dlopen('x', { f: { returns: FFIType.napi_value } });
// @ts-expect-error an unknown key
dlopen('x', { f: { args: ['i32'], retruns: 'i32' } });
// @ts-expect-error an unknown key, alone
dlopen('x', { f: { arguments: ['i32'] } });
// @ts-expect-error args is an array
dlopen('x', { f: { args: 'i32' } });
// @ts-expect-error a declaration is an object
dlopen('x', { f: 'i32' });
// @ts-expect-error optional is a boolean
dlopen('x', { f: { optional: 1 } });
// @ts-expect-error an address is not NULL
dlopen('x', { f: { ptr: null } });
// @ts-expect-error no path
dlopen();
// @ts-expect-error a path is not undefined
dlopen(undefined, {});
// @ts-expect-error a path is not a Buffer
dlopen(Buffer.from('x'), {});
// @ts-expect-error an unknown option
dlopen('x', {}, { flag: 1 });
// @ts-expect-error a declaration apart from the call needs `as const`
dlopen('x', widened);
const widened = { f: { args: ['i32'], returns: 'i32' } };

// @ts-expect-error linkSymbols needs addresses
linkSymbols({ f: { args: ['i32'] } });
// @ts-expect-error an unknown key
linkSymbols({ f: { ptr: 4096, argz: [] } });
// @ts-expect-error what has an address is not looked up by name
linkSymbols({ f: { ptr: 4096, name: 'g' } });
// @ts-expect-error CFunction needs an address
CFunction({ args: ['i32'] });
// @ts-expect-error an unknown key
CFunction({ ptr: 4096, argz: [] });
// @ts-expect-error arguments are checked here too
CFunction({ ptr: 4096, args: ['f64'] })(1n);
// @ts-expect-error cc needs a source
cc({ symbols: {} });
// @ts-expect-error an unknown key
cc({ source: 'x.c', symbols: { f: { argz: [] } } });
// @ts-expect-error an unknown option
cc({ source: 'x.c', symbols: {}, libraries: 'm' });

// @ts-expect-error a callback of another result
new JSCallback(() => 'text', { returns: 'i32' });
// @ts-expect-error a BigInt for f64
new JSCallback(() => 1n, { returns: 'f64' });
// @ts-expect-error no result where one is wanted
new JSCallback(() => {}, { returns: 'i32' });
// @ts-expect-error a Promise of another result
new JSCallback(async () => 'text', { returns: 'i32' });
// @ts-expect-error a parameter of another type
new JSCallback((x: string) => x.length, { args: ['i32'], returns: 'i32' });
// @ts-expect-error more parameters than C gives
new JSCallback((x: number, y: number) => x + y, { args: ['i32'], returns: 'i32' });
// @ts-expect-error the contextual type is that of the declaration
new JSCallback((x) => x.length, { args: ['i32'], returns: 'i32' });
// @ts-expect-error C does not give a buffer's length
new JSCallback(() => {}, { args: ['buffer'] });
// @ts-expect-error an unknown type
new JSCallback(() => {}, { args: ['i23'] });
// @ts-expect-error an unknown key
new JSCallback(() => {}, { returnz: 'void' });
// @ts-expect-error a declaration is needed
new JSCallback(() => {});
// @ts-expect-error JSCallback needs new
JSCallback(() => {}, {});

// @ts-expect-error a string has no address
ptr('text');
// @ts-expect-error an address has none either
ptr(4096);
// @ts-expect-error a plain number is not known to be a pointer
const plain: Pointer = 4096;
// @ts-expect-error there is no such function
read.buffer(4096);
// @ts-expect-error an offset is needed
write.i32(4096, 7);
// @ts-expect-error a BigInt for f64
write.f64(4096, 0, 7n);
// @ts-expect-error text has no address
toBuffer('text');
// @ts-expect-error a JS function cannot give memory back
toBuffer(4096, 0, 8, () => {});
// @ts-expect-error nor can a JSCallback, since it runs on the JS thread alone
toBuffer(4096, 0, 8, new JSCallback(() => {}, {}));
// @ts-expect-error tags are read-only
FFIType.i32 = 5;
// @ts-expect-error no such code
const code: FFIErrorCode = 'ERR_FFI_UNKNOWN';

export { code, found, plain, sum };

// ---- what is no address -----------------------------------------------------------------------------------------

{
  const Point = struct({ x: 'f64', y: 'f64' });
  const Line = struct({ from: Point, to: Point });
  const { symbols } = dlopen('c', { free: { args: ['ptr'] }, move: { args: [pointer(Point)] } });
  const line = Line.alloc();
  line.from = { x: 1, y: 2 };
  symbols.free(line);
  symbols.free(line.from);
  symbols.move(line.from);
  symbols.move({ x: 1, y: 2 });
  // @ts-expect-error an empty object has no address
  symbols.free({});
  // @ts-expect-error nor has a plain one
  symbols.free({ x: 1 });
  // @ts-expect-error
  symbols.free(new Date());
  // @ts-expect-error
  symbols.move({});
  // @ts-expect-error
  Point.read({});
  // @ts-expect-error
  line.from = {};
}
