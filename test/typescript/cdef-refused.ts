// Programs that do not compile: each line after an expectation holds the one mistake that it names.

import { CFunction, JSCallback, alignof, cc, cdef, dlopen, fn, linkSymbols, sizeof, struct } from 'pinned-ffi';
import type { Definitions, Library } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const time = cdef(
  'struct point { int x, y; }; struct db; int norm(struct point); enum color { RED }; extern int zone;',
);
const lib = dlopen('c', [time, 'int abs(int); int dot(struct point *, struct db *, enum color); extern int optind;']);
const { symbols } = lib;

// @ts-expect-error a function that is not declared
symbols.labs(1);
// @ts-expect-error a function of a set is not bound unless an object names it
symbols.norm({ x: 1, y: 2 });
// @ts-expect-error too few arguments
symbols.abs();
// @ts-expect-error a string for a number
symbols.abs('1');
// @ts-expect-error a string for a pointer to a struct
symbols.dot('point', null, 0);
// @ts-expect-error an address for a handle
symbols.dot(null, 4096, 0);
// @ts-expect-error no such name
symbols.dot(null, null, 'BLUE');
// @ts-expect-error a variable that is not declared
lib.global('optarg');
// @ts-expect-error a value of another type
lib.global('optind').value = 'x';
// @ts-expect-error an object's library declares no variables
dlopen('c', {}).global('optind');
// @ts-expect-error a member that is not declared
time.types.point.alloc().z;
// @ts-expect-error a type that is not declared
time.types.line;
// @ts-expect-error a constant that is not declared
time.constants.GREEN;
// @ts-expect-error a field is missing
time.types.point.alloc({ x: 1 });

// @ts-expect-error unknown type 'foo_t' in 'foo_t f(int)'
dlopen('c', 'foo_t f(int);');
// @ts-expect-error unknown type of a parameter, in the second statement
dlopen('c', 'int abs(int); int f(int, foo_t);');
// @ts-expect-error unknown type 'i32'; did you mean 'int32_t'?
dlopen('c', 'i32 f(int);');
// @ts-expect-error unknown type 'point'; did you mean 'struct point'?
dlopen('c', 'struct point { int x; }; int f(point p);');
// @ts-expect-error a struct whose size is not known
dlopen('c', 'int f(struct point);');
// @ts-expect-error a struct without a body
dlopen('c', 'struct point; int f(struct point);');
// @ts-expect-error an enum that is not defined
dlopen('c', 'int f(enum color);');
// @ts-expect-error a type in a field
dlopen('c', 'struct s { foo_t x; };');
// @ts-expect-error a type in a typedef
dlopen('c', 'typedef foo_t bar_t;');
// @ts-expect-error a type in a function pointer
dlopen('c', 'int f(int (*)(foo_t));');
// @ts-expect-error a semicolon is missing
dlopen('c', 'int f(int) int g(int);');
// @ts-expect-error a bracket is missing
dlopen('c', 'int f(int;');
// @ts-expect-error a brace is missing
dlopen('c', 'struct s { int x;');
// @ts-expect-error a comment that does not end
dlopen('c', 'int f(int); /* and');
// @ts-expect-error a name is missing
dlopen('c', 'int (int);');
// @ts-expect-error a function body
dlopen('c', 'int f(int x) { return x; }');
// @ts-expect-error a macro with parameters
dlopen('c', '#define MAX(a, b) ((a) > (b) ? (a) : (b))\n');
// @ts-expect-error a directive
dlopen('c', '#ifdef X\n int f(int);\n#endif\n');
// @ts-expect-error long double
dlopen('m', 'long double sinl(long double);');
// @ts-expect-error _Complex
dlopen('m', 'double _Complex csin(double);');
// @ts-expect-error __int128
dlopen('m', 'void f(__int128);');
// @ts-expect-error va_list as a value
dlopen('c', 'int vprintf(const char *, va_list);');
// @ts-expect-error void as a parameter
dlopen('c', 'int f(int, void);');
// @ts-expect-error a parameter of type void, with a name
dlopen('c', 'int f(void v);');
// @ts-expect-error an array of void
dlopen('c', 'int f(void a[3]);');
// @ts-expect-error an array of void in a struct
dlopen('c', 'struct s { void a[3]; };');
// @ts-expect-error a word twice
dlopen('c', 'unsigned unsigned f(void);');
// @ts-expect-error words of two types
dlopen('c', 'int char f(void);');
// @ts-expect-error words of two types, with a sign
dlopen('c', 'int f(unsigned int char a);');
// @ts-expect-error two signs
dlopen('c', 'int f(signed unsigned a);');
// @ts-expect-error a name that begins with a digit
dlopen('c', 'int f(int 3f);');
// @ts-expect-error a reference of C++
dlopen('c', 'int f(int &a);');
// @ts-expect-error an enum without constants
dlopen('c', 'enum e { };');
// @ts-expect-error an assertion that does not end
dlopen('c', '_Static_assert(1, "a";');
// @ts-expect-error a variable of type void
dlopen('c', 'extern void x;');
// @ts-expect-error _Out_ of a number
dlopen('c', 'int f(_Out_ int x);');
// @ts-expect-error _Out_ of void
dlopen('c', 'int f(_Out_ void *x);');
// @ts-expect-error _Text_ of numbers
dlopen('c', 'int f(_Text_ int *x);');
// @ts-expect-error _Free_ of a number
dlopen('c', '_Free_(free) int f(void);');
// @ts-expect-error two type names
dlopen('c', 'char double f(void);');
// @ts-expect-error a field without a name
dlopen('c', 'struct s { int; };');

// @ts-expect-error the type of a set that stands behind the text
dlopen('c', ['int f(struct point);', time]);
// @ts-expect-error an unknown key in an object
dlopen('c', ['int abs(int);', { abs: { nonblocknig: true } }]);
// @ts-expect-error a known key and an unknown one
dlopen('c', ['int abs(int);', { abs: { errno: true, nonblocknig: true } }]);
// @ts-expect-error a value of another type
dlopen('c', ['int abs(int);', { abs: { errno: 'yes' } }]);
// @ts-expect-error an unknown key of a parameter
dlopen('c', ['int abs(int x);', { abs: { args: { x: { lenghtOf: 0 } } } }]);
// @ts-expect-error free belongs beside text
dlopen('c', { f: { returns: 'cstring', free: 'free' } });
// @ts-expect-error a number is no declaration
dlopen('c', ['int abs(int);', 5]);
// @ts-expect-error an optional symbol may be null
dlopen('c', ['int abs(int);', { abs: { optional: true } }]).symbols.abs(1);
const nonblocking = dlopen('c', ['int abs(int);', { abs: { nonblocking: true } }]).symbols.abs(1);
// @ts-expect-error a Promise
nonblocking.toFixed();

// @ts-expect-error an unknown type
lib.function('int f(foo_t);');
// @ts-expect-error two functions
lib.function('int f(int); int g(int);');
// @ts-expect-error no function
lib.function('struct point;');
// @ts-expect-error arguments are checked
lib.function('int labs(long)')('1');
// @ts-expect-error an unknown type
cc({ source: 'x.c', symbols: 'foo_t f(int);' });
// @ts-expect-error an unknown type
linkSymbols({ f: { ptr: 4096, c: 'int (foo_t)' } });
// @ts-expect-error no function
linkSymbols({ f: { ptr: 4096, c: 'int' } });
// @ts-expect-error an address is needed
linkSymbols({ f: { c: 'int (int)' } });
// @ts-expect-error an unknown type
CFunction({ ptr: 4096, c: 'foo_t (int)' });
// @ts-expect-error an unknown type
new JSCallback(() => 0, 'foo_t (*)(int)');
// @ts-expect-error no function
new JSCallback(() => 0, 'int');
// @ts-expect-error a parameter of another type
new JSCallback((x: string) => x.length, 'int (*)(int)');
// @ts-expect-error a result of another type
new JSCallback(() => 'x', 'int (*)(int)');
// @ts-expect-error an unknown type
fn('int (*)(foo_t)');
// @ts-expect-error an unknown type
struct('struct s { foo_t x; }');
// @ts-expect-error a tag that nothing declares
sizeof('struct nothing');
// @ts-expect-error more than a type
sizeof('int x; int y;');
// @ts-expect-error an unknown type in an array
alignof([time, 'struct line']);
// @ts-expect-error an unknown type
cdef('int f(foo_t);');
// @ts-expect-error an object in a set
cdef(['int f(int);', { f: { errno: true } }]);
// @ts-expect-error a set of something else
cdef(5);

// What the compiler shows is the error itself.
type Shown<T> = T extends (path: any, symbols: infer S, ...rest: any[]) => any ? S : never;
expect<Equal<Shown<typeof dlopen<'foo_t f(int);'>>, { error: "unknown type 'foo_t' in 'foo_t f(int)'" }>>();
expect<
  Equal<
    Shown<typeof dlopen<'int g(i32 x);'>>,
    { error: "unknown type 'i32' in 'int g(i32 x)'; did you mean 'int32_t'?" }
  >
>();
expect<
  Equal<
    Shown<typeof dlopen<'int a(\n    int (*)(foo_t)\n);'>>,
    { error: "unknown type 'foo_t' in 'int a( int (*)(foo_t) )'" }
  >
>();
const wrong: Library<Definitions<'int f(int);'>> = dlopen('c', cdef('int f(int);'));
export { wrong };
