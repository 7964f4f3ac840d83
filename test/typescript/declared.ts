// Programs that compile, and some that do not: structs, unions, arrays, out parameters, handles, function pointers.

import {
  JSCallback,
  array,
  dlopen,
  enumeration,
  fn,
  inout,
  offsetof,
  opaque,
  out,
  pointer,
  ptr,
  sizeof,
  struct,
  union,
} from 'pinned-ffi';
import type { Handle, Pointer } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const Point = struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
const Line = struct({ from: Point, to: Point, tags: array('i32', 4), flags: { type: 'u32', bits: 3 } });
const Number64 = union({ d: 'f64', i: 'i64' });
const Database = opaque('db');
const Statement = opaque('statement', { owner: Database, free: 'finalize' });
const Special = opaque('special', { base: Database });
const Color = enumeration({ red: 0, green: 1 }, { names: true });
const compare = fn({ args: ['ptr', 'ptr'], returns: 'i32' });

const lib = dlopen('x', {
  distance: { args: [Point, Point], returns: 'f64' },
  middle: { args: [Line], returns: Point },
  number: { args: [Number64], returns: Number64 },
  open: { args: ['cstring', out(Database)], returns: 'int' },
  grow: { args: [inout('i32'), 'f64', out('f64'), out(pointer('void'))] },
  query: { args: [Database, Statement] },
  paint: { args: [Color], returns: Color },
  sort: { args: [pointer(Point), 'size_t', 'size_t', compare], returns: compare },
  printf: { args: ['cstring'], varargs: true, returns: 'int' },
  name: { returns: { type: 'cstring', free: 'free' } },
  shortName: { returns: { cstring: true, free: 'free' }, name: 'name' },
  wide: { args: ['wstring', 'utf16'], returns: 'wstring' },
});
const s = lib.symbols;

expect<Equal<ReturnType<typeof s.distance>, number>>();
const { x, y } = s.middle({ from: { x: 0, y: 0 }, to: { x: 1, y: 1 }, tags: [1, 2, 3, 4], flags: 7 });
expect<Equal<typeof x, number>>();
expect<Equal<typeof y, number>>();
s.distance({ x: 0, y: 0 }, Point.alloc({ x: 1, y: 2 }));
const n = s.number({ d: 1 });
expect<Equal<typeof n.i, bigint>>();
s.number(n);

const opened = s.open('file');
expect<Equal<typeof opened.returns, number>>();
expect<Equal<(typeof opened.out)[0], Handle<'db'> | null>>();
const grown = s.grow(1, 2.5);
expect<Equal<typeof grown, { returns: void; out: [number, number, Pointer<'void'> | bigint | null] }>>();
expect<Equal<ReturnType<typeof s.paint>, 'red' | 'green' | number>>();
s.paint('green');
expect<Equal<ReturnType<typeof s.name>, string | null>>();
expect<Equal<ReturnType<typeof s.shortName>, string | null>>();
s.printf('%d %s', ['i32', 5], ['cstring', 'x'], [Point, { x: 1, y: 2 }]);
const back = s.sort(Point.alloc(), 1n, 16n, (a, b) => (a === b ? 0 : 1));
back?.(1, 2).toFixed();

const line = Line.alloc();
line.from.x = 5;
line.from = { x: 1, y: 2 };
line.from = line.to;
line.flags = 7;
expect<Equal<typeof line.from.x, number>>();
for (const tag of line.tags) tag.toFixed();
Line.view(ptr(line)).to.y.toFixed();
sizeof(Line) + offsetof(Line, 'tags');
lib.global('origin', Point).view().x = 4;
lib.global('count', 'i32').value = 4;

declare const special: Handle<'special' | 'db'>;
declare const statement: Handle<'statement'>;
s.query(special, statement);
void Special;

// @ts-expect-error a field is missing
s.distance({ x: 0 }, { x: 1, y: 2 });
// @ts-expect-error a field of another type
s.distance({ x: '0', y: 0 }, { x: 1, y: 2 });
// @ts-expect-error handles of another type
s.query(statement, special);
// @ts-expect-error an out parameter is not passed
s.open('file', null);
// @ts-expect-error too few arguments beside the out parameters
s.grow(1);
// @ts-expect-error no such name
s.paint('blue');
// @ts-expect-error a pair of a type and a value of another
s.printf('%d', ['i32', 'five']);
// @ts-expect-error a value without its type
s.printf('%d', 5);
// @ts-expect-error the function takes two pointers
s.sort(Point.alloc(), 1n, 16n, (a, b, c) => 0);
// @ts-expect-error no such field
offsetof(Line, 'nothing');
// @ts-expect-error arrays are no arguments
dlopen('x', { f: { args: [array('i32', 4)] } });
// @ts-expect-error out parameters are no results
dlopen('x', { f: { returns: out('i32') } });
// @ts-expect-error no such field
line.nowhere;
// @ts-expect-error a nested struct lacks a field
line.from = { x: 1 };
// @ts-expect-error a nested struct has another field
line.from = { x: 1, y: 2, z: 3 };
// @ts-expect-error no such type of a field
struct({ x: 'f6' });
// @ts-expect-error no such type of a field of a union
union({ x: 'i23' });
// @ts-expect-error nothing is in memory as void
struct({ x: 'void' });
// @ts-expect-error a buffer is an argument only
struct({ x: 'buffer' });
// @ts-expect-error no such type of a bitfield
struct({ x: { type: 'u23', bits: 3 } });
// @ts-expect-error a bitfield is an integer
struct({ x: { type: 'f64', bits: 3 } });
// @ts-expect-error an out parameter is no field
struct({ x: out('i32') });

// ---- JSCallback takes the type of a function pointer ----------------------------------------------------------------

new JSCallback((a, b) => (a === b ? 0 : 1), compare);
new JSCallback((text, point) => (text?.length ?? 0) + point.x, fn({ args: ['cstring', Point], returns: 'f64' }));
// @ts-expect-error the result is a number
new JSCallback(() => 'x', compare);
// @ts-expect-error no type of a function
new JSCallback(() => 0, Point);

// ---- flexible arrays ------------------------------------------------------------------------------------------------

const Packet = struct({ kind: 'u8', count: 'u32be', items: array('u16be', 'count') });
const packet = Packet.alloc({ kind: 1, items: [1, 2] });
expect<Equal<typeof packet.count, number>>();
expect<Equal<ReturnType<typeof Packet.read>, { kind: number; count: number; items: number[] }>>();
Packet.write(packet, { kind: 1, count: 1, items: Uint16Array.of(1) });
dlopen('x', { f: { args: [pointer(Packet)] } }).symbols.f(packet);
// @ts-expect-error the elements are required
Packet.alloc({ kind: 1 });
// @ts-expect-error not by value
dlopen('x', { f: { args: [Packet] } });
