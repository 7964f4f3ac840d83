// struct, union and enum, with their bodies.

import type { EnumerationType, StructType, UnionType } from '../declared.js';
import type { AnyFault, Constant, Elements, Fault, Tag, Value } from './marks.js';
import type { Blank, Declarator } from './declarator.js';
import type { Behind, Specifiers } from './specifiers.js';
import type { Closed } from './text.js';
import type { Attribute } from './words.js';

/** A scope with one more name; the latest definition of a name counts. */
export type Put<Scope, Name extends string, T> = (Name extends keyof Scope ? Omit<Scope, Name> : Scope) & {
  readonly [N in Name]: T;
};

/** A struct or union behind its keyword: `[type, the tokens that follow, scope]`, or a fault. */
export type RecordOf<
  Keyword extends 'struct' | 'union',
  S extends string,
  Scope,
  Name extends string = '',
> = S extends `${infer Word} ${infer Rest}`
  ? Word extends ''
    ? RecordOf<Keyword, Rest, Scope, Name>
    : Word extends '{'
      ? Closed<Rest, '{', '}'> extends [infer Body extends string, infer After extends string]
        ? Fields<Body, Scope> extends [infer F, infer Inner]
          ? Defined<Keyword, Name, F, After, Inner>
          : Fields<Body, Scope>
        : Fault<"'{' has no '}'">
      : Word extends Attribute
        ? RecordOf<Keyword, Behind<Rest>, Scope, Name>
        : Name extends ''
          ? Word extends '*' | '(' | ')' | ',' | ';' | ':' | '['
            ? Fault<`expected a tag or a body after '${Keyword}'`>
            : RecordOf<Keyword, Rest, Scope, Word>
          : [TagOf<`${Keyword} ${Name}`, Scope>, S, Scope]
  : Name extends ''
    ? Fault<`expected a tag or a body after '${Keyword}'`>
    : [TagOf<`${Keyword} ${Name}`, Scope>, S, Scope];

type Defined<Keyword extends string, Name extends string, F, After, Scope> = (
  Keyword extends 'struct' ? StructType<FieldsOf<F>> : UnionType<FieldsOf<F>>
) extends infer T
  ? [T, After, Name extends '' ? Scope : Put<Scope, `${Keyword} ${Name}`, T>]
  : never;

// A condition in front, so that the type has no name: the compiler could not name it in what a program exports.
type FieldsOf<F> = [F] extends [infer Pairs]
  ? {
      readonly [E in Pairs as E extends [infer Name extends string, any] ? Name : never]: E extends [any, infer T]
        ? T
        : never;
    }
  : never;

/** The type of a tag, if its body is known. */
type TagOf<Name extends string, Scope> = Name extends keyof Scope
  ? Scope[Name] extends { readonly mark: unknown }
    ? Tag<Name>
    : Scope[Name]
  : Tag<Name>;

/** The fields of a body: `[pairs of a name and a type, scope]`, or a fault. */
type Fields<
  S extends string,
  Scope,
  Done = never,
  Nameless extends readonly 0[] = [],
  Paddings extends readonly 0[] = [],
> =
  Start<S> extends infer T extends string
    ? T extends ''
      ? [Done, Scope]
      : T extends `; ${infer Rest}`
        ? Fields<Rest, Scope, Done, Nameless, Paddings>
        : Specifiers<T, Scope> extends [infer Base, infer Rest extends string, any, infer Inner]
          ? Start<Rest> extends `;${infer After}`
            ? IsNameless<T> extends true
              ? Fields<After, Inner, Done | [Numbered<'anonymous', Nameless>, Base], [...Nameless, 0], Paddings>
              : Fault<'a field without a name'>
            : Members<Rest, Base, Inner, Done, Nameless, Paddings>
          : T extends `${'_Static_assert' | 'static_assert'} ${infer Assertion}`
            ? Fields<Behind<Assertion>, Scope, Done, Nameless, Paddings>
            : Specifiers<T, Scope>
    : never;

type Start<S extends string> = S extends ` ${infer R}` ? Start<R> : S;
/** Whether a member that has no name has no tag either. */
type IsNameless<S extends string> = S extends `${'struct' | 'union'} ${infer R}`
  ? Start<R> extends `${'{' | '__attribute'}${string}`
    ? true
    : false
  : S extends `${'const' | '__extension__'} ${infer R}`
    ? IsNameless<Start<R>>
    : false;
type Numbered<Name extends string, N extends readonly 0[]> = N extends []
  ? Name
  : [...N, 0]['length'] extends infer L extends number
    ? `${Name}${L}`
    : never;

/** The declarators of one line of fields. */
type Members<S extends string, Base, Scope, Done, Nameless extends readonly 0[], Paddings extends readonly 0[]> =
  Declarator<S, Base, Scope> extends [infer Name extends string, infer T, infer Rest extends string]
    ? Start<Rest> extends infer Next extends string
      ? Next extends `: ${infer Bits}`
        ? Width<Bits> extends infer N extends string
          ? Bits extends `${N}${infer End}`
            ? MoreMembers<
                End,
                Base,
                Scope,
                | Done
                | [
                    Name extends '' ? `_padding${[...Paddings, 0]['length'] & number}` : Name,
                    { readonly type: IntegerOf<T>; readonly bits: NumberOf<N> },
                  ],
                Nameless,
                Name extends '' ? [...Paddings, 0] : Paddings
              >
            : never
          : never
        : Name extends ''
          ? Fault<'a field without a name'>
          : T extends Elements<any, ''>
            ? MoreMembers<Next, Base, Scope, Done, Nameless, Paddings>
            : Value<T, Scope> extends infer V
              ? V extends AnyFault
                ? V
                : V extends 'void'
                  ? Fault<`the field ${Name} is of type void`>
                  : MoreMembers<Next, Base, Scope, Done | [Name, V], Nameless, Paddings>
              : never
      : never
    : Declarator<S, Base, Scope>;

type MoreMembers<
  S extends string,
  Base,
  Scope,
  Done,
  Nameless extends readonly 0[],
  Paddings extends readonly 0[],
> = S extends `,${infer Rest}`
  ? Members<Rest, Base, Scope, Done, Nameless, Paddings>
  : S extends `;${infer Rest}`
    ? Fields<Rest, Scope, Done, Nameless, Paddings>
    : S extends ''
      ? [Done, Scope]
      : Fault<"expected ';' after a field">;

/** The width of a bitfield: up to the comma or semicolon that comes first. */
type Width<S extends string> = (S extends `${infer Line};${string}` ? Line : S) extends infer Line
  ? Line extends `${infer N},${string}`
    ? N
    : Line
  : never;
type IntegerOf<T> = T extends string ? T : 'unsigned int';
type NumberOf<S extends string> = S extends ` ${infer R}`
  ? NumberOf<R>
  : S extends `${infer R} `
    ? NumberOf<R>
    : S extends `${infer N extends number}`
      ? N
      : number;

/** An enum behind its keyword: `[type, the tokens that follow, scope]`, or a fault. */
export type EnumOf<S extends string, Scope, Name extends string = ''> = S extends `${infer Word} ${infer Rest}`
  ? Word extends ''
    ? EnumOf<Rest, Scope, Name>
    : Word extends '{'
      ? Closed<Rest, '{', '}'> extends [infer Body extends string, infer After extends string]
        ? Enumerators<Body> extends infer M
          ? M extends AnyFault
            ? M
            : keyof M extends never
              ? Fault<'an enum has at least one constant'>
              : [EnumerationType<M, false>, After, EnumScope<Scope, Name, M>]
          : never
        : Fault<"'{' has no '}'">
      : Word extends Attribute
        ? EnumOf<Behind<Rest>, Scope, Name>
        : Word extends ':'
          ? Specifiers<Rest, Scope> extends [infer T, infer After extends string, any, any]
            ? After extends `{${string}`
              ? EnumOf<After, Scope, Name>
              : [T, After, Name extends '' ? Scope : Put<Scope, `enum ${Name}`, T>]
            : KnownEnum<Name, S, Scope>
          : Name extends ''
            ? EnumOf<Rest, Scope, Word>
            : KnownEnum<Name, S, Scope>
  : KnownEnum<Name, S, Scope>;

type KnownEnum<Name extends string, S, Scope> = Name extends ''
  ? Fault<"expected a tag or a body after 'enum'">
  : `enum ${Name}` extends keyof Scope
    ? [Scope[`enum ${Name}`], S, Scope]
    : [Tag<`enum ${Name}`>, S, Scope];

type EnumScope<Scope, Name extends string, M> = (Name extends ''
  ? Scope
  : Put<Scope, `enum ${Name}`, EnumerationType<M, false>>) & {
  readonly [K in keyof M as `#${K & string}`]: Constant<M[K]>;
};

/** The constants of an enum and their values: those that are written, and those that count from 0. */
type Enumerators<S extends string, Done = {}, Next extends readonly 0[] | undefined = []> =
  Start<S> extends infer T extends string
    ? T extends ''
      ? { [K in keyof Done]: Done[K] }
      : Split<T> extends [infer First extends string, infer Rest extends string]
        ? Enumerator<First> extends [infer Name extends string, infer V]
          ? Enumerators<
              Rest,
              Done & { readonly [N in Name]: V extends undefined ? Counted<Next> : V },
              Following<V, Next>
            >
          : Enumerator<First>
        : never
    : never;

/** A constant up to its comma, and what follows; commas in parentheses are those of offsetof or of an attribute. */
type Split<S extends string, Done extends string = ''> = S extends `${infer First},${infer Rest}`
  ? First extends `${infer Before}(${string}`
    ? S extends `${Before}(${infer Inside}`
      ? Closed<Inside, '(', ')'> extends [infer Group extends string, infer After extends string]
        ? Split<After, `${Done}${Before}(${Group})`>
        : [`${Done}${First}`, Rest]
      : never
    : [`${Done}${First}`, Rest]
  : [`${Done}${S}`, ''];

type Counted<Next> = Next extends readonly 0[] ? Next['length'] : number;
type Following<V, Next> = V extends undefined
  ? Next extends readonly 0[]
    ? [...Next, 0]
    : undefined
  : V extends 0
    ? [0]
    : undefined;

/** `[name, value]`; no value where none is written. */
type Enumerator<S extends string> = S extends `${infer Name} ${infer Rest}`
  ? Name extends ''
    ? Enumerator<Rest>
    : Name extends '=' | '(' | ')' | '[' | ']' | '*' | ':' | ';'
      ? Fault<'expected the name of a constant'>
      : Rest extends `${infer Before}=${infer V}`
        ? Blank<Before> extends ''
          ? [Name, NumberOf<V>]
          : Fault<"expected ',' or '}' after a constant">
        : Blank<Rest> extends ''
          ? [Name, undefined]
          : Rest extends `${string}__attribute__${string}`
            ? [Name, undefined]
            : Fault<"expected ',' or '}' after a constant">
  : Fault<'expected the name of a constant'>;
