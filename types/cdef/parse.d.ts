// C text -> its declarations and its scope. What declares types is parsed statement by statement; the functions follow
// with all of the types, each by itself.

import type { EnumerationType } from '../declared.js';
import type { AnyFault, CalledByC, Constant, Empty, Fault, Hidden, Signature, Tag, To, Value } from './marks.js';
import type { Blank, Declarator, TextOf } from './declarator.js';
import type { Put } from './record.js';
import type { Specifiers } from './specifiers.js';
import type { Closed, OneLine, Tokens, Trim, TrimStart, WithoutComments } from './text.js';
import type { Outermost } from './words.js';

/** A text, parsed: unions of {@link DeclaredFunction} and {@link DeclaredVariable}, and the scope. */
export interface Parsed<Functions, Variables, Scope> {
  readonly functions: Functions;
  readonly variables: Variables;
  readonly scope: Scope;
}

export interface AnyDeclared {
  readonly kind: 'function' | 'variable';
  readonly name: string;
  readonly type: unknown;
}

export interface DeclaredFunction<Name, D> {
  readonly kind: 'function';
  readonly name: Name;
  readonly type: D;
}

export interface DeclaredVariable<Name, T> {
  readonly kind: 'variable';
  readonly name: Name;
  readonly type: T;
}

/** A text in a scope: {@link Parsed}, or `{ error }`, which the compiler shows where the text is passed. */
export type Parse<S extends string, Scope = Outermost> =
  Blocks<S, '', Put<Scope, '#text', S>> extends infer Found
    ? Found extends Statements<infer F, infer Inner, infer D>
      ? D | DeclarationsOf<F, Inner> extends infer All
        ? [Extract<All, AnyTextError>] extends [never]
          ? Parsed<Extract<All, { readonly kind: 'function' }>, Extract<All, { readonly kind: 'variable' }>, Inner>
          : Extract<All, AnyTextError>
        : never
      : Found
    : never;

export type AnyTextError = { readonly error: string };

/** A fault with the statement that has it. */
type ErrorIn<F, S extends string> =
  F extends Fault<infer Message, infer Hint> ? { error: `${Message} in '${OneLine<S>}'${Hint}` } : never;

// ---- statements ----------------------------------------------------------------------------------------------------

/** F is a union of the statements that declare no types: a long tuple would cost time by the square of its length. */
interface Statements<F, Scope, D> {
  readonly functions: F;
  readonly scope: Scope;
  readonly declared: D;
}

/** The start of a text, and what is left of it: a statement that goes on. */
interface Unfinished<S extends string, F, Scope, D> extends Statements<F, Scope, D> {
  readonly rest: S;
}

// Every step makes a text of what is left. Of a long text many steps would take time by the square of its length, and a
// type may call itself a thousand times: so the text is taken apart into blocks of 16 semicolons or lines first. What a
// block does not finish stands before the next one.
// prettier-ignore
type Blocks<S extends string, Before extends string, Scope, F = never, D = never> =
  S extends `${infer A0};${infer A1};${infer A2};${infer A3};${infer A4};${infer A5};${infer A6};${infer A7};${infer A8};${infer A9};${infer A10};${infer A11};${infer A12};${infer A13};${infer A14};${infer A15};${infer Rest}`
    ? Block<`${Before}${A0};${A1};${A2};${A3};${A4};${A5};${A6};${A7};${A8};${A9};${A10};${A11};${A12};${A13};${A14};${A15};`, Rest, Scope, F, D>
    : S extends `${infer A0}\n${infer A1}\n${infer A2}\n${infer A3}\n${infer A4}\n${infer A5}\n${infer A6}\n${infer A7}\n${infer A8}\n${infer A9}\n${infer A10}\n${infer A11}\n${infer A12}\n${infer A13}\n${infer A14}\n${infer A15}\n${infer Rest}`
      ? Block<`${Before}${A0}\n${A1}\n${A2}\n${A3}\n${A4}\n${A5}\n${A6}\n${A7}\n${A8}\n${A9}\n${A10}\n${A11}\n${A12}\n${A13}\n${A14}\n${A15}\n`, Rest, Scope, F, D>
      : WithoutComments<`${Before}${S}\n`> extends infer T
        ? T extends string
          ? Statement<T, Scope, F, D> extends infer Found
            ? Found extends Unfinished<infer Rest, any, any, any>
              ? { error: `'{' has no '}' in '${OneLine<Rest>}'` }
              : Found
            : never
          : { error: 'a comment does not end' }
        : never;

type Block<S extends string, After extends string, Scope, F, D> =
  WithoutComments<S> extends infer T
    ? T extends string
      ? AfterBlock<Statement<`${T}${Open}`, Scope, F, D>, '', After>
      : T extends [infer Start extends string, infer Comment extends string]
        ? AfterBlock<Statement<`${Start}${Open}`, Scope, F, D>, Comment, After>
        : never
    : never;

/** Stands at the end of a block: there a statement may go on. */
type Open = '\u0000';

type AfterBlock<Found, Comment extends string, After extends string> =
  Found extends Unfinished<`${infer Rest}${Open}`, infer F, infer Inner, infer D>
    ? Blocks<After, `${Rest}${Comment}`, Inner, F, D>
    : Found extends Statements<infer F, infer Inner, infer D>
      ? Blocks<After, Comment, Inner, F, D>
      : Found;

/** The statements of a block: the functions as they stand there, and the scope of all of it. */
type Statement<S extends string, Scope, F, D> =
  TrimStart<S> extends infer T extends string
    ? T extends `${infer First};${infer Rest}`
      ? First extends `${string}${'{' | 'typedef ' | '#' | '=' | '}'}${string}`
        ? Unusual<T, Scope, F, D>
        : First extends `${'struct' | 'union' | 'enum'} ${string}`
          ? First extends `${string}${'(' | '*'}${string}`
            ? Statement<Rest, Scope, F | First, D>
            : Defining<First, Rest, Scope, F, D>
          : Statement<Rest, Scope, First extends '' ? F : F | First, D>
      : T extends '' | Open
        ? Statements<F, Scope, D>
        : T extends `${string}${'{' | 'typedef ' | '#' | '=' | '}'}${string}`
          ? Unusual<T, Scope, F, D>
          : T extends `${string}${Open}`
            ? Unfinished<T, F, Scope, D>
            : T extends `${'struct' | 'union' | 'enum'} ${string}`
              ? T extends `${string}${'(' | '*'}${string}`
                ? Statements<F | T, Scope, D>
                : Defining<T, '', Scope, F, D>
              : Statements<F | T, Scope, D>
    : never;

/** Directives, `extern "C"`, and statements with a body. No library has the functions that are static or inline. */
type Unusual<T extends string, Scope, F, D> = T extends `#${infer Rest}`
  ? Rest extends `${infer Line}\n${infer After}`
    ? Directive<Trim<Line>, Scope> extends infer Inner
      ? Inner extends AnyTextError
        ? Inner
        : Statement<After, Inner, F, D>
      : never
    : Unfinished<T, F, Scope, D>
  : T extends `}${infer Rest}`
    ? Statement<Rest, Scope, F, D>
    : T extends `extern${infer Rest}`
      ? TrimStart<Rest> extends `"C${'"' | '++"'}${infer Rest2}`
        ? TrimStart<Rest2> extends `{${infer Block}`
          ? Statement<Block, Scope, F, D>
          : Statement<Rest2, Scope, F, D>
        : Bodied<T, Scope, F, D>
      : Bodied<T, Scope, F, D>;

type Bodied<T extends string, Scope, F, D> =
  IsLocalFunction<T> extends true
    ? T extends `${string}{${infer Inside}`
      ? Closed<Inside, '{', '}'> extends [any, infer After extends string]
        ? Statement<After, Scope, F, D>
        : Unfinished<T, F, Scope, D>
      : never
    : Definition<T, Scope, F, D>;

type IsLocalFunction<T extends string> = T extends `${infer Before}{${string}`
  ? Before extends `${string};${string}`
    ? false
    : Trim<Before> extends `${string}${'static' | 'inline'}${string})`
      ? true
      : false
  : false;

type Definition<T extends string, Scope, F, D> =
  Whole<T> extends [infer First extends string, infer Rest extends string]
    ? First extends `${string}${Open}`
      ? Unfinished<T, F, Scope, D>
      : Defining<First, Rest, Scope, F, D>
    : Unfinished<T, F, Scope, D>;

/** A statement up to its semicolon, with its bodies, and the rest. */
type Whole<T extends string, Done extends string = ''> = T extends `${infer First};${infer Rest}`
  ? First extends `${infer Before}{${string}`
    ? T extends `${Before}{${infer Inside}`
      ? Closed<Inside, '{', '}'> extends [infer Body extends string, infer After extends string]
        ? Whole<After, `${Done}${Before}{${Body}}`>
        : undefined
      : never
    : [`${Done}${First}`, Rest]
  : [`${Done}${T}`, ''];

type Directive<Line extends string, Scope> = Line extends `define${infer Rest}`
  ? TrimStart<Rest> extends infer R extends string
    ? R extends `${infer Name}${' ' | '\t'}${infer V}`
      ? Name extends `${string}(${string}`
        ? { error: `#define ${Name}... is a macro with parameters` }
        : Trim<V> extends `${'__' | 'extern' | 'static'}${string}`
          ? Put<Scope, Name, Empty>
          : Put<Scope, `#${Name}`, Constant<ConstantOf<Trim<V>>>>
      : R extends `${infer Name}(${string}`
        ? { error: `#define ${Name}(...) is a macro with parameters` }
        : Put<Scope, R, Empty>
    : never
  : Line extends `undef${infer Name}`
    ? Omit<Scope, `#${Trim<Name>}`> // A name that is skipped stays: the prototypes are read when all of the text is.
    : Line extends `pragma ${'align' | 'options' | 'ms_struct' | 'scalar_storage_order' | 'reverse_bitfields'}${string}`
      ? { error: `#${Line} is not understood` }
      : Line extends `include${string}` | `pragma ${string}` | `line${string}` | '' | `${number}${string}`
        ? Scope
        : { error: `#${Line} is not understood` };

/** The value of a constant: a literal where it is a decimal number or a plain text. */
type ConstantOf<V extends string> = V extends `${infer N extends number}`
  ? Exact<N, V>
  : V extends `${infer Digits}${'u' | 'U' | 'l' | 'L' | 'f' | 'F'}`
    ? ConstantOf<Digits>
    : V extends `"${infer Text}"`
      ? Text extends `${string}${'"' | '\\'}${string}`
        ? string
        : Text
      : V extends `(${infer Inner})`
        ? Inner extends `${string}(${string}`
          ? number | bigint
          : ConstantOf<Trim<Inner>>
        : V extends `${string}"${string}`
          ? string
          : number | bigint;

/** Beyond 2 ** 53 - 1, which has 16 digits, or 14 behind `0x`, a constant is a bigint. */
type Exact<N extends number, Digits extends string> = number extends N
  ? // prettier-ignore
    Digits extends `${infer _0}${infer _1}${infer _2}${infer _3}${infer _4}${infer _5}${infer _6}${infer _7}${infer _8}${infer _9}${infer _10}${infer _11}${infer _12}${infer _13}${infer _14}${string}`
    ? number | bigint
    : number
  : N;

/** A statement that may declare types. */
type Defining<S extends string, Rest extends string, Scope, F, D> =
  Specifiers<Tokens<S>, Scope> extends [infer Base, infer After extends string, infer Mark, infer Inner]
    ? Blank<After> extends ''
      ? Base extends string
        ? S extends `enum ${string}`
          ? Statement<Rest, Inner, F, D>
          : { error: `a type without a name to declare in '${OneLine<S>}'` }
        : Statement<Rest, Declare<Base, Inner>, F, D>
      : S extends `${string}typedef ${string}`
        ? Typedefs<After, Base, Declare<Base, Inner>, S> extends infer Scope2
          ? Scope2 extends AnyTextError
            ? Scope2
            : Statement<Rest, Scope2, F, D>
          : never
        : Declarators<After, Base, Mark, Inner, S> extends infer E
          ? E extends AnyTextError
            ? E
            : E extends { readonly kind: 'constant'; readonly name: infer Name extends string; readonly type: infer V }
              ? Statement<Rest, Put<Inner, `#${Name}`, Constant<V>>, F, D>
              : Statement<Rest, Inner, F, D | E>
          : never
    : S extends StaticAssert
      ? Statement<Rest, Scope, F, D>
      : ErrorIn<Specifiers<Tokens<S>, Scope>, S>;

/** `struct s;` and every typedef of it say that there is a struct s. */
type Declare<Base, Scope> =
  Base extends Tag<infer Name>
    ? Name extends keyof Scope
      ? Scope
      : Name extends `${'struct' | 'union'} ${infer Short}`
        ? Scope & { readonly [N in Name]: Hidden<Short> }
        : Scope
    : Scope;

type Typedefs<S extends string, Base, Scope, Source extends string> =
  Declarator<S, Base, Scope> extends [infer Name extends string, infer T, infer Rest extends string]
    ? Name extends ''
      ? { error: `expected a name in '${OneLine<Source>}'` }
      : Next<Rest> extends infer More
        ? More extends string
          ? Typedefs<More, Base, Put<Scope, Name, T>, Source>
          : More extends AnyFault
            ? ErrorIn<More, Source>
            : Put<Scope, Name, T>
        : never
    : ErrorIn<Declarator<S, Base, Scope>, Source>;

// ---- functions and variables ---------------------------------------------------------------------------------------

/** The declarations of each of a union of statements: a union of functions and variables, or an error. */
type DeclarationsOf<S, Scope> = S extends string
  ? Specifiers<Tokens<S>, Scope> extends [infer Base, infer Rest extends string, infer Mark, infer Inner]
    ? Declarators<Rest, Base, Mark, Inner, S>
    : S extends StaticAssert
      ? never
      : ErrorIn<Specifiers<Tokens<S>, Scope>, S>
  : never;

type StaticAssert = `${'_Static_assert' | 'static_assert'}${string})${string}`;

type Declarators<S extends string, Base, Mark, Scope, Source extends string, Done = never> =
  Declarator<S, Base, Scope> extends [infer Name extends string, infer T, infer Rest extends string]
    ? Name extends ''
      ? { error: `expected a name in '${OneLine<Source>}'` }
      : Next<Rest> extends infer More
        ? More extends string
          ? Declarators<More, Base, Mark, Scope, Source, Done | Declaration<Name, T, Mark, Scope, Source>>
          : More extends { readonly initializer: infer V }
            ? Initialized<Name, T, V, Mark, Scope, Source>
            : More extends AnyFault
              ? ErrorIn<More, Source>
              : Done | Declaration<Name, T, Mark, Scope, Source>
        : never
    : ErrorIn<Declarator<S, Base, Scope>, Source>;

/** A variable with a value. A number or an enumerator that is constant is a constant; no library has what is static. */
type Initialized<Name extends string, T, V, Mark, Scope, Source extends string> = T extends
  string | EnumerationType<any, any>
  ? Source extends `${string}const${string}`
    ? { readonly kind: 'constant'; readonly name: Name; readonly type: V }
    : VariableUnlessStatic<Name, T, Mark, Scope, Source>
  : VariableUnlessStatic<Name, T, Mark, Scope, Source>;
type VariableUnlessStatic<
  Name extends string,
  T,
  Mark,
  Scope,
  Source extends string,
> = Source extends `${'' | `${string} `}static ${string}`
  ? { readonly kind: 'local' }
  : Declaration<Name, T, Mark, Scope, Source>;

/** The part behind a declarator: the tokens behind a comma, the end (null), a value, or a fault. */
type Next<S extends string> = S extends ` ${infer R}`
  ? Next<R>
  : S extends '' | `;${string}`
    ? null
    : S extends `,${infer R}`
      ? R
      : S extends `=${infer V}`
        ? { readonly initializer: ConstantOf<Trim<V>> }
        : S extends `{${string}`
          ? Fault<'a function body', "; end the declaration with ';'">
          : S extends `__${string}`
            ? null
            : S extends `${infer Word} ${string}`
              ? Fault<`expected ';', found '${Word}'`>
              : Fault<"expected ';'">;

type Declaration<Name extends string, T, Mark, Scope, Source extends string> =
  T extends Signature<infer D, infer R>
    ? Mark extends ''
      ? DeclaredFunction<Name, D>
      : Result<R, Mark, D> extends infer Marked
        ? Marked extends AnyFault
          ? ErrorIn<Marked, Source>
          : DeclaredFunction<Name, { readonly [K in keyof D]: K extends 'returns' ? Marked : D[K] }>
        : never
    : Value<T, Scope> extends infer V
      ? V extends AnyFault
        ? ErrorIn<V, Source>
        : V extends 'void'
          ? { error: `${Name} is of type void in '${OneLine<Source>}'` }
          : DeclaredVariable<Name, V>
      : never;

/** The type of a result that has a mark. */
type Result<R, Mark, D> = Mark extends { readonly free: infer Symbol }
  ? TextOf<R, '_Free_'> extends infer Text
    ? Text extends AnyFault
      ? Text
      : { readonly type: Text; readonly free: Symbol }
    : never
  : Mark extends 'text'
    ? TextOf<R, '_Text_'>
    : D extends { readonly returns: infer Same }
      ? Same
      : never;

// ---- types ---------------------------------------------------------------------------------------------------------

/**
 * The type that a text is, with a name in it or not: not converted yet, or `{ error }`. Of several typedefs, the last
 * one.
 */
export type ParseType<S extends string, Scope = Outermost> =
  WithoutComments<`${S}\n`> extends infer T
    ? T extends string
      ? Whole<T> extends [infer First extends string, infer Rest extends string]
        ? TrimStart<Rest> extends ''
          ? OneType<First, Put<Scope, '#text', T>>
          : TrimStart<T> extends `typedef ${string}`
            ? Parse<`${First};`, Scope> extends infer Found
              ? Found extends Parsed<any, any, infer Inner>
                ? ParseType<Rest, Inner>
                : Found
              : never
            : { error: `expected the end of the type in '${OneLine<S>}'` }
        : { error: `'{' has no '}' in '${OneLine<T>}'` }
      : { error: 'a comment does not end' }
    : never;

type OneType<S extends string, Scope> =
  Specifiers<Tokens<S>, Scope> extends [infer Base, infer Rest extends string, any, infer Inner]
    ? Declarator<Rest, Base, Inner> extends [any, infer Type, infer After extends string]
      ? Next<After> extends null
        ? { readonly parsed: Type; readonly scope: Inner }
        : { error: `expected the end of the type in '${OneLine<S>}'` }
      : ErrorIn<Declarator<Rest, Base, Inner>, S>
    : ErrorIn<Specifiers<Tokens<S>, Scope>, S>;

/** A type of declarations; a function is a pointer to one. */
export type ValueOf<S extends string, Scope = Outermost> =
  ParseType<S, Scope> extends infer Found
    ? Found extends { readonly parsed: infer T; readonly scope: infer Inner }
      ? Value<T extends Signature<any, any> ? To<T> : T, Inner> extends infer V
        ? V extends AnyFault
          ? ErrorIn<V, S>
          : V
        : never
      : Found
    : never;

/** The declaration of a function type, or of a pointer to one. */
export type SignatureOf<S extends string, Scope = Outermost> =
  ParseType<S, Scope> extends infer Found
    ? Found extends { readonly parsed: infer T }
      ? T extends Signature<infer D, any> | To<Signature<infer D, any>>
        ? D
        : { error: `'${OneLine<S>}' is not the type of a function, such as 'int (*)(int)'` }
      : Found
    : never;

/** The same of a function that C calls. */
export type CallbackOf<S extends string, Scope = Outermost> =
  SignatureOf<S, Scope> extends infer D ? (D extends AnyTextError ? D : CalledByC<D>) : never;
