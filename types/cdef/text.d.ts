// C text as strings: comments, white space, brackets. A statement is padded so that each token stands between spaces.

type Space = ' ' | '\n' | '\t' | '\r' | '\f' | '\v';

export type TrimStart<S extends string> = S extends `${Space}${infer R}` ? TrimStart<R> : S;
type TrimEnd<S extends string> = S extends `${infer R}${Space}` ? TrimEnd<R> : S;
export type Trim<S extends string> = TrimEnd<TrimStart<S>>;

/** A text whose characters are known: neither `string` nor a template with holes. */
export type IsLiteral<S extends string> = {} extends { [K in S]: 1 } ? false : true;

/** All of S with B in the place of A. */
type Replace<
  S extends string,
  A extends string,
  B extends string,
  Done extends string = '',
> = S extends `${infer Before}${A}${infer After}` ? Replace<After, A, B, `${Done}${Before}${B}`> : `${Done}${S}`;

type Pad<S extends string, C extends string> = Replace<S, C, ` ${C} `>;

/** On one line, without double spaces: as messages show it. */
export type OneLine<S extends string> = Trim<
  SingleSpaces<Replace<Replace<Replace<S, '\n', ' '>, '\t', ' '>, '\r', ' '>>
>;
type SingleSpaces<S extends string> = S extends `${infer A}  ${infer B}` ? SingleSpaces<`${A} ${B}`> : S;

/** A statement whose tokens are followed by a space each. */
export type Tokens<S extends string> = `${Brackets<
  S extends `${string}${'\n' | '\t' | '\r' | '[['}${string}`
    ? WithoutBrackets<Replace<Replace<Replace<S, '\n', ' '>, '\t', ' '>, '\r', ' '>>
    : S
>} `;

type Brackets<S extends string> = S extends `${string}${'{' | '=' | ';' | '[' | ':'}${string}`
  ? Pad<Pad<Pad<Pad<Pad<Pad<Pad<Usual<S>, '['>, ']'>, ':'>, '{'>, '}'>, ';'>, '='>
  : Usual<S>;
type Usual<S extends string> = Pad<Pad<Pad<Pad<S, '*'>, '('>, ')'>, ','>;

/** Without `[[...]]`. */
type WithoutBrackets<S extends string> = S extends `${infer A}[[${string}]]${infer B}`
  ? WithoutBrackets<`${A} ${B}`>
  : S;

/**
 * Without comments and line continuations. Where a comment does not end: what stands before it, and the comment.
 */
export type WithoutComments<S extends string, Done extends string = ''> = S extends `${infer A}/${infer B}`
  ? B extends `*${infer Comment}`
    ? Comment extends `${string}*/${infer After}`
      ? WithoutComments<After, `${Done}${A} `>
      : [WithoutContinuations<`${Done}${A}`>, `/${B}`]
    : B extends `/${infer Comment}`
      ? A extends `${string}:`
        ? WithoutComments<Comment, `${Done}${A}//`>
        : Comment extends `${string}\n${infer After}`
          ? WithoutComments<After, `${Done}${A}\n`>
          : [WithoutContinuations<`${Done}${A}`>, `/${B}`]
      : WithoutComments<B, `${Done}${A}/`>
  : WithoutContinuations<`${Done}${S}`>;

type WithoutContinuations<S extends string> = S extends `${infer A}\\\n${infer B}`
  ? WithoutContinuations<`${A}${B}`>
  : S extends `${string}${'\t' | 'typedef\n'}${string}`
    ? Replace<Replace<S, '\t', ' '>, 'typedef\n', 'typedef '>
    : S;

/** How many brackets a text opens, added to N. */
type Opened<S extends string, Open extends string, N extends readonly 0[]> = S extends `${string}${Open}${infer R}`
  ? Opened<R, Open, [...N, 0]>
  : N;

/**
 * The text in brackets, from behind the opening one on, and the text behind them; undefined where they are not closed.
 */
export type Closed<
  S extends string,
  Open extends string,
  Close extends string,
  Done extends string = '',
  N extends readonly 0[] = [],
> = S extends `${infer A}${Close}${infer B}`
  ? Opened<A, Open, N> extends readonly [0, ...infer Outer extends readonly 0[]]
    ? Closed<B, Open, Close, `${Done}${A}${Close}`, Outer>
    : [`${Done}${A}`, B]
  : undefined;
