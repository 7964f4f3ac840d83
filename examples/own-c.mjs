// A C library of one's own, from its source to the call: structs by value, and a function that C calls.
//
//   apt install gcc libc6-dev    (or any C compiler that is there as cc; CC names another)
//   node examples/own-c.mjs
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dlopen, fn, struct, suffix } from 'pinned-ffi';

const folder = mkdtempSync(join(tmpdir(), 'own-c-'));
const file = join(folder, `libgeometry.${suffix}`);
const source = fileURLToPath(new URL('own/geometry.c', import.meta.url));
execFileSync(process.env.CC ?? 'cc', ['-shared', '-fPIC', '-O2', '-o', file, source, '-lm'], { stdio: 'inherit' });

const Point = struct({ x: 'f64', y: 'f64' }, { name: 'Point' });
const library = dlopen(file, {
  distance: { args: [Point, Point], returns: 'f64' },
  each_corner: { args: [Point, fn({ args: [Point], returns: 'void' })] },
});
const { distance, each_corner } = library.symbols;

assert.equal(distance({ x: 0, y: 0 }, { x: 3, y: 4 }), 5);
assert.throws(() => distance({ x: 0, y: 0 }, { x: 3 }), { code: 'ERR_INVALID_ARG_TYPE' });
const corners = [];
each_corner({ x: 2, y: 1 }, (corner) => corners.push(corner));
assert.deepEqual(corners, [
  { x: 0, y: 0 },
  { x: 2, y: 0 },
  { x: 2, y: 1 },
  { x: 0, y: 1 },
]);
console.log('distance 5, corners', corners);

library.close();
rmSync(folder, { recursive: true });
