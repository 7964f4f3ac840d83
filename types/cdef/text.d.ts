// C text as strings: comments, white space, brackets. A statement is padded so that each token stands between spaces.

type Space = ' ' | '\n' | '\t' | '\r' | '\f' | '\v';

export type TrimStart<S extends string> = S extends `${Space}${infer R}` ? TrimStart<R> : S;
type TrimEnd<S extends string> = S extends `${infer R}${Space}` ? TrimEnd<R> : S;
export type Trim<S extends string> = TrimEnd<TrimStart<S>>;

/** A text whose characters are known: neither `string` nor a template with holes. */
export type IsLiteral<S extends string> = {} extends { [K in S]: 1 } ? false : true;

/** All of S with B in the place of A. */
type Replace<S extends string, A extends string, B extends string, Done extends string = ''> =
  S extends `${infer Before}${A}${infer After}` ? Replace<After, A, B, `${Done}${Before}${B}`> : `${Done}${S}`;

type Pad<S extends string, C extends string> = Replace<S, C, ` ${C} `>;

/** On one line, without double spaces: as messages show it. */
export type OneLine<S extends string> = Trim<
  Replace<Replace<Replace<Replace<Replace<S, '\n', ' '>, '\t', ' '>, '\r', ' '>, '  ', ' '>, '  ', ' '>
>;

/** A statement whose tokens are followed by a space each. */
export type Tokens<S extends string> =
  `${Pad<Pad<Pad<Pad<Pad<Pad<Pad<WithoutBrackets<S>, '*'>, '('>, ')'>, ','>, '['>, ']'>, ':'> extends infer P extends string
    ? P extends `${string}${'{' | '=' | ';'}${string}`
      ? Pad<Pad<Pad<Pad<P, '{'>, '}'>, ';'>, '='>
      : P
    : never} `;

/** Without `[[...]]`. */
type WithoutBrackets<S extends string> = S extends `${infer A}[[${string}]]${infer B}` ? WithoutBrackets<`${A} ${B}`> : S;

// A type that calls itself in the end may do so a thousand times: a longer loop pauses, and is taken up again.
/** Counts the turns of a loop, up to a pause. */
export type Turns = readonly 0[];
type Pause = 300;
export type IsPause<N extends Turns> = N['length'] extends Pause ? true : false;

/** Without comments, and without line continuations. */
export type WithoutComments<S extends string, Done extends string = ''> = S extends `${string}/${string}`
  ? Comments<S, Done> extends readonly [infer Next extends string, infer More extends string]
    ? WithoutComments<Next, More>
    : never
  : WithoutContinuations<`${Done}${S}`>;

type WithoutContinuations<S extends string> = S extends `${infer A}\\\n${infer B}` ? WithoutContinuations<`${A} ${B}`> : S;

/** What is left after some comments, and what stands before it. */
type Comments<S extends string, Done extends string, N extends Turns = []> =
  IsPause<N> extends true
    ? [S, Done]
    : S extends `${infer A}/${infer B}`
      ? B extends `*${string}*/${infer After}`
        ? Comments<After, `${Done}${A} `, [...N, 0]>
        : B extends `/${infer Line}`
          ? A extends `${string}:`
            ? Comments<Line, `${Done}${A}//`, [...N, 0]>
            : Line extends `${string}\n${infer After}`
              ? Comments<`\n${After}`, `${Done}${A}`, [...N, 0]>
              : ['', `${Done}${A}`]
          : Comments<B, `${Done}${A}/`, [...N, 0]>
      : ['', `${Done}${S}`];

/** How many brackets a text opens, added to N. */
type Opened<S extends string, Open extends string, N extends readonly 0[]> =
  S extends `${string}${Open}${infer R}` ? Opened<R, Open, [...N, 0]> : N;

/** What stands in brackets, from behind the opening one on, and what follows them; `never` where they are not closed. */
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
  : never;
