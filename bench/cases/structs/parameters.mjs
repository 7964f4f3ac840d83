// Values that C changes: out-parameters, an object for a pointer to a struct; and handles, which C alone looks into.

const KINDS = {
  'an out-parameter': {
    name: 'count_point',
    pinned: ({ ffi, point }) => ({ args: [point, ffi.out('i32')], returns: 'i32' }),
    koffi: 'int count_point(Point p, _Out_ int *count)',
    run: { pinned: (call) => call({ x: 1, y: 2 }).out[0], koffi: countOf },
  },
  'an object for a pointer to a struct': {
    name: 'turn_point',
    pinned: ({ ffi, point }) => ({ args: [ffi.pointer(point)], returns: 'i32' }),
    koffi: 'int turn_point(_Inout_ Point *p)',
    run: { pinned: turned, koffi: turned },
  },
  'a handle': {
    name: 'handle_of_point',
    pinned: ({ ffi }) => ({ args: [], returns: ffi.opaque('Handle') }),
    koffi: 'Handle *handle_of_point()',
    run: { pinned: exists, koffi: exists },
  },
};

function countOf(call) {
  const count = [null];
  call({ x: 1, y: 2 }, count);
  return count[0];
}

function turned(call) {
  const point = { x: 1, y: 2 };
  return call(point) + point.x;
}

function exists(call) {
  return call() === null ? 0 : 3;
}

function pinned(peer, library, kind) {
  const { name, pinned: declare, run } = KINDS[kind];
  const point = peer.ffi.struct({ x: 'f64', y: 'f64' });
  const { symbols } = peer.ffi.dlopen(library, { [name]: declare({ ffi: peer.ffi, point }) });
  return [() => run.pinned(symbols[name])];
}

function koffi({ koffi: api }, library, kind) {
  const { koffi: prototype, run } = KINDS[kind];
  api.struct('Point', { x: 'double', y: 'double' });
  api.opaque('Handle');
  const call = api.load(library).func(prototype);
  return [() => run.koffi(call)];
}

export default {
  title: '{}, of C with a struct of two f64',
  params: Object.keys(KINDS),
  peers: { pinned, koffi, koffiLayer: koffi },
  loop: (call) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + call()) | 0;
    return sum;
  },
  model: () => [() => 3],
};
