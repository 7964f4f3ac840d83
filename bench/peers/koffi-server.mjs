// Answers messages with what functions of a library give, by koffi: in a worker or in a child process.
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import koffi from 'koffi';

const library = koffi.load(workerData?.library ?? process.argv[2]);
koffi.struct('Point', { x: 'double', y: 'double' });
const functions = {
  add_i32: library.func('int32_t add_i32(int32_t a, int32_t b)'),
  ends: library.func('uint32_t ends(const uint8_t *bytes, uint32_t length)'),
  swap_point: library.func('Point swap_point(Point p)'),
  abort: () => process.abort(),
};

const port = parentPort ?? { on: (...args) => process.on(...args), postMessage: (result) => process.send(result) };
port.on('message', ({ name, args }) => port.postMessage(functions[name](...args)));
