'use strict';
// A hostile library: while JavaScript calls it, a thread of it overwrites every word that its process shares with Node,
// at random and with lies that look right (test/fixtures/isolate/liar.c). Node must not crash and not hang, and each
// call has a result or throws an error with a code.
//   npm run fuzz -- --isolate [--count 1000000] [--seed S]
//   node test/fuzz/isolation.js PROGRESS SEED COUNT        one process of that

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const ffi = require('../../index.js');

const file = path.join(__dirname, '..', 'fixtures', 'build', `isolate-liar.${ffi.suffix}`);

const pair = ffi.struct({ a: 'i32', b: 'f64' });
const number = { args: ['i32'], returns: 'i32' };
const SYMBOLS = {
  start_lying: { args: ['usize', 'usize', 'buffer', 'u32', 'u32', 'u32'] },
  add: { args: ['i32', 'i32'], returns: 'i32' },
  get_text: { args: ['i32'], returns: 'cstring' },
  get_pair: { args: ['i32'], returns: pair },
  sum: { args: ['buffer', 'u32'], returns: 'u32' },
  call_number: { args: ['function', 'i32'], returns: 'i32' },
  call_text: { args: ['function'], returns: 'i32' },
  call_pair: { args: ['function'], returns: pair },
  call_in_thread: { args: ['function'], returns: 'i32', threads: true },
};

/** Where the mappings of a process begin, by their names. */
const mappingsOf = (pid) =>
  fs
    .readFileSync(`/proc/${pid}/maps`, 'latin1')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [, start, end, name] = /^(\w+)-(\w+) \S+ \S+ \S+ \S+\s*(.*)$/.exec(line);
      return { start: BigInt(`0x${start}`), end: BigInt(`0x${end}`), name };
    });

function makeRandom(seed) {
  let state = seed >>> 0 || 1;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** What JavaScript does with what it gets from the library: everything that a program would. */
function makeCallbacks(count) {
  const attempt = (use) => {
    try {
      use();
    } catch (error) {
      checkError(error);
    }
  };
  return {
    number: new ffi.JSCallback((value) => (count(), value | 0), number),
    text: new ffi.JSCallback((text) => (count(), text === null ? 0 : text.length), {
      args: ['cstring'],
      returns: 'i32',
    }),
    pair: new ffi.JSCallback(
      (value, pointer) => {
        count();
        attempt(() => ffi.read.u8(pointer));
        attempt(() => ffi.CString(pointer));
        attempt(() => ffi.toBuffer(pointer, 0, 16));
        return value;
      },
      { args: [pair, 'ptr'], returns: pair },
    ),
  };
}

function checkError(error) {
  assert.match(String(error?.code), /^ERR_/, error?.stack);
}

/**
 * Calls a lying library until so many messages were exchanged.
 * @param {object} options
 * @param {number} options.count
 * @param {number} options.seed
 * @param {(messages: number) => void} [options.progress]
 * @returns {Promise<{ messages: number, processes: number, codes: Record<string, number> }>}
 */
async function fuzz({ count, seed, progress = () => {} }) {
  const random = makeRandom(seed);
  const total = { messages: 0, processes: 0, codes: {} };
  // A call and a callback are two messages each: there and back.
  const note = () => (total.messages += 2);
  const callbacks = makeCallbacks(note);
  const bytes = Buffer.alloc(3000, 1);
  const calls = [
    ({ add }) => add(1, 2),
    ({ add }) => add(random(1000), 2),
    ({ get_text }) => get_text(random(4) === 0 ? 69_999 : random(100)),
    ({ get_pair }) => get_pair(3),
    ({ sum }) => sum(bytes, bytes.length),
    ({ call_number }) => call_number(callbacks.number, random(6)),
    ({ call_text }) => call_text(callbacks.text),
    ({ call_pair }) => call_pair(callbacks.pair),
    ({ call_in_thread }) => call_in_thread(callbacks.number),
  ];
  const fail = (error) => {
    checkError(error);
    total.codes[error.code] = (total.codes[error.code] ?? 0) + 1;
  };
  const isolate = { share: 'own', timeout: 500, stderr: 'ignore' };
  const own = BigUint64Array.from(mappingsOf('self').slice(0, 512), ({ start }) => start);
  while (total.messages < count) {
    total.processes += 1;
    let lib;
    try {
      lib = ffi.dlopen(file, SYMBOLS, { isolate });
      const control = mappingsOf(lib.isolated.pid).find(({ name }) => name.includes('pinned-ffi control'));
      const pause = 10 ** (2 + random(4));
      const size = Number(control.end - control.start);
      lib.symbols.start_lying(Number(control.start), size, Buffer.from(own.buffer), own.length, pause, random(2 ** 31));
      const pending = [];
      for (let i = 0; i < 2000 && lib.isolated.alive; i += 1) {
        note();
        const call = calls[random(calls.length)];
        if (random(10) === 0) pending.push(lib.symbols.add.async(i, 1).catch(fail));
        else call(lib.symbols);
        if (i % 100 === 99) await Promise.all(pending.splice(0));
      }
      lib.kill();
      await Promise.all(pending);
    } catch (error) {
      fail(error);
    }
    lib?.kill();
    lib?.close();
    progress(total.messages);
  }
  for (const callback of Object.values(callbacks)) callback.close();
  return total;
}

module.exports = { fuzz };

async function main([progress, seed, count]) {
  const word = Buffer.alloc(8);
  const handle = fs.openSync(progress, 'w');
  const total = await fuzz({
    count: Number(count),
    seed: Number(seed),
    progress: (messages) => {
      word.writeDoubleLE(messages, 0);
      fs.writeSync(handle, word, 0, 8, 0);
    },
  });
  console.log(JSON.stringify(total));
}

if (require.main === module) main(process.argv.slice(2));
