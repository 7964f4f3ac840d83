'use strict';
// Random signatures against the C compiler, as many as you like: npm run test:abi -- --count 20000 --seed 7
//   --count N   how many signatures, in steps (default 20000)      --seed N   the seed (default: the time)

const { parseArgs } = require('node:util');

const STEP = 1000;

function numberOf(text, name) {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} wants a number, received '${text}'`);
  return process.exit(1);
}

async function main() {
  const { values } = parseArgs({ options: { count: { type: 'string', default: '20000' }, seed: { type: 'string' } } });
  const count = numberOf(values.count, 'count');
  const seed = values.seed === undefined ? Math.floor(Date.now() / 1000) % 1e9 : numberOf(values.seed, 'seed');
  await require('./test.js').prepare();
  const { runMatrix, describe, sentence } = require('../test/abi/matrix.js');
  console.log(`Node ${process.version}, seed ${seed}, ${count} signatures`);
  // Each step has a seed of its own: what is compiled for it is small, and a mismatch is told when it is found.
  for (let done = 0; done < count; done += STEP) {
    const own = seed + done / STEP;
    const result = await runMatrix({ seed: own, count: Math.min(STEP, count - done) });
    console.log(`${sentence(result, own)}, ${result.mismatches.length} mismatches`);
    if (result.mismatches.length > 0) {
      console.log(describe(result, own));
      process.exitCode = 1;
    }
  }
}

main();
