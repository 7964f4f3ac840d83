// A program for bun:ffi, as its documents write them, compiles with the name changed.
import ffi, {
  CFunction,
  CString,
  FFIType,
  JSCallback,
  dlopen,
  linkSymbols,
  ptr,
  read,
  suffix,
  toArrayBuffer,
  toBuffer,
  viewSource,
  type Pointer,
} from 'pinned-ffi/bun';
import { expect, type Equal } from './equal.js';

const { i32 } = FFIType;
const { symbols, close } = dlopen(`libadd.${suffix}`, {
  add: { args: [i32, FFIType.int], returns: i32 },
  version: { args: [], returns: FFIType.cstring },
  write_all: { args: ['i32', 'buffer', 'buffer_length'], returns: 'u64' },
  search: { returns: 'usize', args: ['cstring', 'callback'] },
  make: { returns: 'ptr' },
  nothing: {},
});
expect<Equal<ReturnType<typeof symbols.add>, number>>();
expect<Equal<ReturnType<typeof symbols.version>, string | null>>();
expect<Equal<ReturnType<typeof symbols.write_all>, bigint>>();
expect<Equal<ReturnType<typeof symbols.make>, Pointer | null>>();
expect<Equal<ReturnType<typeof symbols.nothing>, undefined>>();
expect<Equal<Parameters<typeof symbols.add>['length'], 2>>();
const chunk = new Uint8Array(8);
symbols.write_all(1, chunk, chunk);
const callback = new JSCallback((at: Pointer, length: bigint) => /x/.test(new CString(at, 0, Number(length))), {
  returns: 'bool',
  args: ['ptr', 'usize'],
  threadsafe: true,
});
symbols.search('text', callback);
symbols.search(ptr(chunk), callback.ptr!);
const made = symbols.make();
if (made !== null) {
  const bytes: ArrayBuffer = toArrayBuffer(made, 0, 32);
  const buffer: Buffer = toBuffer(made, 0, 32, made, made);
  const byte: number = read.u8(made, 1);
  const wide: bigint = read.u64(made);
  new CFunction({ returns: 'cstring', args: [], ptr: made })()?.length;
  linkSymbols({ major: { returns: 'cstring', args: [], ptr: made } }).symbols.major();
  void [bytes, buffer, byte, wide];
}
const sources: string[] = viewSource({ add: { args: ['i32'], returns: 'i32' } });
ffi.dlopen(new URL('file:///lib.so'), { add: { args: ['i32'] } }).symbols.add(1);
close();
void sources;

// @ts-expect-error text is no integer
symbols.add('1', 2);
// @ts-expect-error no such type
dlopen('lib', { add: { args: ['foo'] } });
