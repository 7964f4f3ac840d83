// Vectors and matrices of f32 by value, as objects, as in a program with a library for graphics. bun:ffi has no structs
// by value: its functions take pointers, and bun-ffi-structs packs and unpacks what they point to.

import { load } from '../../addon.mjs';

const VECTOR = ['x', 'y', 'z'];
const MATRIX = Array.from({ length: 16 }, (_, i) => `m${i}`);
/** A turn about one axis, and a step. */
const TURN = { m0: 0.75, m1: 0.5, m4: -0.5, m5: 0.75, m10: 1, m12: 0.25, m13: -0.5, m14: 0.125, m15: 1 };
const matrix = Object.fromEntries(MATRIX.map((name) => [name, TURN[name] ?? 0]));
const WAYS = { 'two vectors': 'vector_add', 'a vector and a matrix': 'vector_transform' };

const fieldsOf = (names, type) => Object.fromEntries(names.map((name) => [name, type]));

function pinned({ ffi }, library, way) {
  const [vector3, matrix44] = [VECTOR, MATRIX].map((names) => ffi.struct(fieldsOf(names, 'f32')));
  const args = [vector3, way === 'two vectors' ? vector3 : matrix44];
  return [ffi.dlopen(library, { [WAYS[way]]: { args, returns: vector3 } }).symbols[WAYS[way]], way];
}

function koffi({ koffi: api }, library, way) {
  const [vector3, matrix44] = [VECTOR, MATRIX].map((names) => api.struct(fieldsOf(names, 'float')));
  return [api.load(library).func(WAYS[way], vector3, [vector3, way === 'two vectors' ? vector3 : matrix44]), way];
}

async function bun({ ffi }, library, way) {
  const { defineStruct } = await import('bun-ffi-structs');
  const [vector3, matrix44] = [VECTOR, MATRIX].map((names) => defineStruct(names.map((name) => [name, 'f32'])));
  const other = way === 'two vectors' ? vector3 : matrix44;
  const symbol = `${WAYS[way]}_at`;
  const call = ffi.dlopen(library, { [symbol]: { args: ['ptr', 'ptr', 'ptr'], returns: 'void' } }).symbols[symbol];
  const [first, second, result] = [vector3, other, vector3].map(({ size }) => new DataView(new ArrayBuffer(size)));
  const bytes = [first, second, result].map(({ buffer }) => new Uint8Array(buffer));
  return [
    (a, b) => {
      vector3.packInto(a, first, 0);
      other.packInto(b, second, 0);
      call(bytes[0], bytes[1], bytes[2]);
      return vector3.unpack(result.buffer);
    },
    way,
  ];
}

function addon(_, library, way) {
  const { add, transform } = load(library);
  return [way === 'two vectors' ? add : transform, way];
}

const { fround } = Math;
const sum = (...values) => values.reduce((total, value) => fround(total + value));
const models = {
  'two vectors': (a, b) => Object.fromEntries(VECTOR.map((name) => [name, fround(a[name] + b[name])])),
  'a vector and a matrix': (v, m) =>
    Object.fromEntries(
      VECTOR.map((name, i) => [
        name,
        sum(fround(m[`m${i}`] * v.x), fround(m[`m${i + 4}`] * v.y), fround(m[`m${i + 8}`] * v.z), m[`m${i + 12}`]),
      ]),
    ),
};

export default {
  title: 'vectors of f32 by value: {}',
  note: 'Vectors have 12 bytes, matrices 64. For Bun, C has them by pointers, which bun-ffi-structs packs and unpacks.',
  params: Object.keys(WAYS),
  library: 'programs',
  needs: ['addon'],
  peers: { pinned, koffi, bun, addon },
  loop: (call, way) => (count) => {
    const step = { x: 0.5, y: 0.25, z: 0.125 };
    const other = way === 'two vectors' ? step : matrix;
    let vector = step;
    let total = 0;
    for (let i = 0; i < count; i++) {
      vector = call((i & 31) === 0 ? step : vector, other);
      total += vector.x - vector.z;
    }
    return total;
  },
  model: (way) => [models[way], way],
};
