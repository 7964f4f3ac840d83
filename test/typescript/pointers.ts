// Programs that compile, and some that do not: pointers that know what they point to.

import { alloc, array, dlopen, fn, inout, opaque, out, pointer, ptr, struct } from 'pinned-ffi';
import type { Pointer } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const Point = struct({ x: 'f64', y: 'f64' });
const Person = struct({ name: 'cstring', age: 'u8' });
const Window = opaque('window');
const Node = struct({ value: 'i32', next: pointer(() => Node) });

const lib = dlopen('x', {
  origin: { returns: pointer(Point) },
  person: { args: ['i32'], returns: pointer(Person) },
  norm: { args: [pointer(Point)], returns: 'f64' },
  greet: { args: [pointer(Person)] },
  counter: { returns: pointer('int') },
  count: { args: [pointer('i32')] },
  average: { args: [pointer('f64'), 'size_t'], returns: 'f64' },
  any: { args: ['ptr'], returns: 'ptr' },
  free: { args: [pointer('void')] },
  first: { args: [out(pointer(Point)), inout(pointer('f32'))], returns: 'int' },
  points: { returns: pointer(pointer(Point)) },
  several: { args: [pointer(pointer(Point))] },
  matrix: { args: [pointer(array('f64', 9))] },
  windows: { args: [pointer(Window)] },
  each: { args: [fn({ args: [pointer(Point)], returns: 'void' })] },
  later: { args: [pointer(Point)], returns: pointer(Person), nonblocking: true },
  list: { returns: pointer(Node) },
});
const s = lib.symbols;

expect<Equal<ReturnType<typeof s.origin>, Pointer<typeof Point> | bigint | null>>();
expect<Equal<Awaited<ReturnType<typeof s.later>>, Pointer<typeof Person> | bigint | null>>();

// What is known to fit, what nobody knows anything about, and storage.
s.norm(s.origin());
s.norm(s.any(null));
s.norm(4096);
s.norm(4096n);
s.norm(null);
s.norm(Point.alloc());
s.norm(new Float64Array(2));
s.norm(ptr(alloc(16)));
s.norm(s.first(null).out[0]);
s.count(s.counter());
s.any(s.origin());
s.free(s.origin());
s.free(s.person(1));
s.several(s.points());
s.each((point) => {
  expect<Equal<typeof point, Pointer<typeof Point> | bigint | null>>();
  s.norm(point);
});
Point.read(s.origin() ?? 4096).x.toFixed();
const kept: Pointer<typeof Point> = 4096 as Pointer;
const anything: Pointer = kept;
const number: number = kept;
const global = lib.global('center', Point);
expect<Equal<typeof global.ptr, Pointer<typeof Point>>>();
s.norm(global.ptr);
const node = Node.alloc({ value: 1, next: null });
Node.view(node.next ?? 4096).value.toFixed();

// @ts-expect-error a pointer to something else
s.norm(s.person(1));
// @ts-expect-error a pointer to another scalar
s.count(s.first(null).out[1]);
// @ts-expect-error a pointer to a struct is not one to its first field
s.average(s.origin(), 2);
// @ts-expect-error a pointer to a pointer is not the pointer
s.norm(s.points());
// @ts-expect-error a pointer is not a pointer to one
s.several(s.origin());
// @ts-expect-error a Promise of a pointer to something else
s.later(null).then((person) => s.norm(person));
// @ts-expect-error what a pointer to something else points to
Point.read(s.person(1) ?? 4096);
// @ts-expect-error a view over what a pointer to something else points to
Person.view(s.origin() ?? 4096);
// @ts-expect-error the callback takes another pointer
s.each((point: Pointer<typeof Person>) => {});
// @ts-expect-error a pointer kept for another
const other: Pointer<typeof Person> = kept;
// @ts-expect-error a plain number is not known to point to anything
const plain: Pointer<typeof Point> = 4096;
// @ts-expect-error no such type
pointer('i23');
// @ts-expect-error parameters have no address
pointer(out('i32'));

export { anything, number, other, plain };
