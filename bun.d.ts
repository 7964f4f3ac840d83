/// <reference types="node" />
// The types of pinned-ffi/bun: those of bun:ffi 1.4, so that a program written for it compiles with its name changed.

/** An address. NULL is `null`; beyond 2^53-1 it is a BigInt. */
export type Pointer = number & { __pointer__: null };

/** bun's numeric tags, by name. Tag and name mean the same in a declaration. */
export declare const FFIType: {
  readonly char: 0;
  readonly i8: 1;
  readonly int8_t: 1;
  readonly u8: 2;
  readonly uint8_t: 2;
  readonly i16: 3;
  readonly int16_t: 3;
  readonly u16: 4;
  readonly uint16_t: 4;
  readonly i32: 5;
  readonly int32_t: 5;
  readonly int: 5;
  readonly c_int: 5;
  readonly u32: 6;
  readonly uint32_t: 6;
  readonly c_uint: 6;
  readonly i64: 7;
  readonly int64_t: 7;
  readonly isize: 7;
  readonly u64: 8;
  readonly uint64_t: 8;
  readonly usize: 8;
  readonly f64: 9;
  readonly double: 9;
  readonly f32: 10;
  readonly float: 10;
  readonly bool: 11;
  readonly ptr: 12;
  readonly pointer: 12;
  readonly 'void*': 12;
  readonly 'char*': 12;
  readonly void: 13;
  readonly cstring: 14;
  readonly i64_fast: 15;
  readonly u64_fast: 16;
  readonly function: 17;
  readonly callback: 17;
  readonly fn: 17;
  readonly napi_env: 18;
  readonly napi_value: 19;
  readonly buffer: 20;
  readonly buffer_length: 21;
  readonly buffer_bytelength: 21;
};
export type FFIType = (typeof FFIType)[keyof typeof FFIType];
/** A type in a declaration: a tag or a name. `napi_env` and `napi_value` are for functions of {@link cc}. */
export type FFITypeOrString = FFIType | keyof typeof FFIType | 'size_t';

type TypedArray = NodeJS.TypedArray | DataView;
type Address = Pointer | number | bigint;
/** The accepted value of each tag. Integers wrap. */
interface ArgumentOf {
  0: number | bigint;
  1: number | bigint;
  2: number | bigint;
  3: number | bigint;
  4: number | bigint;
  5: number | bigint;
  6: number | bigint;
  7: number | bigint;
  8: number | bigint;
  9: number;
  10: number;
  11: boolean;
  12: TypedArray | ArrayBufferLike | Address | JSCallback | null | undefined;
  13: undefined;
  14: string | TypedArray | ArrayBufferLike | Address | null | undefined;
  15: number | bigint;
  16: number | bigint;
  17: Address | JSCallback | { readonly ptr: Address };
  /** Ignored: C gets the environment. */
  18: unknown;
  19: unknown;
  20: TypedArray;
  21: TypedArray;
}
/** The result of each tag. */
interface ResultOf {
  0: number;
  1: number;
  2: number;
  3: number;
  4: number;
  5: number;
  6: number;
  7: bigint;
  8: bigint;
  9: number;
  10: number;
  11: boolean;
  12: Pointer | null;
  13: undefined;
  14: string | null;
  15: number | bigint;
  16: number | bigint;
  17: Pointer | null;
  18: unknown;
  19: unknown;
  20: never;
  21: never;
}
type TagOf<T> = T extends FFIType
  ? T
  : T extends 'size_t'
    ? 8
    : T extends keyof typeof FFIType
      ? (typeof FFIType)[T]
      : FFIType;
type Arguments<A> = A extends readonly unknown[] ? { -readonly [I in keyof A]: ArgumentOf[TagOf<A[I]>] } : [];
type Result<R> = [unknown] extends [R] ? undefined : ResultOf[TagOf<NonNullable<R>>];

/** Declaration of a function. Other keys are ignored. */
export interface FFIFunction {
  /** The types of the arguments. Default: none. */
  readonly args?: readonly FFITypeOrString[];
  /** The type of the result. Default: `void`. */
  readonly returns?: FFITypeOrString | null;
  /** The address of the function, instead of a symbol. */
  readonly ptr?: Address | null;
  /** For a callback: a foreign thread that calls it does not wait, and receives 0. */
  readonly threadsafe?: boolean;
}
export type Symbols = Readonly<Record<string, FFIFunction>>;

/** A bound function. It accepts any number of arguments; missing ones are `undefined`. */
export interface BoundFunction<F extends FFIFunction> {
  (...args: Arguments<F['args']>): Result<F['returns']>;
  /** The address of the C function. */
  readonly ptr: Pointer;
  /** The function itself. */
  readonly native: this;
}
export type ConvertFns<S> = { [K in keyof S]: S[K] extends FFIFunction ? BoundFunction<S[K]> : never };

export interface Library<S> {
  symbols: ConvertFns<S>;
  /** Closes the library. Later calls of its functions throw. */
  close(): void;
}

/**
 * Opens a library.
 * @param name a path, a `file:` URL, or a name that the system's loader finds or that is in the current directory
 * @param options an addition of the package: `flags` of dlopen(3), `guard` for all functions
 * @throws ERR_DLOPEN_FAILED if it cannot be opened, ERR_INVALID_ARG_TYPE if a symbol is missing.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function dlopen<const S extends Record<string, FFIFunction>>(
  name: string | URL,
  symbols: S,
  options?: { flags?: number; guard?: boolean },
): Library<S>;
/**
 * Binds functions by address.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function linkSymbols<const S extends Record<string, FFIFunction>>(symbols: S): Library<S>;

type LinkedFunction<F extends FFIFunction> = BoundFunction<F> & { close(): void };
/**
 * Binds one function by address.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare const CFunction: {
  <const F extends FFIFunction & { ptr: Address }>(declaration: F): LinkedFunction<F>;
  new <const F extends FFIFunction & { ptr: Address }>(declaration: F): LinkedFunction<F>;
};

/**
 * Compiles C with the system's compiler (bun has TinyCC) and opens the result. Functions may use Node-API: they take a
 * `napi_env`, and any value as `napi_value`. Not on Windows.
 * @throws ERR_FFI_COMPILE_FAILED if the compiler refuses the source, ERR_FFI_COMPILER_NOT_FOUND if there is none.
 * @throws ERR_FFI_SYMBOL_NOT_FOUND if the source lacks a function.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function cc<const S extends Record<string, FFIFunction>>(options: {
  source: string | URL | readonly (string | URL)[];
  library?: string[] | string;
  include?: string[] | string;
  symbols: S;
  define?: Record<string, string>;
  flags?: string | string[];
}): Library<S>;

/** A C function pointer that calls a JavaScript function. It is held until `close()`. */
export declare class JSCallback {
  /**
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
   * @throws ERR_FFI_NO_EXECUTABLE_MEMORY if the system provides none.
   */
  constructor(callback: (...args: any[]) => any, definition: FFIFunction);
  /** The function pointer; `null` after `close()`. */
  readonly ptr: Pointer | null;
  readonly threadsafe: boolean;
  /** Releases the function. A closed callback is refused as an argument. */
  close(): void;
  [Symbol.dispose](): void;
  [Symbol.toPrimitive](): number | bigint;
}

/**
 * The address of a view's storage. It is valid while the view lives.
 * @throws ERR_INVALID_ARG_TYPE if it is no view, or the offset is beyond its end.
 */
export declare function ptr(view: NodeJS.TypedArray | ArrayBufferLike | DataView, byteOffset?: number): Pointer;

type Reader<T> = (ptr: Address, byteOffset?: number) => T;
/**
 * Memory at an address, at any alignment.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address or an offset.
 */
export declare const read: {
  readonly u8: Reader<number>;
  readonly i8: Reader<number>;
  readonly u16: Reader<number>;
  readonly i16: Reader<number>;
  readonly u32: Reader<number>;
  readonly i32: Reader<number>;
  readonly f32: Reader<number>;
  readonly f64: Reader<number>;
  readonly u64: Reader<bigint>;
  readonly i64: Reader<bigint>;
  readonly ptr: Reader<number>;
  readonly intptr: Reader<number>;
};

/**
 * Native memory as a Buffer. Without a length, up to the NUL.
 * @param deallocatorOrContext with four arguments a C function `(bytes, context)` that is called once the memory was
 *   collected, with five its context
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime does not allow a Buffer over native memory.
 */
export declare function toBuffer(
  ptr: Address,
  byteOffset?: number | null,
  byteLength?: number | null,
  deallocatorOrContext?: Address | null,
  deallocator?: Address | null,
): Buffer;
/** The same as an ArrayBuffer; the errors are those of {@link toBuffer}. */
export declare function toArrayBuffer(
  ptr: Address,
  byteOffset?: number | null,
  byteLength?: number | null,
  deallocatorOrContext?: Address | null,
  deallocator?: Address | null,
): ArrayBuffer;

/** A copy of C text: a string, or with `new` a String object. (bun returns a string for both.) */
export type CString = string & {
  readonly ptr?: number | bigint;
  readonly byteOffset?: number;
  readonly byteLength?: number;
  /** The memory of the text itself. */
  readonly arrayBuffer?: ArrayBuffer;
};
/**
 * Copies C text.
 * @throws ERR_FFI_INVALID_POINTER for addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
 */
export declare const CString: {
  new (ptr: Address | null | undefined, byteOffset?: number, byteLength?: number): CString;
  (ptr: Address | null | undefined, byteOffset?: number, byteLength?: number): string;
};

/**
 * A description of a declaration. No C is generated.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 */
export declare function viewSource(symbols: Symbols, is_callback?: false): string[];
export declare function viewSource(callback: FFIFunction, is_callback: true): string;

/** The older name of `dlopen`. */
export declare const native: { readonly dlopen: typeof dlopen; callback(): never };

/** The file extension of shared libraries: `so`, `dylib` or `dll`. */
export declare const suffix: string;
