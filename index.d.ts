/**
 * Call native libraries from Node.js, with the interface of bun:ffi.
 *
 * Sizes, lengths and offsets are in bytes everywhere. Every error thrown here has one of the codes of
 * {@link FFIErrorCode}; the tags `@throws` name them. What cannot be checked is whether a declaration tells the truth
 * about the C function: if it does not, the call is undefined behaviour, as in C.
 *
 * @packageDocumentation
 */

/// <reference types="node" />

import type {
  AnyDefinitions,
  ArgumentAddition,
  CallbackDeclaration,
  CallbackProblem,
  Definitions,
  FunctionOfText,
  FunctionProblem,
  Linked,
  LinkedSet,
  LinkedSetProblem,
  LinkProblem,
  LooseDeclaration,
  SourcesProblem,
  SymbolsOf,
  TypeOfText,
  TypeProblem,
  TypeText,
  VariablesOf,
} from './types/cdef/sources.js';
import type {
  AggregateType,
  ArrayType,
  ArrayView,
  DeclaredField,
  DeclaredType,
  DeclaredValue,
  EnumerationType,
  FieldsIn,
  FieldsOut,
  FieldsView,
  FunctionType,
  Handle,
  InOutParameter,
  LiveView,
  OneOf,
  OpaqueType,
  OutParameter,
  OwnedText,
  PointerType,
  StructFields,
  StructType,
  UnionFields,
  UnionType,
} from './types/declared.js';
import type {
  Args,
  AsyncFn,
  AsyncSymbols,
  BoundFunction,
  BoundSymbols,
  CallbackArgs,
  CallbackFunction,
  CallbackRet,
  Fn,
  HasAsync,
  Ret,
} from './types/infer.js';
import type {
  AnyType,
  ArgumentType,
  CallbackArgumentType,
  ClosablePointer,
  DescribedArgument,
  Extra,
  FunctionPointerLike,
  HasPointer,
  In,
  Out,
  Pointer,
  PointerLike,
  ResultType,
  ReturnType,
  ScalarName,
  TagTable,
  View,
} from './types/table.js';

export type { Args, AsyncFn, AsyncSymbols, BoundFunction, BoundSymbols, CallbackArgs, CallbackRet, Fn, Ret };
export type { ArgumentType, CallbackArgumentType, DescribedArgument, ResultType, ReturnType, ScalarName };
export type { AggregateType, ArrayType, ArrayView, DeclaredField, DeclaredType, EnumerationType, FunctionType, Handle, LiveView };
export type { InOutParameter, OpaqueType, OutParameter, OwnedText, PointerType, StructType, UnionType };
export type { AnyDefinitions, ArgumentAddition, Definitions };
// Parts of what is inferred: the compiler names them in the declarations of a program that exports it.
export type { CallbackFunction, Extra, FieldsIn, FieldsOut, FieldsView, HasAsync, LooseDeclaration, OneOf };
export type { ClosablePointer, FunctionPointerLike, HasPointer, Pointer, PointerLike };

// ---- Types ---------------------------------------------------------------------------------------------------------

/**
 * The numeric tags of the types, under every name and alias: `FFIType.i32` is 5, and means the same in a declaration as
 * `'i32'`. The tags 0 to 21 are bun's.
 */
export declare const FFIType: TagTable;

/** A numeric tag, a value of the object {@link FFIType}. */
export type FFIType = TagTable[keyof TagTable];

/** A type as a declaration may give it: a name, an alias or a numeric tag. */
export type FFITypeOrString = AnyType;

// ---- Declarations --------------------------------------------------------------------------------------------------

/**
 * What is known about one C function. A key that is not listed here is an error.
 *
 * Written inside the call of {@link dlopen}, a declaration needs no `as const`. Written apart from it, it does.
 */
export interface FFIFunction {
  /** The types of the arguments, in order, alone or in a {@link DescribedArgument}. Left out: the function takes none. */
  readonly args?: readonly (ArgumentType | DescribedArgument)[];
  /** The type of the result, or `{ type: 'cstring', free: 'symbol' }` for a text to free. Left out: `'void'`. */
  readonly returns?: ResultType;
  /** Whether C takes more arguments than these: each is passed as `[type, value]`. Default: `false`. */
  readonly varargs?: boolean;
  /** The symbol's name in the library, where it differs from the key. */
  readonly name?: string;
  /** The address of the function, to use instead of looking the symbol up. */
  readonly ptr?: number | bigint;
  /** Whether the library may lack the symbol: it is then `null` instead of an error. Default: `false`. */
  readonly optional?: boolean;
  /**
   * Whether values are converted as in bun:ffi instead of being refused: integers wrap around and fractions are cut off,
   * what is not text becomes a number, `undefined` is NULL, text ends at its first NUL. Default: `false`.
   */
  readonly wrap?: boolean;
  /**
   * Whether a call may have any number of arguments, as in bun:ffi: those that are missing are `undefined`, those beyond
   * the declared ones are not looked at. Default: `false`.
   */
  readonly loose?: boolean;
  /** Accepted because bun:ffi accepts it; without effect on a function. */
  readonly threadsafe?: boolean;
  /**
   * Whether a view that has no fence is copied into fenced memory for the length of the call, and back, so that a write
   * beside it is an error too. C must not keep the address of such a view: that of the copy is gone after the call.
   * Default: `guard` of {@link DlopenOptions}, or `true` with PINNED_FFI_GUARD=1.
   */
  readonly guard?: boolean;
  /**
   * Whether every call runs on a thread of libuv's pool and returns a Promise of its result, as `.async(...)` does. What
   * is passed stays alive, and its buffers cannot be transferred, until it settles. Default: `false`.
   */
  readonly nonblocking?: boolean;
  /**
   * Whether the C function waits for threads of its own that call JSCallbacks: the call runs on a helper thread while the
   * JS thread serves those callbacks, and still returns its result directly. Default: `false`.
   */
  readonly threads?: boolean;
  /** Whether errno is cleared before each call, and {@link errno} kept from right after it. Default: `false`, or `true` where there is `fails`. */
  readonly errno?: boolean;
  /**
   * What tells from the result that the call failed: a function that returns true then, `'negative'` (below 0), `'null'`
   * (a NULL pointer) or `'nonzero'`. Such a call throws, or rejects with, the system error of errno as Node's own do:
   * `{ code: 'ENOENT', errno: -2, syscall: 'open', result: -1 }`. A function that has not set errno fails with
   * `{ code: 'ERR_FFI_CALL_FAILED', syscall: 'sqlite3_close', result: 5 }`. Default: nothing is a failure.
   */
  readonly fails?: Failure;
}

/** What tells a failure from the result: see {@link FFIFunction.fails}. */
export type Failure = ((result: any) => boolean) | 'negative' | 'null' | 'nonzero';

/** A declaration with the address, so that nothing is looked up: for {@link linkSymbols} and {@link CFunction}. */
export interface LinkedFunction extends Omit<FFIFunction, 'name' | 'optional'> {
  /** The address of the function. */
  readonly ptr: number | bigint;
  /** The type of the function as C text, such as `'int (int)'`, instead of `args` and `returns`. */
  readonly c?: string;
}

/** What C cannot say about a function that a text declares: an object that stands behind the text. See docs/cdef.md. */
export interface FFIAddition extends Omit<FFIFunction, 'args' | 'returns' | 'varargs'> {
  /** What is known about parameters, by their names in the text. */
  readonly args?: { readonly [parameter: string]: ArgumentAddition };
  /** The symbol that frees the result, a text, once it is copied. */
  readonly free?: string;
}

/**
 * C declarations: a text, a set that {@link cdef} has made, or an array of texts, sets and objects. A text sees what stands
 * before it.
 */
export type CDeclarations =
  | string
  | AnyDefinitions
  | CDeclarationList;

/**
 * An array of C texts, sets and objects. It is written so that an array matches, and the names of symbols are not taken for
 * those of an array's methods.
 */
export interface CDeclarationList {
  /** A text, a set, or an object of declarations and additions. */
  readonly [index: number]: string | AnyDefinitions | { readonly [name: string]: FFIFunction | FFIAddition | {} };
  /** What every array has. */
  [Symbol.iterator](): Iterator<unknown>;
}

/**
 * What {@link dlopen} and {@link cc} take: S, if it is right. Where it is not, the compiler says what is wrong: a text
 * that is not understood shows as `{ error: "unknown type 'foo_t' in 'int f(foo_t x)'" }`.
 */
export type Declarations<S> = [DeclarationProblem<S>] extends [never] ? S : DeclarationProblem<S>;
type DeclarationProblem<S> = SourcesProblem<S, FFIFunction, FFIAddition>;

/** Declarations by name. */
export type Symbols = { readonly [name: string]: FFIFunction };

/** Declarations by name, each with its address. */
export type LinkedSymbolDeclarations = { readonly [name: string]: LinkedFunction };

/** What is known about a function that C calls. A key that is not listed here is an error. */
export interface FFICallback {
  /** The types of the arguments that C gives, in order. Left out: none. */
  readonly args?: readonly CallbackArgumentType[];
  /** The type of the result that C wants. Left out: `'void'`. */
  readonly returns?: ReturnType;
  /**
   * Whether a native thread other than the JS thread that calls it goes on at once, with a zeroed result. Default: `false`,
   * such a thread waits for the real result.
   */
  readonly threadsafe?: boolean;
  /** Whether the result is converted as in bun:ffi instead of being refused: see {@link FFIFunction.wrap}. Default: `false`. */
  readonly wrap?: boolean;
}

// ---- Libraries -----------------------------------------------------------------------------------------------------

/** What {@link linkSymbols} returns: bound functions that can be closed together. */
export interface LinkedSymbols<S> {
  /** The bound functions, under the names of their declarations. */
  readonly symbols: BoundSymbols<SymbolsOf<S>>;
  /** The file that was really opened, `null` for the process itself and for functions by address. */
  readonly path: string | null;
  /** A native thread of its own for these functions: for libraries that want every call on one thread. */
  thread(): LibraryThread<S>;
  /**
   * The calls of these functions that the flight recorder keeps, newest last: those among the last 64 of the process, and
   * of all threads. Empty unless the process was started with `PINNED_FFI_TRACE=1`. Works after `close()`.
   */
  trace(): TracedCall[];
  /**
   * Closes the functions: a later call throws ERR_FFI_LIBRARY_CLOSED. Closing again does nothing. A library is unloaded
   * now or, while asynchronous calls are under way, when they are done: then a Promise tells when.
   * @throws ERR_FFI_LIBRARY_BUSY from inside a callback that a synchronous call of one of these functions is running.
   */
  close(): void | Promise<void>;
  /** The same as {@link LinkedSymbols.close} without waiting, for `using`. */
  [Symbol.dispose](): void;
  /** The same as {@link LinkedSymbols.close}, for `await using`: it waits for the calls that are under way. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A call that the flight recorder keeps: see {@link LinkedSymbols.trace}. Long texts are cut. */
export interface TracedCall {
  /** The name of the function in its declaration. */
  symbol: string;
  /** The file of the library, or what stands for it where it has none. */
  library: string;
  /** For each argument its declared type and the kind of what was passed, never its content: `'ptr: a Buffer of 8 bytes'`. */
  arguments: string[];
  /** The file, line and column that made the call, with colons between; `'unknown'` where the engine does not tell. */
  site: string;
  /**
   * `'inside'` while the call is under way; `'threw'` if it ended in an exception, before C was entered or after. An
   * asynchronous call has `'returned'` as soon as C has, however its Promise settles.
   */
  state: 'inside' | 'returned' | 'threw';
  /**
   * The thread on which C ran: `'main'`, `'worker N'` with its threadId, `'pool'` for libuv's, `'thread'` for that of
   * `thread()`, `'helper'` for that of `threads: true`.
   */
  thread: string;
  /** Whether it was a call of `.async(...)`, `nonblocking: true` or `thread()`; it is recorded from when it runs. */
  async: boolean;
}

/** A native thread for the functions of a library: what {@link LinkedSymbols.thread} returns. */
export interface LibraryThread<S> {
  /**
   * The functions, each of which returns a Promise. The calls run on this thread one after the other, in the order in
   * which they were made. What is passed stays alive, and its buffers cannot be transferred, until the Promise settles.
   */
  readonly symbols: AsyncSymbols<SymbolsOf<S>>;
  /**
   * Ends the thread after the calls that were handed to it. A later call rejects with ERR_FFI_THREAD_CLOSED. Closing again
   * does nothing. The library stays open.
   */
  close(): void;
  /** The same as {@link LibraryThread.close}, for `using`. */
  [Symbol.dispose](): void;
}

/** An open library: what {@link dlopen} and {@link cc} return. It stays open until it is closed. */
export interface Library<S> extends LinkedSymbols<S> {
  /**
   * A live accessor of a global variable.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `close()`.
   */
  global<const T extends AnyType | DeclaredField>(name: string, type: T): Global<T>;
  /**
   * A live accessor of a global variable that the library's C text declares: `extern char *optarg;`.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `close()`.
   */
  global<const Name extends keyof VariablesOf<S> & string>(name: Name): Global<VariablesOf<S>[Name]>;
  /**
   * Binds one more function.
   *
   * @example
   * ```js
   * const abs = libc.function('int abs(int)');
   * ```
   *
   * @param declaration Its prototype. It sees the types of the text with which the library was opened.
   * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `close()`.
   */
  function<const T extends string>(declaration: [FunctionProblem<T, S>] extends [never] ? T : FunctionProblem<T, S>): Fn<FunctionOfText<T, S>>;
}

/** A global variable of a library. */
export interface Global<T> {
  /** Its address. */
  readonly ptr: Pointer<T>;
  /** Its value, read and written now. */
  get value(): Out<T>;
  /** Writes it, under the rules for an argument of this type. */
  set value(value: In<T>);
  /** The same as reading `value`. */
  get(): Out<T>;
  /** The same as writing `value`. */
  set(value: In<T>): void;
  /** Accessors over a struct, a union or an array, without a copy. */
  view(): View<T>;
}

/** How {@link dlopen} opens a library. */
export interface DlopenOptions {
  /**
   * Bits of `os.constants.dlopen`, RTLD_LAZY for one. 0 is the default: RTLD_NOW | RTLD_LOCAL, and RTLD_DEEPBIND for a library that
   * brings its own copy of what Node exports (PINNED_FFI_DEEPBIND=0 or 1 decides for all). Windows has none.
   */
  readonly flags?: number;
  /** `guard` of every declaration that does not say. Default: `false`, or `true` with PINNED_FFI_GUARD=1. */
  readonly guard?: boolean;
}

/**
 * Opens a shared library and binds functions of it.
 *
 * Calls of the bound functions throw ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE and ERR_OUT_OF_RANGE for arguments,
 * ERR_FFI_CALLBACK_CLOSED for a closed callback, ERR_FFI_LIBRARY_CLOSED after `close()`, ERR_FFI_BUFFER_OVERFLOW and
 * ERR_FFI_BUFFER_UNDERFLOW where C wrote outside of a view that was passed, and whatever a callback threw. Asynchronous
 * calls, those of `.async(...)`, `nonblocking: true` and `thread()`, reject their Promise with the same.
 *
 * @example
 * ```js
 * const { symbols, close } = dlopen('m', 'double pow(double x, double y);');
 * symbols.pow(2, 10); // 1024
 * close();
 *
 * dlopen('m', { pow: { args: ['f64', 'f64'], returns: 'f64' } }).symbols.pow(2, 10); // 1024
 * ```
 *
 * @param path A path, a `file:` URL, a bare name (`'sqlite3'` finds libsqlite3.so.0), or `null` for the process itself.
 * @param symbols What to bind: declarations by name, or C text. See {@link CDeclarations}.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood; the message shows the line.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong argument, an unknown key or type in a declaration.
 * @throws ERR_FFI_LIBRARY_NOT_FOUND if there is no such library; the error's `tried` lists where it was looked for.
 * @throws ERR_FFI_LIBRARY_INVALID if the file cannot be loaded: another format or architecture, a missing dependency.
 * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks a symbol that is not `optional`.
 */
export declare function dlopen<const S extends Symbols | CDeclarations>(
  path: string | URL | null,
  symbols: Declarations<S>,
  options?: DlopenOptions,
): Library<S>;

/**
 * Binds functions whose addresses are known. The library they come from must stay loaded as long as they are called.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration, a missing `ptr` among them.
 * @throws ERR_OUT_OF_RANGE for a `ptr` that is not an address.
 */
export declare function linkSymbols<const S extends LinkedSymbolDeclarations>(
  symbols: [LinkedSetProblem<S, LinkedFunction>] extends [never] ? S : LinkedSetProblem<S, LinkedFunction>,
): LinkedSymbols<LinkedSet<S>>;

/** A bound function that is closed by itself: what {@link CFunction} returns. */
export interface ClosableFunction {
  /**
   * Closes the function: a later call throws ERR_FFI_LIBRARY_CLOSED. Closing again does nothing. While asynchronous calls
   * are under way, a Promise tells when they are done.
   * @throws ERR_FFI_LIBRARY_BUSY from inside a callback that a synchronous call of it is running.
   */
  close(): void | Promise<void>;
  /** The same as {@link ClosableFunction.close}, for `using`. */
  [Symbol.dispose](): void | Promise<void>;
}

/**
 * Binds one function whose address is known.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration, a missing `ptr` among them.
 * @throws ERR_OUT_OF_RANGE for a `ptr` that is not an address.
 */
export declare function CFunction<const D extends LinkedFunction>(
  declaration: [LinkProblem<D, LinkedFunction>] extends [never] ? D : LinkProblem<D, LinkedFunction>,
): Fn<Linked<D>> & ClosableFunction;

/** What {@link cc} compiles, and what it binds of the result. */
export interface CCOptions<S> {
  /** Paths or `file:` URLs of C files, or C text: one of them, or several that are compiled together. */
  readonly source: string | URL | readonly (string | URL)[];
  /** What to bind: declarations by name, or C text. See {@link CDeclarations}. */
  readonly symbols: S;
  /** Libraries to link with: names (`'m'` is the compiler's `-lm`) or paths. */
  readonly library?: string | readonly string[];
  /** Folders of headers: the compiler's `-I`. */
  readonly include?: string | readonly string[];
  /** Macros: the compiler's `-D`. */
  readonly define?: Readonly<Record<string, string>>;
  /** Further arguments for the compiler; a string is split at white space. */
  readonly flags?: string | readonly string[];
}

/**
 * Compiles C with the system's compiler and opens the result. It is kept by a hash of everything that went in, so the
 * same source is compiled once.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong option or declaration.
 * @throws ERR_FFI_COMPILER_NOT_FOUND if there is no C compiler.
 * @throws ERR_FFI_COMPILE_FAILED with the compiler's diagnostics.
 * @throws ERR_FFI_SYMBOL_NOT_FOUND if the source does not define a symbol that is not `optional`.
 */
export declare function cc<const S extends Symbols | CDeclarations>(options: CCOptions<Declarations<S>>): Library<S>;

/**
 * Parses C declarations once, for use by other texts.
 *
 * @example
 * ```js
 * const time = cdef('struct point { int x, y; };');
 * time.types.point.size; // 8
 * sizeof([time, 'struct point']); // 8
 * ```
 *
 * @param text C text, a set, or an array of texts and sets.
 * @throws ERR_INVALID_ARG_TYPE for what is neither.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood; the message shows the line.
 */
export declare function cdef<const S extends string | AnyDefinitions | readonly (string | AnyDefinitions)[]>(
  text: [SourcesProblem<S, never, never>] extends [never] ? S : SourcesProblem<S, never, never>,
): Definitions<S>;

// ---- Callbacks -----------------------------------------------------------------------------------------------------

/** A JS function that C can call, made by `new JSCallback(fn, declaration)`. */
export interface JSCallback extends ClosablePointer {
  /** The address for C, `null` after {@link JSCallback.close}. */
  readonly ptr: Pointer | null;
  /** Whether it was declared `threadsafe`. */
  readonly threadsafe: boolean;
  /** Keeps the process alive while native threads may still call it; the default is that it does not. Returns this. */
  ref(): this;
  /** Takes {@link JSCallback.ref} back. Returns this. */
  unref(): this;
  /**
   * Lets go of the function. A call that C still makes gets zero, and a process warning says so once (`FFIWarning`, code
   * ERR_FFI_CALLBACK_CLOSED). May be called from inside the function. Closing again does nothing.
   */
  close(): void;
  /** The same as {@link JSCallback.close}, for `using`. */
  [Symbol.dispose](): void;
  /** The address, so that `+callback` and template strings give it. */
  [Symbol.toPrimitive](): Pointer | null;
}

/** The constructor of {@link JSCallback}. */
export interface JSCallbackConstructor {
  /**
   * Makes a JS function callable by C. It stays callable, and is not collected, until `close()`.
   *
   * What `callback` returns is checked like an argument. If it throws, C gets a zeroed result, and the error surfaces
   * from the call into C that was under way; where there is none, as an uncaught exception.
   *
   * A native thread other than the JS thread may call it too: it waits until the JS thread has run the function, unless
   * the declaration says `threadsafe: true`. Then alone `callback` may return a Promise, whose value is the result: on
   * the JS thread a Promise is refused with ERR_INVALID_ARG_TYPE.
   *
   * @example
   * ```js
   * const compare = new JSCallback((a, b) => read.f64(a) - read.f64(b), 'int (*)(const void *, const void *)');
   * new JSCallback((a, b) => read.f64(a) - read.f64(b), { args: ['ptr', 'ptr'], returns: 'i32' }); // the same
   * ```
   *
   * @param callback The function; its parameters and result follow from the declaration.
   * @param declaration The C type of the function, or of a pointer to one: an object, or C text.
   * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong argument, an unknown key or type in a declaration.
   */
  new <const D extends FFICallback | TypeText>(
    callback: CallbackFunction<CallbackDeclaration<D>>,
    declaration: [CallbackProblem<D, FFICallback>] extends [never] ? D : CallbackProblem<D, FFICallback>,
  ): JSCallback;
  /** What all callbacks inherit from. */
  readonly prototype: JSCallback;
}

/** A JS function that C can call. */
export declare const JSCallback: JSCallbackConstructor;

// ---- Memory --------------------------------------------------------------------------------------------------------

/**
 * The address of a view's bytes. It is valid as long as the view lives: keep the view, not only the address. To pass a
 * view to a function, pass the view itself; this is for addresses that are stored.
 *
 * @param view A typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer.
 * @param byteOffset Bytes to add, at most the view's byteLength. Default: 0.
 * @throws ERR_INVALID_ARG_TYPE if it is something else.
 * @throws ERR_INVALID_ARG_VALUE if the view is empty, detached or resizable.
 * @throws ERR_OUT_OF_RANGE if the offset lies outside the view.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime refuses to move a small view out of its heap.
 */
export declare function ptr(view: ArrayBufferView | ArrayBufferLike | LiveView, byteOffset?: number): Pointer;

/** How {@link alloc} allocates. */
export interface AllocOptions {
  /** The alignment in bytes: a power of two from 1 to 1048576 (2 ** 20). Default: 16. */
  readonly align?: number;
}

/**
 * A zeroed Buffer over new memory outside of V8's heap, with a fence before and after it. The memory lives as long as the
 * Buffer or another view of it; then it is freed. Its address never changes.
 *
 * @param size The length in bytes; 0 gives an empty Buffer.
 * @throws ERR_INVALID_ARG_TYPE if an argument is not a number or the options no object.
 * @throws ERR_INVALID_ARG_VALUE for an unknown option.
 * @throws ERR_OUT_OF_RANGE for a size that is no length or an alignment that is not such a power.
 * @throws ERR_FFI_MEMORY_EXHAUSTED if the memory cannot be had.
 */
export declare function alloc(size: number, options?: AllocOptions): Buffer;

/** Holds a view where it is: what {@link pin} returns. */
export interface Pin {
  /** The address of the view's first byte; `null` once released. */
  readonly ptr: Pointer | null;
  /** The bytes of the view; 0 once released. */
  readonly byteLength: number;
  /** Lets the view go: C must not use the address any more. Releasing again does nothing. */
  release(): void;
  /** The same as {@link Pin.release}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Holds a view for C to keep its address between calls: until `release()` it is neither collected, even if the Pin
 * itself is dropped, nor can its buffer be transferred. On Node 20 and 22 `postMessage` and `structuredClone` do not
 * transfer it after that either.
 *
 * @param view A typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer of more than 0 bytes.
 * @throws ERR_INVALID_ARG_TYPE if it is something else.
 * @throws ERR_INVALID_ARG_VALUE if the view is empty, detached or resizable.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime refuses to move a small view out of its heap.
 */
export declare function pin(view: ArrayBufferView | ArrayBufferLike): Pin;

/** What {@link fences} tells. All numbers but the counts are bytes. */
export interface Fences {
  /** Whether the buffers that Node allocates have fences. Those of {@link alloc} have them always. */
  readonly installed: boolean;
  /** Why they have none: the runtime or platform is not verified, or PINNED_FFI_FENCE=off. */
  readonly reason?: string;
  /** The width of the fence before each buffer, in bytes: 64 if PINNED_FFI_FENCE does not say. */
  readonly before: number;
  /** The width of the fence past each buffer, in bytes: 128 if PINNED_FFI_FENCE does not say. */
  readonly after: number;
  /** Memory that is held for a while after it was freed, since its address was given out: late writes hit nothing else. */
  readonly quarantine: {
    /** The most bytes that are held: 16777216 if PINNED_FFI_QUARANTINE does not say; 0 is none. */
    readonly bytes: number;
    /** The most blocks that are held: 4096 if PINNED_FFI_QUARANTINE does not say. */
    readonly count: number;
    /** The bytes that are held now. */
    readonly heldBytes: number;
    /** The blocks that are held now. */
    readonly heldCount: number;
  };
}

/** The state of the fences around buffers, as a copy. */
export declare function fences(): Fences;

/**
 * Checks every fence and the quarantine of the process, whole: it takes time in proportion to their bytes. Each breach is
 * repaired and becomes a process warning, an {@link FFIWarning}.
 * @returns How many were broken.
 */
export declare function checkFences(): number;

/**
 * Reads one value from native memory, which need not be aligned.
 * @param ptr Where, as an address. The memory must be readable: that cannot be checked.
 * @param byteOffset Bytes to add to it. Default: 0.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address or an offset.
 */
export type Reader<Value> = (ptr: number | bigint, byteOffset?: number) => Value;

/**
 * Writes one value to native memory, which need not be aligned.
 * @param ptr Where, as an address. The memory must be writable: that cannot be checked.
 * @param byteOffset Bytes to add to it.
 * @param value The value, under the rules for an argument of this type. Of a view, the address is written: keep it.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument.
 */
export type Writer<Value> = (ptr: number | bigint, byteOffset: number, value: Value) => void;

/**
 * Reads from native memory, a function per scalar type: `read.i32(ptr, 4)`.
 * `read.intptr` is bun's: a pointer-sized signed integer, a number where it is exact, else a bigint.
 */
export declare const read: { readonly [Name in ScalarName]: Reader<Out<Name>> } & {
  readonly intptr: Reader<Out<'i64_fast'>>;
};

/** Writes to native memory, a function per scalar type: `write.i32(ptr, 4, 7)`. */
export declare const write: { readonly [Name in ScalarName]: Writer<In<Name>> } & {
  readonly intptr: Writer<In<'i64_fast'>>;
};

/** The type of {@link CString}, which can be called with and without `new`. */
export interface CStringConstructor {
  /** For programs written for bun:ffi. JavaScript makes a String object of what `new` gives: compare it with `==`. */
  new (ptr: number | bigint | null, byteOffset?: number, byteLength?: number): string;
  /** Gives a primitive string. */
  (ptr: number | bigint | null, byteOffset?: number, byteLength?: number): string;
}

/**
 * Copies a UTF-8 string out of native memory. NULL gives `''`. Call it without `new` to get a primitive string.
 *
 * @param ptr Where, as an address.
 * @param byteOffset Bytes to add to it. Default: 0.
 * @param byteLength The length in bytes. Left out: up to the first NUL byte.
 * @throws ERR_FFI_INVALID_POINTER for addresses below 4096 other than NULL.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
 */
export declare const CString: CStringConstructor;

/** What {@link CString} gives. */
export type CString = string;

/**
 * What gives native memory back: a `void (*)(void *bytes, void *context)`, by address or as a bound function. It is
 * called once the memory's Buffer has been collected, maybe on another thread; so it is never a JSCallback.
 */
export type Deallocator = number | bigint | BoundFunction;

/**
 * A Buffer over native memory, without a copy. The memory must stay valid as long as the Buffer is used.
 *
 * @param ptr Where, as an address.
 * @param byteOffset Bytes to add to it. Default: 0.
 * @param byteLength The length in bytes, more than 0. Left out: up to the first NUL byte.
 * @param deallocator What gives the memory back when the Buffer has been collected. Left out: nothing does.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime does not allow memory of others under a Buffer.
 */
export declare function toBuffer(
  ptr: number | bigint,
  byteOffset?: number,
  byteLength?: number,
  deallocator?: Deallocator,
): Buffer;
/**
 * A Buffer over native memory, given back by a deallocator that needs a context.
 * @param context What the deallocator gets as its second argument.
 */
export declare function toBuffer(
  ptr: number | bigint,
  byteOffset: number | undefined,
  byteLength: number | undefined,
  context: number | bigint | null | undefined,
  deallocator: Deallocator,
): Buffer;

/**
 * An ArrayBuffer over native memory, without a copy. The memory must stay valid as long as the ArrayBuffer is used.
 * Parameters and errors are those of {@link toBuffer}.
 */
export declare function toArrayBuffer(
  ptr: number | bigint,
  byteOffset?: number,
  byteLength?: number,
  deallocator?: Deallocator,
): ArrayBuffer;
/**
 * An ArrayBuffer over native memory, given back by a deallocator that needs a context.
 * @param context What the deallocator gets as its second argument.
 */
export declare function toArrayBuffer(
  ptr: number | bigint,
  byteOffset: number | undefined,
  byteLength: number | undefined,
  context: number | bigint | null | undefined,
  deallocator: Deallocator,
): ArrayBuffer;

// ---- Types of your own -----------------------------------------------------------------------------------------------

/** How {@link struct} lays its fields out. */
export interface StructOptions {
  /** What messages call it. */
  readonly name?: string;
  /** The widest alignment of a field: `true` is 1. */
  readonly packed?: boolean | number;
  /** The least alignment of the whole. */
  readonly align?: number;
}

/**
 * Declares a C struct. By value, plain objects go in and come out; `view` and `alloc` give accessors over memory.
 *
 * @example
 * ```js
 * const Point = struct({ x: 'f64', y: 'f64' });
 * const { symbols } = dlopen('geometry', { distance: { args: [Point, Point], returns: 'f64' } });
 * symbols.distance({ x: 0, y: 0 }, { x: 3, y: 4 });
 * ```
 *
 * @param fields A type for each field, in order; `{ type, bits }` for a bitfield, which is never passed by value.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function struct<const F extends StructFields>(fields: F, options?: StructOptions): StructType<F>;
/**
 * Declares a C struct by C text.
 *
 * @example
 * ```js
 * const Point = struct('struct point { int x, y; }');
 * Point.alloc({ x: 1, y: 2 });
 * ```
 *
 * @param text The struct, or an array of sets and texts of which the last is the struct.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function struct<const T extends TypeText>(text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>): TypeOfText<T>;

/**
 * Declares a C union: an object with one of the fields goes in, a view of all of them comes out.
 *
 * @param fields A type for each field.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function union<const F extends UnionFields>(
  fields: F,
  options?: Omit<StructOptions, 'packed'>,
): UnionType<F>;
/**
 * Declares a C union by C text: `union('union number { double d; long long i; }')`.
 *
 * @param text The union, or an array of sets and texts of which the last is the union.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function union<const T extends TypeText>(text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>): TypeOfText<T>;

/**
 * Declares a C array, for fields, globals and memory. An argument of that kind is a {@link pointer} in C.
 *
 * @param type The type of an element.
 * @param length The number of elements, not of bytes: 1 to 2 ** 32 - 1.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function array<const T extends AnyType | DeclaredField>(type: T, length: number): ArrayType<T>;

/**
 * Declares a pointer to a type. A view that is passed must have the bytes of one value at least, and a {@link Pointer} that
 * is known to be one to another type does not compile.
 *
 * @param type What it points to; for a type that is not yet there, as in a linked list, a function that gives it. Of such
 *   a pointer the compiler does not know the type.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is no type.
 */
export declare function pointer<const T extends AnyType | DeclaredField>(type: T): PointerType<T>;
/**
 * Declares a pointer to a type that is declared later.
 * @param type What gives the type.
 */
export declare function pointer(type: () => any): PointerType;

/**
 * Declares a parameter through which C gives a value back: see {@link Ret}. Nobody passes it: the call has fenced memory
 * for it, as long as it lasts.
 *
 * @param type The type of the value, not that of the pointer to it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is no type of values in memory.
 */
export declare function out<const T extends AnyType | DeclaredField>(type: T): OutParameter<T>;

/**
 * Declares a parameter through which C takes a value and gives one back: see {@link Ret}.
 *
 * @param type The type of the value, not that of the pointer to it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is no type of values in memory.
 */
export declare function inout<const T extends AnyType | DeclaredField>(type: T): InOutParameter<T>;

/**
 * Declares integers with names: names or numbers go in, numbers come out, or with `names: true` names.
 *
 * @param members The integers by name.
 * @param options `type` is the integer type in C, `'i32'` if not given; `name` is what messages call it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function enumeration<
  const M extends { readonly [name: string]: number | bigint },
  const Named extends boolean = false,
>(
  members: M,
  options?: { readonly type?: AnyType; readonly names?: Named; readonly name?: string },
): EnumerationType<M, Named>;

/** How {@link opaque} relates a type to others. */
export interface OpaqueOptions<Base extends string> {
  /** A type in whose place this one may be passed. */
  readonly base?: OpaqueType<Base>;
  /** A type whose handle, passed to the call that gave one of this type, owns it: with its end this one ends. */
  readonly owner?: OpaqueType<any>;
  /** The functions that free a handle: from the beginning of such a call on it is refused, unless its `fails` says it has failed. */
  readonly free?: string | readonly string[];
}

/**
 * Declares pointers that only C looks into. Those of one type are not taken for those of another. A handle is refused from
 * the call on that frees it, or frees its owner: such a call throws ERR_FFI_INVALID_POINTER.
 *
 * @param name What messages and the compiler call it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 */
export declare function opaque<const Name extends string, const Base extends string = never>(
  name: Name,
  options?: OpaqueOptions<Base>,
): OpaqueType<Name | Base>;

/**
 * Declares a function pointer. One that C gives is callable; a JS function that is passed lives for the call: C must not
 * keep it. For one that C keeps, pass a {@link JSCallback}.
 *
 * @param declaration The C type of the function, or of a pointer to one: an object, or C text such as `'int (*)(int)'`.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 */
export declare function fn<const D extends FFICallback | TypeText>(
  declaration: [CallbackProblem<D, FFICallback>] extends [never] ? D : CallbackProblem<D, FFICallback>,
): FunctionType<CallbackDeclaration<D>>;

/**
 * The bytes of a value of a type, as C's `sizeof` on this platform.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is no type of values in memory.
 */
export declare function sizeof(type: AnyType | DeclaredType): number;
/**
 * The same of a C type: `sizeof('struct point')`. A name of the package's own table means what it means elsewhere.
 *
 * @param text The type, or an array of sets and texts of which the last is the type.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function sizeof<const T extends TypeText>(text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>): number;

/**
 * The alignment of a type, in bytes, as C's `alignof` on this platform.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what is no type of values in memory.
 */
export declare function alignof(type: AnyType | DeclaredType): number;
/**
 * The same of a C type: `alignof('struct point')`. A name of the package's own table means what it means elsewhere.
 *
 * @param text The type, or an array of sets and texts of which the last is the type.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function alignof<const T extends TypeText>(text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>): number;

/**
 * Where a field of a struct or union lies, in bytes from its start, as C's `offsetof` on this platform.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for what has no such field; a bitfield has no offset.
 */
export declare function offsetof<F>(type: StructType<F> | UnionType<F>, field: keyof F & string): number;

// ---- Platform and errors -------------------------------------------------------------------------------------------

/** The file extension of shared libraries on this platform, without a dot. */
export declare const suffix: 'so' | 'dylib' | 'dll';

/** The `code` of an error. docs/errors.md says of each what to do about it. */
export type FFIErrorCode =
  /** TypeError: an argument of the wrong kind. */
  | 'ERR_INVALID_ARG_TYPE'
  /** TypeError: the right kind, a wrong value; also a wrong number of arguments, and faults in a declaration. */
  | 'ERR_INVALID_ARG_VALUE'
  /** RangeError: a number that its type cannot hold. */
  | 'ERR_OUT_OF_RANGE'
  /** Error: `pinned-ffi/bun` could not open a library; `cause` is the error of this entry. */
  | 'ERR_DLOPEN_FAILED'
  /** Error: no native addon for this platform. */
  | 'ERR_FFI_ADDON_NOT_FOUND'
  /** RangeError: native code wrote past the end of a buffer. */
  | 'ERR_FFI_BUFFER_OVERFLOW'
  /** RangeError: native code wrote before the start of a buffer. */
  | 'ERR_FFI_BUFFER_UNDERFLOW'
  /** Error: a JSCallback that was closed was passed. */
  | 'ERR_FFI_CALLBACK_CLOSED'
  /** Error: a C function failed, by what its declaration's `fails` says, and has not set errno. */
  | 'ERR_FFI_CALL_FAILED'
  /** Error: C called a callback on the stack of a coroutine. */
  | 'ERR_FFI_CALLBACK_STACK'
  /** Error: the C compiler found faults; the message holds its diagnostics. */
  | 'ERR_FFI_COMPILE_FAILED'
  /** Error: `cc` found no C compiler. */
  | 'ERR_FFI_COMPILER_NOT_FOUND'
  /** Error: C text that is not understood; the message shows the line, `line` and `column` count from 1. */
  | 'ERR_FFI_DECLARATION_INVALID'
  /** Error: a C function pointer needs executable memory, which the system refuses. */
  | 'ERR_FFI_NO_EXECUTABLE_MEMORY'
  /** Error: the runtime refuses memory outside its heap under a buffer. */
  | 'ERR_FFI_EXTERNAL_REFUSED'
  /** Error: a fault of this package; please report it. */
  | 'ERR_FFI_INTERNAL'
  /** RangeError: NULL, an address below 4096 or, with PINNED_FFI_GUARD=1, one not mapped, where memory was to be used. */
  | 'ERR_FFI_INVALID_POINTER'
  /** Error: `close()` from inside a callback that the library is running. */
  | 'ERR_FFI_LIBRARY_BUSY'
  /** Error: a call after `close()` of the library or function. */
  | 'ERR_FFI_LIBRARY_CLOSED'
  /** Error: the file exists and cannot be loaded. */
  | 'ERR_FFI_LIBRARY_INVALID'
  /** Error: no such library; `tried` lists where it was looked for. */
  | 'ERR_FFI_LIBRARY_NOT_FOUND'
  /** RangeError: native memory could not be had. */
  | 'ERR_FFI_MEMORY_EXHAUSTED'
  /** Error: the library lacks a symbol. */
  | 'ERR_FFI_RUNTIME_UNSUPPORTED'
  | 'ERR_FFI_SYMBOL_NOT_FOUND'
  /** Error: a call was handed to a `thread()` after its `close()`. */
  | 'ERR_FFI_THREAD_CLOSED';

/** An error of this package: a TypeError, RangeError or Error with a code. */
export interface FFIError extends Error {
  /** What went wrong, for programs: it stays the same where a message changes. */
  readonly code: FFIErrorCode;
  /** With ERR_FFI_DECLARATION_INVALID: the line in the C text, from 1. */
  readonly line?: number;
  /** With ERR_FFI_DECLARATION_INVALID: the column in that line, from 1. */
  readonly column?: number;
  /** With ERR_FFI_LIBRARY_NOT_FOUND: the paths and names that were tried, in order. */
  readonly tried?: readonly string[];
  /** With ERR_FFI_BUFFER_OVERFLOW, _UNDERFLOW and ERR_FFI_SYMBOL_NOT_FOUND: the name of the C function or variable. */
  readonly symbol?: string;
  /** With ERR_FFI_BUFFER_OVERFLOW, _UNDERFLOW: the index of the argument. */
  readonly argument?: number;
  /** With ERR_FFI_BUFFER_OVERFLOW, _UNDERFLOW: the bytes of the view that was passed. */
  readonly byteLength?: number;
  /** With ERR_FFI_BUFFER_OVERFLOW, _UNDERFLOW: where the first wrong byte is, from the view's first; negative before it. */
  readonly firstBadOffset?: number;
  /** With ERR_FFI_BUFFER_OVERFLOW, _UNDERFLOW: how many bytes beyond the view the write reached. */
  readonly bytesPast?: number;
}

/** A process warning of this package: what `process.on('warning')` gets when no call is there to throw. */
export interface FFIWarning extends Error {
  /** Tells it from the warnings of others. */
  readonly name: 'FFIWarning';
  /** What went wrong; warnings of settings have none. */
  readonly code?: 'ERR_FFI_BUFFER_OVERFLOW' | 'ERR_FFI_BUFFER_UNDERFLOW' | 'ERR_FFI_CALLBACK_CLOSED';
  /** Of a broken fence: found by {@link checkFences}, when the memory was freed, or after that. */
  readonly found?: 'checked' | 'freed' | 'quarantine';
  /** Of a broken fence: the bytes of the buffer. */
  readonly byteLength?: number;
  /** Of a broken fence: where the first wrong byte is, from the buffer's first; negative before it. */
  readonly firstBadOffset?: number;
  /** Of a broken fence: how many bytes beyond the buffer the write reached. */
  readonly bytesPast?: number;
  /** Of a broken fence: the function that the buffer's address was last given to; `null` if none is known. */
  readonly symbol?: string | null;
}

/**
 * C's errno (GetLastError on Windows) right after the last call of this thread whose declaration says `errno: true` or
 * has `fails`. After an asynchronous call: what its thread had, from when its Promise settles until the next one does, so
 * in what follows its `await`. A positive number, as C has it; 0 where the function has not set it, and before the first
 * such call.
 */
export declare function errno(): number;
