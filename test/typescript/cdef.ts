// Programs that compile: declarations as C text, wherever they are taken.

import {
  CFunction,
  JSCallback,
  alignof,
  cc,
  cdef,
  dlopen,
  fn,
  linkSymbols,
  ptr,
  sizeof,
  struct,
  union,
} from 'pinned-ffi';
import type { AsyncFn, Definitions, Global, Handle, Library, Pointer, PointerLike } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const libc = dlopen(
  'c',
  `
  // What a header looks like.
  #include <stdlib.h>
  #define LIMIT 16
  typedef struct { int quot; int rem; } div_t; /* by value;
    with a comment of two lines */
  div_t div(int numer, int denom);
  size_t strlen(const char *s);
  int snprintf(char *str, size_t size, const char *format, ...);
  void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
  extern char *optarg;
  extern int optind, opterr;
  extern const char *names[LIMIT];
  double a(double), b(double, double);
  int getpid()
`,
);
const { symbols } = libc;

expect<Equal<keyof typeof symbols, 'div' | 'strlen' | 'snprintf' | 'qsort' | 'a' | 'b' | 'getpid'>>();
expect<Equal<Parameters<typeof symbols.div>['length'], 2>>();
expect<Equal<ReturnType<typeof symbols.div>, { quot: number; rem: number }>>();
expect<Equal<Parameters<typeof symbols.strlen>[0], PointerLike | string>>();
expect<Equal<ReturnType<typeof symbols.strlen>, bigint>>();
expect<Equal<ReturnType<typeof symbols.a>, number>>();
expect<Equal<Parameters<typeof symbols.b>['length'], 2>>();
expect<Equal<Parameters<typeof symbols.getpid>, []>>();
expect<Equal<ReturnType<typeof symbols.div.async>, Promise<{ quot: number; rem: number }>>>();
symbols.snprintf(Buffer.alloc(8), 8, '%d', ['i32', 5]);
symbols.qsort(new Int32Array(4), 4, 4, (a, b) => {
  expect<Equal<typeof a, Pointer | bigint | null>>();
  return a === b ? 0 : 1;
});
expect<Equal<typeof libc, Library<typeof text>>>();
declare const text: `
  // What a header looks like.
  #include <stdlib.h>
  #define LIMIT 16
  typedef struct { int quot; int rem; } div_t; /* by value;
    with a comment of two lines */
  div_t div(int numer, int denom);
  size_t strlen(const char *s);
  int snprintf(char *str, size_t size, const char *format, ...);
  void qsort(void *base, size_t n, size_t size, int (*compare)(const void *, const void *));
  extern char *optarg;
  extern int optind, opterr;
  extern const char *names[LIMIT];
  double a(double), b(double, double);
  int getpid()
`;

// Variables, threads, and functions that are declared later.
expect<Equal<(typeof optarg)['value'], Pointer | bigint | null>>();
const optarg = libc.global('optarg');
libc.global('opterr').value = 0;
expect<Equal<ReturnType<Global<'int'>['get']>, number>>();
libc.global('names').view().at(0)?.toUpperCase();
libc.global('environ', 'ptr').value;
libc
  .thread()
  .symbols.strlen('x')
  .then((length) => length + 1n);
const ldiv = libc.function('div_t ldiv(long, long);');
expect<Equal<ReturnType<typeof ldiv>, { quot: number; rem: number }>>();
dlopen('c', { abs: { args: ['int'], returns: 'int' } })
  .function('int abs(int)')(1)
  .toFixed();

// cc, linkSymbols, CFunction.
expect<Equal<ReturnType<(typeof compiled)['symbols']['twice']>, number>>();
const compiled = cc({ source: 'int twice(int x) { return 2 * x; }', symbols: 'int twice(int x);', library: 'm' });
const linked = linkSymbols({
  negate: { ptr: 4096, c: 'int (int)', errno: true },
  old: { ptr: 4096, args: ['f64'], returns: 'f64' },
  later: { ptr: 4096n, c: 'size_t (const char *)', nonblocking: true },
});
expect<Equal<ReturnType<typeof linked.symbols.negate>, number>>();
expect<Equal<Parameters<typeof linked.symbols.old>[0], number>>();
expect<Equal<ReturnType<typeof linked.symbols.later>, Promise<bigint>>>();
expect<Equal<ReturnType<typeof single>, number>>();
const single = CFunction({ ptr: 4096, c: 'double (double, double)' });
single(1, 2).toFixed();

// Callbacks and function pointers.
new JSCallback((a, count, name) => {
  expect<Equal<typeof a, Pointer | bigint | null>>();
  expect<Equal<typeof count, bigint>>();
  expect<Equal<typeof name, string | null>>();
  return 0;
}, 'int (*)(const void *, size_t, const char *)');
new JSCallback((x) => x * 2, 'double (double x)');
const compare = fn('int (*)(const void *, const void *)');
dlopen('c', { bsearch: { args: ['ptr', compare], returns: 'ptr' } }).symbols.bsearch(null, (a, b) => (a === b ? 0 : 1));

// Types.
const Point = struct('struct point { int x, y; const char *name; }');
expect<Equal<ReturnType<typeof Point.read>, { x: number; y: number; name: string | null }>>();
Point.alloc({ x: 1, y: 2, name: null }).x = 3;
const Item = struct('typedef struct { long count; double values[4]; } item;');
expect<Equal<ReturnType<typeof Item.read>, { count: bigint; values: number[] }>>();
const Last = struct('typedef struct { int x; } first; typedef struct { first one; } last;');
expect<Equal<ReturnType<typeof Last.read>, { one: { x: number } }>>();
const Number64 = union('union number { double d; long long i; }');
expect<Equal<ReturnType<typeof Number64.view>['i'], bigint>>();
expect<Equal<ReturnType<typeof sizeof>, number>>();
sizeof('struct point { int x; }') + alignof('unsigned long long') + sizeof('i32') + sizeof(Point) + sizeof('int *[4]');

// Sets.
const time = cdef(`
  #define ZONE "UTC"
  #define SECONDS 60
  #define MASK 0xff
  #define BIG 0xffffffffffffffff
  #define MINUS (-1)
  #define FLAG (1 << 4)
  #define WIDE 16UL
  enum day { MONDAY, TUESDAY, SUNDAY = 6 };
  struct point { int x, y; };
  typedef struct point *point_ptr;
  typedef int (*visit)(struct point *, enum day);
  struct hidden;
  int norm(struct point p);
  int walk(visit, struct hidden *);
`);
expect<Equal<keyof typeof time.symbols, 'norm' | 'walk'>>();
expect<
  Equal<
    typeof time.constants,
    {
      readonly ZONE: 'UTC';
      readonly SECONDS: 60;
      readonly MASK: number;
      readonly BIG: number | bigint;
      readonly MINUS: -1;
      readonly FLAG: number | bigint;
      readonly WIDE: 16;
      readonly MONDAY: 0;
      readonly TUESDAY: 1;
      readonly SUNDAY: 6;
    }
  >
>();
expect<Equal<ReturnType<typeof time.types.point.read>, { x: number; y: number }>>();
expect<Equal<(typeof time.types)['struct point'], typeof time.types.point>>();
time.types.day.nameOf(1)?.toUpperCase();
time.types.hidden.name.toUpperCase();
time.types.visit.size.toFixed();
sizeof([time, 'struct point']) + alignof([time, 'point_ptr']);
const Line = struct([time, 'struct line { struct point from, to; }']);
Line.alloc().to.y.toFixed();
dlopen('geometry', time.symbols).symbols.norm({ x: 1, y: 2 }).toFixed();
dlopen('geometry', time).symbols.norm({ x: 1, y: 2 }).toFixed();
new JSCallback((point, day) => (point === null ? 0 : day), [time, 'visit']);
fn([time, 'int (*)(struct point)']);
expect<Equal<typeof more, Definitions<readonly [typeof time, 'struct line { struct point from, to; };']>>>();
const more = cdef([time, 'struct line { struct point from, to; };']);
more.types.line.alloc().from.x.toFixed();

// Arrays of sets, texts and objects.
const mixed = dlopen('geometry', [
  time,
  'int dot(struct point, struct point); char *label(struct point *p); ssize_t read(int fd, void *buffer, size_t count);',
  'int slow(void); int maybe(void); wchar_t *wide(void);',
  {
    norm: { errno: true },
    dot: { fails: (result) => result < 0 },
    label: { free: 'free_label' },
    read: { args: { count: { lengthOf: 'buffer' }, buffer: { minBytes: 1 } }, fails: 'negative', threads: false },
    slow: { nonblocking: true },
    maybe: { optional: true, name: 'maybe_2' },
    free_label: { args: ['ptr'] },
    other: { args: ['f64'], returns: 'f64' },
  },
]);
const m = mixed.symbols;
expect<Equal<keyof typeof m, 'norm' | 'dot' | 'label' | 'read' | 'slow' | 'maybe' | 'wide' | 'free_label' | 'other'>>();
m.norm({ x: 1, y: 2 }).toFixed();
expect<Equal<ReturnType<typeof m.label>, string | null>>();
expect<Equal<Parameters<typeof m.read>['length'], 3>>();
expect<Equal<ReturnType<typeof m.slow>, Promise<number>>>();
expect<Equal<Extract<typeof m.maybe, null>, null>>();
expect<Equal<Extract<typeof m.norm, null>, never>>();
expect<Equal<ReturnType<typeof m.other>, number>>();
const dotAsync: AsyncFn<{ returns: 'int' }> = () => m.dot.async({ x: 1, y: 2 }, { x: 3, y: 4 });

// Text that is known only at run time.
declare const source: string;
const loose = dlopen('c', source).symbols;
expect<Equal<ReturnType<NonNullable<(typeof loose)['anything']>>, any>>();
loose['anything']?.(1, 'two', null).whatever;
dlopen('c', `int ${source}(int);`).symbols['abs']?.(1);
cdef(source).types['point'].alloc();
struct(source).alloc();
new JSCallback((a, b) => a + b, source);
dlopen('c', [source, { abs: { optional: true } }]).symbols['abs']?.(1);
linkSymbols({ f: { ptr: 4096, c: source } }).symbols.f(1, 2);

declare const db: Handle<'hidden'>;
m.dot(Line.alloc().from, { x: 1, y: 2 });
dlopen('geometry', time).symbols.walk((point) => (point === null ? 1 : 0), db);

// ---- rare forms -----------------------------------------------------------------------------------------------------

const rare = dlopen(
  'c',
  `
  _Static_assert(sizeof(int) == 4, "a");
  static_assert(1);
  enum : unsigned char { A, B = 200 };
  enum fixed : short;
  enum later;
  enum bytes : unsigned char { C, D };
  #pragma pack(push, 1)
  struct rare { int a; _Static_assert(1, "x"); _Atomic(long) b; typeof(char *) c; enum bytes d; };
  int words(int class, int template);
  enum fixed enums(enum fixed *p, enum later *q);
  int types(_Atomic(int) *p, typeof(const char *) s, _Atomic int q);
  enum bytes record(struct rare *p);
  typedef char name[4];
  void array(const name s);
  int été(int größe);
  typeof(int (*)(int)) result(void);
`,
);
expect<Equal<ReturnType<typeof rare.symbols.words>, number>>();
rare.symbols.words(1, 2);
expect<Equal<ReturnType<typeof rare.symbols.enums>, number>>();
rare.symbols.enums(null, null);
rare.symbols.types(null, 'text', 3);
rare.symbols.record(null);
rare.symbols.array('text');
rare.symbols.été(3).toFixed();
const two: 200 = cdef('enum : unsigned char { A, B = 200 };').constants.B;
expect<Equal<typeof two, 200>>();
const unsupported = dlopen(
  'c',
  `
  int complexes(_Complex double *a, double _Complex *b, const _Complex *c, int d);
  int integers(__int128 *a, unsigned __int128 *b, __int128 unsigned const *c, _BitInt(40) *d, unsigned _BitInt(8) *e);
  struct hidden { __int128 *p; int n; };
  int hidden(struct hidden *h) _Pragma("once");
`,
);
expect<Equal<ReturnType<typeof unsupported.symbols.complexes>, number>>();
unsupported.symbols.complexes(null, new Float64Array(2), 4096n, 1);
unsupported.symbols.integers(null, null, null, null, new Uint8Array(1));
unsupported.symbols.hidden(null).toFixed();
export { Item, dotAsync, ptr };
