'use strict';
// The public interface as the fuzzer sees it. A row: { weight, spec(r) -> the specs of the arguments, run(world,
// ...values) }. C is entered through functions that touch no memory but what the package has checked: `answer_zero` and
// the identities.

const { ffi, fixture, bind } = require('../helpers.js');
const {
  atom,
  text,
  number,
  object,
  array,
  anyAtom,
  hostile,
  type,
  struct,
  declaration,
  value,
  mutate,
  SCALARS,
  KEYS,
} = require('./specs.js');

const identities = {};
for (const name of ['i8', 'u8', 'i16', 'u16', 'i32', 'u32', 'i64', 'u64', 'f32', 'f64', 'bool']) {
  identities[name] = bind({ [`identity_${name}`]: { args: [name], returns: name } })[`identity_${name}`];
  identities[`${name} wrapped`] = bind({ [`identity_${name}`]: { args: [name], returns: name, wrap: true } })[
    `identity_${name}`
  ];
}
const pairs = Object.fromEntries(
  ['ptr', 'cstring', 'function', 'utf16', 'wstring', 'buffer'].map((name) => [
    name,
    bind({ same_ptr: { args: [name, name], returns: 'bool' } }).same_ptr,
  ]),
);
const bytes = { type: 'buffer', name: 'bytes' };
const fixed = bind({
  sum_bytes: { args: [bytes, { type: 'u64', lengthOf: 0 }], returns: 'u64' },
  fill_bytes: { args: [bytes, { type: 'u64', lengthOf: 0 }, 'u8'] },
  call_void: { args: [ffi.fn({})] },
  call_i32: { args: [ffi.fn({ args: ['i32'], returns: 'i32' }), 'i32'], returns: 'i32' },
  call_two_cstrings: { args: [ffi.fn({ args: ['cstring'], returns: 'cstring' })], returns: 'ptr' },
  call_times_i32: { args: ['function', 'i32'], returns: 'i32' },
});
/** What may be called: an input may have declared any symbol of the process, or any address. */
const TOUCHES_NOTHING = new Set(
  [...Object.values(identities), ...Object.values(pairs), ...Object.values(fixed)].map(({ ptr }) => BigInt(ptr)),
);
TOUCHES_NOTHING.add(BigInt(bind({ answer_zero: {} }).answer_zero.ptr));
const scalarResults = ['i8', 'u16', 'i32', 'u32', 'i64', 'f64', 'bool', 'ptr', 'cstring', 'function'];

/** Calls what was bound with these values; an asynchronous one in its own way. */
function callBound(call, values, how) {
  if (typeof call !== 'function' || !TOUCHES_NOTHING.has(BigInt(call.ptr ?? 0))) return undefined;
  return how === 'async' ? call.async(...values) : call(...values);
}

const HOW = [...Array(7).fill('sync'), 'async', 'async', 'thread'];

/** Declares, opens, calls, closes. */
function openAndCall(path, symbols, options, values, how) {
  const library = options === undefined ? ffi.dlopen(path, symbols) : ffi.dlopen(path, symbols, options);
  let thread;
  try {
    const [[key, call] = []] = Object.entries(library.symbols);
    if (how !== 'thread' || !TOUCHES_NOTHING.has(BigInt(call?.ptr ?? 0))) return callBound(call, values, how);
    thread = library.thread();
    return thread.symbols[key](...values);
  } finally {
    thread?.close();
    library.close();
  }
}

/** The mutations of an input: none, few, many. */
const shaken = (r, ...specs) => {
  const probability = r.pick([0, 0.03, 0.1, 0.3]);
  return specs.map((spec) => mutate(r, spec, probability));
};

const surface = {
  ...require('./dialects.js'),
  'declare a type': {
    weight: 6,
    spec: (r) => [
      text(
        r.pick([
          'struct',
          'union',
          'array',
          'pointer',
          'out',
          'inout',
          'enumeration',
          'opaque',
          'fn',
          'sizeof',
          'alignof',
          'offsetof',
        ]),
      ),
      hostile(r),
      hostile(r),
      hostile(r, 1),
    ],
    run: (_, name, ...args) => (typeof ffi[name] === 'function' ? ffi[name](...args) : undefined),
  },
  'declare a type that is nearly right': {
    weight: 8,
    spec: (r) => shaken(r, type(r, 3)),
    run: (_, declared) => [ffi.sizeof(declared), ffi.alignof(declared), Object(declared) === declared && declared.name],
  },
  'values in memory of a type': {
    weight: 10,
    tame: true,
    spec(r) {
      const declared = struct(r, 3);
      return [
        ...shaken(r, declared),
        ...shaken(r, value(r, declared)),
        text(r.pick(['f0', 'f1', ...KEYS])),
        hostile(r),
        mutate(r, atom('0', 'offset'), 0.5),
      ];
    },
    run(_, declared, content, key, other, byteOffset) {
      if (typeof declared?.alloc !== 'function') return;
      const view = declared.alloc(content);
      declared.read(view, byteOffset);
      declared.write(Buffer.alloc(declared.size), view);
      view[key] = other;
      declared.write(view, other, byteOffset);
      void view[key];
    },
  },
  'a type over memory': {
    weight: 6,
    tame: true,
    spec: (r) => [
      text(r.pick(['view', 'read', 'write'])),
      mutate(r, r.pick([atom('the address of the memory', 'address'), anyAtom(r, 'view')]), 0.5),
      hostile(r, 1),
      mutate(r, atom('0', 'offset'), 0.4),
    ],
    run(world, name, where, content, byteOffset) {
      if (typeof world.point[name] !== 'function') return undefined;
      return name === 'write' ? world.point.write(where, content, byteOffset) : world.point[name](where, byteOffset);
    },
  },
  'a live array': {
    weight: 3,
    spec: (r) => [text(r.pick(['at', 'set', 'toArray', 'index'])), hostile(r, 1), hostile(r, 1)],
    run(world, name, index, content) {
      const view = world.triple.alloc([1, 2, 3]);
      if (name !== 'index') return view[name](index, content);
      view[2] = content;
      return [...view];
    },
  },
  'declare and call': {
    weight: 20,
    tame: true,
    spec(r) {
      const { declared, values } = declaration(r);
      return [
        ...shaken(r, object({ answer_zero: declared })),
        array(values.map((each) => mutate(r, each, r.pick([0, 0.2])))),
        text(r.pick(HOW)),
      ];
    },
    run: (_, symbols, values, how) =>
      openAndCall(fixture, symbols, undefined, Array.isArray(values) ? values : [], how),
  },
  dlopen: {
    weight: 4,
    spec: (r) => [r.pick([text(fixture), atom('null'), hostile(r)]), hostile(r), hostile(r)],
    run(_, ...args) {
      const library = ffi.dlopen(...args);
      library.close();
    },
  },
  linkSymbols: {
    weight: 4,
    tame: true,
    spec(r) {
      const { declared, values } = declaration(r, { ptr: atom('the address of a function', 'code') });
      return [...shaken(r, object({ linked: declared })), array(values)];
    },
    run: (_, symbols, values) => {
      const library = ffi.linkSymbols(symbols);
      try {
        return callBound(library.symbols.linked, values);
      } finally {
        library.close();
      }
    },
  },
  CFunction: {
    weight: 4,
    tame: true,
    spec(r) {
      const { declared, values } = declaration(r, { ptr: atom('the address of a function', 'code') });
      return [...shaken(r, declared), array(values)];
    },
    run: (_, declared, values) => {
      const call = ffi.CFunction(declared);
      try {
        return callBound(call, values);
      } finally {
        call.close();
      }
    },
  },
  'call with a scalar': {
    weight: 10,
    spec: (r) => [text(r.pick(Object.keys(identities))), hostile(r), text(r.pick(['sync', 'sync', 'async']))],
    run: (_, name, content, how) => callBound(identities[name], [content], how),
  },
  'call with pointers': {
    weight: 10,
    spec: (r) => [text(r.pick(Object.keys(pairs))), hostile(r), hostile(r), text(r.pick(['sync', 'sync', 'async']))],
    run: (_, name, a, b, how) => callBound(pairs[name], [a, b], how),
  },
  'call with memory': {
    weight: 6,
    spec: (r) => [
      text(r.pick(['sum_bytes', 'fill_bytes'])),
      mutate(r, anyAtom(r, 'view'), 0.2),
      r.pick([hostile(r), number(8)]),
      hostile(r, 1),
      text(r.pick(['sync', 'async'])),
    ],
    run: (_, name, view, length, byte, how) =>
      callBound(fixed[name], name === 'sum_bytes' ? [view, length] : [view, length, byte], how),
  },
  'call with varargs': {
    weight: 4,
    tame: true,
    spec(r) {
      const pair = () => {
        const of = type(r, 1);
        return array([of, value(r, of)]);
      };
      return [array(shaken(r, ...r.list(4, pair)))];
    },
    run: (_, pairsOf) => bindVariadic()(1, ...(Array.isArray(pairsOf) ? pairsOf : [])),
  },
  'call back': {
    weight: 8,
    spec: (r) => [
      text(r.pick(['call_void', 'call_i32', 'call_two_cstrings', 'call_times_i32'])),
      {
        k: 'function',
        effect: r.pick([
          'none',
          'none',
          'throw',
          'throw a string',
          'close the callback',
          'close the library',
          'detach',
          'call',
          'collect',
        ]),
        of: r.pick([number(1), hostile(r)]),
      },
      text(r.pick(['sync', 'sync', 'async'])),
    ],
    run(world, name, callback, how) {
      if (typeof callback !== 'function') return undefined;
      if (name === 'call_times_i32') return callBound(fixed[name], [world.callback(), 3], how);
      return callBound(fixed[name], name === 'call_i32' ? [callback, 1] : [callback], how);
    },
  },
  'return from a callback': {
    weight: 2,
    spec: (r) => [text(r.pick(scalarResults)), hostile(r)],
    run(_, returns, content) {
      const callback = new ffi.JSCallback(() => content, { args: ['i32'], returns });
      try {
        return fixed.call_times_i32(callback, 2);
      } finally {
        callback.close();
      }
    },
  },
  JSCallback: {
    weight: 3,
    spec(r) {
      const args = r.list(4, () => type(r, 1));
      return [
        r.pick([{ k: 'function', effect: 'none', of: number(1) }, hostile(r)]),
        ...shaken(r, object({ args: array(args), returns: type(r, 1) })),
        text(r.pick(['ref', 'unref', 'close', 'ptr'])),
      ];
    },
    run(_, callback, declared, name) {
      const made = new ffi.JSCallback(callback, declared);
      if (typeof made[name] === 'function') made[name]();
      made.close();
    },
  },
  ptr: {
    weight: 4,
    spec: (r) => [mutate(r, anyAtom(r, 'view'), 0.4), hostile(r, 1)],
    run: (_, view, byteOffset) => ffi.ptr(view, byteOffset),
  },
  pin: {
    weight: 3,
    spec: (r) => [mutate(r, anyAtom(r, 'view'), 0.4)],
    run(world, view) {
      const pin = ffi.pin(view);
      try {
        world.cause('detach');
        return [pin.ptr, pin.byteLength];
      } finally {
        pin.release();
      }
    },
  },
  alloc: {
    weight: 3,
    spec: (r) => [
      r.pick([number(r.int(5000)), hostile(r)]),
      r.pick([object({ align: number(2 ** r.int(22)) }), hostile(r)]),
    ],
    run: (_, ...args) => ffi.alloc(...args),
  },
  read: {
    weight: 5,
    spec: (r) => [
      text(r.pick([...SCALARS, 'intptr'])),
      mutate(r, atom('the address of the memory', 'address'), 0.5),
      mutate(r, atom('0', 'offset'), 0.5),
    ],
    // What lies there is text, whose bytes are no address: types that follow one are for other rows.
    run: (_, name, address, byteOffset) =>
      /cstring|utf16|wstring/.test(name) ? undefined : ffi.read[name](address, byteOffset),
  },
  write: {
    weight: 5,
    spec: (r) => [
      text(r.pick(SCALARS)),
      mutate(r, atom('the address of the memory', 'address'), 0.3),
      mutate(r, atom('8', 'offset'), 0.3),
      hostile(r),
    ],
    run: (_, name, address, byteOffset, content) => ffi.write[name](address, byteOffset, content),
  },
  CString: {
    weight: 4,
    spec: (r) => [
      mutate(r, atom('the address of the memory', 'address'), 0.4),
      mutate(r, atom('0', 'offset'), 0.4),
      mutate(r, atom('8', 'length'), 0.5),
    ],
    run: (world, address, byteOffset, byteLength) => ffi.CString(address, byteOffset, byteLength),
  },
  'a copy of memory': {
    weight: 4,
    spec: (r) => [
      mutate(r, atom('the address of the memory', 'address'), 0.4),
      mutate(r, atom('0', 'offset'), 0.3),
      mutate(r, atom('8', 'length'), 0.4),
    ],
    run: (_, address, byteOffset, byteLength) => ffi.read.bytes(address, byteOffset, byteLength),
  },
  'a buffer over memory': {
    weight: 4,
    spec: (r) => [
      text(r.pick(['toBuffer', 'toArrayBuffer'])),
      mutate(r, atom('the address of the memory', 'address'), 0.4),
      mutate(r, atom('0', 'offset'), 0.3),
      mutate(r, atom('8', 'length'), 0.4),
    ],
    run: (_, name, ...args) => typeof ffi[name] === 'function' && ffi[name](...args),
  },
  'a buffer with a deallocator': {
    weight: 3,
    spec: (r) => [
      text(r.pick(['toBuffer', 'toArrayBuffer'])),
      atom('the address of the memory', 'address'),
      atom('0', 'offset'),
      atom('8', 'length'),
      hostile(r, 1),
      mutate(r, atom('the address of a function', 'code'), 0.6),
    ],
    run: (_, name, ...args) => typeof ffi[name] === 'function' && ffi[name](...args),
  },
  global: {
    weight: 3,
    tame: true,
    spec: (r) => [
      r.pick([text('global_i32'), hostile(r)]),
      r.pick([text(r.pick(['i32', 'u32', 'u8', 'f32'])), hostile(r)]),
      hostile(r),
      text(r.pick(['value', 'get', 'set', 'view'])),
    ],
    run(world, name, of, content, key) {
      const global = world.library.global(name, of);
      // A wider type would reach the variables beside it.
      if (name !== 'global_i32' || ffi.sizeof(of) > 4 || key === 'value') return;
      global[key](content);
    },
  },
  cc: {
    weight: 3,
    // `flags` come last and are wrong: no compiler is started.
    spec: (r) =>
      shaken(
        r,
        object({
          source: r.pick([text('int x;'), hostile(r)]),
          symbols: hostile(r),
          library: hostile(r),
          include: hostile(r),
          define: hostile(r),
          flags: number(5),
        }),
      ),
    run: (_, options) => ffi.cc(withWrongFlags(options)),
  },
  'the rest': {
    weight: 1,
    spec: (r) => [text(r.pick(['fences', 'errno', 'checkFences'])), hostile(r)],
    run: (_, name, ...args) => typeof ffi[name] === 'function' && ffi[name](...args),
  },
};

const withWrongFlags = (options) => {
  if (Object(options) !== options || Array.isArray(options)) return options;
  return new Proxy(
    {},
    {
      ownKeys: () => [...new Set([...Object.keys(options), 'flags'])],
      getOwnPropertyDescriptor: () => ({ value: 0, enumerable: true, configurable: true }),
      get: (_, key) => (key === 'flags' ? 5 : options[key]),
    },
  );
};

let variadic;
const bindVariadic = () =>
  (variadic ??= bind({ answer_zero: { args: ['i32'], returns: 'i32', varargs: true } }).answer_zero);

/** An input: { row, specs, pollute? }, out of a chooser. PINNED_FFI_FUZZ_ROWS says which rows there are. */
const rows = new RegExp(process.env.PINNED_FFI_FUZZ_ROWS ?? '');
const names = Object.entries(surface).flatMap(([name, { weight }]) => Array(rows.test(name) ? weight : 0).fill(name));
const POLLUTED = [
  'args',
  'returns',
  'wrap',
  'type',
  'name',
  'ptr',
  'guard',
  'minBytes',
  'lengthOf',
  'align',
  'f0',
  'then',
  'toJSON',
  'free',
  'flags',
  'bits',
  'x',
  'optional',
  'varargs',
  'fails',
  'packed',
  'key',
  'retains',
  'isPointerLike',
  'resolve',
  'coercing',
  'isArray',
  'outParam',
  'label',
  'storage',
  'refused',
  'argumentOnly',
  'returnedByEntry',
  'live',
  'offset',
  'fixed',
];

function inputOf(r) {
  const row = r.pick(names);
  const input = { row, specs: surface[row].spec(r) };
  if (r.chance(0.05)) input.pollute = [r.pick(POLLUTED), hostile(r, 1)];
  return input;
}

module.exports = { surface, inputOf };
