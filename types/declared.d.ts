// Types that are made at run time: struct(), union(), array(), pointer(), ... as TypeScript sees them.

import type { CallbackFunction, Fn } from './infer.js';
import type {
  AddressOf,
  FunctionPointerLike,
  In,
  IntegerType,
  MemoryScalar,
  Out,
  Pointer,
  PointerLike,
  Text,
  View,
} from './table.js';

declare const row: unique symbol;
declare const live: unique symbol;
declare const brand: unique symbol;

/** The values of a declared type; `kind` defines where it may be used. */
export interface DeclaredRow {
  in: unknown;
  out: unknown;
  view: unknown;
  kind: 'value' | 'array' | 'flexible' | 'parameter';
}

/** A type that was declared, for use in further declarations. */
export interface DeclaredType<R extends DeclaredRow = DeclaredRow> {
  /** The name in messages. */
  readonly name: string;
  /** The size of a value, in bytes. */
  readonly size: number;
  /** The alignment of a value, in bytes. */
  readonly align: number;
  /** Only for the compiler: the values in both directions. */
  readonly [row]: R;
}

/** Types that are passed by value. */
export type DeclaredValue = DeclaredType<DeclaredRow & { kind: 'value' }>;

/** Types of arguments: values, and parameters through which C returns values. */
export type DeclaredArgument = DeclaredType<DeclaredRow & { kind: 'value' | 'parameter' }>;

/** Types of fields. */
export type DeclaredField = DeclaredType<DeclaredRow & { kind: 'value' | 'array' }>;

declare const element: unique symbol;

/** Result of `array` with the name of a field: the last field of a struct, as many elements as that field says. */
export interface FlexibleArray<T, CountedBy extends string> {
  /** The field that counts the elements. */
  readonly countedBy: CountedBy;
  /** Only for the compiler. */
  readonly [element]: T;
}

/** Accessors for native memory. Passed for a pointer, a view is the address of its memory. */
export interface LiveView {
  // Any object has this method of Object, which gives an Object. So a plain object can be assigned to a nested struct,
  // `line.from = { x: 0, y: 0 }`, and cannot be passed where a PassedView is expected.
  /** The view itself. */
  valueOf(): any;
}

/** A view where an address is expected. Other objects are refused. */
export interface PassedView {
  /** Only for the compiler: distinguishes a view from other objects. */
  valueOf(): { readonly [live]: true };
}

/** The memory of a T: its address, or a view or buffer that holds it. NULL, which C may give, throws. */
export type Place<T = any> = AddressOf<T> | ArrayBufferView | ArrayBufferLike | PassedView | null;

/** The memory of a T; of an array also what is declared as a pointer to its elements, as C has it. */
type PlaceOf<T, Kind> = Kind extends 'array' ? Place : Place<T>;

/** A struct, a union or an array. `I` is the accepted value, `O` the result, `V` the live view. */
export interface AggregateType<I, O, V, Kind extends 'value' | 'array'> extends DeclaredType<{
  in: I | V;
  out: O;
  view: V;
  kind: Kind;
}> {
  /**
   * A copy of the value in memory.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small.
   */
  read(source: PlaceOf<this, Kind>, byteOffset?: number | bigint): O;
  /**
   * Writes a value to memory.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small; the errors of an
   * argument of this type.
   */
  write(target: PlaceOf<this, Kind>, value: I | V, byteOffset?: number | bigint): void;
  /**
   * Accessors for memory, without a copy. Memory at an address must stay valid while you use them.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small.
   */
  view(source: PlaceOf<this, Kind>, byteOffset?: number | bigint): V;
  /**
   * Accessors for new fenced memory, zeroed or with a value. It lives as long as its views.
   * @throws The errors of an argument of this type; ERR_FFI_MEMORY_EXHAUSTED without memory.
   */
  alloc(value?: I | V): V;
}

/** A bitfield: `bits` of an integer type. */
export interface Bitfield {
  /** An integer type or `'bool'`. */
  readonly type: IntegerType | 'bool' | 11;
  /** The number of bits, at most those of the type. */
  readonly bits: number;
}

/** A field with a separate alignment, in bytes. */
export interface AlignedField {
  readonly type: FieldType;
  readonly align: number;
}

/** The fields of a struct: a type each, a bitfield, or a field with an alignment. */
export type StructFields = { readonly [name: string]: FieldType | Bitfield | AlignedField };
/** The fields of a union: a type each. */
export type UnionFields = { readonly [name: string]: FieldType | Bitfield };
/** The type of a field. */
export type FieldType = MemoryScalar | DeclaredField;
type TypeOfField<F> = F extends Bitfield | AlignedField ? F['type'] : F;

// Conditional, although the condition always holds: an editor then shows the fields and not these aliases.
/** The fields of a struct on their way into C. */
export type FieldsIn<F> = F extends unknown ? { readonly [K in keyof F]: In<TypeOfField<F[K]>> } : never;
/** The fields of a struct as C gives them. */
export type FieldsOut<F> = F extends unknown ? { -readonly [K in keyof F]: Out<TypeOfField<F[K]>> } : never;
/** The fields of a struct in memory. */
export type FieldsView<F> = F extends unknown
  ? { -readonly [K in keyof F]: View<TypeOfField<F[K]>> } & LiveView
  : never;
/** A union on its way into C: one of its fields. */
export type OneOf<F> = { [K in keyof F]: { readonly [Only in K]: In<F[K]> } }[keyof F];

/** Result of `struct`. */
export type StructType<F> = AggregateType<FieldsIn<F>, FieldsOut<F>, FieldsView<F>, 'value'>;

/** Result of `struct` with `zero: true`: a value may lack fields, which are zero. */
export type ZeroedStructType<F> = AggregateType<Partial<FieldsIn<F>>, FieldsOut<F>, FieldsView<F>, 'value'>;

/** The fields of a struct that ends in a flexible array. */
export type FlexibleFields = {
  readonly [name: string]: FieldType | Bitfield | AlignedField | FlexibleArray<any, string>;
};
type CountOf<F> = { [K in keyof F]: F[K] extends FlexibleArray<any, infer CountedBy> ? CountedBy : never }[keyof F];
type FlexibleIn<F> = {
  readonly [K in Exclude<keyof F, CountOf<F>>]: F[K] extends FlexibleArray<infer T, string>
    ? ArrayLike<In<T>>
    : In<TypeOfField<F[K]>>;
} & { readonly [K in CountOf<F>]?: number | bigint };

/** Result of `struct` with a flexible array: it is in memory only, and its size depends on the value. */
export interface FlexibleType<F> extends DeclaredType<{ in: never; out: never; view: never; kind: 'flexible' }> {
  /**
   * A copy of the value in memory, with as many elements as its count says.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small for its count.
   */
  read(
    source: Place,
    byteOffset?: number | bigint,
  ): { -readonly [K in keyof F]: F[K] extends FlexibleArray<infer T, string> ? Out<T>[] : Out<TypeOfField<F[K]>> };
  /**
   * Writes a value to memory. Its count may be left out.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small; the errors of an
   * argument of this type.
   */
  write(target: Place, value: FlexibleIn<F>, byteOffset?: number | bigint): void;
  /**
   * Accessors for memory, without a copy.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small for its count.
   */
  view(source: Place, byteOffset?: number | bigint): FlexibleView<F>;
  /**
   * Accessors for new fenced memory with a value, or with no elements.
   * @throws The errors of an argument of this type; ERR_FFI_MEMORY_EXHAUSTED without memory.
   */
  alloc(value?: FlexibleIn<F>): FlexibleView<F>;
}

/** The view of a struct that ends in a flexible array. */
export type FlexibleView<F> = F extends unknown
  ? {
      -readonly [K in keyof F]: F[K] extends FlexibleArray<infer T, string> ? ArrayView<T> : View<TypeOfField<F[K]>>;
    } & LiveView
  : never;

/** Result of `union`: you pass one field; a result is a view. */
export type UnionType<F> = AggregateType<OneOf<F>, FieldsView<F>, FieldsView<F>, 'value'>;

/** A live array. */
export interface ArrayView<T>
  extends
    LiveView,
    Iterable<View<T>>,
    Pick<
      ReadonlyArray<View<T>>,
      | 'every'
      | 'filter'
      | 'find'
      | 'findIndex'
      | 'forEach'
      | 'includes'
      | 'indexOf'
      | 'join'
      | 'lastIndexOf'
      | 'map'
      | 'reduce'
      | 'reduceRight'
      | 'slice'
      | 'some'
    > {
  /** The number of elements. */
  readonly length: number;
  /**
   * The element of an index; undefined outside of the array, where writing throws `ERR_OUT_OF_RANGE`.
   */
  [index: number]: View<T>;
  /**
   * The element of an index; negative indices count from the end.
   * @throws ERR_OUT_OF_RANGE outside of the array.
   */
  at(index: number | bigint): View<T>;
  /**
   * Writes the element of an index; negative indices count from the end.
   * @throws ERR_OUT_OF_RANGE outside of the array; the errors of an argument of the element type.
   */
  set(index: number | bigint, value: In<T>): void;
  /** The values, copied. */
  toArray(): Out<T>[];
}

/** Elements that a string may be written into. */
type CharacterType =
  | 'char'
  | 'wchar_t'
  | 'char16_t'
  | 'char32_t'
  | 'u8'
  | 'uint8_t'
  | 'unsigned char'
  | 'i8'
  | 'int8_t'
  | 'signed char'
  | 'u16'
  | 'uint16_t'
  | 'unsigned short';

/** Result of `array`. */
export type ArrayType<T> = AggregateType<
  ArrayLike<In<T>> | (T extends CharacterType ? string : never),
  Out<T>[],
  ArrayView<T>,
  'array'
>;

/** Result of `text`: a string in memory. */
export interface TextType extends DeclaredType<{ in: string; out: string; view: string; kind: 'array' }> {
  /**
   * A copy of the text in memory.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small.
   */
  read(source: Place, byteOffset?: number | bigint): string;
  /**
   * Writes a text to memory.
   * @throws ERR_INVALID_ARG_TYPE or ERR_OUT_OF_RANGE for memory that is not there or too small; ERR_INVALID_ARG_VALUE
   * for a text that does not fit.
   */
  write(target: Place, value: string, byteOffset?: number | bigint): void;
  /**
   * New fenced memory of this size, zeroed or with a text.
   * @throws ERR_INVALID_ARG_VALUE for a text that does not fit; ERR_FFI_MEMORY_EXHAUSTED without memory.
   */
  alloc(value?: string): Buffer;
}

/** Plain values for a pointer: an array of them, or an object for a struct or a union. */
export type PlainTarget<T> = readonly In<T>[] | (T extends AggregateType<any, any, any, 'value'> ? In<T> : never);

/** Result of `pointer`, for pointers to a T. */
export type PointerType<T = any> = DeclaredType<{
  in: PointerLike<T> | PlainTarget<T>;
  out: Pointer<T> | bigint | null;
  view: Pointer<T> | bigint | null;
  kind: 'value';
}>;

/** Result of `out`: you do not pass it; the call returns it. */
export interface OutParameter<T> extends DeclaredType<{ in: never; out: Out<T>; view: never; kind: 'parameter' }> {
  /** Only for the compiler. */
  readonly passes?: 'out';
}

/** Result of `inout`: you pass it, and the call returns it. */
export interface InOutParameter<T> extends DeclaredType<{ in: In<T>; out: Out<T>; view: never; kind: 'parameter' }> {
  /** Only for the compiler. */
  readonly passes?: 'inout';
}

/** The members of every enumeration; a constant of such a name is in `values` only. */
type OwnNames = 'name' | 'size' | 'align' | 'values' | 'nameOf';

/** Result of `enumeration`: the type, with the constants as properties. */
export type EnumerationType<M, Named, Flags = false> = EnumerationMembers<M, Named, Flags> & {
  readonly [Name in Exclude<keyof M, OwnNames>]: M[Name];
};

/** The properties of an enumeration. */
export interface EnumerationMembers<M, Named, Flags = false> extends DeclaredType<{
  in:
    | (keyof M & string)
    | number
    | bigint
    | (Flags extends true ? readonly (keyof M & string)[] | `${keyof M & string} | ${string}` : never);
  out: Named extends true ? (Flags extends true ? string : keyof M & string) | number : number;
  view: Named extends true ? (Flags extends true ? string : keyof M & string) | number : number;
  kind: 'value';
}> {
  /** The values by name. */
  readonly values: Readonly<M>;
  /** The name of a value; undefined if it has none. */
  nameOf(value: number | bigint): (Flags extends true ? string : keyof M & string) | undefined;
}

/** A handle: a pointer of an opaque type, from C. `Names` are the names of the type and of its bases. */
export interface Handle<Names extends string> {
  /** Only for the compiler: the types for which it may be passed. */
  readonly [brand]: { [N in Names]: true };
  /** The address; null after it was freed. */
  readonly ptr: number | bigint | null;
  /** The name of its type. */
  readonly type: string;
  /** Its owner. */
  readonly owner: Handle<string> | null;
}

/** Result of `opaque`. */
export interface OpaqueType<Names extends string> extends DeclaredType<{
  in: Handle<Names> | null;
  out: Handle<Names> | null;
  view: Handle<Names> | null;
  kind: 'value';
}> {
  /** Only for the compiler. */
  readonly names?: Names;
}

/** Result of `fn`. */
export type FunctionType<D> = DeclaredType<{
  in: CallbackFunction<D> | FunctionPointerLike;
  out: Fn<D> | null;
  view: Fn<D> | null;
  kind: 'value';
}>;

/** Text that the caller owns: it is copied, then `free` is called with its address. */
export type OwnedText = (
  | {
      /** The encoding of the text. */
      readonly type: Text;
      readonly cstring?: undefined;
    }
  | {
      /** Short for `type: 'cstring'`. */
      readonly cstring: true | 'cstring' | 14;
      readonly type?: undefined;
    }
) & {
  /** The name of a symbol of the same library, or the address of a function. */
  readonly free: string | number | bigint | { readonly ptr: number | bigint };
};
