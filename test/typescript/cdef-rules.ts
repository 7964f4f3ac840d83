// Programs that compile: what the C types of a text become, rule by rule.

import { cdef } from 'pinned-ffi';
import type {
  ArrayType,
  EnumerationType,
  FunctionType,
  InOutParameter,
  OpaqueType,
  OutParameter,
  PointerType,
  StructType,
  UnionType,
} from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

/** The types of the parameters of `f` in a text. */
type Declaration<Set> = Set extends { readonly symbols: { readonly f: infer D } } ? D : never;
type Args<Set> = Declaration<Set> extends { readonly args: infer A } ? A : never;
type Returns<Set> = Declaration<Set> extends { readonly returns: infer R } ? R : never;

// Arithmetic types, in any order of their words.
const arithmetic = cdef(`
  long unsigned int f(char, signed char, unsigned char, short int, unsigned short, int signed, unsigned, long int,
    unsigned long int, long long, int long long unsigned, float, double, _Bool, bool, __int64, __int8 unsigned);
`);
expect<
  Equal<
    Args<typeof arithmetic>,
    readonly [
      'char',
      'signed char',
      'unsigned char',
      'short',
      'unsigned short',
      'int',
      'unsigned int',
      'long',
      'unsigned long',
      'long long',
      'unsigned long long',
      'float',
      'double',
      'bool',
      'bool',
      'int64_t',
      'unsigned char',
    ]
  >
>();
expect<Equal<Returns<typeof arithmetic>, 'unsigned long'>>();

// Names of stdint.h, stddef.h, POSIX, Windows; a text may define them again.
const known = cdef(`
  typedef short BOOL;
  void *f(uint8_t, size_t, ptrdiff_t, wchar_t, pid_t, mode_t, off_t, time_t, socklen_t, DWORD, HANDLE, LPCSTR, LPCWSTR, LPDWORD,
    BOOL, FARPROC, regex_t *, va_list *);
`);
expect<
  Equal<
    Args<typeof known>,
    readonly [
      'uint8_t',
      'size_t',
      'ptrdiff_t',
      'wchar_t',
      'int',
      'unsigned int',
      'int64_t',
      'long',
      'unsigned int',
      'uint32_t',
      'ptr',
      'cstring',
      'utf16',
      PointerType<'uint32_t'>,
      'short',
      'function',
      'ptr',
      'ptr',
    ]
  >
>();
expect<Equal<Returns<typeof known>, 'ptr'>>();

// Pointers: text, bytes, values, pointers; const stands before or behind.
const pointers = cdef(`
  typedef char gchar; typedef const char cchar; typedef unsigned char byte;
  char *f(const char *, char const *const, const gchar *, cchar *, const wchar_t *, char16_t const *, const unsigned char *, char *,
    gchar *, byte *, uint8_t *, void *, const void *, bool *, int *, const double *restrict, char **, const char *const *,
    int **, const size_t[], char name[16], int matrix[3][4], const char s[], unsigned *volatile x);
`);
expect<
  Equal<
    Args<typeof pointers>,
    readonly [
      'cstring',
      'cstring',
      'cstring',
      'cstring',
      'wstring',
      'utf16',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      'ptr',
      PointerType<'int'>,
      PointerType<'double'>,
      PointerType<'ptr'>,
      PointerType<'cstring'>,
      PointerType<PointerType<'int'>>,
      PointerType<'size_t'>,
      'ptr',
      PointerType<ArrayType<'int'>>,
      'cstring',
      PointerType<'unsigned int'>,
    ]
  >
>();

// Structs: with a body, declared without one, not declared at all.
const structs = cdef(`
  struct open; typedef struct tag alias; typedef struct handle_ *handle; typedef struct late late;
  struct point { int x, y; };
  typedef union { int i; double d; } number;
  struct point f(struct point, struct point *, struct point **, number, number *, struct open *, struct open **, alias *, struct tag *,
    handle, struct unknown *, struct unknown **, FILE *, DIR *, late *);
  struct late { long n; };
`);
type Point = StructType<{ readonly x: 'int'; readonly y: 'int' }>;
type Numbers = UnionType<{ readonly i: 'int'; readonly d: 'double' }>;
expect<
  Equal<
    Args<typeof structs>,
    readonly [
      Point,
      PointerType<Point>,
      PointerType<PointerType<Point>>,
      Numbers,
      PointerType<Numbers>,
      OpaqueType<'open'>,
      PointerType<OpaqueType<'open'>>,
      OpaqueType<'tag'>,
      OpaqueType<'tag'>,
      OpaqueType<'handle_'>,
      'ptr',
      PointerType<'ptr'>,
      OpaqueType<'FILE'>,
      OpaqueType<'DIR'>,
      PointerType<StructType<{ readonly n: 'long' }>>,
    ]
  >
>();
expect<Equal<Returns<typeof structs>, Point>>();

// Fields.
const fields = cdef(`
  struct node;
  struct all {
    int a, *b, c[3];
    unsigned d : 3, : 5, e : 2;
    enum color { RED, GREEN } color : 4;
    struct { char x; };
    union { int i; float f; } u;
    union { int j; };
    struct inner { struct all *up; } inner, *inners;
    const char *name; char text[16]; double m[2][2];
    int (*call)(int, const char *, size_t);
    struct node *node; struct all *next;
    __attribute__((aligned(16))) long l;
    char data[];
  } __attribute__((packed));
  struct node { int n; };
  int f(struct inner, enum color);
`);
type Inner = StructType<{ readonly up: 'ptr' }>;
expect<
  Equal<
    typeof fields.types.all,
    StructType<{
      readonly a: 'int';
      readonly b: PointerType<'int'>;
      readonly c: ArrayType<'int'>;
      readonly d: { readonly type: 'unsigned int'; readonly bits: 3 };
      readonly _padding1: { readonly type: 'unsigned int'; readonly bits: 5 };
      readonly e: { readonly type: 'unsigned int'; readonly bits: 2 };
      readonly color: { readonly type: 'unsigned int'; readonly bits: 4 };
      readonly anonymous: StructType<{ readonly x: 'char' }>;
      readonly u: UnionType<{ readonly i: 'int'; readonly f: 'float' }>;
      readonly anonymous2: UnionType<{ readonly j: 'int' }>;
      readonly inner: Inner;
      readonly inners: PointerType<Inner>;
      readonly name: 'cstring';
      readonly text: ArrayType<'char'>;
      readonly m: ArrayType<ArrayType<'double'>>;
      readonly call: FunctionType<{ readonly args: readonly ['int', 'ptr', 'size_t']; readonly returns: 'int' }>;
      readonly node: PointerType;
      readonly next: 'ptr';
      readonly l: 'long';
    }>
  >
>();
expect<Equal<Args<typeof fields>, readonly [Inner, EnumerationType<{ readonly RED: 0; readonly GREEN: 1 }, false>]>>();

// Function pointers: a text that a count follows is an address.
const functions = cdef(`
  typedef int (*compare)(const void *, const void *); typedef void visit(const char *, int), (*handler)(int);
  typedef unsigned int (__stdcall *convention)(const char *text, double);
  handler f(compare, visit *, visit v, convention, int (*)(void), void (*)(int (*)(const char *, long)), int g(char), int (WINAPI *w)(int),
    int (*(*finder)(int))(const char *), int (*table[4])(int));
`);
type Visit = FunctionType<{ readonly args: readonly ['ptr', 'int']; readonly returns: 'void' }>;
type Of<A extends readonly unknown[], R> = FunctionType<{ readonly args: Readonly<A>; readonly returns: R }>;
expect<
  Equal<
    Args<typeof functions>,
    readonly [
      Of<['ptr', 'ptr'], 'int'>,
      Visit,
      Visit,
      Of<['cstring', 'double'], 'unsigned int'>,
      Of<[], 'int'>,
      Of<[Of<['ptr', 'long'], 'int'>], 'void'>,
      Of<['char'], 'int'>,
      Of<['int'], 'int'>,
      Of<['int'], Of<['cstring'], 'int'>>,
      PointerType<Of<['int'], 'int'>>,
    ]
  >
>();
expect<Equal<Returns<typeof functions>, Of<['int'], 'void'>>>();

// Marks.
const marks = cdef(`
  struct db;
  _Free_(db_free) char *f(_Out_ int *a, _Inout_ long *b, _Out_ struct db **db, _Out_ char **text, _In_ const int *c, _Out_opt_ int *d,
    _Text_ char *e, _Text_ wchar_t *g, _Out_writes_(16) int *h, _Out_ char *byte);
`);
expect<
  Equal<
    Args<typeof marks>,
    readonly [
      OutParameter<'int'>,
      InOutParameter<'long'>,
      OutParameter<OpaqueType<'db'>>,
      OutParameter<'ptr'>,
      PointerType<'int'>,
      PointerType<'int'>,
      'cstring',
      'wstring',
      PointerType<'int'>,
      OutParameter<'char'>,
    ]
  >
>();
expect<Equal<Returns<typeof marks>, { readonly type: 'cstring'; readonly free: 'db_free' }>>();
expect<Equal<Returns<typeof text>, 'cstring'>>();
const text = cdef('_Text_ char *f(void);');

// What changes nothing.
const words = cdef(`
  #pragma once
  #define EXPORT
  extern "C" {
  EXPORT extern int __attribute__((const)) __cdecl f(register int x, int EXPORT y) asm("f_2") __attribute__((nonnull(1, 2)));
  }
  extern "C" void g(void);
  static inline __extension__ _Noreturn void h(void), (i)(int);
  int j(int
    x);; _Alignas(8) int variable;
  __declspec(dllimport) BOOL WINAPI k(HANDLE);
`);
expect<Equal<keyof typeof words.symbols, 'f' | 'g' | 'h' | 'i' | 'j' | 'k'>>();
expect<Equal<Args<typeof words>, readonly ['int', 'int']>>();

// Constants.
const constants = cdef(`
  enum { A, B = 10, C, D = 0, E }; enum wide : unsigned long { F = 5 }; static const int N = 7;
  #define SIZE (sizeof(int) * 4)
  #define URL "https://example.org" // a text
  int f(int x[SIZE]);
`);
expect<
  Equal<
    typeof constants.constants,
    {
      readonly A: 0;
      readonly B: 10;
      readonly C: number;
      readonly D: 0;
      readonly E: 1;
      readonly F: 5;
      readonly N: 7;
      readonly SIZE: number | bigint;
      readonly URL: 'https://example.org';
    }
  >
>();

// ---- what headers have after the preprocessor -----------------------------------------------------------------------

const headers = cdef(`
  #pragma message("x")
  static const int table[2] = { 1, 2 };
  static const char name[] = "abc";
  static const double PI = 3.5;
  const char *version = "abc";
  struct [[gnu::packed]] s { char a; int b : 3; };
  union bits { unsigned a : 3; int b; };
  enum { TAG = 'RIFF' };
  [[noreturn]] void f(struct s *p, union bits *q) __asm__("other");
  typeof(1) g(typeof(1.5) a);
  typeof(table[0]) h(void);
`);
expect<Equal<keyof typeof headers.symbols, 'f' | 'g' | 'h'>>();
expect<Equal<typeof headers.constants, { readonly PI: 3.5; readonly TAG: number }>>();
expect<Equal<(typeof headers.symbols)['g'], { readonly args: readonly ['double']; readonly returns: 'int' }>>();
expect<Equal<ReturnType<(typeof headers.types)['bits']['alloc']>['a'], number>>();

const spaced = cdef(`
#define API __attribute__((visibility("default")))
typedef\tstruct\t{ int a; }\ts_t;\r
typedef
unsigned\tword;
API s_t f(word a);
static inline int g(int a) { return a; } int h(void);
`);
expect<Equal<keyof typeof spaced.symbols, 'f' | 'h'>>();

// A constant is gone behind its #undef.
const withoutCount = cdef(`
  #define COUNT 4
  #define API __attribute__((visibility("default")))
  #define LEFT 3
  struct pair { char a; int b[COUNT]; };
  API int f(struct pair *p);
  #undef COUNT /* none */
  #undef API // nor this
  #undef OTHER
  enum { PLACE = offsetof(struct pair, b[1]) };
`);
expect<Equal<typeof withoutCount.constants, { readonly LEFT: 3; readonly PLACE: number }>>();
expect<Equal<keyof typeof withoutCount.symbols, 'f'>>();

const wide = cdef('double split(long double *whole, const long double *part); long double *parts(void);');
expect<Equal<(typeof wide.symbols)['split'], { readonly args: readonly ['ptr', 'ptr']; readonly returns: 'double' }>>();
// @ts-expect-error a value of it has no counterpart
cdef('int f(long double a);');
