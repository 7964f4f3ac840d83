// From a declaration, as it is written, to the type of the function that dlopen makes of it.

import type { In, Out, Pointer } from './table.js';

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

/** The parameters of a function declared as D: none where `args` is left out. */
export type Args<D> = D extends { readonly args?: infer A } ? (A extends readonly unknown[] ? Inputs<A> : []) : [];

/** The result of a function declared as D: void where `returns` is left out. */
export type Ret<D> = D extends { readonly returns?: infer R } ? (R extends PropertyKey ? Out<R> : void) : void;

/** The parameters C gives to a callback declared as D. */
export type CallbackArgs<D> =
  D extends { readonly args?: infer A } ? (A extends readonly unknown[] ? Outputs<A> : []) : [];

/** What a callback declared as D must give back to C. */
export type CallbackRet<D> =
  D extends { readonly returns?: infer R } ? (R extends PropertyKey ? Result<R> : void) : void;
type Result<R> = [In<R>] extends [never] ? void : In<R>;

/** What a bound function has beside its call; its `name` is the symbol's, its `length` the number of arguments. */
export interface BoundFunction {
  /** The address of the native function. */
  readonly ptr: Pointer;
  /** The function itself (bun:ffi has this property). */
  readonly native: this;
}

// Conditional, although the condition always holds: an editor then shows the signature and not this alias.
/** The function that a declaration D gives. */
export type Fn<D> = D extends unknown ? ((...args: Args<D>) => Ret<D>) & BoundFunction : never;

/** What a library's `symbols` are: a function per declaration, `| null` where it says `optional: true`. */
export type BoundSymbols<S> = { readonly [Name in keyof S]: Fn<S[Name]> | Missing<S[Name]> };
type Missing<D> = D extends { readonly optional?: infer O } ? (O extends true ? null : never) : never;

// Inference alone would let unknown keys through. A parameter of one of these types is inferred as it is written, and
// checked against the plain declaration where it has such a key: the compiler then names the key, and the one meant.
/** D, if all its keys are keys of Declaration; else Declaration. */
export type Strict<D, Declaration> = Exclude<keyof D, keyof Declaration> extends never ? D : Declaration;

/** S, if all keys of each of its declarations are keys of Declaration; else a set of plain declarations. */
export type StrictSet<S, Declaration> =
  Exclude<KeysOfEach<S[keyof S]>, keyof Declaration> extends never ? S : { readonly [name: string]: Declaration };
type KeysOfEach<D> = D extends unknown ? keyof D : never;
