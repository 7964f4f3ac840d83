// Where declarations are taken: texts, sets of `cdef`, arrays of them and of objects -> declarations, types, constants.

import type { DeclaredType, OpaqueType } from '../declared.js';
import type { UnknownKeys } from '../infer.js';
import type { AnyFault, Constant, Empty, Hidden, Signature, To, Value } from './marks.js';
import type {
  AnyDeclared,
  AnyTextError,
  CallbackOf,
  DeclaredFunction,
  Parse,
  Parsed,
  SignatureOf,
  ValueOf,
} from './parse.js';
import type { IsLiteral } from './text.js';
import type { Outermost } from './words.js';

declare const sources: unique symbol;

/** Any set of declarations. */
export interface AnyDefinitions {
  /** Only for the compiler: what the set was made of. */
  readonly [sources]: any;
}

/** A set of declarations: what `cdef` makes of S. */
export interface Definitions<S> extends AnyDefinitions {
  /** The types by their typedef names and tags, for use in declarations; a tag is also there as `struct tag`. */
  readonly types: TypesOf<S>;
  /** The enumerators, and what `#define` gives a value. */
  readonly constants: ConstantsOf<S>;
  /** The functions as objects of declarations. */
  readonly symbols: SymbolsOf<S>;
  /** Only for the compiler: what the set was made of. */
  readonly [sources]: S;
}

/** A type of which nothing is known. */
type Anything = DeclaredType<{ in: any; out: any; view: any; kind: 'value' }>;
/** The declaration of a function in a text that is only known at run time. */
export interface LooseDeclaration {
  /** Any number of arguments of any type. */
  readonly args: readonly Anything[];
  /** A result of any type. */
  readonly returns: Anything;
}

/** The additions of an object to a parameter of a function that a text declares. */
export interface ArgumentAddition {
  /** The name, or the index, of the pointer whose bytes it counts: as `lengthOf` of an argument that is an object. */
  readonly lengthOf?: string | number;
  /** The fewest bytes of a view. */
  readonly minBytes?: number;
  /** Which way the bytes of a copy go: as `flow` of an argument that is an object. */
  readonly flow?: 'in' | 'out' | 'inout';
}

// ---- what sources declare -------------------------------------------------------------------------------------------

/** The declarations of functions, those of sets that are not bound, the types of variables, and the scope. */
interface Collected<Symbols, Others, Variables, Scope> {
  readonly symbols: Symbols;
  readonly others: Others;
  readonly variables: Variables;
  readonly scope: Scope;
}
interface Loose {
  readonly loose: true;
}

/** Everything that sources declare, or an error, or {@link Loose}. */
type Collect<S> = S extends string
  ? CollectText<S>
  : S extends readonly [infer Only]
    ? Only extends string
      ? CollectText<Only>
      : Only extends { readonly [sources]: infer Inner }
        ? Collect<Inner>
        : CollectAll<S>
    : S extends readonly unknown[]
      ? number extends S['length']
        ? Loose
        : CollectAll<S>
      : S extends { readonly [sources]: infer Inner }
        ? Collect<Inner>
        : Collected<S, {}, {}, Outermost>;

type CollectText<S extends string> =
  IsLiteral<S> extends true
    ? Parse<S> extends infer Found
      ? Found extends Parsed<infer Functions extends AnyDeclared, infer Variables extends AnyDeclared, infer Scope>
        ? Collected<
            { readonly [E in Functions as E['name']]: E['type'] },
            {},
            { readonly [E in Variables as E['name']]: E['type'] },
            Omit<Scope, '#text'>
          >
        : Found
      : never
    : Loose;

type CollectAll<S, Symbols = {}, Others = {}, Variables = {}, Scope = Outermost> = S extends readonly [
  infer First,
  ...infer Rest,
]
  ? First extends string
    ? IsLiteral<First> extends true
      ? Parse<First, Scope> extends infer Found
        ? Found extends Parsed<infer Functions extends AnyDeclared, infer NewVariables extends AnyDeclared, infer Inner>
          ? CollectAll<
              Rest,
              Over<Symbols, { readonly [E in Functions as E['name']]: E['type'] }>,
              Others,
              Over<Variables, { readonly [E in NewVariables as E['name']]: E['type'] }>,
              Omit<Inner, '#text'>
            >
          : Found
        : never
      : Loose
    : First extends { readonly [sources]: infer Inner }
      ? Collect<Inner> extends infer Found
        ? Found extends Collected<infer F, infer O, infer V, infer InnerScope>
          ? CollectAll<Rest, Symbols, Over<Over<Others, O>, F>, Over<Variables, V>, Over<Scope, InnerScope>>
          : Found
        : never
      : CollectAll<
          Rest,
          Over<Symbols, { readonly [Name in keyof First]: Added<Name, First[Name], Symbols, Others> }>,
          Others,
          Variables,
          Scope
        >
  : Collected<Symbols, Others, Variables, Scope>;

/** The properties of B, and those of A that B lacks. */
type Over<A, B> = keyof A extends never
  ? B
  : keyof B extends never
    ? A
    : { readonly [K in keyof A | keyof B]: K extends keyof B ? B[K] : K extends keyof A ? A[K] : never };

/** The declaration of one function in an object: by itself, or added to what a text declares. */
type Added<Name, A, Symbols, Others> = A extends { readonly returns: unknown } | { readonly args: readonly unknown[] }
  ? A
  : Name extends keyof Symbols
    ? Addition<Symbols[Name], A>
    : Name extends keyof Others
      ? Addition<Others[Name], A>
      : A;

type Addition<D, A> = D extends unknown
  ? {
      readonly [K in keyof D | Exclude<keyof A, 'free' | 'args'>]: K extends keyof D
        ? K extends 'returns'
          ? A extends { readonly free: infer Free }
            ? { readonly type: TextOfResult<D[K]>; readonly free: Free }
            : D[K]
          : D[K]
        : K extends keyof A
          ? A[K]
          : never;
    }
  : never;
type TextOfResult<R> = R extends 'wstring' | 'utf16' ? R : 'cstring';

// ---- the parts of it ------------------------------------------------------------------------------------------------

/** The declarations of functions, by name. Of an object, the object. */
export type SymbolsOf<S> = S extends string | readonly unknown[] | AnyDefinitions
  ? Collect<S> extends infer Found
    ? Found extends Collected<infer Symbols, any, any, any>
      ? Symbols
      : { readonly [name: string]: LooseDeclaration }
    : never
  : S;

/** The types of the variables that sources declare. */
export type VariablesOf<S> = S extends string | readonly unknown[] | AnyDefinitions
  ? Collect<S> extends infer Found
    ? Found extends Collected<any, any, infer Variables, any>
      ? Variables
      : { readonly [name: string]: Anything }
    : never
  : {};

type ScopeOf<S> = S extends string | readonly unknown[] | AnyDefinitions
  ? Collect<S> extends Collected<any, any, any, infer Scope>
    ? Scope
    : Collect<S>
  : Outermost;

type IsLoose<S> = S extends string | readonly unknown[] | AnyDefinitions
  ? Collect<S> extends Loose | AnyTextError
    ? true
    : false
  : false;

export type ConstantsOf<S> =
  IsLoose<S> extends true
    ? { readonly [name: string]: number | bigint | string }
    : ConstantsIn<ScopeOf<S>> extends infer C
      ? { readonly [K in keyof C]: C[K] }
      : never;
type ConstantsIn<Scope> = {
  readonly [
    K in keyof Scope as Scope[K] extends Constant<any> ? (K extends `#${infer Name}` ? Name : never) : never
  ]: Scope[K] extends Constant<infer V> ? V : never;
};

export type TypesOf<S> =
  IsLoose<S> extends true
    ? { readonly [name: string]: any }
    : ScopeOf<S> extends infer Scope
      ? TypesIn<Omit<Scope, keyof Outermost>, Scope> extends infer T
        ? { readonly [K in keyof T]: T[K] }
        : never
      : never;

/** Typedef names before tags of the same name. */
type TypesIn<Own, Scope> = {
  readonly [K in keyof Own as Own[K] extends Constant<any> | Empty | Nothing<Own[K], Scope> ? never : K]: TypeOf<
    Own[K],
    Scope
  >;
} & {
  readonly [
    K in keyof Own as K extends `${'struct' | 'union' | 'enum'} ${infer Short}`
      ? Short extends keyof Own
        ? never
        : Short
      : never
  ]: TypeOf<Own[K], Scope>;
};
type Nothing<T, Scope> = TypeOf<T, Scope> extends AnyFault ? T : never;
type TypeOf<T, Scope> =
  T extends Hidden<infer Name>
    ? OpaqueType<Name>
    : T extends { readonly mark: 'tag'; readonly tag: infer Name extends keyof Scope }
      ? Scope[Name] extends Hidden<infer Short>
        ? OpaqueType<Short>
        : Scope[Name]
      : Value<T extends Signature<any, any> ? To<T> : T, Scope>;

// ---- what may be passed ---------------------------------------------------------------------------------------------

// A parameter is inferred as it is written, and constant, where its type is `[Problem] extends [never] ? S : Problem`.
/** What S has to be where it is wrong: an error that says why, or a plain set of declarations. */
export type SourcesProblem<S, Declaration, Added> = S extends string
  ? ErrorOf<S>
  : S extends readonly unknown[]
    ? true extends IsWrong<S[number], Declaration | Added>
      ? readonly (string | AnyDefinitions | { readonly [name: string]: Declaration | Added })[]
      : ErrorOf<S>
    : S extends AnyDefinitions
      ? ErrorOf<S>
      : S extends { [Symbol.iterator](): any }
        ? never
        : [UnknownKeys<S[keyof S], Declaration>] extends [never]
          ? never
          : { readonly [name: string]: Declaration };

type ErrorOf<S> = Extract<Collect<S>, AnyTextError>;

/** Whether an element of an array is an object with unknown keys or wrong values. */
type IsWrong<E, Declaration> = E extends string | AnyDefinitions ? false : IsWrongEntry<E[keyof E], Declaration>;
type IsWrongEntry<D, Declaration> = D extends Declaration
  ? Exclude<keyof D, Declaration extends unknown ? keyof Declaration : never> extends never
    ? D extends { readonly args: infer A }
      ? IsWrongArguments<A>
      : false
    : true
  : true;
type IsWrongArguments<A> = A extends readonly unknown[]
  ? [UnknownKeys<{ readonly args: A }, { readonly args: A }>] extends [never]
    ? false
    : true
  : A[keyof A] extends infer Argument
    ? Argument extends unknown
      ? Exclude<keyof Argument, keyof ArgumentAddition> extends never
        ? false
        : true
      : never
    : never;

// ---- single types and functions -------------------------------------------------------------------------------------

/** A text, or an array of sets and texts of which the last is the text that counts. */
export type TypeText = string | readonly [...(string | AnyDefinitions)[], string];

/** The type that a text is; a text that begins with `typedef` gives the last type that it declares. */
type InScope<T, Kind extends 'value' | 'signature' | 'callback'> = T extends string
  ? IsLiteral<T> extends true
    ? ReadType<T, Outermost, Kind>
    : Loose
  : T extends readonly [...infer Before, infer Last extends string]
    ? IsLiteral<Last> extends true
      ? Before extends readonly []
        ? ReadType<Last, Outermost, Kind>
        : Collect<[...Before, '']> extends infer Found
          ? Found extends Collected<any, any, any, infer Scope>
            ? ReadType<Last, Scope, Kind>
            : Found
          : never
      : Loose
    : Loose;

type ReadType<S extends string, Scope, Kind> = Kind extends 'value'
  ? ValueOf<S, Scope>
  : Kind extends 'signature'
    ? SignatureOf<S, Scope>
    : CallbackOf<S, Scope>;

/** The fault of the text of a type. */
export type TypeProblem<T> = Extract<InScope<T, 'value'>, AnyTextError>;

/** The declared type of a text: of a struct, a union, an array, ... */
export type TypeOfText<T> =
  InScope<T, 'value'> extends infer Found ? (Found extends Loose | AnyTextError ? any : Found) : never;

/** The declaration of a text in the place of one, of a function that C calls. Of an object, the object. */
export type CallbackDeclaration<D> = D extends string | readonly unknown[]
  ? InScope<D, 'callback'> extends infer Found
    ? Found extends Loose | AnyTextError
      ? LooseDeclaration
      : Found
    : never
  : D;

/** What D has to be where it is wrong: an error that says why, or a plain declaration. */
export type CallbackProblem<D, Declaration> = D extends TypeText
  ? Extract<InScope<D, 'callback'>, AnyTextError>
  : [UnknownKeys<D, Declaration>] extends [never]
    ? never
    : Declaration;

/** A declaration with an address, whose `c` is the type of the function. */
export type Linked<D> = D extends { readonly c: infer C extends string }
  ? InScope<C, 'signature'> extends infer Found
    ? Omit<D, 'c'> & (Found extends Loose | AnyTextError ? LooseDeclaration : Found)
    : never
  : D;
export type LinkedSet<S> = [Extract<S[keyof S], { readonly c: string }>] extends [never]
  ? S
  : { readonly [Name in keyof S]: Linked<S[Name]> };

/** What D has to be where its keys or its `c` are wrong. */
export type LinkProblem<D, Declaration> = [UnknownKeys<D, Declaration>] extends [never]
  ? D extends { readonly c: infer C extends string }
    ? Extract<InScope<C, 'signature'>, AnyTextError> extends infer Error
      ? [Error] extends [never]
        ? never
        : { readonly ptr: number | bigint; readonly c: Error }
      : never
    : never
  : Declaration;
export type LinkedSetProblem<S, Declaration> = [LinkProblem<S[keyof S], Declaration>] extends [never]
  ? never
  : {
      readonly [Name in keyof S]: [LinkProblem<S[Name], Declaration>] extends [never]
        ? S[Name]
        : LinkProblem<S[Name], Declaration>;
    };

// ---- one more function of a library ---------------------------------------------------------------------------------

/** The function that a text declares in the scope of a library. */
type OneFunction<T, S> = T extends string
  ? IsLiteral<T> extends true
    ? Parse<T, ScopeOf<S> extends Loose | AnyTextError ? Outermost : ScopeOf<S>> extends infer Found
      ? Found extends Parsed<infer Functions, any, any>
        ? IsUnion<Functions> extends true
          ? { error: 'expected one function' }
          : Functions extends DeclaredFunction<any, infer D>
            ? D
            : never
        : IsLoose<S> extends true
          ? LooseDeclaration
          : Found
      : never
    : LooseDeclaration
  : never;
type IsUnion<T, Whole = T> = [T] extends [never]
  ? true
  : T extends unknown
    ? [Whole] extends [T]
      ? false
      : true
    : never;

export type FunctionProblem<T, S> = Extract<OneFunction<T, S>, AnyTextError>;
export type FunctionOfText<T, S> =
  OneFunction<T, S> extends infer D ? (D extends AnyTextError ? LooseDeclaration : D) : never;
