// A program for node:ffi compiles with the name changed.

import ffi, { type DynamicLibrary, dlopen, type FunctionSignature, types } from 'pinned-ffi/node-ffi';

const { lib, functions } = dlopen('libm.so.6', {
  cos: { return: 'double', arguments: ['double'] },
  lrint: { return: 'int64', arguments: [types.DOUBLE] },
  nothing: {},
});
const handle: DynamicLibrary = lib;
const cosine: number = functions.cos(0);
const rounded: bigint = functions.lrint(2.5);
const none: undefined = functions.nothing();
const address: bigint = functions.cos.pointer;
const later: Promise<number> = functions.cos.async(0);
const length = handle.getFunction('strlen', { return: 'u64', arguments: ['string'] });
console.log(length('text'), length(Buffer.from('text\0')), length(null), cosine, rounded, none, address, later);
const callback: bigint = lib.registerCallback({ return: 'int32', arguments: ['pointer', 'u8'] }, (at, size) =>
  at === 0n ? size : ffi.getInt32(at),
);
lib.registerCallback(() => {});
lib.unregisterCallback(callback);
const text: string | null = ffi.toString(lib.getSymbol('version'));
ffi.exportString('text', ffi.getRawPointer(Buffer.alloc(8)), 8, 'utf16le');
console.log(text, ffi.toBuffer(address, 8).length, ffi.setInt64(address, 0, 5));
{
  using opened = dlopen(null);
  console.log(opened.lib.path);
}

const known: bigint = lib.functions.abs!(1, 'a', 2n).pointer ?? lib.getFunctions().abs!.pointer;
const loose: Record<string, FunctionSignature> = { abs: { return: 'i32', arguments: ['i32'] } };
console.log(known, dlopen(null, loose).functions.abs!(5));

// @ts-expect-error there is no such type
lib.getFunction('abs', { arguments: ['int'] });
// @ts-expect-error an address is a BigInt
ffi.getInt8(5);
// @ts-expect-error it takes one argument
functions.cos(1, 2);
