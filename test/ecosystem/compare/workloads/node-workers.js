'use strict';
// Workers: Buffers that are copied, transferred there and back, and shared.

const { once } = require('node:events');
const { MessageChannel, Worker, isMainThread, parentPort, workerData } = require('node:worker_threads');

if (!isMainThread && workerData?.isCompareWorkload) {
  const shared = new Int32Array(workerData.shared);
  parentPort.on('message', ({ bytes, port, copied }) => {
    for (let i = 0; i < bytes.length; i += 1) bytes[i] ^= 0x5a;
    Atomics.add(shared, 0, bytes.length);
    const grown = new Uint8Array(bytes.length + 5);
    grown.set(bytes);
    port?.postMessage(grown, [grown.buffer]);
    port?.close();
    parentPort.postMessage({ bytes, copied: Buffer.from(copied).reverse() }, [bytes.buffer]);
  });
}

exports.workers = async ({ emit, random, byScale }) => {
  for (let i = 0; i < byScale(3, 12); i += 1) {
    const shared = new SharedArrayBuffer(4096);
    const worker = new Worker(__filename, { workerData: { isCompareWorkload: true, shared } });
    for (let k = 0; k < byScale(30, 120); k += 1) {
      const bytes = Uint8Array.from(random.bytes(random.integer(0, 100_000)));
      const { port1, port2 } = new MessageChannel();
      const side = once(port1, 'message');
      worker.postMessage({ bytes, port: port2, copied: Buffer.from(random.text(100)) }, [bytes.buffer, port2]);
      const [[answer], [grown]] = await Promise.all([once(worker, 'message'), side]);
      emit(answer.bytes, answer.copied, grown.data ?? grown, bytes.byteLength);
    }
    emit(new Uint8Array(shared), await worker.terminate());
  }
};
