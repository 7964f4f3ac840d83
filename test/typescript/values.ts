// Values and their types: libraries without symbols, functions by name, pins of views.

import {
  array,
  CString,
  dlopen,
  enumeration,
  errno,
  out,
  pin,
  pointer,
  read,
  struct,
  text,
  toBuffer,
} from 'pinned-ffi';
import type { Pointer } from 'pinned-ffi';
import { expect, type Equal } from './equal.js';

const library = dlopen('m');
const pow = library.function('pow', { args: ['f64', 'f64'], returns: 'f64' });
expect<Equal<ReturnType<typeof pow>, number>>();
expect<Equal<ReturnType<typeof library.symbol>, Pointer | bigint | null>>();
const maybe = library.function('pow', { args: ['f64'], returns: 'f64', optional: true });
// @ts-expect-error it may be null
maybe(1);

const Point = struct({ x: 'f64', y: 'f64' });
pin(Point.alloc()).release();

// Text in memory, lengths that C gives, fields with defaults.
const Person = struct({ name: text(16), age: { type: 'u8', align: 4 } }, { zero: true });
const person = Person.alloc({ age: 5 });
person.name = 'Ada';
expect<Equal<typeof person.name, string>>();
expect<Equal<ReturnType<typeof Person.read>, { name: string; age: number }>>();
// @ts-expect-error a text is a string
person.name = 5;
const wide: string = CString(person, 0n, 4n, 'utf16');
array('char16_t', 4n).alloc('abc');
// @ts-expect-error an int is no character
array('int', 4).alloc('abc');
const value: number = read.i32(new Uint8Array(8), 4n);
toBuffer(null, 0, 0n);
errno(0);
const Strict = struct({ a: 'int', b: 'int' });
// @ts-expect-error b is missing
Strict.alloc({ a: 1 });
dlopen('x', { f: { args: [pointer('int'), { type: 'size_t', countOf: 0 }] } }).symbols.f(new Int32Array(4), 4);
export { value, wide };

// Enumerations have their constants, and flags that are joined.
const Mode = enumeration({ READ: 4, WRITE: 2 }, { flags: true, names: true });
expect<Equal<typeof Mode.READ, 4>>();
const { f } = dlopen('x', { f: { args: [Mode], returns: Mode } }).symbols;
expect<Equal<ReturnType<typeof f>, string | number>>();
f('READ | WRITE');
f(['READ', 'WRITE']);
f(Mode.READ | Mode.WRITE);
// @ts-expect-error an unknown flag
f(['RUN']);
const Plain = enumeration({ A: 1 });
// @ts-expect-error no flags
dlopen('x', { g: { args: [Plain] } }).symbols.g(['A']);

// Texts that the caller frees.
const given = dlopen('x', { g: { args: [out({ type: 'cstring', free: 'free' })], returns: 'int' } }).symbols.g();
expect<Equal<typeof given, { returns: number; out: [string | null] }>>();
// @ts-expect-error only text is freed
out({ type: 'int', free: 'free' });

// Calls that are given up.
const abs = dlopen('x', { abs: { args: ['int'], returns: 'int' } }).symbols.abs;
expect<Equal<ReturnType<ReturnType<typeof abs.async.with>>, Promise<number>>>();
void abs.async.with({ timeout: 100, signal: new AbortController().signal })(1);
// @ts-expect-error an unknown option
abs.async.with({ time: 1 });
