// Declarators: what stands around a name, inside out, and the parameters of functions.

import type { InOutParameter, OutParameter } from '../declared.js';
import type { AnyFault, Elements, Fault, Signature, To, Value } from './marks.js';
import type { Behind, Specifiers, WordOf } from './specifiers.js';
import type { Closed } from './text.js';
import type { Arithmetic, Attribute, Convention, Known, Marks, Qualifier, Skipped, TypeOf } from './words.js';

/** The declarator at the start of tokens, of a base type: `[name or '', type, the tokens that follow]`, or a fault. */
export type Declarator<S extends string, T, Scope> = S extends `${infer Word} ${infer Rest}`
  ? Word extends '*'
    ? Declarator<Rest, To<T>, Scope>
    : Word extends Qualifier
      ? Declarator<Rest, T, Scope>
      : Word extends '('
        ? IsNested<Rest, Scope> extends true
          ? Nested<Rest, T, Scope>
          : Named<'', Suffixes<S, T, Scope>>
        : Word extends ')' | ',' | ':' | ';' | '=' | '[' | '{' | '}'
          ? Named<'', Suffixes<S, T, Scope>>
          : Word extends Attribute
            ? Declarator<Behind<Rest>, T, Scope>
            : Word extends keyof Marks
              ? Declarator<Rest, T, Scope>
              : Word extends `${Digit | '&'}${string}`
                ? Fault<`expected a name, found '${Word}'`>
                : Named<Word, Suffixes<Rest, T, Scope>>
  : ['', T, ''];

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9';

type Named<Name, Found> = Found extends [infer T, infer Rest] ? [Name, T, Rest] : Found;

/** A declarator in brackets: what follows them is applied to the base first. */
type Nested<S extends string, T, Scope> =
  Closed<S, '(', ')'> extends [infer Inside extends string, infer After extends string]
    ? Suffixes<After, T, Scope> extends [infer Whole, infer Rest]
      ? Declarator<Inside, Whole, Scope> extends [infer Name, infer Type, infer _Inner]
        ? [Name, Type, Rest]
        : Declarator<Inside, Whole, Scope>
      : Suffixes<After, T, Scope>
    : Fault<"'(' has no ')'">;

/** Whether a bracket is around a declarator, rather than around parameters. */
type IsNested<S extends string, Scope> = S extends `${infer Word} ${infer Rest}`
  ? Word extends '' | Convention
    ? IsNested<Rest, Scope>
    : Word extends '*' | '(' | '['
      ? true
      : Word extends
            ')' | '...' | Arithmetic | Skipped | TypeOf | 'struct' | 'union' | 'enum' | keyof Known | keyof Scope
        ? false
        : Word extends `_${string}`
          ? false
          : true
  : false;

/** The part of a declarator behind a name: `[type, the tokens that follow]`. */
type Suffixes<S extends string, T, Scope> = S extends `${infer Word} ${infer Rest}`
  ? Word extends ''
    ? Suffixes<Rest, T, Scope>
    : Word extends '('
      ? Closed<Rest, '(', ')'> extends [infer Inside extends string, infer After extends string]
        ? Parameters<Inside, Scope> extends [infer A, infer IsVariadic]
          ? Value<T, Scope> extends infer R
            ? R extends AnyFault
              ? R
              : Suffixes<After, Signature<DeclarationOf<A, R, IsVariadic>, T>, Scope>
            : never
          : Parameters<Inside, Scope>
        : Fault<"'(' has no ')'">
      : Word extends '['
        ? Closed<Rest, '[', ']'> extends [infer Length extends string, infer After extends string]
          ? Suffixes<After, T, Scope> extends [infer E, infer More]
            ? E extends 'void'
              ? OfVoid<WordOf<Length>, More>
              : [Elements<E, Blank<Length>>, More]
            : Suffixes<After, T, Scope>
          : Fault<"'[' has no ']'">
        : Word extends Attribute
          ? Suffixes<Behind<Rest>, T, Scope>
          : [T, S]
  : [T, ''];

/** Manual pages write `void buf[.count]`; other arrays of void are none of C. */
type OfVoid<Length extends string, More> = Length extends '' | `${number}`
  ? Fault<'an array of void'>
  : [Elements<'void', 'n'>, More];

/** `''` for what is nothing but spaces. */
export type Blank<S extends string> = S extends ` ${infer R}` ? Blank<R> : S extends '' ? '' : 'n';

type DeclarationOf<A, R, IsVariadic> = IsVariadic extends true
  ? { readonly args: A; readonly returns: R; readonly varargs: true }
  : { readonly args: A; readonly returns: R };

/** The parameters between brackets: `[types, whether more may follow]`, or a fault. */
export type Parameters<
  S extends string,
  Scope,
  Done extends readonly unknown[] = readonly [],
> = S extends `${infer First},${infer Rest}`
  ? First extends `${string}(${string}`
    ? First extends `${infer Before}(${string}`
      ? S extends `${Before}(${infer Inside}`
        ? Closed<Inside, '(', ')'> extends [infer Inner extends string, infer After extends string]
          ? Longer<`${Before}(${Inner})`, After, Scope, Done>
          : Fault<"'(' has no ')'">
        : never
      : never
    : More<Parameter<First, Scope>, Rest, Scope, Done>
  : S extends `${infer Before}...${infer After}`
    ? `${Blank<Before>}${Blank<After>}` extends ''
      ? [Done, true]
      : Fault<"expected ')' after '...'">
    : Parameter<S, Scope> extends infer P
      ? P extends AnyFault
        ? P
        : P extends 'void' | undefined
          ? Done extends readonly []
            ? WordOf<S> extends '' | 'void'
              ? [Done, false]
              : Fault<'a parameter of type void'>
            : Fault<'a parameter of type void'>
          : [readonly [...Done, P], false]
      : never;

type More<P, Rest extends string, Scope, Done extends readonly unknown[]> = P extends AnyFault
  ? P
  : P extends 'void' | undefined
    ? Fault<'a parameter of type void'>
    : Parameters<Rest, Scope, readonly [...Done, P]>;

/** A parameter with brackets in it, up to the comma that ends it. */
type Longer<
  Start extends string,
  S extends string,
  Scope,
  Done extends readonly unknown[],
> = S extends `${infer First},${infer Rest}`
  ? First extends `${infer Before}(${string}`
    ? S extends `${Before}(${infer Inside}`
      ? Closed<Inside, '(', ')'> extends [infer Inner extends string, infer After extends string]
        ? Longer<`${Start}${Before}(${Inner})`, After, Scope, Done>
        : Fault<"'(' has no ')'">
      : never
    : More<Parameter<`${Start}${First}`, Scope>, Rest, Scope, Done>
  : Parameter<`${Start}${S}`, Scope> extends infer P
    ? P extends AnyFault
      ? P
      : [readonly [...Done, P], false]
    : never;

/** The type of one parameter; undefined where there is none. */
type Parameter<S extends string, Scope> =
  Blank<S> extends ''
    ? undefined
    : Specifiers<S, Scope> extends [infer T, infer Rest extends string, infer Mark, infer _Inner]
      ? Declarator<Rest, T, Scope> extends [infer _Name, infer Type, infer After extends string]
        ? Blank<After> extends ''
          ? Passed<Decayed<Type>, Mark, Scope>
          : Fault<`expected ',' or ')' after a parameter`>
        : Declarator<Rest, T, Scope>
      : Specifiers<S, Scope>;

/** The type of a parameter: arrays and functions are pointers there. */
type Decayed<T> = T extends { readonly mark: infer Mark }
  ? Mark extends 'array'
    ? T extends Elements<infer E, any>
      ? To<E>
      : never
    : Mark extends 'function'
      ? To<T>
      : T
  : T;

type Passed<T, Mark, Scope> = Mark extends ''
  ? Value<T, Scope>
  : Mark extends 'out' | 'inout'
    ? T extends To<infer P>
      ? Value<P, Scope> extends infer V
        ? V extends AnyFault
          ? V
          : V extends 'void'
            ? NotPointer<Mark>
            : Mark extends 'out'
              ? OutParameter<V>
              : InOutParameter<V>
        : never
      : NotPointer<Mark>
    : Mark extends 'text'
      ? TextOf<T, '_Text_'>
      : Value<T, Scope>;

type NotPointer<Mark> = Fault<`${Mark extends 'out' ? '_Out_' : '_Inout_'} is of a pointer to a value`>;

/** The text that a pointer to characters is. */
export type TextOf<T, Mark extends string> =
  T extends To<'char' | 'const char'>
    ? 'cstring'
    : T extends To<'wchar_t' | 'const wchar_t'>
      ? 'wstring'
      : T extends To<'char16_t' | 'const char16_t'>
        ? 'utf16'
        : Fault<`${Mark} is of a pointer to char, wchar_t or char16_t`>;
