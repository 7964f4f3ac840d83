// The specifiers before a declarator: storage, qualifiers, attributes, marks and the type itself.

import type { DeclaredType } from '../declared.js';
import type { Blank, Declarator } from './declarator.js';
import type { AnyFault, Const, Empty, Fault, Hidden, Tag } from './marks.js';
import type { EnumOf, RecordOf } from './record.js';
import type { Closed } from './text.js';
import type {
  Arithmetic,
  Arithmetics,
  Attribute,
  Known,
  Marks,
  Meant,
  OtherMark,
  Refused,
  Signs,
  Skipped,
  Spelling,
  Spellings,
  TypeOf,
  Unsupported,
} from './words.js';

/**
 * The specifiers at the start of tokens: `[type, the tokens that follow, mark, scope]`, or a fault. `Type` is the type
 * so far, `''` if there is none yet.
 */
export type Specifiers<
  S extends string,
  Scope,
  Type = '',
  IsConst = false,
  Mark = '',
> = S extends `${infer Word} ${infer Rest}`
  ? Word extends Arithmetic
    ? `${Type & string} ${Word extends Spelling ? Spellings[Word] : Word}` extends infer Words
      ? Words extends keyof Arithmetics
        ? Specifiers<Rest, Scope, Arithmetics[Words], IsConst, Mark>
        : Words extends 'long double' | 'double long'
          ? Specifiers<Rest, Scope, Tag<'long double'>, IsConst, Mark>
          : NoArithmetic<Type, Word>
      : never
    : Word extends Skipped
      ? Specifiers<Rest, Scope, Type, Word extends 'const' | '__const' | '__const__' ? true : IsConst, Mark>
      : Word extends '*' | '(' | ')' | ',' | ':' | ';' | '=' | '[' | '{' | '}'
        ? Found<Type, S, IsConst, Mark, Scope>
        : Type extends ''
          ? Word extends 'struct' | 'union'
            ? RecordOf<Word, Rest, Scope> extends [infer T, infer After extends string, infer Inner]
              ? Specifiers<After, Inner, T, IsConst, Mark>
              : RecordOf<Word, Rest, Scope>
            : Word extends 'enum'
              ? EnumOf<Rest, Scope> extends [infer T, infer After extends string, infer Inner]
                ? Specifiers<After, Inner, T, IsConst, Mark>
                : EnumOf<Rest, Scope>
              : Word extends keyof Scope
                ? Scope[Word] extends Empty
                  ? Specifiers<Rest, Scope, Type, IsConst, Mark>
                  : Specifiers<Rest, Scope, Defined<Word, Scope[Word], Scope>, IsConst, Mark>
                : Word extends keyof Known
                  ? Specifiers<Rest, Scope, Known[Word], IsConst, Mark>
                  : Special<Word, Rest, Scope, Type, IsConst, Mark>
          : Word extends Attribute | 'struct' | 'union' | 'enum' | Unsupported | TypeOf | keyof Marks | '_Free_'
            ? Special<Word, Rest, Scope, Type, IsConst, Mark>
            : Word extends keyof Scope
              ? Scope[Word] extends Empty
                ? Specifiers<Rest, Scope, Type, IsConst, Mark>
                : Found<Type, S, IsConst, Mark, Scope>
              : Found<Type, S, IsConst, Mark, Scope>
  : Found<Type, S, IsConst, Mark, Scope>;

type Found<Type, S, IsConst, Mark, Scope> = Type extends ''
  ? Fault<'expected a type'>
  : Type extends AnyFault
    ? Type
    : Type extends keyof Signs
      ? [IsConst extends true ? Const<Signs[Type]> : Signs[Type], S, Mark, Scope]
      : [IsConst extends true ? Const<Type> : Type, S, Mark, Scope];

/** The type of a typedef name, which may stand for a tag that only C looks into. */
type Defined<Name extends string, T, Scope> =
  T extends Hidden<any>
    ? Tag<Name>
    : T extends Tag<infer Other>
      ? Other extends keyof Scope
        ? Scope[Other] extends Hidden<any>
          ? T
          : Scope[Other]
        : T
      : T;

type NoArithmetic<Type, Word extends string> = Type extends string
  ? Fault<`'${Type} ${Word}' is no type of C`>
  : Fault<`expected a name, found '${Word}'`>;

/** The rarer words: attributes, marks, and what is none of them. */
type Special<Word extends string, Rest extends string, Scope, Type, IsConst, Mark> = Word extends keyof Marks
  ? Specifiers<Rest, Scope, Type, IsConst, Marks[Word]>
  : Word extends '_Free_'
    ? Rest extends `${string}( ${infer Inside}`
      ? Closed<Inside, '(', ')'> extends [infer Name extends string, infer After extends string]
        ? Specifiers<After, Scope, Type, IsConst, { free: WordOf<Name> }>
        : Fault<'_Free_ takes the name of a function'>
      : Fault<'_Free_ takes the name of a function'>
    : Word extends Attribute
      ? Behind<Rest> extends infer After extends string
        ? Specifiers<After, Scope, Type, IsConst, Mark>
        : Fault<`'(' of ${Word} has no ')'`>
      : Word extends '['
        ? Found<Type, `${Word} ${Rest}`, IsConst, Mark, Scope>
        : Word extends TypeOf
          ? Rest extends `${'' | ' ' | '  '}( ${infer Inside}`
            ? Closed<Inside, '(', ')'> extends [infer Inner extends string, infer After extends string]
              ? Type extends ''
                ? Specifiers<After, Scope, TypeIn<Inner, Scope>, IsConst, Mark>
                : Fault<`expected a name, found '${Word}'`>
              : Fault<`'(' of ${Word} has no ')'`>
            : Word extends '_Atomic'
              ? Specifiers<Rest, Scope, Type, IsConst, Mark>
              : Fault<`expected '(' after ${Word}`>
          : Word extends Unsupported
            ? Specifiers<BehindUnsupported<Rest>, Scope, Tag<Word>, IsConst, Mark>
            : Word extends keyof Refused
              ? Fault<`'${Word}': ${Refused[Word]}`>
              : Word extends OtherMark
                ? Rest extends `${'' | ' ' | '  '}( ${string}`
                  ? Behind<Rest> extends infer After extends string
                    ? Specifiers<After, Scope, Type, IsConst, Mark>
                    : Fault<`'(' of ${Word} has no ')'`>
                  : Specifiers<Rest, Scope, Type, IsConst, Mark>
                : Type extends ''
                  ? Unknown<Word, Scope>
                  : Fault<`expected a name, found '${Word}'`>;

/** What follows `_Complex` or `_BitInt(8)`: the words of the type that are behind it belong to it. */
type BehindUnsupported<S extends string> = S extends `${'' | ' ' | '  '}( ${string}`
  ? Behind<S>
  : S extends `${infer Word} ${infer Rest}`
    ? Word extends Arithmetic | ''
      ? BehindUnsupported<Rest>
      : S
    : S;

/** The type that tokens are. That of an expression is only known of a number. */
type TypeIn<S extends string, Scope> =
  Specifiers<S, Scope> extends [infer Base, infer Rest extends string, any, any]
    ? Declarator<Rest, Base, Scope> extends [any, infer T, infer After extends string]
      ? Blank<After> extends ''
        ? T
        : Fault<'expected a type in brackets'>
      : Declarator<Rest, Base, Scope>
    : Blank<S> extends ''
      ? Fault<'expected a type in brackets'>
      : WordOf<S> extends infer W
        ? W extends `${bigint}`
          ? 'int'
          : W extends `${number}`
            ? 'double'
            : W extends string
              ? `#${W}` extends keyof Scope
                ? 'int'
                : Anything
              : never
        : never;

/** A type of which nothing is known. */
type Anything = DeclaredType<{ in: any; out: any; view: any; kind: 'value' }>;

/** Tokens without the spaces around them. */
export type WordOf<S extends string> = S extends ` ${infer R}` ? WordOf<R> : S extends `${infer R} ` ? WordOf<R> : S;

/** The tokens behind the brackets that come next. */
export type Behind<S extends string> = S extends `${string}( ${infer Inside}`
  ? Closed<Inside, '(', ')'> extends [any, infer After extends string]
    ? After
    : ''
  : '';

type Unknown<Word extends string, Scope> = Fault<
  `unknown type '${Word}'`,
  Word extends keyof Meant
    ? `; did you mean '${Meant[Word]}'?`
    : `struct ${Word}` extends keyof Scope
      ? `; did you mean 'struct ${Word}'?`
      : `union ${Word}` extends keyof Scope
        ? `; did you mean 'union ${Word}'?`
        : `enum ${Word}` extends keyof Scope
          ? `; did you mean 'enum ${Word}'?`
          : ''
>;
