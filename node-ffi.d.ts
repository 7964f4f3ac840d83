/**
 * The interface of Node's `node:ffi`, on top of this package, for Node 20 and later. Sizes and offsets are in bytes; addresses are
 * BigInts. Every error has one of the codes of `FFIErrorCode` in `pinned-ffi`. `docs/node-ffi.md` lists the differences from Node.
 *
 * @packageDocumentation
 */

/// <reference types="node" />

// ---- Types ---------------------------------------------------------------------------------------------------------

/** What JavaScript gets for each type of a result, and of an argument of a callback. */
export interface ResultTypes {
  void: undefined;
  char: number;
  bool: number;
  i8: number;
  int8: number;
  u8: number;
  uint8: number;
  i16: number;
  int16: number;
  u16: number;
  uint16: number;
  i32: number;
  int32: number;
  u32: number;
  uint32: number;
  i64: bigint;
  int64: bigint;
  u64: bigint;
  uint64: bigint;
  f32: number;
  float: number;
  float32: number;
  f64: number;
  double: number;
  float64: number;
  pointer: bigint;
  ptr: bigint;
  string: bigint;
  str: bigint;
  buffer: bigint;
  arraybuffer: bigint;
  function: bigint;
}

/** A name of a type, for a result. */
export type ResultType = keyof ResultTypes;
/** A name of a type, for an argument. */
export type ArgumentType = Exclude<ResultType, 'void'>;
/** The names whose values are addresses. */
export type PointerType = 'pointer' | 'ptr' | 'string' | 'str' | 'buffer' | 'arraybuffer' | 'function';

/** An address, a view or a buffer, or a text that is copied for the length of the call. */
export type Pointer = bigint | string | ArrayBuffer | NodeJS.ArrayBufferView | null | undefined;

/** What a function takes for a type. */
export type ArgumentValue<T> = T extends PointerType
  ? Pointer
  : T extends 'i64' | 'int64' | 'u64' | 'uint64'
    ? bigint | number
    : number;

/** What a callback may return for a type. */
export type CallbackResult<T> = T extends 'void'
  ? unknown
  : T extends PointerType
    ? bigint | null | undefined
    : T extends 'i64' | 'int64' | 'u64' | 'uint64'
      ? bigint | number
      : number;

/** The types of a function or a callback. */
export interface FunctionSignature {
  /** Default: `'void'`. */
  readonly return?: ResultType;
  /** Default: none. */
  readonly arguments?: readonly ArgumentType[];
  /**
   * Whether calls run on a helper thread, so that C may wait for threads which call back. Node does not read it. Default: false.
   */
  readonly threads?: boolean;
}

/** Signatures by the names of the symbols. */
export type FunctionDefinitions = Record<string, FunctionSignature>;

// Of a signature whose types are not known to the compiler, anything goes.
type ResultOf<S> = S extends { readonly return: infer R extends ResultType }
  ? R
  : 'return' extends keyof S
    ? any
    : 'void';
type ArgumentsOf<S> = S extends { readonly arguments: infer A extends readonly ArgumentType[] }
  ? A
  : 'arguments' extends keyof S
    ? any[]
    : [];

/** A list of what a function takes. */
type ValuesOf<A extends readonly ArgumentType[]> = { -readonly [K in keyof A]: ArgumentValue<A[K]> };
/** A list of what a callback gets. */
type GivenOf<A extends readonly ArgumentType[]> = { -readonly [K in keyof A]: ResultTypes[A[K]] };

// TypeScript before 5.4 does not see otherwise that these are lists.
/** What a function takes. */
type ParametersOf<S> = ValuesOf<ArgumentsOf<S>> extends infer V extends unknown[] ? V : never;

/** A C function. */
export interface LibraryFunction<S extends FunctionSignature = FunctionSignature> {
  (...args: ParametersOf<S>): ResultTypes[ResultOf<S>];
  /** The address of the function. */
  readonly pointer: bigint;
  /** The same call on a thread of libuv's pool. Node's functions have none. */
  async(...args: ParametersOf<S>): Promise<ResultTypes[ResultOf<S>]>;
}

/** The C functions of an object of signatures. */
export type LibraryFunctions<D extends FunctionDefinitions> = { [K in keyof D]: LibraryFunction<D[K]> };

/** A function that C calls. */
export type CallbackFunction<S extends FunctionSignature> = (
  ...args: GivenOf<ArgumentsOf<S>>
) => CallbackResult<ResultOf<S>>;

/** Constants for the names of types. */
export declare const types: {
  readonly VOID: 'void';
  readonly POINTER: 'pointer';
  readonly BUFFER: 'buffer';
  readonly ARRAY_BUFFER: 'arraybuffer';
  readonly FUNCTION: 'function';
  readonly BOOL: 'bool';
  readonly CHAR: 'char';
  readonly STRING: 'string';
  readonly FLOAT: 'float';
  readonly DOUBLE: 'double';
  readonly INT_8: 'int8';
  readonly UINT_8: 'uint8';
  readonly INT_16: 'int16';
  readonly UINT_16: 'uint16';
  readonly INT_32: 'int32';
  readonly UINT_32: 'uint32';
  readonly INT_64: 'int64';
  readonly UINT_64: 'uint64';
  readonly FLOAT_32: 'float32';
  readonly FLOAT_64: 'float64';
};

// ---- Libraries -----------------------------------------------------------------------------------------------------

/** The ending of shared libraries here, without the dot: so, dylib or dll. */
export declare const suffix: string;

/**
 * A loaded library.
 * @throws ERR_FFI_CALL_FAILED where it does not load; ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`
 */
export declare class DynamicLibrary {
  /** @param path a path or a name that the loader finds; null for the process itself */
  constructor(path: string | null);
  readonly path: string;
  /** The functions that were requested, by name. */
  readonly functions: Record<string, LibraryFunction>;
  /** The addresses of the symbols that were requested, by name. */
  readonly symbols: Record<string, bigint>;
  /** Closes the library and its callbacks. Its functions throw ERR_FFI_LIBRARY_CLOSED from then on. */
  close(): void;
  [Symbol.dispose](): void;
  /**
   * Binds a function. The same name and signature give the same function.
   * @throws ERR_FFI_CALL_FAILED where there is no such symbol
   */
  getFunction<const S extends FunctionSignature>(name: string, signature: S): LibraryFunction<S>;
  getFunctions(): Record<string, LibraryFunction>;
  /** Binds functions: all of them, or none where one is wrong. */
  getFunctions<const D extends FunctionDefinitions>(definitions: D): LibraryFunctions<D>;
  /** The address of a symbol. */
  getSymbol(name: string): bigint;
  getSymbols(): Record<string, bigint>;
  /** Makes a C function pointer that calls a function, until it is unregistered or the library is closed. */
  registerCallback(callback: () => void): bigint;
  registerCallback<const S extends FunctionSignature>(signature: S, callback: CallbackFunction<S>): bigint;
  /** Ends a callback. A call that C still makes returns zero, and is warned of. */
  unregisterCallback(pointer: bigint): void;
  /** Has the callback hold its function, as it does from the start. */
  refCallback(pointer: bigint): void;
  /** Lets the callback's function be collected. C gets zero from then on. */
  unrefCallback(pointer: bigint): void;
}

/** What dlopen() returns. */
export interface OpenedLibrary<D extends FunctionDefinitions> extends Disposable {
  lib: DynamicLibrary;
  functions: LibraryFunctions<D>;
}

/** Opens a library and binds functions of it. */
export declare function dlopen<const D extends FunctionDefinitions = {}>(
  path: string | null,
  definitions?: D,
): OpenedLibrary<D>;
/** `handle.close()`. */
export declare function dlclose(handle: DynamicLibrary): void;
/** `handle.getSymbol(symbol)`. */
export declare function dlsym(handle: DynamicLibrary, symbol: string): bigint;

// ---- Memory --------------------------------------------------------------------------------------------------------

// Each throws ERR_FFI_INVALID_POINTER for NULL and for an address in the first page.
export declare function getInt8(pointer: bigint, offset?: number): number;
export declare function getUint8(pointer: bigint, offset?: number): number;
export declare function getInt16(pointer: bigint, offset?: number): number;
export declare function getUint16(pointer: bigint, offset?: number): number;
export declare function getInt32(pointer: bigint, offset?: number): number;
export declare function getUint32(pointer: bigint, offset?: number): number;
export declare function getInt64(pointer: bigint, offset?: number): bigint;
export declare function getUint64(pointer: bigint, offset?: number): bigint;
export declare function getFloat32(pointer: bigint, offset?: number): number;
export declare function getFloat64(pointer: bigint, offset?: number): number;
export declare function setInt8(pointer: bigint, offset: number, value: number): void;
export declare function setUint8(pointer: bigint, offset: number, value: number): void;
export declare function setInt16(pointer: bigint, offset: number, value: number): void;
export declare function setUint16(pointer: bigint, offset: number, value: number): void;
export declare function setInt32(pointer: bigint, offset: number, value: number): void;
export declare function setUint32(pointer: bigint, offset: number, value: number): void;
export declare function setInt64(pointer: bigint, offset: number, value: bigint | number): void;
export declare function setUint64(pointer: bigint, offset: number, value: bigint | number): void;
export declare function setFloat32(pointer: bigint, offset: number, value: number): void;
export declare function setFloat64(pointer: bigint, offset: number, value: number): void;

/** The UTF-8 text at an address, up to its NUL; null at NULL. */
export declare function toString(pointer: bigint): string | null;
/** Memory as a Buffer: a copy, or the memory itself where `copy` is false. */
export declare function toBuffer(pointer: bigint, length: number, copy?: boolean): Buffer;
/** Memory as an ArrayBuffer: a copy, or the memory itself where `copy` is false. */
export declare function toArrayBuffer(pointer: bigint, length: number, copy?: boolean): ArrayBuffer;
/** Copies a text and its NUL to an address, where there are `length` bytes. */
export declare function exportString(string: string, pointer: bigint, length: number, encoding?: BufferEncoding): void;
/** Copies a Buffer to an address, where there are `length` bytes. */
export declare function exportBuffer(buffer: Buffer, pointer: bigint, length: number): void;
/** Copies an ArrayBuffer to an address, where there are `length` bytes. */
export declare function exportArrayBuffer(arrayBuffer: ArrayBuffer, pointer: bigint, length: number): void;
/** Copies a view to an address, where there are `length` bytes. */
export declare function exportArrayBufferView(
  arrayBufferView: NodeJS.ArrayBufferView,
  pointer: bigint,
  length: number,
): void;
/** The address of the bytes of a view or a buffer, which stay there as long as it lives; 0n where it is empty. */
export declare function getRawPointer(source: ArrayBufferLike | NodeJS.ArrayBufferView): bigint;
/** The address of the event loop of this thread, a `uv_loop_t *`. */
export declare function getCurrentEventLoop(): bigint;
