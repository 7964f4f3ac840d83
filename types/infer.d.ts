// From a declaration, as it is written, to the type of the function that dlopen makes of it.

import type { InOutParameter, OutParameter, OwnedText } from './declared.js';
import type { DescribedArgument, Extra, In, Out, Pointer } from './table.js';

/** Names for parameters, so that an editor shows `(arg0: number, arg1: number) => number`. */
// prettier-ignore
type Names = [
  arg0: any, arg1: any, arg2: any, arg3: any, arg4: any, arg5: any, arg6: any, arg7: any,
  arg8: any, arg9: any, arg10: any, arg11: any, arg12: any, arg13: any, arg14: any, arg15: any,
  arg16: any, arg17: any, arg18: any, arg19: any, arg20: any, arg21: any, arg22: any, arg23: any,
  arg24: any, arg25: any, arg26: any, arg27: any, arg28: any, arg29: any, arg30: any, arg31: any,
];

/** The first names, as many as A has elements: drop those of A to find the tail, then drop the tail. */
type Named<A extends readonly unknown[]> = Names extends [...A, ...infer Tail]
  ? Names extends [...infer Head, ...Tail]
    ? Head
    : never
  : A;

/** Types -> values, in the direction In (into C) or Out (out of C). Types whose number is unknown give an array. */
type Inputs<A extends readonly unknown[]> = number extends A['length'] ? In<A[number]>[] : InputsOf<A, Named<A>>;
type InputsOf<A, Names> = { -readonly [I in keyof Names]: I extends keyof A ? In<A[I]> : never };

type Outputs<A extends readonly unknown[]> = number extends A['length'] ? Out<A[number]>[] : OutputsOf<A, Named<A>>;
type OutputsOf<A, Names> = { -readonly [I in keyof Names]: I extends keyof A ? Out<A[I]> : never };

/** Whether a type is an output parameter only, or returns a value. */
type IsOut<T> = T extends { readonly passes?: infer P } ? ('out' extends P ? true : false) : false;
type ComesBack<T> = T extends { readonly passes?: 'out' | 'inout' } ? T : never;
type Parameters = OutParameter<any> | InOutParameter<any>;

/** The types of the parameters that are passed: all except output parameters. */
type Passed<A extends readonly unknown[]> = [Extract<A[number], Parameters>] extends [never] ? A : PassedOf<A>;
type PassedOf<A extends readonly unknown[], Found extends readonly unknown[] = []> = A extends readonly [
  infer First,
  ...infer Rest,
]
  ? PassedOf<Rest, IsOut<First> extends true ? Found : [...Found, First]>
  : Found;

/** The values that are returned through parameters, in their order. */
type Returned<A extends readonly unknown[], Found extends unknown[] = []> = A extends readonly [
  infer First,
  ...infer Rest,
]
  ? Returned<Rest, [ComesBack<First>] extends [never] ? Found : [...Found, Out<First>]>
  : Found;

/** The types of arguments, which may be declared as objects. */
type TypesOf<A extends readonly unknown[]> = [Extract<A[number], { readonly type: unknown }>] extends [never]
  ? A
  : { readonly [I in keyof A]: A[I] extends { readonly type: infer T } ? T : A[I] };

type Declared<D> = D extends { readonly args?: infer A } ? (A extends readonly unknown[] ? TypesOf<A> : []) : [];
type Extras<D> = D extends { readonly varargs?: infer V } ? (V extends true ? Extra[] : []) : [];

/** The parameters of a function declared as D: none without `args`; followed by pairs if it is variadic. */
export type Args<D> = Inputs<Passed<Declared<D>>> extends infer I extends unknown[] ? [...I, ...Extras<D>] : never;

type Result1<D> = D extends { readonly returns?: infer R }
  ? R extends OwnedText
    ? Out<R extends { readonly type: infer T } ? T : 'cstring'>
    : unknown extends R
      ? void
      : R extends undefined
        ? void
        : Out<R>
  : void;

/** The final result of a function declared as D. */
type Outcome<D> = [Extract<Declared<D>[number], Parameters>] extends [never]
  ? Result1<D>
  : { returns: Result1<D>; out: Returned<Declared<D>> };

/**
 * The result of a function declared as D: void without `returns`; with out-parameters an object with the result and, in
 * the order of the parameters, their values; with `nonblocking: true` a Promise of that.
 */
export type Ret<D> = D extends { readonly nonblocking?: infer N }
  ? unknown extends N
    ? Outcome<D>
    : N extends true
      ? Promise<Outcome<D>>
      : Outcome<D>
  : Outcome<D>;

/** The parameters that C passes to a callback declared as D. */
export type CallbackArgs<D> = D extends { readonly args?: infer A }
  ? A extends readonly unknown[]
    ? Outputs<A>
    : []
  : [];

/** The result that a callback declared as D must return to C. */
export type CallbackRet<D> = D extends { readonly returns?: infer R }
  ? unknown extends R
    ? void
    : R extends undefined
      ? void
      : Result<R>
  : void;
type Result<R> = [In<R>] extends [never] ? void : In<R>;

/** The JavaScript function of a callback declared as D. On a foreign thread it may return a Promise. */
export type CallbackFunction<D> = (...args: CallbackArgs<D>) => CallbackRet<D> | Later<CallbackRet<D>>;
// A function that returns anything is one that returns void, but not one that returns void or a Promise.
type Later<R> = [R] extends [void] ? never : Promise<R>;

/**
 * The properties of a bound function; `Async` is its asynchronous form. `name` is the name of the symbol, `length` the
 * number of arguments.
 */
export interface BoundFunction<Async = (...args: never) => Promise<unknown>> {
  /** The address of the native function. */
  readonly ptr: Pointer;
  /** The function itself (bun:ffi has this property). */
  readonly native: this;
  /**
   * The same call on a thread of libuv's pool (4 threads, UV_THREADPOOL_SIZE). JavaScript continues meanwhile.
   * Arguments stay alive, and their buffers cannot be transferred, until the Promise settles. Errors that a synchronous
   * call would throw, also those of wrong arguments, reject the Promise.
   */
  readonly async: Async;
}

// Conditional, although the condition always holds: an editor then shows the signature and not this alias.
/** The function of a declaration D. */
export type Fn<D> = D extends unknown
  ? ((...args: Args<D>) => Ret<D>) & BoundFunction<AsyncFn<D> & Abortable<D>>
  : never;

/** The asynchronous function of a declaration D: it takes the same arguments and returns a Promise. */
export type AsyncFn<D> = D extends unknown ? (...args: Args<D>) => Promise<Outcome<D>> : never;

/** Options of `with` of an asynchronous function. */
export interface CallOptions {
  /** Rejects the Promise with the reason of the signal. If it is aborted before the call, C is not called. */
  readonly signal?: AbortSignal;
  /** Rejects the Promise with a `TimeoutError` (DOMException) after so many milliseconds. */
  readonly timeout?: number | bigint;
}

/** The members of every asynchronous function. */
export interface Abortable<D> {
  /**
   * The same function, whose Promise a signal or a timeout rejects early. The C function is not stopped: it runs to its
   * end on its thread, its arguments stay alive until then, and its result is lost.
   * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE for wrong options.
   */
  with(options: CallOptions): (...args: Args<D>) => Promise<Outcome<D>>;
}

/** The `symbols` of a library: a function for each declaration, `| null` with `optional: true`. */
export type BoundSymbols<S> = { readonly [Name in keyof S]: Fn<S[Name]> | Missing<S[Name]> };

/** The `symbols` of a thread: the same functions, each of which returns a Promise. */
export type AsyncSymbols<S> = {
  readonly [Name in keyof S]: (AsyncFn<S[Name]> & Abortable<S[Name]>) | Missing<S[Name]>;
};
type Missing<D> = D extends { readonly optional?: infer O } ? (O extends true ? null : never) : never;

// Inference alone would let unknown keys through.
/** The unknown keys of a declaration, and of its arguments that are objects. */
export type UnknownKeys<D, Declaration> = D extends unknown
  ? Exclude<keyof D, keyof Declaration> | UnknownArgumentKeys<D>
  : never;
type UnknownArgumentKeys<D> = D extends { readonly args?: infer A }
  ? A extends readonly (infer T)[]
    ? T extends { readonly type: unknown }
      ? Exclude<keyof T, keyof DescribedArgument>
      : never
    : never
  : never;
