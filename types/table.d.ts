// The type table, as TypeScript sees it: a row per C type, with what goes into C, what comes out, and its numeric tag:
// 0 to 21 are bun's, the later ones this package's.
// lib/types/registry.js is its twin at run time.

import type { DeclaredArgument, DeclaredType, DeclaredValue, OwnedText, PassedView, PointerType } from './declared.js';

/**
 * The address of native memory, as a branded number. NULL is `null`, never `0`.
 *
 * `T` is the declared type of its target: `Pointer<'i32'>`, `Pointer<typeof Point>`. Without `T` it points to anything,
 * like `void *`. The brand exists only for the compiler. Every parameter that expects an address also accepts a plain
 * `number` or `bigint`. To brand your own address, write `address as Pointer`.
 */
export type Pointer<T = any> = number & { readonly __pointer__: null } & MaybeTo<T>;

declare const pointee: unique symbol;

/** The type information of an address. A plain number has none and is accepted; a pointer to another type is not. */
interface MaybeTo<T> {
  readonly [pointee]?: Pointee<T>;
}

/** Distinguishes the targets of pointers: the canonical name of a scalar, the value of a declared type. */
type Pointee<T> = 0 extends 1 & T
  ? any
  : T extends 'void' | 13
    ? any
    : T extends DeclaredType<infer R>
      ? R['out']
      : T extends keyof TypeAliases
        ? TypeAliases[T]
        : T extends keyof NameOfTag
          ? NameOfTag[T]
          : T;

/** The address of a `T`, or an untyped address. */
export type AddressOf<T> = (number & MaybeTo<T>) | bigint;

/** An object with a native address: a bound function, or your own object with a `ptr`. */
export interface HasPointer {
  /** The address. */
  readonly ptr: number | bigint;
}

/** The same for objects that can be closed (a JSCallback). Afterwards `ptr` is `null`, and passing it throws. */
export interface ClosablePointer {
  /** The address; `null` after `close()`. */
  readonly ptr: number | bigint | null;
  /** Ends the use of the address. */
  close(): void;
}

/**
 * A value for a function pointer. A plain JavaScript function is not accepted: wrap it in a JSCallback, which defines
 * how C calls it and how long it lives.
 */
export type FunctionPointerLike = number | bigint | HasPointer | ClosablePointer | null;

/**
 * A value for a pointer. For a view or an ArrayBuffer, the address of its bytes is passed, without a copy, and its
 * memory is held until the call returns. `null` is NULL; `undefined` is refused. A `Pointer` to another type than `T`
 * is refused.
 */
export type PointerLike<T = any> =
  AddressOf<T> | HasPointer | ClosablePointer | ArrayBufferView | ArrayBufferLike | PassedView | null;

/** In: JavaScript to C (arguments, results of callbacks). Out: C to JavaScript. never: not in this direction. */
interface Row<In, Out, Tag> {
  in: In;
  out: Out;
  tag: Tag;
}

/** A row per type, under its canonical name. */
export interface TypeTable {
  /** 8 bits, signed on every platform. */
  char: Row<number | bigint, number, 0>;
  /** 8 bits, -128 to 127. */
  i8: Row<number | bigint, number, 1>;
  /** 8 bits, 0 to 255. */
  u8: Row<number | bigint, number, 2>;
  /** 16 bits, -32768 to 32767. */
  i16: Row<number | bigint, number, 3>;
  /** 16 bits, 0 to 65535. */
  u16: Row<number | bigint, number, 4>;
  /** 32 bits, -2147483648 to 2147483647. */
  i32: Row<number | bigint, number, 5>;
  /** 32 bits, 0 to 4294967295. */
  u32: Row<number | bigint, number, 6>;
  /** 64 bits, -2n ** 63n to 2n ** 63n - 1n. In: a bigint or a safe integer. Out: always a bigint. */
  i64: Row<number | bigint, bigint, 7>;
  /** 64 bits, 0n to 2n ** 64n - 1n. In: a bigint or a safe integer. Out: always a bigint. */
  u64: Row<number | bigint, bigint, 8>;
  /** IEEE 754 double, 64 bits. */
  f64: Row<number, number, 9>;
  /** IEEE 754 float, 32 bits. A finite number beyond its range is refused; the others are rounded. */
  f32: Row<number, number, 10>;
  /** 8 bits, 0 or 1. */
  bool: Row<boolean, boolean, 11>;
  /** A pointer. Out: a number (a bigint above 2 ** 53 - 1), `null` for NULL. */
  ptr: Row<PointerLike, Pointer | bigint | null, 12>;
  /** No result. */
  void: Row<never, void, 13>;
  /** `char *` up to NUL. In: a string is copied as UTF-8 for the call. Out: a copy, `null` for NULL. */
  cstring: Row<PointerLike | string, string | null, 14>;
  /** 64 bits, signed. Out: a number where it is exact, else a bigint. */
  i64_fast: Row<number | bigint, number | bigint, 15>;
  /** 64 bits, unsigned. Out: a number where it is exact, else a bigint. */
  u64_fast: Row<number | bigint, number | bigint, 16>;
  /** 64 bits, signed. Out: always a number; a value beyond 2 ** 53 - 1 throws ERR_OUT_OF_RANGE. */
  i64_number: Row<number | bigint, number, never>;
  /** 64 bits, unsigned. Out: always a number; a value beyond 2 ** 53 - 1 throws ERR_OUT_OF_RANGE. */
  u64_number: Row<number | bigint, number, never>;
  /** A function pointer. */
  function: Row<FunctionPointerLike, Pointer | bigint | null, 17>;
  /** The address of a typed array or DataView, and nothing else. Only as an argument of a function. */
  buffer: Row<ArrayBufferView, never, 20>;
  /** The byteLength of a typed array or DataView, in bytes, as a u64. Only as an argument of a function. */
  buffer_length: Row<ArrayBufferView, never, 21>;
  /** C's long: 64 bits on Linux and macOS, 32 on Windows. Out: a bigint everywhere. */
  long: Row<number | bigint, bigint, 22>;
  /** C's unsigned long: 64 bits on Linux and macOS, 32 on Windows. Out: a bigint everywhere. */
  'unsigned long': Row<number | bigint, bigint, 23>;
  /** C's wchar_t: 32 bits on Linux and macOS, 16 on Windows. */
  wchar_t: Row<number | bigint, number, 24>;
  /** The numbers in a stated byte order, `be` big-endian and `le` little-endian: for files and network packets. */
  i16be: Row<number | bigint, number, never>;
  i16le: Row<number | bigint, number, never>;
  u16be: Row<number | bigint, number, never>;
  u16le: Row<number | bigint, number, never>;
  i32be: Row<number | bigint, number, never>;
  i32le: Row<number | bigint, number, never>;
  u32be: Row<number | bigint, number, never>;
  u32le: Row<number | bigint, number, never>;
  i64be: Row<number | bigint, bigint, never>;
  i64le: Row<number | bigint, bigint, never>;
  u64be: Row<number | bigint, bigint, never>;
  u64le: Row<number | bigint, bigint, never>;
  f32be: Row<number, number, never>;
  f32le: Row<number, number, never>;
  f64be: Row<number, number, never>;
  f64le: Row<number, number, never>;
  /** `char16_t *` up to NUL, as UTF-16. Out: a copy, `null` for NULL. */
  utf16: Row<PointerLike | string, string | null, never>;
  /** `wchar_t *` up to NUL: UTF-32 on Linux and macOS, UTF-16 on Windows. Out: a copy, `null` for NULL. */
  wstring: Row<PointerLike | string, string | null, never>;
}

/** Other names of the types: those of bun and of C. Alias -> canonical name. */
export interface TypeAliases {
  int8_t: 'i8';
  'signed char': 'i8';
  uint8_t: 'u8';
  'unsigned char': 'u8';
  int16_t: 'i16';
  short: 'i16';
  uint16_t: 'u16';
  'unsigned short': 'u16';
  char16_t: 'u16';
  int32_t: 'i32';
  int: 'i32';
  c_int: 'i32';
  uint32_t: 'u32';
  'unsigned int': 'u32';
  c_uint: 'u32';
  char32_t: 'u32';
  int64_t: 'i64';
  isize: 'i64';
  ssize_t: 'i64';
  intptr_t: 'i64';
  ptrdiff_t: 'i64';
  'long long': 'i64';
  uint64_t: 'u64';
  usize: 'u64';
  size_t: 'u64';
  uintptr_t: 'u64';
  'unsigned long long': 'u64';
  double: 'f64';
  float: 'f32';
  pointer: 'ptr';
  'void*': 'ptr';
  'char*': 'ptr';
  callback: 'function';
  fn: 'function';
  buffer_bytelength: 'buffer_length';
}

/** Numeric tag -> canonical name. */
type NameOfTag = { [Name in keyof TypeTable as TypeTable[Name]['tag']]: Name };

/** The shape of FFIType: every name and alias, with its numeric tag. */
export type TagTable = { readonly [Tag in keyof NameOfTag as NameOfTag[Tag]]: Tag } & {
  readonly [Alias in keyof TypeAliases]: TypeTable[TypeAliases[Alias]]['tag'];
} & {
  /** Belongs to bun's `cc`; refused in a declaration. */
  readonly napi_env: 18;
  /** Belongs to bun's `cc`; refused in a declaration. */
  readonly napi_value: 19;
};

/** The names of the rows whose column (in, out) is not never. */
type Having<Column extends 'in' | 'out'> = {
  [Name in keyof TypeTable]: [TypeTable[Name][Column]] extends [never] ? never : Name;
}[keyof TypeTable];

/** A set of canonical names, with every other way to write them: aliases and numeric tags. */
type Spelled<Name extends keyof TypeTable> =
  | Name
  | { [Alias in keyof TypeAliases]: TypeAliases[Alias] extends Name ? Alias : never }[keyof TypeAliases]
  | { [Tag in keyof NameOfTag]: NameOfTag[Tag] extends Name ? Tag : never }[keyof NameOfTag];

/** Types of arguments of C functions. */
export type ArgumentType = Spelled<Having<'in'>> | DeclaredArgument;

/** Types of memory whose length is known before C receives its address. */
export type MemoryType = Spelled<'ptr' | 'cstring' | 'buffer' | 'utf16' | 'wstring'> | PointerType<any>;

/** Types that count the bytes of another argument. */
export type LengthType = Spelled<
  | 'i8'
  | 'u8'
  | 'i16'
  | 'u16'
  | 'i32'
  | 'u32'
  | 'i64'
  | 'u64'
  | 'i64_fast'
  | 'u64_fast'
  | 'i64_number'
  | 'u64_number'
  | 'long'
  | 'unsigned long'
>;

/** Types of bitfields. */
export type IntegerType = LengthType | Spelled<'char' | 'wchar_t'>;

/** An argument with a name for messages: `{ type: 'ptr', name: 'event' }`. */
interface NamedArgument {
  /** Its type. */
  readonly type: ArgumentType;
  /** The name in messages, in addition to the index. */
  readonly name?: string;
  readonly minBytes?: never;
  readonly lengthOf?: never;
  readonly countOf?: never;
  readonly flow?: never;
}

/** Which way the bytes go of memory that an isolated library does not share: see {@link FlowingArgument}. */
export type Flow = 'in' | 'out' | 'inout';

/** A pointer to memory that is copied one way: `{ type: 'buffer', flow: 'in' }`. */
interface FlowingArgument extends Omit<NamedArgument, 'flow'> {
  readonly type: MemoryType;
  /**
   * Which way the bytes of the argument go if the library is isolated and does not share them: `'in'` copies them
   * before the call, `'out'` after it, `'inout'` does both, which is the default of a synchronous call. With `'out'`
   * the library has to write all of the bytes: those that it does not write are 0 afterwards. An asynchronous call
   * takes such memory only with a declared flow, and throws ERR_FFI_NOT_SHARED otherwise.
   */
  readonly flow: Flow;
}

/** A pointer to at least so many bytes: `{ type: 'ptr', minBytes: 192 }`. */
interface SizedArgument extends Omit<NamedArgument, 'minBytes' | 'flow'> {
  readonly type: MemoryType;
  /**
   * The minimum length of a view, an ArrayBuffer or the text of a cstring (with its NUL), in bytes. A shorter one is
   * refused with ERR_OUT_OF_RANGE before C is called. The length of an address or `null` is unknown, so these are
   * accepted.
   */
  readonly minBytes: number | bigint;
  /** As in {@link FlowingArgument}. */
  readonly flow?: Flow;
}

/** The length of another argument: `{ type: 'size_t', lengthOf: 0 }`. */
interface LengthArgument extends Omit<NamedArgument, 'lengthOf'> {
  readonly type: LengthType;
  /**
   * The index in `args` of the pointer whose bytes this argument counts. A negative value, or one above the length of
   * that view, is refused with ERR_OUT_OF_RANGE before C is called.
   */
  readonly lengthOf: number;
}

/** The number of elements of another argument: `{ type: 'size_t', countOf: 0 }`. */
interface CountArgument extends Omit<NamedArgument, 'countOf'> {
  readonly type: LengthType;
  /**
   * The index in `args` of the pointer whose elements this argument counts: values of T for `pointer(T)`, units for
   * text, elements of a typed array for other pointers. It is checked like `lengthOf`.
   */
  readonly countOf: number;
}

/** An argument as an object: its type with a name or constraints, which exclude each other. */
export type DescribedArgument = NamedArgument | SizedArgument | FlowingArgument | LengthArgument | CountArgument;

/** Types of results of C functions and callbacks. */
export type ReturnType = Spelled<Having<'out'>> | DeclaredValue;

/** Declarations of the result of a C function. */
export type ResultType = ReturnType | OwnedText;

/** Types of arguments of callbacks: those that work in both directions. */
export type CallbackArgumentType = Spelled<Having<'in'> & Having<'out'>> | DeclaredValue;

/** Texts that may be copied and freed. */
export type Text = 'cstring' | 'utf16' | 'wstring';

/** Every type, by name, alias or numeric tag. */
export type AnyType = Spelled<keyof TypeTable>;

/** Types of values in memory: of fields, elements and variables. */
export type MemoryScalar = Spelled<Exclude<keyof TypeTable, 'void' | 'buffer' | 'buffer_length'>>;

/** Types that can be in memory, by canonical name or alias: `read` and `write` have a function for each. */
export type ScalarName = Extract<MemoryScalar, string>;

/** The row of a type, however it is written. */
type RowOf<T> = T extends keyof TypeTable
  ? TypeTable[T]
  : T extends keyof TypeAliases
    ? TypeTable[TypeAliases[T]]
    : T extends keyof NameOfTag
      ? TypeTable[NameOfTag[T]]
      : T extends DeclaredType<infer R>
        ? R
        : never;

/** The JavaScript values that are accepted for type T. */
export type In<T> = RowOf<T>['in'];

/** The JavaScript value that C's value of type T becomes. */
export type Out<T> = RowOf<T>['out'];

/** The value of an accessor for a T in memory. */
export type View<T> = RowOf<T> extends { view: infer V } ? V : Out<T>;

/** A pair for a variadic function: a type and a value of it. */
export type Extra =
  | { [T in Extract<Spelled<Having<'in'>>, string>]: readonly [T, In<T>] }[Extract<Spelled<Having<'in'>>, string>]
  | readonly [DeclaredValue, unknown];
