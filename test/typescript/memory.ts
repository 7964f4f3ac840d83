// Programs that compile: pointers, native memory, strings, callbacks, errors, the types by name.

import { CString, FFIType, JSCallback, dlopen, ptr, read, suffix, toArrayBuffer, toBuffer, write } from 'pinned-ffi';
import type { FFIError, FFIErrorCode, FFITypeOrString, Pointer } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

// A pointer is a number, and an address is taken from any view.
const address: Pointer = ptr(new Float64Array(4), 8);
const next: number = address + 8;
const branded = next as Pointer;
ptr(new ArrayBuffer(8));
ptr(new SharedArrayBuffer(8));
ptr(new DataView(new ArrayBuffer(8)));

// A function per scalar.
expect<Equal<ReturnType<typeof read.u8>, number>>();
expect<Equal<ReturnType<typeof read.i64>, bigint>>();
expect<Equal<ReturnType<typeof read.u64_fast>, number | bigint>>();
expect<Equal<ReturnType<typeof read.u64_number>, number>>();
expect<Equal<ReturnType<typeof read.bool>, boolean>>();
expect<Equal<ReturnType<typeof read.ptr>, Pointer | bigint | null>>();
expect<Equal<ReturnType<typeof read.intptr>, number | bigint>>();
expect<Equal<ReturnType<(typeof read)['unsigned long']>, bigint>>();
read.f64(branded) + read.f32(4096n, 8);
write.i32(address, 4, 7);
write.u64(address, 0, 7n);
write.ptr(address, 0, new Uint8Array(8));
write.ptr(address, 0, null);
write.bool(address, 0, true);

// Strings and Buffers of native memory.
expect<Equal<ReturnType<typeof CString>, string>>();
CString(4096).toUpperCase();
new CString(4096n, 1, 2).toUpperCase();
CString(null);
const text: CString = 'text';
read.bytes(address, 0, 8).readInt8(0);
read.bytes(new Uint8Array(8), undefined, 8n).subarray(1);
write.bytes(address, 4n, Buffer.from('text'));
write.bytes(address, 0, new SharedArrayBuffer(8));
toBuffer(address).readInt8(0);
toBuffer(address, 0, 8, 4096);
toBuffer(address, 0, 8, address, 4096n);
toBuffer(address, undefined, 8, null, 4096);
toBuffer(address, 0, 8, dlopen(null, { free: { args: ['ptr'] } }).symbols.free);
expect<Equal<ReturnType<typeof toArrayBuffer>, ArrayBuffer>>();
expect<Equal<typeof suffix, 'so' | 'dylib' | 'dll'>>();

// A callback's parameters and result follow from its declaration.
const compare = new JSCallback(
  (a, b) => {
    expect<Equal<typeof a, Pointer | bigint | null>>();
    expect<Equal<typeof b, Pointer | bigint | null>>();
    return a === null || b === null ? 0 : read.f64(a) - read.f64(b);
  },
  { args: ['ptr', 'ptr'], returns: 'i32' },
);
expect<Equal<typeof compare, JSCallback>>();
expect<Equal<typeof compare.ptr, Pointer | null>>();
expect<Equal<typeof compare.threadsafe, boolean>>();
new JSCallback(
  (count, big, name, flag) => {
    expect<Equal<typeof count, number>>();
    expect<Equal<typeof big, bigint>>();
    expect<Equal<typeof name, string | null>>();
    expect<Equal<typeof flag, boolean>>();
  },
  { args: [FFIType.i32, 'size_t', 'cstring', 'bool'] },
);
new JSCallback(() => 'kept until the next call', { returns: 'cstring' });
new JSCallback((x: number) => x * 2, { args: ['f64'], returns: 'f64' });
new JSCallback(() => {}, {});
new JSCallback(() => 1n, { args: ['i32'], returns: 'u64', threadsafe: true });
compare.close();
compare[Symbol.dispose]();
+compare;

dlopen(null, { qsort: { args: ['ptr', 'size_t', 'size_t', 'function'] } }).symbols.qsort(
  new Float64Array(4),
  4,
  8,
  compare,
);

// Types by name, alias and tag.
const types: FFITypeOrString[] = ['i32', 'unsigned short', 'void*', 'char32_t', FFIType.cstring, 20];
expect<Equal<typeof FFIType.i32, 5>>();
expect<Equal<(typeof FFIType)['void*'], 12>>();
expect<Equal<typeof FFIType.size_t, 8>>();
expect<Equal<(typeof FFIType)['unsigned long'], 23>>();
expect<Equal<typeof FFIType.napi_value, 19>>();
expect<Equal<typeof FFIType.buffer_bytelength, 21>>();
const tag: FFIType = FFIType.fn;

// Text in memory, and NULL as C gives it.
expect<Equal<ReturnType<typeof read.cstring>, string | null>>();
expect<Equal<ReturnType<typeof read.utf16>, string | null>>();
expect<Equal<ReturnType<typeof read.wstring>, string | null>>();
write.cstring(4096, 0, Buffer.from('text\0'));
const given = read.ptr(4096);
read.f64(given);
write.f64(given, 0, 1);
toBuffer(given, 0, 8);
toArrayBuffer(given, 0, 8);
new JSCallback((a, b) => read.f64(a) - read.f64(b), { args: ['ptr', 'ptr'], returns: 'f64' });

// Errors.
function explain(error: FFIError): string {
  return error.code === 'ERR_FFI_LIBRARY_NOT_FOUND' ? error.tried.join() : error.message;
}
const code: FFIErrorCode = 'ERR_OUT_OF_RANGE';

export { code, explain, tag, text, types };
