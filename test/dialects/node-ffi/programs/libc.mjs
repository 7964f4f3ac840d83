// The C library by node:ffi: sorts with a callback, formats a time, walks an array of texts.
import { dlopen, exportString, getInt32, getRawPointer, getUint64, setInt32, toString } from 'node:ffi';

const { lib, functions: c } = dlopen('libc.so.6', {
  qsort: { arguments: ['buffer', 'uint64', 'uint64', 'function'] },
  gmtime_r: { return: 'pointer', arguments: ['buffer', 'buffer'] },
  strftime: { return: 'uint64', arguments: ['buffer', 'uint64', 'string', 'buffer'] },
  strtol: { return: 'int64', arguments: ['string', 'pointer', 'int32'] },
  malloc: { return: 'pointer', arguments: ['uint64'] },
  free: { arguments: ['pointer'] },
  getenv: { return: 'pointer', arguments: ['string'] },
});

const numbers = Int32Array.from({ length: 1000 }, (_, i) => (i * 7919) % 1000);
const compare = lib.registerCallback(
  { return: 'int32', arguments: ['pointer', 'pointer'] },
  (a, b) => getInt32(a) - getInt32(b),
);
c.qsort(numbers, numbers.length, 4, compare);
lib.unregisterCallback(compare);
console.log(
  'sorted',
  numbers.every((value, i) => value === i),
);

const [time, text] = [BigInt64Array.of(1_000_000_000n), Buffer.alloc(64)];
const tm = Buffer.alloc(64);
c.gmtime_r(time, tm);
console.log('time', text.toString('latin1', 0, Number(c.strftime(text, text.length, '%Y-%m-%d %H:%M:%S', tm))));

const memory = c.malloc(32n);
setInt32(memory, 0, -42);
exportString('grüße', memory + 8n, 24);
console.log('memory', getInt32(memory), toString(memory + 8n));
c.free(memory);

const end = new BigUint64Array(1);
const digits = Buffer.from('1257 rest\0');
console.log('number', c.strtol(digits, end, 10), toString(getUint64(getRawPointer(end))));
console.log('nothing', toString(c.getenv('NO_SUCH_VARIABLE_HERE')));
lib.close();
try {
  c.getenv('PATH');
} catch ({ code, message }) {
  console.log(code, message);
}
