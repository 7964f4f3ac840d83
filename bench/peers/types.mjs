// The types of the cases, as each peer calls them. What is missing here, the peer does not have: i64 and u64 are BigInt
// in JavaScript, i64_fast and u64_fast are numbers as long as they are exact.

const bun = {
  void: 'void',
  i32: 'i32',
  u32: 'u32',
  f32: 'f32',
  f64: 'f64',
  i64: 'i64',
  u64: 'u64',
  i64_fast: 'i64_fast',
  u64_fast: 'u64_fast',
  ptr: 'ptr',
  buffer: 'ptr',
  text: 'cstring',
  callback: 'function',
};

/** By the `peer` of ../variants.js. */
export const TYPES = {
  pinned: bun,
  bun,
  koffi: {
    void: 'void',
    i32: 'int32_t',
    u32: 'uint32_t',
    f32: 'float',
    f64: 'double',
    i64: 'int64_t',
    u64: 'uint64_t',
    i64_fast: 'int64_t',
    u64_fast: 'uint64_t',
    ptr: 'void *',
    buffer: 'void *',
    text: 'const char *',
    callback: 'void *',
  },
  nodeffi: {
    void: 'void',
    i32: 'i32',
    u32: 'u32',
    f32: 'f32',
    f64: 'f64',
    i64: 'i64',
    u64: 'u64',
    ptr: 'pointer',
    buffer: 'buffer',
    text: 'string',
    callback: 'pointer',
  },
  deno: {
    void: 'void',
    i32: 'i32',
    u32: 'u32',
    f32: 'f32',
    f64: 'f64',
    i64: 'i64',
    u64: 'u64',
    ptr: 'pointer',
    buffer: 'buffer',
    callback: 'function',
  },
  ffirs: {
    void: 'Void',
    i32: 'I32',
    u32: 'U32',
    f32: 'Float',
    f64: 'Double',
    i64: 'BigInt',
    i64_fast: 'I64',
    u64_fast: 'U64',
    ptr: 'External',
    buffer: 'U8Array',
    text: 'String',
  },
};

/** A declaration in the peer's words. */
export function translate(peer, { args, returns }) {
  const of = (type) => TYPES[peer][type];
  return { args: args.map(of), returns: of(returns) };
}

/** Whether a peer has all of these types. */
export const has = (peer, types) => types.every((type) => type in TYPES[peer]);
