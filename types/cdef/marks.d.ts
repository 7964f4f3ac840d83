// C types on the way to types of declarations. A scalar is its name in the type table, `const char` among them; a
// struct, union or enum with a body is the declared type already; what else there is carries a mark.

import type { ArrayType, FunctionType, OpaqueType, PointerType } from '../declared.js';
import type { Refused, Unsupported } from './words.js';

/** A fault of a text: `hint` is its remedy. */
export interface Fault<Message extends string, Hint extends string = ''> {
  readonly mark: 'fault';
  readonly error: Message;
  readonly hint: Hint;
}
export type AnyFault = { readonly mark: 'fault' };

/** A pointer. */
export interface To<T> {
  readonly mark: 'to';
  readonly to: T;
}

/** An array; `Length` is `''` where it has none. */
export interface Elements<T, Length extends string> {
  readonly mark: 'array';
  readonly of: T;
  readonly length: Length;
}

/** A function; D is `{ args, returns, varargs }`, R the type of its result as it was parsed. */
export interface Signature<D, R> {
  readonly mark: 'function';
  readonly signature: D;
  readonly result: R;
}

/** `struct s`, as long as no body is known. */
export interface Tag<Name extends string> {
  readonly mark: 'tag';
  readonly tag: Name;
}

/** In a scope, of a tag: it is declared, and only C looks inside. */
export interface Hidden<Name extends string> {
  readonly mark: 'hidden';
  readonly name: Name;
}

/** In a scope, of a name: `#define NAME`, which is skipped where it stands. */
export interface Empty {
  readonly mark: 'empty';
}

/** In a scope, of `#NAME`: a constant. */
export interface Constant<T> {
  readonly mark: 'constant';
  readonly value: T;
}

/** Scalars that are constant, since a pointer to them is a text. */
interface Plain {
  'const char': 'char';
  'const wchar_t': 'wchar_t';
  'const char16_t': 'char16_t';
}

/** Scalars to which a pointer is something else than `pointer(T)`. */
interface Pointers {
  'const char': 'cstring';
  'const wchar_t': 'wstring';
  'const char16_t': 'utf16';
  char: 'ptr';
  'signed char': 'ptr';
  'unsigned char': 'ptr';
  int8_t: 'ptr';
  uint8_t: 'ptr';
  bool: 'ptr';
  void: 'ptr';
}

/** A scalar that is const. */
export type Const<T> = T extends 'char' | 'wchar_t' | 'char16_t'
  ? `const ${T}`
  : T extends Elements<infer E, infer Length>
    ? Elements<Const<E>, Length>
    : T;

/** The type of a value, or a fault. */
export type Value<T, Scope> = T extends string
  ? T extends keyof Plain
    ? Plain[T]
    : T
  : T extends { readonly mark: infer Mark }
    ? MarkedValue<T, Mark, Scope>
    : T;

type MarkedValue<T, Mark, Scope> = Mark extends 'to'
  ? T extends To<infer P>
    ? PointerValue<P, Scope>
    : never
  : Mark extends 'array'
    ? T extends Elements<infer E, any>
      ? Value<E, Scope> extends infer V
        ? V extends AnyFault
          ? V
          : ArrayType<V>
        : never
      : never
    : Mark extends 'tag'
      ? T extends Tag<infer Name>
        ? Name extends keyof Scope
          ? Scope[Name] extends Hidden<any>
            ? Unsized<Name>
            : Scope[Name]
          : Unsized<Name>
        : never
      : Mark extends 'function'
        ? Fault<'a function is no value', '; declare a pointer to it'>
        : T;

type Unsized<Name extends string> = Name extends 'long double'
  ? Fault<"'long double' has no counterpart">
  : Name extends Unsupported
    ? Fault<`'${Name}': ${Refused[Name]}`>
    : Name extends 'va_list' | '__builtin_va_list' | '__gnuc_va_list'
      ? Fault<`${Name} has no counterpart; declare the function that takes '...' in its place`>
      : Fault<`${Name} is not defined, so that its size is not known`>;

type PointerValue<P, Scope> = P extends string
  ? P extends keyof Pointers
    ? Pointers[P]
    : PointerType<P>
  : P extends { readonly mark: infer Mark }
    ? Mark extends 'tag'
      ? TagPointer<P, Scope>
      : Mark extends 'function'
        ? P extends Signature<infer D, any>
          ? FunctionType<CalledByC<D>>
          : never
        : P extends Elements<any, ''>
          ? 'ptr'
          : Value<P, Scope> extends infer V
            ? V extends AnyFault
              ? V
              : PointerType<V>
            : never
    : PointerType<P>;

/** A pointer to what has no body so far. One that follows is a pointer to a type the compiler does not know yet. */
type TagPointer<T, Scope> =
  T extends Tag<infer Name>
    ? Name extends keyof Scope
      ? Scope[Name] extends Hidden<infer Opaque>
        ? Scope extends { readonly '#text': `${string}${Name}${' {' | '{' | '\n{'}${string}` }
          ? PointerType
          : OpaqueType<Opaque>
        : PointerType<Scope[Name]>
      : 'ptr'
    : never;

type Text = 'cstring' | 'wstring' | 'utf16';
// prettier-ignore
type Count =
  | 'short' | 'int' | 'long' | 'long long' | 'unsigned int' | 'unsigned long' | 'unsigned long long' | 'int16_t' | 'int32_t'
  | 'uint32_t' | 'char32_t' | 'int64_t' | 'uint64_t' | 'size_t' | 'ssize_t' | 'intptr_t' | 'uintptr_t' | 'ptrdiff_t';

/** The declaration of what C calls: a text that a count follows may have no NUL at its end, and is an address. */
export type CalledByC<D> = D extends { readonly args: infer A extends readonly unknown[] }
  ? [Extract<A[number], Text>] extends [never]
    ? D
    : { readonly [K in keyof D]: K extends 'args' ? Addresses<A> : D[K] }
  : D;

type Addresses<A extends readonly unknown[], Done extends readonly unknown[] = []> = A extends readonly [
  infer First,
  ...infer Rest,
]
  ? Addresses<
      Rest,
      readonly [...Done, First extends Text ? (Rest extends readonly [Count, ...unknown[]] ? 'ptr' : First) : First]
    >
  : Done;
