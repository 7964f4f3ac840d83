// Every way to name the module.
const { isMainThread, parentPort, Worker } = require('node:worker_threads');
const { createRequire } = require('node:module');

const ffi = require('bun:ffi');
const add = (loaded) =>
  loaded.dlopen(process.env.FIXTURE, { add_i32: { args: ['i32', 'i32'], returns: 'i32' } }).symbols.add_i32;

async function main() {
  console.log(add(ffi)(20, 22), require('bun:ffi').dlopen === ffi.dlopen);
  const imported = await import('bun:ffi');
  console.log(add(imported)(1, 2), add(imported.default)(3, 4), imported.suffix);
  console.log(createRequire(__filename)('bun:ffi').suffix);
  const worker = new Worker(__filename);
  console.log(
    'in a worker:',
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject)),
  );
}

if (isMainThread) main();
else import('bun:ffi').then((imported) => parentPort.postMessage([add(ffi)(5, 6), add(imported)(7, 8)].join()));
