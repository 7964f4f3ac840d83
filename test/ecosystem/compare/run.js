'use strict';
// Runs one workload in this process and reports on file descriptor 3: a digest of every byte it emitted, the memory at
// its end, and whether pinned-ffi was there.
//   node --expose-gc run.js NAME SEED 3>report

const { createHash } = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { setImmediate: turn } = require('node:timers/promises');
const { Random } = require('./random.js');
const { byScale } = require('../../scale.js');
const { WORKLOADS } = require('./workloads.js');

const index = path.join(__dirname, '..', '..', '..', 'index.js');
const [, , name, seed] = process.argv;

const hash = createHash('sha256');
let bytes = 0;

/** Adds values to the digest, each with its length: two values are not mistaken for one. */
function emit(...values) {
  for (const value of values) {
    const data = ArrayBuffer.isView(value)
      ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
      : value instanceof ArrayBuffer || value instanceof SharedArrayBuffer
        ? Buffer.from(value)
        : Buffer.from(String(value));
    hash.update(`${data.length}:`).update(data);
    bytes += data.length;
  }
}

/** The memory once garbage is collected and V8 has freed the storage of collected ArrayBuffers. */
async function settledMemory() {
  for (let i = 0; i < 10; i += 1) {
    globalThis.gc();
    await turn();
  }
  const { rss, external, arrayBuffers } = process.memoryUsage();
  return { rss, external, arrayBuffers };
}

async function main() {
  // The end of the workload's process is a part of what is compared; a promise that never settles ends it with 13.
  await WORKLOADS[name].run({ emit, random: new Random(`${name} ${seed}`), byScale });
  const memory = await settledMemory();
  const ffi = require.cache[index]?.exports;
  const digest = hash.digest('hex');
  const report = { digest, bytes, memory, isLoaded: ffi !== undefined, broken: ffi?.checkFences() ?? 0 };
  fs.writeSync(3, JSON.stringify(report));
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
