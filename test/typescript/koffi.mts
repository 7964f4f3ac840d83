// A program for koffi, as its documents write them, compiles with the name changed.

import koffi, { type KoffiFunc, load, type TypeObject } from 'pinned-ffi/koffi';

const lib = load(null, { lazy: true });
const Point: TypeObject = koffi.struct('Point', { x: 'int', y: [8, 'int'] });
const Compare = koffi.proto('int Compare(const void *a, const void *b)');
const qsort = lib.func('qsort', 'void', [koffi.inout('void *'), 'size_t', 'size_t', koffi.pointer(Compare)]);
qsort(
  koffi.as(['a', 'b'], 'char **'),
  2,
  koffi.sizeof('void *'),
  (a: bigint, b: bigint) => koffi.decode.int(a) - koffi.decode.int(b),
);
const abs = lib.func('int abs(int)') as KoffiFunc<(x: number) => number>;
abs.async(-5, (error, result) => console.log(error, result.toFixed(1)));

const pointer: bigint = koffi.alloc(Point, 2);
koffi.encode(pointer, 0, Point, { x: 1, y: 2 });
const text: string | null = koffi.decode.string(pointer);
const size: number = koffi.offsetof('Point', 'y') + koffi.errno() + koffi.os.errno.EINVAL!;
koffi.free(pointer);
const callback: bigint = koffi.register(() => 0, 'Compare *');
koffi.unregister(callback);
const value = new koffi.Union(koffi.union({ i: 'int', d: 'double' }));
value.i = 5;
console.log(text, size, Point.members?.x?.offset);

// @ts-expect-error a pointer is a BigInt
koffi.unregister(5);
// @ts-expect-error there is no such option
load('m', { nothing: true });
