// Programs whose inferred types are exported: with `declaration: true` the compiler has to name each of them.

import * as bun from 'pinned-ffi/bun';
import koffi from 'pinned-ffi/koffi';
import {
  CFunction,
  CString,
  isFFIError,
  checkFences,
  alignof,
  suffix,
  FFIType,
  JSCallback,
  alloc,
  array,
  cc,
  cdef,
  dlopen,
  enumeration,
  errno,
  fences,
  fn,
  inout,
  linkSymbols,
  opaque,
  out,
  pin,
  pointer,
  ptr,
  read,
  struct,
  toBuffer,
  union,
  write,
  offsetof,
  sizeof,
} from 'pinned-ffi';

export const Point = struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
export const Line = struct({
  a: Point,
  b: Point,
  tags: array('i32', 4),
  flags: { type: 'u32', bits: 3 },
  next: pointer('void'),
  name: array('char', 16),
  text: 'cstring',
});
export const Num = union({ d: 'f64', i: 'i64' });
export const Db = opaque('db');
export const Stmt = opaque('stmt', { owner: Db, free: 'finalize' });
export const Special = opaque('special', { base: Db });
export const Color = enumeration({ red: 0, green: 1 }, { names: true });
export const Plain = enumeration({ red: 0, green: 1 });
export const compare = fn({ args: ['ptr', 'ptr'], returns: 'i32' });
export const ptrPoint = pointer(Point);
export const later = pointer(() => Point);
export const outDb = out(Db);
export const io = inout('i32');
export const library = dlopen('x', {
  abs: { args: ['int'], returns: 'int' },
  distance: { args: [Point, Point], returns: 'f64' },
  middle: { args: [Line], returns: Point },
  number: { args: [Num], returns: Num },
  open: { args: ['cstring', out(Db)], returns: 'int' },
  grow: { args: [inout('i32'), 'f64', out('f64'), out(pointer('void'))] },
  query: { args: [Db, Stmt] },
  paint: { args: [Color], returns: Color },
  sort: { args: [pointer(Point), 'size_t', 'size_t', compare], returns: compare },
  printf: { args: ['cstring'], varargs: true, returns: 'int' },
  name: { returns: { type: 'cstring', free: 'free' } },
  wide: { args: ['wstring', 'utf16'], returns: 'wstring' },
  perhaps: { args: ['ptr', { type: 'size_t', lengthOf: 0 }], returns: 'ptr', optional: true },
  slow: { args: ['buffer'], nonblocking: true, returns: Point },
  cb: { args: ['function', 'callback', 'i64_fast'], returns: 'function' },
});
export const { abs, distance, middle, number, open, grow, query, paint, sort, printf, name, wide, perhaps, slow, cb } =
  library.symbols;
export const { symbols } = library;
export const abs2 = library.symbols.abs;
export const asyncAbs = library.symbols.abs.async;
export const asyncMiddle = middle.async;
export const asyncGrow = grow.async;
export const thread = library.thread();
export const { symbols: threaded } = thread;
export const { abs: threadAbs, open: threadOpen } = thread.symbols;
export const traced = library.trace();
export const origin = library.global('origin', Point);
export const originView = library.global('origin', Point).view();
export const count = library.global('count', 'i32');
export const close = library.close;
export const pointView = Point.alloc();
const p = pointView;
export const l = Line.alloc();
export const tags = l.tags;
export const la = l.a;
export const n = Num.alloc();
export const nread = Num.read(ptr(n));
export const pointRead = Point.read(ptr(p));
export const lread = Line.read(ptr(l));
export const arr = array('i32', 4);
export const parr = array(Point, 4);
export const arrView = arr.alloc();
export const parrView = parr.alloc();
export const arrRead = arr.read(ptr(arrView));
export const linked = linkSymbols({ f: { ptr: 4096, args: ['int'], returns: 'int' } });
export const { f: linkedF } = linked.symbols;
export const c = CFunction({ ptr: 4096, args: ['int'], returns: 'int' });
export const c2 = CFunction({ ptr: 4096, c: 'int (int)' });
export const callback = new JSCallback((a, b) => 0, { args: ['ptr', 'ptr'], returns: 'i32' });
export const compiled = cc({ source: 'int f(void);', symbols: { f: { returns: 'int' } } });
export const compiledText = cc({ source: 'int f(void);', symbols: 'int f(void);' });
export const { f: compiledF } = compiled.symbols;
export const time = cdef(
  'struct point { int x, y; }; typedef struct foo foo; enum color { RED, GREEN = 5 }; typedef int (*cmp)(const void *, const void *); union u { int i; double d; }; struct line { struct point a, b[4]; enum color c; cmp f; char name[8]; foo *h; };',
);
export const { types, constants } = time;
export const { point, foo, color, cmp, line } = time.types;
export const tview = time.types.line.alloc();
export const tva = tview.a;
export const textlib = dlopen('c', [
  time,
  'int add(struct point p, struct line *l, foo *f, enum color c, cmp z, char **out); struct point mid(void); foo *foo_open(const char *name); extern int counter; size_t strlen(const char *); int printf(const char *, ...);',
  { strlen: { errno: true } },
]);
export const { add, mid, foo_open, strlen, printf: tprintf } = textlib.symbols;
export const opened = foo_open('x');
export const counter = textlib.global('counter');
export const fn1 = textlib.function('double sin(double)');
export const P2 = struct('struct point { int x, y; }');
export const P2v = P2.alloc({ x: 1, y: 2 });
export const U2 = union('union number { double d; long long i; }');
export const F2 = fn('int (*)(const void *, const void *)');
export const cb2 = new JSCallback((a, b) => 0, 'int (*)(const void *, const void *)');
export const r = read;
export const rf = read.f64;
export const w = write;
export const str = CString;
export const text = CString(ptr(p));
export const pinned = pin(Buffer.alloc(8));
export const buf = toBuffer(4096, 0, 8);
export const memory = alloc(8);
export const f = fences();
export const address = ptr(Buffer.alloc(8));
export const opened2 = open('x');
export const db = open('x').out[0];
export const grown = grow(1, 2);
export const m = middle({} as never);
export const mm = middle;
export const size = sizeof(Point);
export const off = offsetof(Point, 'x');
export const tag = FFIType;
export const tagi = FFIType.i32;
export const backs = sort(null, 1, 1, null);
export const err = errno();
export const bunLibrary = bun.dlopen('x', {
  abs: { args: ['int'], returns: 'int' },
  f: { args: ['cstring'], returns: 'ptr' },
});
export const { abs: bunAbs } = bunLibrary.symbols;
export const bunLinked = bun.linkSymbols({ f: { ptr: 4096, args: ['int'], returns: 'int' } });
export const bunFunction = bun.CFunction({ ptr: 4096, args: ['int'], returns: 'int' });
export const bunCallback = new bun.JSCallback(() => 1, { returns: 'int' });
export const bunRead = bun.read;
export const koffiLibrary = koffi.load('x');
export const koffiAbs = koffiLibrary.func('int abs(int)');
export const koffiPoint = koffi.struct('P', { x: 'int' });
export const koffiPointer = koffi.pointer(koffiPoint);
export const koffiCallback = koffi.register(() => 1, koffi.pointer(koffi.proto('int f(void)')));
export const isError = isFFIError;
export const caught = (() => {
  try {
    return 0;
  } catch (error) {
    if (isFFIError(error)) return error;
    throw error;
  }
})();
export const misc = { alignof, checkFences, suffix };
export class Wrapper {
  #l = library;
  symbols = library.symbols;
  call() {
    return middle({} as never);
  }
  get handle() {
    return open('x').out[0];
  }
  view() {
    return Point.alloc();
  }
}
export function make() {
  return { library, p, thread, textlib };
}
export default library;
