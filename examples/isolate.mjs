// Kills a library in several ways, and goes on. Needs nothing but the C library: it works without a library of your
// own. Run it with: node examples/isolate.mjs

import { dlopen } from 'pinned-ffi';

const library = dlopen(
  null,
  `
  void abort(void);
  int raise(int sig);
  void exit(int status);
  int pause(void);
  size_t strlen(_In_ const void *s);
  void *malloc(size_t size);
  void free(void *p);
  int abs(int n);
  `,
  { isolate: { timeout: 200, stderr: 'ignore' } },
);
const { symbols } = library;

const ways = {
  aborts: () => symbols.abort(),
  'reads memory that is not there': () => symbols.strlen(0x123456789000),
  'divides by zero': () => symbols.raise(8),
  exits: () => symbols.exit(3),
  'never returns': () => symbols.pause(),
  'frees memory twice': () => {
    const block = symbols.malloc(100n);
    symbols.free(block);
    symbols.free(block);
  },
};

const buffer = Buffer.from('Buffers of JavaScript stay whole');
for (const [what, run] of Object.entries(ways)) {
  try {
    run();
    console.log(`A library that ${what} went on.`);
  } catch (error) {
    console.log(`A library that ${what}: ${error.code}, ${error.signal ?? `status ${error.exitCode}`}`);
    if (error.stderr !== '') console.log(`  it said: ${error.stderr.trim().split('\n').at(-1)}`);
  }
  library.restart();
  console.log(`  process ${library.isolated.generation} answers: abs(-42) is ${symbols.abs(-42)}`);
}
console.log(buffer.toString());
library.close();
