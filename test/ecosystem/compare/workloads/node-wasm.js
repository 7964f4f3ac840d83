'use strict';
// WebAssembly: memories that grow while views of them are in use, shared ones too.

// (module (import "js" "memory" (memory 1)) (func (export "fill") (param i32 i32 i32) local.get 0 local.get 1 local.get
//   2 memory.fill) (func (export "grow") (param i32) (result i32) local.get 0 memory.grow))
const CODE = Buffer.from(
  '0061736d01000000010c0260037f7f7f0060017f017f020e01026a73066d656d6f727902000103030200010' +
    '70f020466696c6c0000046772' +
    '6f770001' +
    '0a1402' +
    '0b00200020012002fc0b000b' +
    '06002000' +
    '40000b',
  'hex',
);

exports.WebAssembly = async ({ emit, random, byScale }) => {
  const module = await WebAssembly.compile(CODE);
  for (let i = 0; i < byScale(20, 80); i += 1) {
    const memory = new WebAssembly.Memory({ initial: 1, maximum: 64 });
    const { exports: wasm } = await WebAssembly.instantiate(module, { js: { memory } });
    for (let k = 0; k < 8; k += 1) {
      const before = memory.buffer;
      const at = random.integer(0, before.byteLength - 1);
      wasm.fill(at, random.next() & 0xff, random.integer(0, before.byteLength - at));
      emit(
        k % 2 === 0 ? wasm.grow(random.integer(0, 3)) : memory.grow(random.integer(0, 3)),
        before.byteLength,
        memory.buffer.byteLength,
      );
      const view = new Uint8Array(memory.buffer);
      view.set(random.bytes(500), random.integer(0, view.length - 500));
      emit(view);
    }
    let trapped = 'no trap';
    try {
      wasm.fill(memory.buffer.byteLength, 1, 1);
    } catch (error) {
      trapped = `${error.name}: ${error.message}`;
    }
    emit(trapped);
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 8, shared: true });
    new Uint8Array(shared.buffer).fill(i);
    emit(shared.grow(2), new Uint8Array(shared.buffer));
  }
};
