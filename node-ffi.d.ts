/**
 * The interface of Node's `node:ffi`, on top of this package, for Node 20 and later. Sizes and offsets are in bytes;
 * addresses are BigInts. Every error has one of the codes of `FFIErrorCode` in `pinned-ffi`. `docs/node-ffi.md` lists
 * the differences from Node.
 *
 * @packageDocumentation
 */

/// <reference types="node" />

// ---- Types ---------------------------------------------------------------------------------------------------------

/** The JavaScript value for each type of a result, and of an argument of a callback. */
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

/** The values that a function takes for a type. */
export type ArgumentValue<T> = T extends PointerType
  ? Pointer
  : T extends 'i64' | 'int64' | 'u64' | 'uint64'
    ? bigint | number
    : number;

/** The values that a callback may return for a type. */
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
   * Whether calls run on a helper thread, so that C may wait for threads which call back. Node does not read it.
   * Default: false.
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

/** A list of values that a function takes. */
type ValuesOf<A extends readonly ArgumentType[]> = { -readonly [K in keyof A]: ArgumentValue<A[K]> };
/** A list of values that a callback gets. */
type GivenOf<A extends readonly ArgumentType[]> = { -readonly [K in keyof A]: ResultTypes[A[K]] };

// TypeScript before 5.4 does not see otherwise that these are lists.
/** The arguments of a function. */
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
 * A loaded library. Every member but `close()` throws ERR_FFI_LIBRARY_CLOSED after `close()`.
 */
export declare class DynamicLibrary {
  /**
   * @param path a path or a name that the loader finds; null for the process itself
   * @throws ERR_FFI_CALL_FAILED if it cannot be opened.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong path; ERR_ACCESS_DENIED under `--permission`
   *   without `--allow-ffi`.
   */
  constructor(path: string | null);
  readonly path: string;
  /** The functions that were requested, by name. */
  readonly functions: Record<string, LibraryFunction>;
  /** The addresses of the symbols that were requested, by name. */
  readonly symbols: Record<string, bigint>;
  /**
   * Closes the library and its callbacks. Its functions throw ERR_FFI_LIBRARY_CLOSED from then on.
   * @throws ERR_FFI_LIBRARY_BUSY from inside a callback that a synchronous call of one of these functions is running.
   */
  close(): void;
  [Symbol.dispose](): void;
  /**
   * Binds a function. The same name and signature give the same function.
   * @throws ERR_FFI_CALL_FAILED if there is no such symbol.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong name or signature.
   */
  getFunction<const S extends FunctionSignature>(name: string, signature: S): LibraryFunction<S>;
  /** The functions that were requested, by name. */
  getFunctions(): Record<string, LibraryFunction>;
  /**
   * Binds functions: all of them, or none if one is wrong.
   * @throws ERR_FFI_CALL_FAILED if there is no such symbol.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong name or signature.
   */
  getFunctions<const D extends FunctionDefinitions>(definitions: D): LibraryFunctions<D>;
  /**
   * The address of a symbol.
   * @throws ERR_FFI_CALL_FAILED if there is no such symbol, ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong
   *   name.
   */
  getSymbol(name: string): bigint;
  /** The addresses of the symbols that were requested, by name. */
  getSymbols(): Record<string, bigint>;
  /**
   * Makes a C function pointer that calls a function, until it is unregistered or the library is closed.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong function or signature.
   * @throws ERR_FFI_NO_EXECUTABLE_MEMORY if the system provides none.
   */
  registerCallback(callback: () => void): bigint;
  registerCallback<const S extends FunctionSignature>(signature: S, callback: CallbackFunction<S>): bigint;
  /**
   * Ends a callback. A call that C still makes returns zero, and causes a warning.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE if it is no address of a callback of this library.
   */
  unregisterCallback(pointer: bigint): void;
  /**
   * Makes the callback hold its function, as it does from the start.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE if it is no address of a callback of this library.
   */
  refCallback(pointer: bigint): void;
  /**
   * Allows the callback's function to be collected. Then C gets zero.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE if it is no address of a callback of this library.
   */
  unrefCallback(pointer: bigint): void;
}

/** The result of dlopen(). */
export interface OpenedLibrary<D extends FunctionDefinitions> extends Disposable {
  lib: DynamicLibrary;
  functions: LibraryFunctions<D>;
}

/**
 * Opens a library and binds functions of it.
 * @throws ERR_FFI_CALL_FAILED if it cannot be opened, or lacks a function.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong path, name or signature; ERR_ACCESS_DENIED under
 *   `--permission` without `--allow-ffi`.
 */
export declare function dlopen<const D extends FunctionDefinitions = {}>(
  path: string | null,
  definitions?: D,
): OpenedLibrary<D>;
/**
 * `handle.close()`, whose errors are those of this function.
 * @throws ERR_INVALID_ARG_TYPE if the handle is no library.
 */
export declare function dlclose(handle: DynamicLibrary): void;
/**
 * `handle.getSymbol(symbol)`, whose errors are those of this function.
 * @throws ERR_INVALID_ARG_TYPE if the handle is no library.
 */
export declare function dlsym(handle: DynamicLibrary, symbol: string): bigint;

// ---- Memory --------------------------------------------------------------------------------------------------------

/**
 * Reads a value at an address. The errors of all these functions, and of the `set` functions, are the same.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong address, offset or value.
 * @throws ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function getInt8(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getUint8(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getInt16(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getUint16(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getInt32(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getUint32(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getInt64(pointer: bigint, offset?: number): bigint;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getUint64(pointer: bigint, offset?: number): bigint;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getFloat32(pointer: bigint, offset?: number): number;
/** As {@link getInt8}; its errors are those of that function. */
export declare function getFloat64(pointer: bigint, offset?: number): number;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setInt8(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setUint8(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setInt16(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setUint16(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setInt32(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setUint32(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setInt64(pointer: bigint, offset: number, value: bigint | number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setUint64(pointer: bigint, offset: number, value: bigint | number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setFloat32(pointer: bigint, offset: number, value: number): void;
/** Writes a value at an address; its errors are those of {@link getInt8}. */
export declare function setFloat64(pointer: bigint, offset: number, value: number): void;

/**
 * The UTF-8 text at an address, up to its NUL; null at NULL.
 * @throws ERR_FFI_INVALID_POINTER for other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong address; ERR_ACCESS_DENIED under `--permission`
 *   without `--allow-ffi`.
 */
export declare function toString(pointer: bigint): string | null;
/**
 * Memory as a Buffer: a copy, or the memory itself where `copy` is false.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong address or length;
 *   ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function toBuffer(pointer: bigint, length: number, copy?: boolean): Buffer;
/**
 * Memory as an ArrayBuffer: a copy, or the memory itself where `copy` is false.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong address or length;
 *   ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function toArrayBuffer(pointer: bigint, length: number, copy?: boolean): ArrayBuffer;
/**
 * Copies a text and its NUL to an address, where there are `length` bytes.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument or too small a length;
 *   ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function exportString(string: string, pointer: bigint, length: number, encoding?: BufferEncoding): void;
/**
 * Copies a Buffer to an address, where there are `length` bytes.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument or too small a length;
 *   ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function exportBuffer(buffer: Buffer, pointer: bigint, length: number): void;
/**
 * Copies an ArrayBuffer to an address, where there are `length` bytes.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument or too small a length;
 *   ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function exportArrayBuffer(arrayBuffer: ArrayBuffer, pointer: bigint, length: number): void;
/**
 * Copies a view to an address, where there are `length` bytes.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument or too small a length;
 *   ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function exportArrayBufferView(
  arrayBufferView: NodeJS.ArrayBufferView,
  pointer: bigint,
  length: number,
): void;
/**
 * The address of the bytes of a view or a buffer, which stay there as long as it lives; 0n where it is empty.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for other values and a detached buffer; ERR_ACCESS_DENIED under
 *   `--permission` without `--allow-ffi`.
 */
export declare function getRawPointer(source: ArrayBufferLike | NodeJS.ArrayBufferView): bigint;
/**
 * The address of the event loop of this thread, a `uv_loop_t *`.
 * @throws ERR_ACCESS_DENIED under `--permission` without `--allow-ffi`.
 */
export declare function getCurrentEventLoop(): bigint;
