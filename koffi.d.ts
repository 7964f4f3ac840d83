/**
 * The interface of koffi 3, on top of this package. Sizes and offsets are in bytes; pointers are BigInts or null. Every
 * error has one of the codes of `FFIErrorCode` in `pinned-ffi`. `docs/koffi.md` lists the differences from koffi.
 *
 * @packageDocumentation
 */

/// <reference types="node" />

import type { IsolateGroup, IsolateOptions } from './index.js';

// ---- Types ---------------------------------------------------------------------------------------------------------

/** The kind of a type. */
export type PrimitiveKind =
  | 'Void'
  | 'Bool'
  | 'Int8'
  | 'UInt8'
  | 'Int16'
  | 'Int16S'
  | 'UInt16'
  | 'UInt16S'
  | 'Int32'
  | 'Int32S'
  | 'UInt32'
  | 'UInt32S'
  | 'Int64'
  | 'Int64S'
  | 'UInt64'
  | 'UInt64S'
  | 'Float32'
  | 'Float64'
  | 'String'
  | 'String16'
  | 'String32'
  | 'Pointer'
  | 'Record'
  | 'Union'
  | 'Array'
  | 'Prototype'
  | 'Callback';

/** The JavaScript form of an array. */
export type ArrayHint = 'Array' | 'Typed' | 'Buffer' | 'String' | 'array' | 'typed' | 'buffer' | 'string';

/** A parameter of a function. */
export interface ParameterInfo {
  type: TypeObject;
  direction: 'Input' | 'Output' | 'InputOutput';
}

/** The signature of a function. */
export interface PrototypeInfo {
  name: string;
  arguments: ParameterInfo[];
  result: TypeObject;
}

/** A type, as `struct()`, `pointer()` and the others return it. */
export declare class TypeObject {
  private constructor();
  name: string;
  primitive: PrimitiveKind;
  size: number;
  alignment: number;
  disposable: boolean;
  /** The number of elements of an array. */
  length?: number;
  hint?: ArrayHint;
  /** The target of a pointer, or the type of the elements of an array. */
  ref?: TypeObject;
  members?: Record<string, { name: string; type: TypeObject; offset: number }>;
  proto?: PrototypeInfo;
  /** The values of an enumeration. */
  values?: Record<string, number | bigint>;
}

/** A type with the direction of a parameter, as `out()` and `inout()` return it. */
export interface Direction {
  readonly type: TypeObject;
  readonly direction: ParameterInfo['direction'];
}

/** A value with the type that it is passed as, as `as()` returns it. */
export interface Cast {
  readonly value: unknown;
  readonly type: TypeObject;
}

/** A type by its name or as C text (`'const char *'`, `'int[4]'`), or an object. */
export type TypeSpec = string | TypeObject | Direction;

/** The members of a struct or a union by name: a type, or `[alignment, type]`. */
export type Members = Record<string, TypeSpec | [alignment: number, type: TypeSpec]>;

/**
 * Makes a struct with the layout of C. An opaque type in place of the name becomes this struct.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID, ERR_OUT_OF_RANGE for a wrong
 *   declaration.
 */
export declare function struct(name: string | null | undefined | TypeObject, members: Members): TypeObject;
export declare function struct(members: Members): TypeObject;
/**
 * Makes a struct without padding.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID, ERR_OUT_OF_RANGE for a wrong
 *   declaration.
 */
export declare function pack(name: string | null | undefined | TypeObject, members: Members): TypeObject;
export declare function pack(members: Members): TypeObject;
/**
 * Makes a union.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID, ERR_OUT_OF_RANGE for a wrong
 *   declaration.
 */
export declare function union(name: string | null | undefined | TypeObject, members: Members): TypeObject;
export declare function union(members: Members): TypeObject;

/** A value of a union type: the member that was set last, or the memory that C has written. */
export declare class Union {
  /** @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is no union. */
  constructor(type: TypeSpec);
  [member: string]: any;
}

/**
 * Makes an array type. With `countedBy`, a member of the same struct says how many elements there are.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID, ERR_OUT_OF_RANGE for a wrong
 *   declaration.
 */
export declare function array(type: TypeSpec, length: number, hint?: ArrayHint | null): TypeObject;
export declare function array(
  type: TypeSpec,
  countedBy: string,
  maxLength: number,
  hint?: ArrayHint | null,
): TypeObject;
/**
 * Makes a type that only C knows. Pass pointers to it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong name.
 */
export declare function opaque(name?: string | null): TypeObject;
/**
 * Makes a pointer type. `count` is the number of stars.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a wrong declaration.
 */
export declare function pointer(type: TypeSpec, count?: number): TypeObject;
export declare function pointer(
  name: string | null | undefined,
  type: TypeSpec,
  count?: number | string | null,
): TypeObject;
/**
 * Gives a type another name.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a wrong name or type.
 */
export declare function alias(name: string, type: TypeSpec): TypeObject;
/**
 * Makes an integer type with named values.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID, ERR_OUT_OF_RANGE for a wrong
 *   declaration.
 */
export declare function enumeration(
  name: string | null | undefined,
  values: Record<string, number | bigint>,
  type?: TypeSpec | null,
): TypeObject;
export declare function enumeration(values: Record<string, number | bigint>, type?: TypeSpec | null): TypeObject;
/**
 * Makes a type whose values are freed once they are converted. Default of `free`: C's free().
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a wrong declaration.
 */
export declare function disposable(type: TypeSpec, free?: ((pointer: bigint) => void) | null): TypeObject;
export declare function disposable(
  name: string | null | undefined,
  type: TypeSpec,
  free?: ((pointer: bigint) => void) | null,
): TypeObject;
/**
 * Makes the type of a function, for use as `name *`.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a wrong declaration.
 */
export declare function proto(definition: string): TypeObject;
export declare function proto(result: TypeSpec, parameters: TypeSpec[]): TypeObject;
export declare function proto(name: string | null | undefined, result: TypeSpec, parameters: TypeSpec[]): TypeObject;
export declare function proto(
  convention: string,
  name: string | null | undefined,
  result: TypeSpec,
  parameters: TypeSpec[],
): TypeObject;
/**
 * Declares a parameter through which C gives a value.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is no pointer or
 *   text.
 */
export declare function out(type: TypeSpec): Direction;
/**
 * Declares a parameter through which C takes a value and gives one back.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is no pointer or
 *   text.
 */
export declare function inout(type: TypeSpec): Direction;

/**
 * The type object of a type.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is not known.
 */
export declare function type(type: TypeSpec): TypeObject;
/**
 * The same as {@link type}, whose errors are those of this function.
 * @deprecated Use {@link type}.
 */
export declare function resolve(type: TypeSpec): TypeObject;
/**
 * The same as {@link type}, whose errors are those of this function.
 * @deprecated Use {@link type}.
 */
export declare function introspect(type: TypeSpec): TypeObject;
/**
 * The size of a type in bytes.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is not known, or has
 *   no size.
 */
export declare function sizeof(type: TypeSpec): number;
/**
 * The alignment of a type in bytes.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is not known, or has
 *   no size.
 */
export declare function alignof(type: TypeSpec): number;
/**
 * The offset of a member of a struct or a union in bytes.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID if it has no such member.
 */
export declare function offsetof(type: TypeSpec, member: string): number;
/** The primitive types by name. */
export declare const types: Readonly<Record<string, TypeObject>>;

// ---- Libraries -----------------------------------------------------------------------------------------------------

/** A function of C. Variadic functions have no `async`. */
export interface KoffiFunction {
  (...values: any[]): any;
  /** Calls on another thread; the last argument is `(error, result) => void`. */
  async: (...values: [...any[], (error: any, result: any) => void]) => void;
  info: PrototypeInfo;
}

/** A function of C with the types of a function of TypeScript. */
export type KoffiFunc<T extends (...values: any) => any> = T & {
  async: (...values: [...Parameters<T>, (error: any, result: ReturnType<T>) => void]) => void;
  info: PrototypeInfo;
};

export interface LoadOptions {
  /** RTLD_LAZY instead of RTLD_NOW. */
  lazy?: boolean;
  /** RTLD_GLOBAL instead of RTLD_LOCAL. */
  global?: boolean;
  /** RTLD_DEEPBIND, where the system has it. */
  deep?: boolean;
  /** Whether the library runs in a separate process, as of pinned-ffi's dlopen(). koffi has no such option. */
  isolate?: boolean | IsolateOptions | IsolateGroup;
}

/** An open library. */
export declare class LibraryHandle {
  private constructor();
  /**
   * Binds a function.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `unload()`.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a wrong declaration.
   */
  func(definition: string): KoffiFunction;
  func(name: string, result: TypeSpec, parameters: TypeSpec[]): KoffiFunction;
  func(convention: string, name: string, result: TypeSpec, parameters: TypeSpec[]): KoffiFunction;
  /**
   * The address of a symbol.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `unload()`.
   * @throws ERR_INVALID_ARG_TYPE if the name is no string.
   */
  symbol(name: string, type?: TypeSpec): bigint;
  /**
   * Closes the library. Its functions throw ERR_FFI_LIBRARY_CLOSED from then on.
   * @throws ERR_FFI_LIBRARY_BUSY from inside a callback that a synchronous call of one of these functions is running.
   */
  unload(): void;
  /** @deprecated Use {@link LibraryHandle.func}. */
  cdecl: LibraryHandle['func'];
  /** @deprecated Use {@link LibraryHandle.func}. */
  stdcall: LibraryHandle['func'];
  /** @deprecated Use {@link LibraryHandle.func}. */
  fastcall: LibraryHandle['func'];
  /** @deprecated Use {@link LibraryHandle.func}. */
  thiscall: LibraryHandle['func'];
}

/**
 * Opens a library; `null` is the process itself.
 * @throws ERR_FFI_LIBRARY_NOT_FOUND, ERR_FFI_LIBRARY_INVALID if it cannot be opened.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for wrong arguments.
 * @throws ERR_FFI_ISOLATE_UNAVAILABLE, ERR_FFI_LIBRARY_DIED if it cannot be isolated, or ends its process.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function load(path: string | null, options?: LoadOptions): LibraryHandle;

// ---- Callbacks and memory ------------------------------------------------------------------------------------------

/**
 * Makes a function pointer that C may keep until {@link unregister}. `type` is `'prototype *'`.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a wrong function or type.
 * @throws ERR_FFI_NO_EXECUTABLE_MEMORY if the system provides none. ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function register(callback: (...values: any[]) => any, type: TypeSpec): bigint;
/** @deprecated Use `callback.bind(receiver)`. */
export declare function register(receiver: any, callback: (...values: any[]) => any, type: TypeSpec): bigint;
/**
 * Closes a function pointer. If C calls it later, it gets zero.
 * @throws ERR_FFI_CALLBACK_CLOSED if it is not registered, ERR_INVALID_ARG_TYPE if it is no BigInt.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function unregister(callback: bigint): void;
/**
 * Calls a function pointer.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID, ERR_OUT_OF_RANGE for wrong types
 *   and values.
 * @throws The errors of calls.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function call(pointer: bigint | number, type: TypeSpec, ...values: any[]): any;
/**
 * Passes a value to a `void *` as a value of a type.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type that is no pointer or
 *   text.
 */
export declare function as(value: any, type: TypeSpec): Cast;

type View = ArrayBufferView | ArrayBuffer | SharedArrayBuffer;
type Source = bigint | number | View | null;

/**
 * Allocates zeroed memory by C's calloc(), for `length` values; free it by {@link free}.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for a type without a size.
 * @throws ERR_OUT_OF_RANGE if the length is below 1, ERR_FFI_MEMORY_EXHAUSTED if there is no memory.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function alloc(type: TypeSpec, length: number): bigint;
/**
 * Frees memory by C's free(). Nothing happens for null.
 * @throws ERR_INVALID_ARG_TYPE if it is no pointer. ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function free(pointer: bigint | number | null | undefined): void;
/**
 * The address of a view, which is valid while the view lives; a pointer as it is, and 0n for null.
 * @throws ERR_INVALID_ARG_TYPE for other values. ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function address(value: Source | undefined): bigint;
/**
 * Native memory as an ArrayBuffer.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address or a length.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function view(pointer: bigint | number, length: number): ArrayBuffer;

type NumberDecoder = (pointer: Source) => number;
type WideDecoder = (pointer: Source) => number | bigint;
type TextReader = (pointer: Source, length?: number | bigint) => string | null;

/**
 * Reads values at a pointer or in a view. With a name, `decode.int(pointer)`, it reads that type.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for wrong arguments.
 * @throws ERR_OUT_OF_RANGE if a view is too small. ERR_ACCESS_DENIED under Node's permission model.
 */
export declare const decode: {
  (pointer: Source, type: TypeSpec, length?: number): any;
  (pointer: Source, offset: number, type: TypeSpec, length?: number): any;
} & Record<
  | 'char'
  | 'short'
  | 'int'
  | 'uchar'
  | 'ushort'
  | 'uint'
  | 'int8'
  | 'int16'
  | 'int32'
  | 'uint8'
  | 'uint16'
  | 'uint32'
  | 'float'
  | 'double'
  | 'int8le'
  | 'int8be'
  | 'int16le'
  | 'int16be'
  | 'int32le'
  | 'int32be'
  | 'uint8le'
  | 'uint8be'
  | 'uint16le'
  | 'uint16be'
  | 'uint32le'
  | 'uint32be',
  NumberDecoder
> &
  Record<
    'long' | 'longlong' | 'ulong' | 'ulonglong' | 'int64' | 'uint64' | 'int64le' | 'int64be' | 'uint64le' | 'uint64be',
    WideDecoder
  > &
  Record<'string' | 'string16' | 'string32' | 'wstring', TextReader>;

/**
 * Writes values at a pointer or into a view.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_FFI_DECLARATION_INVALID for wrong arguments.
 * @throws ERR_OUT_OF_RANGE if a view is too small, or a value does not fit.
 * @throws ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function encode(pointer: Source, type: TypeSpec, value: any, length?: number): void;
export declare function encode(pointer: Source, offset: number, type: TypeSpec, value: any, length?: number): void;

// ---- The system ----------------------------------------------------------------------------------------------------

export interface KoffiConfig {
  sync_stack_size?: number;
  sync_heap_size?: number;
  async_stack_size?: number;
  async_heap_size?: number;
  resident_async_pools?: number;
  max_async_calls?: number;
  max_type_size?: number;
}

/**
 * The settings of koffi. They are accepted and have no effect.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a setting that koffi does not have.
 */
export declare function config(settings?: KoffiConfig): Required<KoffiConfig>;
/** How many values were disposed, and how many callbacks are registered. */
export declare function stats(): { disposed: number; callbacks: number };
/** Forgets the names of types. */
export declare function reset(): void;
/**
 * errno of this thread; with a value, sets it.
 * @throws ERR_INVALID_ARG_TYPE if the value is no integer. ERR_ACCESS_DENIED under Node's permission model.
 */
export declare function errno(value?: number): number;
export declare const os: { readonly errno: Readonly<Record<string, number>> };
/** The extension of shared libraries, such as `'.so'`. */
export declare const extension: string;
/** The version of koffi whose interface this is. */
export declare const version: string;
