// A struct of two f64, by value. In JavaScript it is an object { x, y } on both sides; Deno has bytes there, so its
// functions fill and read them through a Float64Array.

const NAMES = { in: 'sum_of_point', out: 'make_point', both: 'swap_point' };

/** From a peer's name for the type and how it binds: a function for each of the three. */
const signatures = (point, f64) => ({
  in: { args: [point], returns: f64 },
  out: { args: [f64, f64], returns: point },
  both: { args: [point], returns: point },
});

function pinned({ ffi }, library, way) {
  const point = ffi.struct({ x: 'f64', y: 'f64' });
  return [ffi.dlopen(library, { [NAMES[way]]: signatures(point, 'f64')[way] }).symbols[NAMES[way]], way];
}

function koffi({ koffi: api }, library, way) {
  const { args, returns } = signatures(api.struct('Point', { x: 'double', y: 'double' }), 'double')[way];
  return [api.load(library).func(NAMES[way], returns, args), way];
}

function ffirs(peer, path, way) {
  const { DataType, FFITypeTag } = peer.ffi;
  const point = { x: DataType.Double, y: DataType.Double, ffiTypeTag: FFITypeTag.StackStruct };
  const { args, returns } = signatures(point, DataType.Double)[way];
  peer.ffi.open({ library: 'structs', path });
  const defined = peer.ffi.define({ [NAMES[way]]: { library: 'structs', retType: returns, paramsType: args } });
  return [(...values) => defined[NAMES[way]](values), way];
}

function deno({ Deno }, library, way) {
  const { args, returns } = signatures({ struct: ['f64', 'f64'] }, 'f64')[way];
  const call = Deno.dlopen(library, { it: { name: NAMES[way], parameters: args, result: returns } }).symbols.it;
  const given = new Float64Array(2);
  const bytes = new Uint8Array(given.buffer);
  const fill = (point) => {
    given[0] = point.x;
    given[1] = point.y;
    return bytes;
  };
  const read = (result) => {
    const got = new Float64Array(result.buffer);
    return { x: got[0], y: got[1] };
  };
  const functions = {
    in: (point) => call(fill(point)),
    out: (x, y) => read(call(x, y)),
    both: (point) => read(call(fill(point))),
  };
  return [functions[way], way];
}

const loops = {
  in: (call) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum += call({ x: i & 7, y: 0.5 });
    return sum;
  },
  out: (call) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const { x, y } = call(i & 7, 0.5);
      sum += x - y;
    }
    return sum;
  },
  both: (call) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const { x, y } = call({ x: i & 7, y: 0.5 });
      sum += x - y;
    }
    return sum;
  },
};

const models = { in: ({ x, y }) => x + y, out: (x, y) => ({ x, y }), both: ({ x, y }) => ({ x: y, y: x }) };

export default {
  title: 'struct of two f64 by value, {}',
  note: 'A struct is an object `{ x, y }` in JavaScript. Deno uses bytes; writing and reading them is included.',
  params: ['in', 'out', 'both'],
  peers: { pinned, koffi, ffirs, deno },
  loop: (call, way) => loops[way](call),
  model: (way) => [models[way], way],
};
