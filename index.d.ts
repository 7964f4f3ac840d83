/**
 * Call native libraries from Node.js, with the interface of bun:ffi.
 *
 * Sizes, lengths and offsets are in bytes. Every error has one of the codes of {@link FFIErrorCode}; the tags `@throws`
 * name them. A declaration cannot be verified: if it differs from the C function, the call is undefined behaviour, as
 * in C.
 *
 * @packageDocumentation
 */

/// <reference types="node" />

import type {
  AnyDefinitions,
  ArgumentAddition,
  CallbackDeclaration,
  CallbackProblem,
  ConstantsOf,
  Definitions,
  FunctionOfText,
  FunctionProblem,
  LinkProblem,
  Linked,
  LinkedSet,
  LinkedSetProblem,
  LooseDeclaration,
  SourcesProblem,
  SymbolsOf,
  TypeOfText,
  TypeProblem,
  TypeText,
  TypesOf,
  VariablesOf,
} from './types/cdef/sources.js';
import type {
  AggregateType,
  ArrayType,
  ArrayView,
  DeclaredField,
  DeclaredType,
  DeclaredValue,
  EnumerationMembers,
  EnumerationType,
  FieldsIn,
  FieldsOut,
  FieldsView,
  FlexibleArray,
  FlexibleFields,
  FlexibleType,
  FlexibleView,
  FunctionType,
  Handle,
  InOutParameter,
  LiveView,
  PassedView,
  OneOf,
  OpaqueType,
  OutParameter,
  OwnedText,
  PlainTarget,
  PointerType,
  StructFields,
  StructType,
  TextType,
  UnionFields,
  UnionType,
  ZeroedStructType,
} from './types/declared.js';
import type {
  Abortable,
  Args,
  AsyncFn,
  AsyncSymbols,
  BoundFunction,
  BoundSymbols,
  CallbackArgs,
  CallbackFunction,
  CallbackRet,
  CallOptions,
  Fn,
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
  MemoryScalar,
  Out,
  Pointer,
  PointerLike,
  ResultType,
  ReturnType,
  ScalarName,
  TagTable,
  Text,
  View,
} from './types/table.js';

export type { Args, AsyncFn, AsyncSymbols, BoundFunction, BoundSymbols, CallbackArgs, CallbackRet, Fn, Ret };
export type { ArgumentType, CallbackArgumentType, DescribedArgument, ResultType, ReturnType, ScalarName };
export type {
  AggregateType,
  ArrayType,
  ArrayView,
  DeclaredField,
  DeclaredType,
  EnumerationType,
  FunctionType,
  Handle,
  LiveView,
  PassedView,
};
export type { InOutParameter, OpaqueType, OutParameter, OwnedText, PointerType, StructType, TextType, UnionType };
export type { Abortable, CallOptions };
export type { EnumerationMembers, FlexibleArray, FlexibleType, FlexibleView, PlainTarget, ZeroedStructType };
export type { AnyDefinitions, ArgumentAddition, Definitions };
// Parts of inferred types: the compiler names them in the declarations of a program that exports it.
export type { CallbackFunction, Extra, FieldsIn, FieldsOut, FieldsView, LooseDeclaration, OneOf, TagTable };
export type { ClosablePointer, FunctionPointerLike, HasPointer, Pointer, PointerLike };

// ---- Types ---------------------------------------------------------------------------------------------------------

/**
 * The numeric tags of the types, under every name and alias: `FFIType.i32` is 5, and means the same in a declaration as
 * `'i32'`. The tags 0 to 21 are those of bun.
 */
export declare const FFIType: TagTable;

/** A numeric tag, a value of the object {@link FFIType}. */
export type FFIType = TagTable[keyof TagTable];

/** A type in a declaration: a name, an alias or a numeric tag. */
export type FFITypeOrString = AnyType;

// ---- Declarations --------------------------------------------------------------------------------------------------

/**
 * Declaration of a C function. Any other key is an error.
 *
 * Inside the call of {@link dlopen} a declaration needs no `as const`. Outside of it, it does.
 */
export interface FFIFunction {
  /** The types of the arguments, in order. Each is a type or a {@link DescribedArgument}. Default: no arguments. */
  readonly args?: readonly (ArgumentType | DescribedArgument)[];
  /**
   * The type of the result, or `{ type: 'cstring', free: 'symbol' }` for text that the caller frees. Default: `'void'`.
   */
  readonly returns?: ResultType;
  /** Whether the function is variadic: further arguments are passed as `[type, value]`. Default: `false`. */
  readonly varargs?: boolean;
  /** The name of the symbol in the library, if it differs from the key. */
  readonly name?: string;
  /** The address of the function, instead of a symbol. */
  readonly ptr?: number | bigint;
  /** Whether a missing symbol is `null` instead of an error. Default: `false`. */
  readonly optional?: boolean;
  /**
   * Whether values are converted as in bun:ffi instead of being refused: integers wrap, fractions are truncated, values
   * other than strings become numbers, `undefined` is NULL, strings end at their first NUL. Default: `false`.
   */
  readonly wrap?: boolean;
  /**
   * Disables the check of the number of arguments, as in bun:ffi. Missing arguments are `undefined`; extra arguments
   * are ignored. Default: `false`.
   */
  readonly loose?: boolean;
  /** Accepted for compatibility with bun:ffi; has no effect on a function. */
  readonly threadsafe?: boolean;
  /**
   * Whether a view without a fence is copied into fenced memory for the duration of the call, and back, so that an
   * overflow is detected. C must not keep the address of such a view: the copy is gone after the call.
   * Default: `guard` of {@link DlopenOptions}, or `true` with PINNED_FFI_GUARD=1.
   */
  readonly guard?: boolean;
  /**
   * Whether every call runs on a thread of libuv's pool and returns a Promise of its result, like `.async(...)`.
   * Arguments stay alive, and their buffers cannot be transferred, until it settles. Default: `false`.
   */
  readonly nonblocking?: boolean;
  /**
   * Whether the C function waits for other threads that call JSCallbacks. The call runs on a helper thread while the
   * JavaScript thread runs those callbacks, and returns its result synchronously. Default: `false`.
   */
  readonly threads?: boolean;
  /**
   * Whether the C function calls no callback: no {@link JSCallback}, and none of another thread that it waits for. Such
   * a function keeps the fast call while JSCallbacks are open. If it calls one after all, the callback does not run, C
   * gets zero, and the call throws, or rejects with, ERR_FFI_LEAF_CALLED_BACK. Refused with `threads` and with
   * arguments that are functions. Default: `false`.
   */
  readonly leaf?: boolean;
  /**
   * The milliseconds that a call of an isolated library may take. Then it throws ERR_FFI_TIMEOUT, and the process of
   * the library is killed. Default: that of the library.
   */
  readonly timeout?: number;
  /**
   * Whether errno is cleared before each call, and saved for {@link errno} right after it. Default: `false`; `true`
   * with `fails`.
   */
  readonly errno?: boolean;
  /**
   * Which results are failures: a function of the result that returns true for them, `'negative'` (below 0), `'null'`
   * (a NULL pointer) or `'nonzero'`. A failed call throws, or rejects with, the system error of errno, like Node's
   * system calls: `{ code: 'ENOENT', errno: -2, syscall: 'open', result: -1 }`. If errno was not set, it is `{ code:
   * 'ERR_FFI_CALL_FAILED', syscall: 'sqlite3_close', result: 5 }`. Default: no result is a failure.
   */
  readonly fails?: Failure;
}

/** Which results are failures: see {@link FFIFunction.fails}. */
export type Failure = ((result: any) => boolean) | 'negative' | 'null' | 'nonzero';

/** A declaration with an address, for {@link linkSymbols} and {@link CFunction}. */
export interface LinkedFunction extends Omit<FFIFunction, 'name' | 'optional'> {
  /** The address of the function. */
  readonly ptr: number | bigint;
  /** The type of the function as C text, such as `'int (int)'`, instead of `args` and `returns`. */
  readonly c?: string;
}

/** An object next to C text: options of a function of the text that C has no words for. See docs/cdef.md. */
export interface FFIAddition extends Omit<FFIFunction, 'args' | 'returns' | 'varargs'> {
  /** Constraints on parameters, by their names in the text. */
  readonly args?: { readonly [parameter: string]: ArgumentAddition };
  /** The symbol that frees the result, a text, once it is copied. */
  readonly free?: string;
}

/**
 * C declarations: a text, a set that {@link cdef} has made, or an array of texts, sets and objects. A text sees what
 * stands before it.
 */
export type CDeclarations = string | AnyDefinitions | CDeclarationList;

/**
 * An array of C texts, sets and objects. It is written so that an array matches, and the names of symbols are not taken
 * for those of an array's methods.
 */
export interface CDeclarationList {
  /** A text, a set, or an object of declarations and additions. */
  readonly [index: number]: string | AnyDefinitions | { readonly [name: string]: FFIFunction | FFIAddition | {} };
  /** The members of every array. */
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

/** Declaration of a function that C calls. Any other key is an error. */
export interface FFICallback {
  /** The types of the arguments that C passes, in order. Default: none. */
  readonly args?: readonly CallbackArgumentType[];
  /** The type of the result that C expects. Default: `'void'`. */
  readonly returns?: ReturnType;
  /**
   * Whether a foreign thread that calls the function continues at once, with a zero result. Default: `false`: the
   * thread waits for the result.
   */
  readonly threadsafe?: boolean;
  /** Whether the result is converted as in bun:ffi: see {@link FFIFunction.wrap}. Default: `false`. */
  readonly wrap?: boolean;
}

// ---- Libraries -----------------------------------------------------------------------------------------------------

/** Result of {@link linkSymbols}: bound functions that are closed together. */
export interface LinkedSymbols<S> {
  /** The bound functions, under the names of their declarations. */
  readonly symbols: BoundSymbols<SymbolsOf<S>>;
  /** The file that was opened; `null` for the process itself and for functions by address. */
  readonly path: string | null;
  /** Starts a dedicated native thread for these functions, for libraries that need every call on one thread. */
  thread(): LibraryThread<S>;
  /**
   * The recorded calls of these functions, newest last. The flight recorder keeps the last 64 calls of the process, of
   * all threads. Empty unless the process was started with `PINNED_FFI_TRACE=1`. Works after `close()`.
   */
  trace(): TracedCall[];
  /**
   * Closes the functions: a later call throws ERR_FFI_LIBRARY_CLOSED. Closing again does nothing. A library is unloaded
   * at once. If asynchronous calls are running, it is unloaded when they are done: see {@link LinkedSymbols.closed}.
   * @throws ERR_FFI_LIBRARY_BUSY from inside a callback that a synchronous call of one of these functions is running.
   */
  close(): void;
  /** Resolves after `close()`, when no call of these functions is running any more. */
  readonly closed: Promise<void>;
  /** The same as {@link LinkedSymbols.close} without waiting, for `using`. */
  [Symbol.dispose](): void;
  /** The same as {@link LinkedSymbols.close}, for `await using`: waits for the running calls. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A recorded call: see {@link LinkedSymbols.trace}. Long texts are shortened. */
export interface TracedCall {
  /** The name of the function in its declaration. */
  symbol: string;
  /** The file of the library, or a description if it has none. */
  library: string;
  /** For each argument its declared type and the kind of its value, never the content: `'ptr: a Buffer of 8 bytes'`. */
  arguments: string[];
  /** The call site, as `file:line:column`; `'unknown'` if the engine does not provide it. */
  site: string;
  /**
   * `'inside'` while the call is running; `'threw'` if it ended in an exception, before or after C ran. An asynchronous
   * call has `'returned'` as soon as C has returned, however its Promise settles.
   */
  state: 'inside' | 'returned' | 'threw';
  /**
   * The thread on which C ran: `'main'`, `'worker N'` with its threadId, `'pool'` for libuv's, `'thread'` for that of
   * `thread()`, `'helper'` for that of `threads: true`.
   */
  thread: string;
  /**
   * Whether it was a call of `.async(...)`, `nonblocking: true` or `thread()`. It is recorded when it starts to run.
   */
  async: boolean;
}

/** Result of {@link LinkedSymbols.thread}: a native thread for the functions of a library. */
export interface LibraryThread<S> {
  /**
   * The functions, each of which returns a Promise. The calls run on this thread one after the other, in the order in
   * which you make them. Arguments stay alive, and their buffers cannot be transferred, until the Promise settles.
   */
  readonly symbols: AsyncSymbols<SymbolsOf<S>>;
  /**
   * Ends the thread after the calls that are queued. A later call rejects with ERR_FFI_THREAD_CLOSED. Closing again
   * does nothing. The library stays open.
   */
  close(): void;
  /** The same as {@link LibraryThread.close}, for `using`. */
  [Symbol.dispose](): void;
}

/** Result of {@link dlopen} and {@link cc}: an open library. It stays open until you close it. */
export interface Library<S> extends LinkedSymbols<S> {
  /**
   * The types that the library's C text declares, by their names, as {@link cdef} gives them. Without C text there are
   * none.
   */
  readonly types: TypesOf<S>;
  /** The enumerators, and what `#define` gives a value, in the library's C text. Without C text there are none. */
  readonly constants: ConstantsOf<S>;
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
   * const libc = dlopen('c', 'size_t strlen(const char *text);');
   * const abs = libc.function('int abs(int)');
   * ```
   *
   * @param declaration Its prototype. It sees the types of the text with which the library was opened.
   * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `close()`.
   */
  function<const T extends string>(
    declaration: [FunctionProblem<T, S>] extends [never] ? T : FunctionProblem<T, S>,
  ): Fn<FunctionOfText<T, S>>;
  /**
   * Binds one more function.
   *
   * @param name The name of the symbol, if the declaration has no other.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
   * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks it, ERR_FFI_LIBRARY_CLOSED after `close()`.
   */
  function<const D extends FFIFunction>(name: string, declaration: D): BoundSymbols<{ readonly f: D }>['f'];
  /**
   * The address of a symbol; `null` if the library lacks it.
   * @throws ERR_INVALID_ARG_TYPE if the name is no string, ERR_FFI_LIBRARY_CLOSED after `close()`.
   */
  symbol(name: string): Pointer | bigint | null;
}

/** A global variable of a library. */
export interface Global<T> {
  /** Its address. */
  readonly ptr: Pointer<T>;
  /**
   * Reads its current value.
   * @throws ERR_FFI_LIBRARY_CLOSED after the `close()` of its library.
   */
  get value(): Out<T>;
  /**
   * Writes its value, with the checks of an argument of this type.
   * @throws ERR_FFI_LIBRARY_CLOSED after the `close()` of its library; the errors of an argument of this type.
   */
  set value(value: In<T>);
  /**
   * The same as reading `value`.
   * @throws ERR_FFI_LIBRARY_CLOSED after the `close()` of its library.
   */
  get(): Out<T>;
  /**
   * The same as writing `value`.
   * @throws ERR_FFI_LIBRARY_CLOSED after the `close()` of its library; the errors of an argument of this type.
   */
  set(value: In<T>): void;
  /**
   * Accessors for a struct, a union or an array, without a copy.
   * @throws ERR_FFI_LIBRARY_CLOSED after the `close()` of its library; ERR_INVALID_ARG_VALUE for other types.
   */
  view(): View<T>;
}

/** Options of {@link dlopen}. */
export interface DlopenOptions {
  /**
   * Bits of `os.constants.dlopen`, such as RTLD_LAZY. Default: 0, which means RTLD_NOW | RTLD_LOCAL, and RTLD_DEEPBIND
   * for a library that defines symbols which Node exports too (PINNED_FFI_DEEPBIND=0 or 1 decides for all). Windows has
   * none.
   */
  readonly flags?: number;
  /** Default of `guard` for all declarations. Default: `false`, or `true` with PINNED_FFI_GUARD=1. */
  readonly guard?: boolean;
  /**
   * Whether the library runs in a separate process, so that its crash is an exception: `true`, options, or a
   * {@link group}. See docs/isolation.md. Default: `false`, or a group of all libraries with PINNED_FFI_ISOLATE=1.
   */
  readonly isolate?: boolean | IsolateOptions | IsolateGroup;
}

/** Options of `isolate` of {@link DlopenOptions}. */
export interface IsolateOptions {
  /**
   * The milliseconds that a call may take. Then it throws ERR_FFI_TIMEOUT, and the process is killed. Default: no
   * limit; 10000 with `share: 'own'`.
   */
  readonly timeout?: number;
  /** Whether a call after the end of the process throws, or starts it again. Default: `'manual'`, which throws. */
  readonly restart?: 'manual' | 'lazy';
  /**
   * Which Buffers the library can reach: all of the process, or only copies of those that it is passed. Default:
   * `'all'`.
   */
  readonly share?: 'all' | 'own';
  /** The permissions of the library; needs `share: 'own'`. Default: all that Node may. */
  readonly sandbox?: SandboxOptions;
  /** Whether the output of the library on stderr is passed on. Default: `'inherit'`. */
  readonly stderr?: 'inherit' | 'ignore';
  /** The environment of the process. Default: that of this one, without NODE_*. */
  readonly env?: { readonly [name: string]: string | undefined };
  /** The working directory of the process. Default: that of this one. */
  readonly cwd?: string;
  /** Words in front of the command, such as `['valgrind']`. Default: none. */
  readonly command?: readonly string[];
  /**
   * Whether a process may spin for some microseconds while it waits for the other. Default: `true`, unless there is a
   * `command`.
   */
  readonly spin?: boolean;
  /**
   * Where the library allocates: in memory that Node shares, or by the malloc that the process has, which is what a
   * sanitizer and valgrind look after. With `'own'` Buffers are copied, as with `share: 'own'`. Default: `'shared'`;
   * `'own'` with a `command`.
   */
  readonly malloc?: 'shared' | 'own';
}

/** The permissions of an isolated library. Everything else is refused. */
export interface SandboxOptions {
  /** Files and folders that may be read, in addition to the system's libraries. Default: none. */
  readonly read?: readonly string[];
  /** Files and folders that may be read and written. Default: none. */
  readonly write?: readonly string[];
  /** Whether sockets may be used. Default: `false`. */
  readonly net?: boolean;
  /** Whether programs may be started. Default: `false`. */
  readonly exec?: boolean;
  /** Bytes of memory, or a text such as `'512M'`. Default: no limit. */
  readonly memory?: number | string;
  /** Seconds of processor time. Default: no limit. */
  readonly cpu?: number;
  /** Parts without which the library is refused. Default: none. */
  readonly require?: readonly SandboxPart[];
}

/** A part of a sandbox. */
export type SandboxPart = 'privileges' | 'files' | 'network' | 'exec' | 'syscalls' | 'signals' | 'memory' | 'cpu';

/** Stands for the libraries that share a process: {@link group}. */
export interface IsolateGroup {
  /** Its name. */
  readonly name: string;
}

/**
 * A group of isolated libraries: those that are opened with the same name share a process.
 *
 * @param name The name of the group.
 * @param options How its process is started. Those of the first library that is opened count.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for wrong arguments.
 */
export declare function group(name: string, options?: IsolateOptions): IsolateGroup;

/** Result of {@link dlopen} with `isolate`. */
export interface IsolatedLibrary<S> extends Library<S> {
  /** The process that the library runs in. */
  readonly isolated: {
    /** Its number; 0 once the library is closed. */
    readonly pid: number;
    /** How many processes of the library there have been. */
    readonly generation: number;
    /** Whether it runs. */
    readonly alive: boolean;
    /**
     * Whether the process shares all Buffers. It does not with `share: 'own'` or `malloc: 'own'`, or if there is no
     * {@link arena}.
     */
    readonly shared: 'all' | 'own';
  };
  /** For each part of the sandbox `'applied'`, `'unrestricted'` or `'refused:ERRNO'`; null without a sandbox. */
  readonly sandbox: ({ readonly [part in SandboxPart]: string } & { readonly landlock: number }) | null;
  /**
   * Ends the process, if it runs, and starts another one. The functions are bound again; pointers are not valid any
   * more.
   * @throws ERR_FFI_ISOLATE_UNAVAILABLE if it does not start.
   */
  restart(): void;
  /** Ends the process at once. */
  kill(): void;
}

/** Result of {@link arena}. */
export interface Arena {
  /** Whether there is one. */
  readonly active: boolean;
  /** Whether the Buffers that Node creates lie in it. */
  readonly buffers: boolean;
  /** Why there is none, or why Buffers lie elsewhere. */
  readonly reason?: string;
  /** Its size in bytes. Only the used part takes memory. */
  readonly size: number;
  /** The bytes that Buffers use. */
  readonly used: number;
}

/** The state of the memory that isolated libraries share, as a new object. */
export declare function arena(): Arena;

/**
 * Whether isolated libraries access the bytes of a view in place. They get copies of others.
 * @throws ERR_INVALID_ARG_TYPE if it is no view or buffer.
 */
export declare function isShared(view: ArrayBufferView | ArrayBufferLike): boolean;

/**
 * Opens a shared library in a separate process. See docs/isolation.md.
 *
 * @throws ERR_FFI_LIBRARY_DIED if a constructor of the library ends the process. Calls throw it as well.
 * @throws ERR_FFI_ISOLATE_UNAVAILABLE if this platform cannot isolate libraries, or a process does not start.
 */
export declare function dlopen<const S extends Symbols | CDeclarations>(
  path: string | URL | null,
  symbols: Declarations<S>,
  options: DlopenOptions & { readonly isolate: true | IsolateOptions | IsolateGroup },
): IsolatedLibrary<S>;

/**
 * Opens a shared library and binds functions of it.
 *
 * Calls of the bound functions throw ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE and ERR_OUT_OF_RANGE for arguments,
 * ERR_FFI_CALLBACK_CLOSED for a closed callback, ERR_FFI_LIBRARY_CLOSED after `close()`, ERR_FFI_BUFFER_OVERFLOW and
 * ERR_FFI_BUFFER_UNDERFLOW if C wrote outside of an argument, and the exceptions of callbacks. Asynchronous calls
 * (`.async(...)`, `nonblocking: true` and `thread()`) reject their Promise with the same errors.
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
 * @param symbols Declarations of the functions, by name or as C text. See {@link CDeclarations}.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood; the message shows the line.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong argument, an unknown key or type in a declaration.
 * @throws ERR_FFI_LIBRARY_NOT_FOUND if there is no such library; `tried` of the error lists the names that were tried.
 * @throws ERR_FFI_LIBRARY_INVALID if the file cannot be loaded: another format or architecture, a missing dependency.
 * @throws ERR_FFI_SYMBOL_NOT_FOUND if the library lacks a symbol that is not `optional`.
 */
export declare function dlopen<const S extends Symbols | CDeclarations>(
  path: string | URL | null,
  symbols: Declarations<S>,
  options?: DlopenOptions,
): Library<S>;
/**
 * Opens a shared library without functions: bind them by `function` of the result.
 * @param path See above.
 */
export declare function dlopen(path: string | URL | null): Library<{}>;

/**
 * Binds functions by address. Their library must stay loaded while you call them.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration, such as a missing `ptr`.
 * @throws ERR_OUT_OF_RANGE for a `ptr` that is not an address.
 */
export declare function linkSymbols<const S extends LinkedSymbolDeclarations>(
  symbols: [LinkedSetProblem<S, LinkedFunction>] extends [never] ? S : LinkedSetProblem<S, LinkedFunction>,
): LinkedSymbols<LinkedSet<S>>;

/** Result of {@link CFunction}: a bound function that you can close. */
export interface ClosableFunction {
  /**
   * Closes the function: a later call throws ERR_FFI_LIBRARY_CLOSED. Closing again does nothing.
   * @throws ERR_FFI_LIBRARY_BUSY from inside a callback that a synchronous call of it is running.
   */
  close(): void;
  /** Resolves after `close()`, when no call of the function is running any more. */
  readonly closed: Promise<void>;
  /** The same as {@link ClosableFunction.close}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Binds one function by address.
 *
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration, such as a missing `ptr`.
 * @throws ERR_OUT_OF_RANGE for a `ptr` that is not an address.
 */
export declare function CFunction<const D extends LinkedFunction>(
  declaration: [LinkProblem<D, LinkedFunction>] extends [never] ? D : LinkProblem<D, LinkedFunction>,
): Fn<Linked<D>> & ClosableFunction;

/** Options of {@link cc}. */
export interface CCOptions<S> {
  /** Paths or `file:` URLs of C files, or C source: one, or several that are compiled together. */
  readonly source: string | URL | readonly (string | URL)[];
  /** Declarations of the functions, by name or as C text. See {@link CDeclarations}. */
  readonly symbols: S;
  /** Libraries to link: names (`'m'` means `-lm`) or paths. */
  readonly library?: string | readonly string[];
  /** Folders of headers (`-I`). */
  readonly include?: string | readonly string[];
  /** Macros (`-D`). */
  readonly define?: Readonly<Record<string, string>>;
  /** Further arguments for the compiler. A string is split at white space. */
  readonly flags?: string | readonly string[];
}

/**
 * Compiles C with the system's compiler and opens the result. The result is cached by a hash of everything that the
 * compiler read, so the same source is compiled once.
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
 * @throws ERR_INVALID_ARG_TYPE for any other value.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood; the message shows the line.
 */
export declare function cdef<const S extends string | AnyDefinitions | readonly (string | AnyDefinitions)[]>(
  text: [SourcesProblem<S, never, never>] extends [never] ? S : SourcesProblem<S, never, never>,
): Definitions<S>;

// ---- Callbacks -----------------------------------------------------------------------------------------------------

/** A JavaScript function that C can call, created by `new JSCallback(fn, declaration)`. */
export interface JSCallback extends ClosablePointer {
  /** The address for C, `null` after {@link JSCallback.close}. */
  readonly ptr: Pointer | null;
  /** Whether it was declared `threadsafe`. */
  readonly threadsafe: boolean;
  /** Keeps the process alive, which a callback does not do by default. Returns this. */
  ref(): this;
  /** Reverts {@link JSCallback.ref}. Returns this. */
  unref(): this;
  /**
   * Releases the function. If C calls it later, C receives zero, and there is one process warning (`FFIWarning`, code
   * ERR_FFI_CALLBACK_CLOSED). May be called from inside the function. Closing again does nothing.
   */
  close(): void;
  /** The same as {@link JSCallback.close}, for `using`. */
  [Symbol.dispose](): void;
  /** The address, for `+callback` and template strings. */
  [Symbol.toPrimitive](): Pointer | null;
}

/** The constructor of {@link JSCallback}. */
export interface JSCallbackConstructor {
  /**
   * Creates a C function pointer for a JavaScript function. It stays callable, and is not collected, until `close()`.
   *
   * The result of `callback` is checked like an argument. If `callback` throws, C receives zero, and the exception
   * propagates to the call that led to it. Without such a call it is an uncaught exception.
   *
   * C may call it from any thread. A foreign thread blocks until the JavaScript thread has run the function, unless you
   * declare `threadsafe: true`. Only on a foreign thread may `callback` return a Promise, whose value is the result. On
   * the JavaScript thread a Promise is refused with ERR_INVALID_ARG_TYPE.
   *
   * @example
   * ```js
   * const compare = new JSCallback((a, b) => read.f64(a) - read.f64(b), 'int (*)(const void *, const void *)');
   * new JSCallback((a, b) => read.f64(a) - read.f64(b), { args: ['ptr', 'ptr'], returns: 'i32' }); // the same
   * ```
   *
   * @param callback The function; its parameters and result follow from the declaration.
   * @param declaration The C type of the function, or of a pointer to one: an object, C text, or what {@link fn}
   *   returned.
   * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong argument, an unknown key or type in a declaration.
   */
  new <const D extends FFICallback | TypeText>(
    callback: CallbackFunction<CallbackDeclaration<D>>,
    declaration: [CallbackProblem<D, FFICallback>] extends [never] ? D : CallbackProblem<D, FFICallback>,
  ): JSCallback;
  /**
   * The same for a type that {@link fn} returned, such as those of modules that `pinned-ffi bind` writes.
   *
   * @param callback The function; its parameters and result follow from the type.
   * @param type The type of a function pointer.
   * @throws ERR_INVALID_ARG_TYPE where the first argument is no function, or the second no such type.
   */
  new <D>(callback: CallbackFunction<D>, type: FunctionType<D>): JSCallback;
  /** The prototype of all callbacks. */
  readonly prototype: JSCallback;
}

/** A JavaScript function that C can call. */
export declare const JSCallback: JSCallbackConstructor;

// ---- Memory --------------------------------------------------------------------------------------------------------

/**
 * The address of a view's bytes. It is valid while the view lives: keep the view, not only the address. To pass a view
 * to a function, pass the view itself; use this for addresses that are stored.
 *
 * @param view A typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer.
 * @param byteOffset Bytes to add, at most the view's byteLength. Default: 0.
 * @throws ERR_INVALID_ARG_TYPE if it is something else.
 * @throws ERR_INVALID_ARG_VALUE if the view is empty, detached or resizable.
 * @throws ERR_OUT_OF_RANGE if the offset lies outside the view.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime refuses to move a small view out of its heap.
 */
export declare function ptr(
  view: ArrayBufferView | ArrayBufferLike | PassedView,
  byteOffset?: number | bigint,
): Pointer;

/** Options of {@link alloc}. */
export interface AllocOptions {
  /** The alignment in bytes: a power of two from 1 to 1048576 (2 ** 20). Default: 16. */
  readonly align?: number;
}

/**
 * A zeroed Buffer over new memory outside of V8's heap, with a fence before and after it. The memory is freed after the
 * Buffer and all other views of it are collected. Its address never changes.
 *
 * @param size The length in bytes; 0 returns an empty Buffer.
 * @throws ERR_INVALID_ARG_TYPE if an argument is not a number, or the options are not an object.
 * @throws ERR_INVALID_ARG_VALUE for an unknown option.
 * @throws ERR_OUT_OF_RANGE for an invalid size or alignment.
 * @throws ERR_FFI_MEMORY_EXHAUSTED if the memory cannot be allocated.
 */
export declare function alloc(size: number | bigint, options?: AllocOptions): Buffer;

/** Result of {@link pin}: holds a view. */
export interface Pin {
  /** The address of the view's first byte; `null` after the release. */
  readonly ptr: Pointer | null;
  /** The length of the view in bytes; 0 after the release. */
  readonly byteLength: number;
  /** Releases the view: C must not use the address any more. Releasing again does nothing. */
  release(): void;
  /** The same as {@link Pin.release}, for `using`. */
  [Symbol.dispose](): void;
}

/**
 * Holds a view, so that C may keep its address between calls. Until `release()` the view is not collected, even if the
 * Pin is, and its buffer cannot be transferred. On Node 20 and 22 `postMessage` and `structuredClone` do not transfer
 * it afterwards either.
 *
 * @param view A typed array, Buffer, DataView, ArrayBuffer or SharedArrayBuffer of more than 0 bytes, or a live view of
 *   such memory (`Point.alloc()`).
 * @throws ERR_INVALID_ARG_TYPE if it is something else.
 * @throws ERR_INVALID_ARG_VALUE if the view is empty, detached or resizable.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime refuses to move a small view out of its heap.
 */
export declare function pin(view: ArrayBufferView | ArrayBufferLike | PassedView): Pin;

/** Result of {@link fences}. All numbers except the counts are bytes. */
export interface Fences {
  /** Whether the buffers that Node allocates have fences. Those of {@link alloc} always have them. */
  readonly installed: boolean;
  /** Why they have none: the runtime or platform is not verified, or PINNED_FFI_FENCE=off. */
  readonly reason?: string;
  /** The width of the fence before each buffer, in bytes. Default: 64. */
  readonly before: number;
  /** The width of the fence past each buffer, in bytes. Default: 128. */
  readonly after: number;
  /** Freed memory whose address C had. It is held for a while, so that late writes affect no other memory. */
  readonly quarantine: {
    /** The maximum number of bytes. Default: 16777216; 0 means no quarantine. */
    readonly bytes: number;
    /** The maximum number of blocks. Default: 4096. */
    readonly count: number;
    /** The bytes that are held. */
    readonly heldBytes: number;
    /** The blocks that are held. */
    readonly heldCount: number;
  };
}

/** The state of the fences around buffers, as a new object. */
export declare function fences(): Fences;

/**
 * Checks every fence and the quarantine of the process completely, which takes time in proportion to their size. Each
 * broken fence is repaired and becomes a process warning, an {@link FFIWarning}.
 * @returns The number of broken fences.
 */
export declare function checkFences(): number;

/**
 * Reads one value from memory. It need not be aligned.
 * @param source The address, or a view or buffer. Memory at an address must be readable: only PINNED_FFI_GUARD=1 checks
 *   that.
 * @param byteOffset Bytes to add to it. Default: 0.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address or an offset.
 */
export type Reader<Value> = (source: ReadSource, byteOffset?: number | bigint) => Value;

/** Where a value is read: at an address, or in a view or buffer. */
export type ReadSource = number | bigint | null | ArrayBufferView | ArrayBufferLike | PassedView;

/**
 * Writes one value to native memory. It need not be aligned.
 * @param ptr The address. The memory must be mapped: only PINNED_FFI_GUARD=1 checks that.
 * @param byteOffset Bytes to add to it.
 * @param value The value, with the checks of an argument of this type. For a view, its address is written: keep the
 *   view.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument.
 */
export type Writer<Value> = (ptr: number | bigint | null, byteOffset: number | bigint, value: Value) => void;

/** {@link read} as a function: reads a value of any type. */
export interface ReadAs {
  /**
   * Reads one value of a type from memory. Structs, arrays and texts are copied.
   *
   * @example
   * ```js
   * read(Int32Array.of(1, 2), 'int32_t[2]'); // [1, 2]
   * ```
   *
   * @param source The address, or a view or buffer. Memory at an address must be readable.
   * @param type A type of a declaration.
   * @param byteOffset Bytes to add to it. Default: 0.
   * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong argument.
   */
  <const T extends MemoryScalar | DeclaredType>(source: ReadSource, type: T, byteOffset?: number | bigint): Out<T>;
  /**
   * The same with a type that is C text, or an array of sets and texts of which the last is the type:
   * `read(address, 'struct point')`.
   * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
   */
  <const T extends TypeText>(
    source: ReadSource,
    type: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>,
    byteOffset?: number | bigint,
  ): Out<TypeOfText<T>>;
}

/**
 * Reads from native memory, a function per scalar type: `read.i32(ptr, 4)`; or a value of any type: see {@link ReadAs}.
 * `read.intptr` exists in bun: a pointer-sized signed integer, a number while it is exact, else a bigint.
 */
export declare const read: ReadAs & { readonly [Name in ScalarName]: Reader<Out<Name>> } & {
  readonly intptr: Reader<Out<'i64_fast'>>;
  /**
   * Copies bytes from memory. A copy of some hundred bytes takes a twentieth of the time of {@link toBuffer}.
   * @param source The address, or a view or buffer. Memory at an address must be readable: only PINNED_FFI_GUARD=1
   *   checks that.
   * @param byteOffset Bytes to add to it. Default: 0.
   * @param byteLength The length in bytes. With 0 the copy is empty, at NULL as well.
   * @returns A Buffer. As one of `Buffer.from`, it may be a part of a larger ArrayBuffer.
   * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
   */
  readonly bytes: (
    source: number | bigint | null | ArrayBufferView | ArrayBufferLike | PassedView,
    byteOffset: number | bigint | undefined,
    byteLength: number | bigint,
  ) => Buffer;
};

/** Writes to native memory, a function per scalar type: `write.i32(ptr, 4, 7)`. */
export declare const write: { readonly [Name in ScalarName]: Writer<In<Name>> } & {
  readonly intptr: Writer<In<'i64_fast'>>;
  /**
   * Copies bytes to memory.
   * @param ptr The address. The memory must be mapped: only PINNED_FFI_GUARD=1 checks that.
   * @param byteOffset Bytes to add to it.
   * @param bytes The bytes. All of a view or buffer are copied, which may overlap the target.
   * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE for a wrong argument, ERR_INVALID_ARG_VALUE for a detached view.
   */
  readonly bytes: (
    ptr: number | bigint | null,
    byteOffset: number | bigint,
    bytes: ArrayBufferView | ArrayBufferLike,
  ) => void;
};

/** Where a text is: at an address, or in a view or buffer. */
export type TextSource = number | bigint | ArrayBufferView | ArrayBufferLike | PassedView | null;

/** The encoding of a text in memory: `wide` is that of wchar_t, UTF-32 on Linux and macOS, UTF-16 on Windows. */
export type TextEncoding = 'utf8' | 'utf16' | 'utf32' | 'wide';

/** The type of {@link CString}, which can be called with and without `new`. */
export interface CStringConstructor {
  /**
   * For programs written for bun:ffi. With `new` the result is a String object: compare it with `==`.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE or ERR_FFI_INVALID_POINTER for a source, offset or length that
   * cannot be.
   */
  new (source: TextSource, byteOffset?: number | bigint, byteLength?: number | bigint, encoding?: TextEncoding): string;
  /**
   * Returns a primitive string.
   * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE or ERR_FFI_INVALID_POINTER for a source, offset or length that
   * cannot be.
   */
  (source: TextSource, byteOffset?: number | bigint, byteLength?: number | bigint, encoding?: TextEncoding): string;
}

/**
 * Copies a text from memory. NULL becomes `''`. Call it without `new` to get a primitive string.
 *
 * @param source The address, or a view or buffer that holds the text.
 * @param byteOffset Bytes to add to it. Default: 0.
 * @param byteLength The length in bytes. Default: up to the first NUL; in a view at most to its end.
 * @param encoding Default: `'utf8'`.
 * @throws ERR_FFI_INVALID_POINTER for addresses below 4096 other than NULL.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
 */
export declare const CString: CStringConstructor;

/** Result of {@link CString}. */
export type CString = string;

/**
 * A function that frees native memory: a `void (*)(void *bytes, void *context)`, by address or as a bound function. It
 * is called after the Buffer was collected, possibly on another thread, so it cannot be a JSCallback.
 */
export type Deallocator = number | bigint | BoundFunction;

/**
 * A Buffer over native memory, without a copy. The memory must stay valid while you use the Buffer. It takes some
 * microseconds, because the engine keeps a record of each such Buffer; for a copy, call {@link read}.bytes.
 *
 * @param ptr The address.
 * @param byteOffset Bytes to add to it. Default: 0.
 * @param byteLength The length in bytes. Default: up to the first NUL byte. With 0 the Buffer is empty, at NULL as
 *   well.
 * @param deallocator Frees the memory after the Buffer was collected. Default: the memory is not freed.
 * @throws ERR_FFI_INVALID_POINTER for NULL and other addresses below 4096.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if an argument is not an address, an offset or a length.
 * @throws ERR_FFI_EXTERNAL_REFUSED if the runtime does not allow a Buffer over native memory.
 */
export declare function toBuffer(
  ptr: number | bigint | null,
  byteOffset?: number | bigint,
  byteLength?: number | bigint,
  deallocator?: Deallocator,
): Buffer;
/**
 * A Buffer over native memory, with a deallocator that needs a context.
 * @param context The second argument of the deallocator.
 */
export declare function toBuffer(
  ptr: number | bigint | null,
  byteOffset: number | bigint | undefined,
  byteLength: number | bigint | undefined,
  context: number | bigint | null | undefined,
  deallocator: Deallocator,
): Buffer;

/**
 * An ArrayBuffer over native memory, without a copy. The memory must stay valid while you use the ArrayBuffer.
 * Parameters and errors are those of {@link toBuffer}.
 */
export declare function toArrayBuffer(
  ptr: number | bigint | null,
  byteOffset?: number | bigint,
  byteLength?: number | bigint,
  deallocator?: Deallocator,
): ArrayBuffer;
/**
 * An ArrayBuffer over native memory, with a deallocator that needs a context.
 * @param context The second argument of the deallocator.
 */
export declare function toArrayBuffer(
  ptr: number | bigint | null,
  byteOffset: number | bigint | undefined,
  byteLength: number | bigint | undefined,
  context: number | bigint | null | undefined,
  deallocator: Deallocator,
): ArrayBuffer;

// ---- Types of your own ---------------------------------------------------------------------------------------------

/** Options of {@link struct}. */
export interface StructOptions {
  /** The name in messages. */
  readonly name?: string;
  /** The maximum alignment of a field, in bytes; `true` means 1. */
  readonly packed?: boolean | number;
  /** The minimum alignment of the struct, in bytes. */
  readonly align?: number;
  /** Whether fields that a value lacks are zero. Default: `false`: a missing field is an error. */
  readonly zero?: boolean;
}

/**
 * Declares a C struct. By value it is a plain object; `view` and `alloc` return accessors for memory.
 *
 * @example
 * ```js
 * const Point = struct({ x: 'f64', y: 'f64' });
 * const { symbols } = dlopen('geometry', { distance: { args: [Point, Point], returns: 'f64' } });
 * symbols.distance({ x: 0, y: 0 }, { x: 3, y: 4 });
 * ```
 *
 * @param fields A type for each field, in order; `{ type, bits }` for a bitfield, which is never passed by value;
 *   `{ type, align }` for a field with a separate alignment.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function struct<const F extends StructFields>(
  fields: F,
  options: StructOptions & { readonly zero: true },
): ZeroedStructType<F>;
/**
 * The same without defaults: a value has all fields.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function struct<const F extends StructFields>(fields: F, options?: StructOptions): StructType<F>;
/**
 * Declares a C struct that ends in a flexible array, `T items[]`, whose length is the value of another field. It is in
 * memory only: pass `pointer(T)` with a view of it.
 *
 * @example
 * ```js
 * const Packet = struct({ count: 'u32', items: array('u16', 'count') });
 * Packet.alloc({ items: [1, 2, 3] }).count; // 3
 * ```
 *
 * @param fields A type for each field, in order. The last one is {@link array} with the name of the field that counts.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function struct<const F extends FlexibleFields>(fields: F, options?: StructOptions): FlexibleType<F>;
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
export declare function struct<const T extends TypeText>(
  text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>,
): TypeOfText<T>;

/**
 * Declares a C union. You pass an object with one of the fields; a result is a view of all of them.
 *
 * @param fields A type for each field.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function union<const F extends UnionFields>(
  fields: F,
  options?: Omit<StructOptions, 'zero'>,
): UnionType<F>;
/**
 * Declares a C union by C text: `union('union number { double d; long long i; }')`.
 *
 * @param text The union, or an array of sets and texts of which the last is the union.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function union<const T extends TypeText>(
  text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>,
): TypeOfText<T>;

/**
 * Declares a C array, for fields, globals and memory. As an argument, C has a {@link pointer} instead.
 *
 * @param type The type of an element.
 * @param length The number of elements, not of bytes: 0 to 2 ** 32 - 1. With 0 it is empty; a struct may end in such a
 *   field, whose elements you read with their count. The name of a field instead makes a flexible array: the last field
 *   of a {@link struct}, with as many elements as that field says.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function array<const T extends AnyType | DeclaredField, const L extends number | bigint | string>(
  type: T,
  length: L,
): 0 extends 1 & L ? ArrayType<T> : L extends string ? FlexibleArray<T, L> : ArrayType<T>;

/**
 * Declares a text of fixed size in memory, such as `char name[16]`: a string both ways, up to the first NUL. Memory
 * after the string is zeroed. A string may fill the memory: then no NUL follows.
 *
 * @param length The number of units, not of bytes: 1 to 2 ** 32 - 1.
 * @param encoding The units: bytes, char16_t, char32_t or wchar_t. Default: `'utf8'`.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function text(length: number | bigint, encoding?: TextEncoding): TextType;

/**
 * Declares a pointer to a type. A view that is passed must have at least the bytes of one value. A {@link Pointer} to
 * another type does not compile.
 *
 * You may pass plain values: an array, or an object for a struct. They are in fenced memory for the call, and what C
 * changes there is copied back into the array or object. An array of pointers or texts ends with NULL.
 *
 * @param type The type that it points to, or, for a type that is declared later (as in a linked list), a function that
 *   returns it. TypeScript does not know the type of such a pointer.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for an invalid type.
 */
export declare function pointer<const T extends AnyType | DeclaredField | FlexibleType<any>>(type: T): PointerType<T>;
/**
 * Declares a pointer to a type that is declared later.
 * @param type Returns the type.
 */
export declare function pointer(type: () => any): PointerType;

/**
 * Declares a parameter through which C returns a value: see {@link Ret}. You do not pass it: the call provides fenced
 * memory for it. The text of `out('cstring')` is copied and not freed: if C allocates it, your program has to free it.
 * Then declare `out({ type: 'cstring', free: 'symbol' })`.
 *
 * @param type The type of the value, not that of the pointer to it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a type that cannot be in memory.
 */
export declare function out<const T extends AnyType | DeclaredField>(type: T): OutParameter<T>;
/**
 * Declares a parameter through which C returns a text that the caller frees: it is copied, then `free` is called with
 * its address. If the call fails by its `fails`, the error has the text as `out`.
 *
 * @param type The text, and the function that frees it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for another type.
 */
export declare function out<const T extends OwnedText & { readonly type: Text }>(type: T): OutParameter<T['type']>;

/**
 * Declares a parameter through which C receives a value and returns one: see {@link Ret}.
 *
 * @param type The type of the value, not that of the pointer to it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a type that cannot be in memory.
 */
export declare function inout<const T extends AnyType | DeclaredField>(type: T): InOutParameter<T>;
/**
 * Declares a parameter through which C receives a text and may return another one, which the caller frees. A pointer
 * that C leaves as it was is not freed.
 *
 * @param type The text, and the function that frees it.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for another type.
 */
export declare function inout<const T extends OwnedText & { readonly type: Text }>(type: T): InOutParameter<T['type']>;

/**
 * Declares integers with names. You pass names or numbers; results are numbers, or names with `names: true`. The
 * members are properties of the result: `Whence.SEEK_END`.
 *
 * @param members The integers by name.
 * @param options `type` is the integer type in C (default: `'i32'`); `name` is the name in messages; `flags: true` says
 *   that the members are bits: you may pass `'A | B'` or `['A', 'B']`, and with `names: true` get `'A | B'`.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for a wrong declaration.
 */
export declare function enumeration<
  const M extends { readonly [name: string]: number | bigint },
  const Named extends boolean = false,
  const Flags extends boolean = false,
>(
  members: M,
  options?: {
    readonly type?: AnyType;
    readonly names?: Named;
    readonly name?: string;
    readonly flags?: Flags;
  },
): EnumerationType<M, Named, Flags>;

/** Options of {@link opaque}. */
export interface OpaqueOptions<Base extends string> {
  /** A type for which this one may be passed. */
  readonly base?: OpaqueType<Base>;
  /**
   * The type of the owner: the handle that was passed to the call which returned this one. This one ends with its
   * owner.
   */
  readonly owner?: OpaqueType<any>;
  /**
   * The functions that free a handle. It is refused once such a call begins, unless the call fails according to its
   * `fails`.
   */
  readonly free?: string | readonly string[];
}

/**
 * Declares handles: pointers whose content only C knows. A handle of one type is refused for another type. As soon
 * as a call begins that frees a handle or its owner, using it throws ERR_FFI_INVALID_POINTER.
 *
 * @param name The name in messages and types.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 */
export declare function opaque<const Name extends string, const Base extends string = never>(
  name: Name,
  options?: OpaqueOptions<Base>,
): OpaqueType<Name | Base>;

/**
 * Declares a function pointer. Function pointers returned by C are callable. A JavaScript function passed as an
 * argument is valid only during the call. If C keeps it, pass a {@link JSCallback}.
 *
 * @param declaration The C type of the function, or of a pointer to one: an object, or C text such as `'int (*)(int)'`.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a wrong declaration.
 */
export declare function fn<const D extends FFICallback | TypeText>(
  declaration: [CallbackProblem<D, FFICallback>] extends [never] ? D : CallbackProblem<D, FFICallback>,
): FunctionType<CallbackDeclaration<D>>;

/**
 * The size of a type in bytes, like C's `sizeof` on this platform.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a type that cannot be in memory.
 */
export declare function sizeof(type: AnyType | DeclaredType): number;
/**
 * The same of a C type: `sizeof('struct point')`. A name of the package's own table means what it means elsewhere.
 *
 * @param text The type, or an array of sets and texts of which the last is the type.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function sizeof<const T extends TypeText>(
  text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>,
): number;

/**
 * The alignment of a type in bytes, like C's `alignof` on this platform.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE for a type that cannot be in memory.
 */
export declare function alignof(type: AnyType | DeclaredType): number;
/**
 * The same of a C type: `alignof('struct point')`. A name of the package's own table means what it means elsewhere.
 *
 * @param text The type, or an array of sets and texts of which the last is the type.
 * @throws ERR_FFI_DECLARATION_INVALID for C text that is not understood.
 */
export declare function alignof<const T extends TypeText>(
  text: [TypeProblem<T>] extends [never] ? T : TypeProblem<T>,
): number;

/**
 * The offset of a field of a struct or union in bytes, like C's `offsetof` on this platform.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE if there is no such field, or it is a bitfield, which has no
 *   offset.
 */
export declare function offsetof<F>(type: StructType<F> | UnionType<F>, field: keyof F & string): number;

// ---- Platform and errors -------------------------------------------------------------------------------------------

/** The file extension of shared libraries on this platform, without a dot. */
export declare const suffix: 'so' | 'dylib' | 'dll';

/** The `code` of an error. docs/errors.md describes each, with its fix. */
export type FFIErrorCode =
  /** TypeError: an argument has the wrong type. */
  | 'ERR_INVALID_ARG_TYPE'
  /**
   * TypeError: an argument has the right type and a wrong value; a wrong number of arguments; an error in a
   * declaration.
   */
  | 'ERR_INVALID_ARG_VALUE'
  /** RangeError: a number does not fit its type, or a Buffer is too small. */
  | 'ERR_OUT_OF_RANGE'
  /** Error: Node's permission model does not allow native code; `permission` is `'FFI'` or `'Addon'`. */
  | 'ERR_ACCESS_DENIED'
  /** Error: `pinned-ffi/bun` could not open a library; `cause` is the error of this entry. */
  | 'ERR_ACCESS_DENIED'
  | 'ERR_DLOPEN_FAILED'
  /** Error: no native addon for this platform. */
  | 'ERR_FFI_ADDON_NOT_FOUND'
  /** RangeError: native code wrote past the end of a buffer. */
  | 'ERR_FFI_BUFFER_OVERFLOW'
  /** RangeError: native code wrote before the start of a buffer. */
  | 'ERR_FFI_BUFFER_UNDERFLOW'
  /** Error: a closed JSCallback was passed. */
  | 'ERR_FFI_CALLBACK_CLOSED'
  /** Error: a C function failed according to `fails` of its declaration, without setting errno. */
  | 'ERR_FFI_CALL_FAILED'
  /** Error: C called a callback on the stack of a coroutine. */
  | 'ERR_FFI_CALLBACK_STACK'
  /** Error: the C compiler reported errors; the message has its diagnostics. */
  | 'ERR_FFI_COMPILE_FAILED'
  /** Error: `cc` found no C compiler. */
  | 'ERR_FFI_COMPILER_NOT_FOUND'
  /** Error: C text that is not understood; the message shows the line, `line` and `column` count from 1. */
  | 'ERR_FFI_DECLARATION_INVALID'
  /** Error: a C function pointer needs executable memory, which the system refuses. */
  | 'ERR_FFI_NO_EXECUTABLE_MEMORY'
  /** Error: the runtime does not allow a buffer over native memory. */
  | 'ERR_FFI_EXTERNAL_REFUSED'
  /** Error: a bug in this package; please report it. */
  | 'ERR_FFI_INTERNAL'
  /**
   * RangeError: NULL, an address below 4096 or, with PINNED_FFI_GUARD=1, one that is not mapped, was to be read or
   * written.
   */
  | 'ERR_FFI_INVALID_POINTER'
  /** Error: the process of an isolated library sent what makes no sense, and was killed. */
  | 'ERR_FFI_ISOLATE_PROTOCOL'
  /** Error: a library cannot be isolated here; the message says why. */
  | 'ERR_FFI_ISOLATE_UNAVAILABLE'
  | 'ERR_FFI_LEAF_CALLED_BACK'
  /** Error: `close()` was called in a callback that the library is running. */
  | 'ERR_FFI_LIBRARY_BUSY'
  /** Error: a call after `close()` of the library or function. */
  | 'ERR_FFI_LIBRARY_CLOSED'
  /**
   * Error: the process of an isolated library has ended; `signal`, `exitCode`, `where`, `frames`, `stderr` tell how.
   */
  | 'ERR_FFI_LIBRARY_DIED'
  /** Error: the file exists and cannot be loaded. */
  | 'ERR_FFI_LIBRARY_INVALID'
  /** Error: no such library; `tried` lists the names that were tried. */
  | 'ERR_FFI_LIBRARY_NOT_FOUND'
  /** Error: the process of an isolated library with `restart: 'lazy'` ended too often. */
  | 'ERR_FFI_LIBRARY_UNSTABLE'
  /** RangeError: native memory could not be allocated. */
  | 'ERR_FFI_MEMORY_EXHAUSTED'
  /** TypeError: an isolated library was passed a pointer to memory that it does not share. */
  | 'ERR_FFI_NOT_SHARED'
  /** Error: this version of Node is too old. */
  | 'ERR_FFI_RUNTIME_UNSUPPORTED'
  /** RangeError: a pointer of a process of an isolated library that has ended was passed. */
  | 'ERR_FFI_STALE_POINTER'
  /** Error: the library lacks a symbol. */
  | 'ERR_FFI_SYMBOL_NOT_FOUND'
  /** Error: a call on a `thread()` after its `close()`. */
  | 'ERR_FFI_THREAD_CLOSED'
  /** Error: a call of an isolated library took longer than its `timeout`. */
  | 'ERR_FFI_TIMEOUT';

/** An error of this package with one of these codes. Other properties depend on the code: see {@link FFIError}. */
export interface FFIErrorOf<Code extends FFIErrorCode> extends Error {
  /** The kind of the error. It is stable; messages may change. */
  readonly code: Code;
}

/** Native code wrote beyond a buffer. */
export interface FFIOverflowError extends FFIErrorOf<'ERR_FFI_BUFFER_OVERFLOW' | 'ERR_FFI_BUFFER_UNDERFLOW'> {
  /** The name of the C function. */
  readonly symbol: string;
  /** The index of the argument. */
  readonly argument: number;
  /** The length of the argument in bytes. */
  readonly byteLength: number;
  /** The offset of the first bad byte in the argument; negative before it. */
  readonly firstBadOffset: number;
  /** The number of bytes beyond the argument that were written. */
  readonly bytesPast: number;
}

/** A library was not found, or cannot be loaded. */
export interface FFILibraryError extends FFIErrorOf<'ERR_FFI_LIBRARY_INVALID' | 'ERR_FFI_LIBRARY_NOT_FOUND'> {
  /** The path or name that was passed. */
  readonly path: string;
  /** The paths and names that were tried, in order. */
  readonly tried: readonly string[];
}

/** A library lacks a symbol. */
export interface FFISymbolError extends FFIErrorOf<'ERR_FFI_SYMBOL_NOT_FOUND'> {
  /** The name of the C function or variable. */
  readonly symbol: string;
  /** The file of the library; `null` for the process itself. */
  readonly path: string | null;
}

/** C text is not understood. */
export interface FFIDeclarationError extends FFIErrorOf<'ERR_FFI_DECLARATION_INVALID'> {
  /** The line in the text, from 1. */
  readonly line: number;
  /** The column in that line, from 1. */
  readonly column: number;
}

/** A C function failed according to its `fails`, without setting errno. With errno it is a system error of Node. */
export interface FFICallError extends FFIErrorOf<'ERR_FFI_CALL_FAILED'> {
  /** The name of the C function. */
  readonly syscall: string;
  /** Its result. */
  readonly result: unknown;
}

/** The C compiler reported errors. */
export interface FFICompileError extends FFIErrorOf<'ERR_FFI_COMPILE_FAILED'> {
  /** The output of the compiler. */
  readonly diagnostics: string;
  /** The command: the compiler and its arguments. */
  readonly command: readonly string[];
}

/** There is no C compiler. */
export interface FFICompilerError extends FFIErrorOf<'ERR_FFI_COMPILER_NOT_FOUND'> {
  /** The commands that were tried, in order. */
  readonly tried: readonly string[];
}

/** Node's permission model does not allow native code. */
export interface FFIAccessError extends FFIErrorOf<'ERR_ACCESS_DENIED'> {
  /** The permission that is missing, as Node names it in its own errors. */
  readonly permission: 'FFI' | 'Addon';
  /** The file that was to be opened; empty if there is none. */
  readonly resource: string;
}

/** The process of an isolated library has ended, or was ended. */
export interface FFIDeathError extends FFIErrorOf<
  'ERR_FFI_LIBRARY_DIED' | 'ERR_FFI_TIMEOUT' | 'ERR_FFI_ISOLATE_PROTOCOL'
> {
  /** The name of the C function that was called. */
  readonly symbol: string;
  /** The signal that ended it, such as `'SIGSEGV'`, if one did. */
  readonly signal?: string;
  /** The status it exited with, if it did. */
  readonly exitCode?: number;
  /** The address that could not be accessed. */
  readonly address?: number;
  /** Where it happened: a function and an offset, or an offset in a file. */
  readonly where?: string;
  /** The file that this place is in. */
  readonly object?: string;
  /** The calls that led there, the innermost first. */
  readonly frames?: readonly string[];
  /** The last 4 KiB that the process wrote to stderr. */
  readonly stderr: string;
  /** The number of the process. */
  readonly pid: number;
  /** How many processes of the library there had been. */
  readonly generation: number;
}

/** Errors that have more properties than a code. */
type DetailedFFIError =
  | FFIOverflowError
  | FFILibraryError
  | FFISymbolError
  | FFIDeclarationError
  | FFICallError
  | FFICompileError
  | FFICompilerError
  | FFIAccessError
  | FFIDeathError;

/**
 * An error of this package: a TypeError, RangeError or Error with a code. Compare the code to reach the properties of
 * one kind. See {@link isFFIError}.
 */
export type FFIError = DetailedFFIError | FFIErrorOf<Exclude<FFIErrorCode, DetailedFFIError['code']>>;

/**
 * Whether a value is an error with one of the codes of {@link FFIErrorCode}. It narrows the type in a `catch`. Node's
 * own errors share the codes `ERR_INVALID_ARG_TYPE`, `ERR_INVALID_ARG_VALUE`, `ERR_OUT_OF_RANGE`, `ERR_DLOPEN_FAILED`
 * and `ERR_ACCESS_DENIED`. System errors of functions with `fails` (`ENOENT`) are none.
 *
 * @example
 * ```js
 * try {
 *   dlopen('nonesuch', 'int f(void);');
 * } catch (error) {
 *   if (!isFFIError(error) || error.code !== 'ERR_FFI_LIBRARY_NOT_FOUND') throw error;
 *   console.error(error.tried);
 * }
 * ```
 */
export declare function isFFIError(value: unknown): value is FFIError;

/** A process warning of this package, for errors that no call can throw: see `process.on('warning')`. */
export interface FFIWarning extends Error {
  /** Distinguishes it from other warnings. */
  readonly name: 'FFIWarning';
  /** The kind of the warning. Warnings about settings have none. */
  readonly code?: 'ERR_FFI_BUFFER_OVERFLOW' | 'ERR_FFI_BUFFER_UNDERFLOW' | 'ERR_FFI_CALLBACK_CLOSED';
  /** For a broken fence: found by {@link checkFences}, when the memory was freed, or after that. */
  readonly found?: 'checked' | 'freed' | 'quarantine';
  /** For a broken fence: the length of the buffer in bytes. */
  readonly byteLength?: number;
  /** For a broken fence: the offset of the first bad byte in the buffer; negative before it. */
  readonly firstBadOffset?: number;
  /** For a broken fence: the number of bytes beyond the buffer that were written. */
  readonly bytesPast?: number;
  /** For a broken fence: the function that last received the address of the buffer; `null` if none is known. */
  readonly symbol?: string | null;
}

/** The message of the channel `pinned-ffi:library:open`. */
export interface LibraryOpenMessage {
  /** The file that was opened; `null` for the process itself. */
  readonly path: string | null;
  /** The argument of `dlopen`: a path, a URL or a name; `null` for the process itself. */
  readonly name: string | null;
  /** The process of the library, if it is isolated. */
  readonly isolated?: IsolatedLibrary<{}>['isolated'];
}

/** The message of the channel `pinned-ffi:library:close`. */
export interface LibraryCloseMessage {
  /** The file that was closed; `null` for the process itself. */
  readonly path: string | null;
}

/**
 * The message of the channel `pinned-ffi:library:died`, published when the first call throws because the process of
 * isolated libraries has ended.
 */
export interface LibraryDiedMessage {
  /** Why it has ended. */
  readonly code: 'ERR_FFI_LIBRARY_DIED' | 'ERR_FFI_TIMEOUT' | 'ERR_FFI_ISOLATE_PROTOCOL';
  /** The function that was called. */
  readonly symbol: string;
  /** The number of the process. */
  readonly pid: number;
  /** The how many-th process of its libraries it was. */
  readonly generation: number;
  /** The signal that it has ended by, if any. */
  readonly signal: string | undefined;
  /** The status that it has exited with, if it did. */
  readonly exitCode: number | undefined;
  /** The error that the call throws. */
  readonly error: Error;
}

/** The message of the channel `pinned-ffi:fence:breach`. The other properties are those of `error`. */
export interface FenceBreachMessage {
  /** The kind of the breach. */
  readonly code: 'ERR_FFI_BUFFER_OVERFLOW' | 'ERR_FFI_BUFFER_UNDERFLOW';
  /** When it was found: after the call, which throws, or later, which is a process warning. */
  readonly found: 'call' | 'checked' | 'freed' | 'quarantine';
  /** The function; for a late one the last that received the address, `null` if none is known. */
  readonly symbol: string | null;
  /** The index of the argument, if a call throws. */
  readonly argument?: number | undefined;
  /** The length of the argument or Buffer in bytes. */
  readonly byteLength: number;
  /** The offset of the first bad byte; negative before the start. */
  readonly firstBadOffset: number;
  /** The number of bytes beyond the end that were written. */
  readonly bytesPast: number;
  /** The error that the call throws, or the process warning. */
  readonly error: FFIOverflowError | FFIWarning;
}

/**
 * Sets errno of this thread, and what {@link errno} returns until the next call that saves it. Such a call begins with
 * errno 0.
 *
 * @param value The number, such as `os.constants.errno.EINVAL`.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OUT_OF_RANGE if it is no 32-bit integer.
 */
export declare function errno(value: number | bigint): void;
/**
 * C's errno (GetLastError on Windows) right after the last call of this thread whose declaration has `errno: true` or
 * `fails`. After an asynchronous call, it is that of its thread, from when its Promise settles until the next one
 * settles: read it directly after the `await`. It is a positive number, as in C. It is 0 if the function has not set
 * it, and before the first such call.
 */
export declare function errno(): number;
