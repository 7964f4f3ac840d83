'use strict';
// Random signatures against the C compiler, as many as you like: npm run test:abi -- --count 20000 --seed 7
//   --count N   how many signatures, in steps (default 20000)      --seed N   the seed (default: the time)
//   --call-paths generic,libffi, --engines usual   less than all of test/abi/call-paths.js, where that takes too long
//   --built     does not build the addon

const { parseArgs } = require('node:util');
const { CALL_PATHS, ENGINES } = require('../test/abi/call-paths.js');

const STEP = 1000;

function numberOf(text, name) {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  console.error(`--${name} wants a number, received '${text}'`);
  return process.exit(1);
}

/** Names of a list, all of them by default. */
function namesOf(text, name, all) {
  const names = text?.split(',') ?? all;
  const unknown = names.find((each) => !all.includes(each));
  if (unknown === undefined) return names;
  console.error(`--${name} wants some of ${all.join(', ')}, received '${unknown}'`);
  return process.exit(1);
}

async function main() {
  const text = { type: 'string' };
  const options = {
    count: { ...text, default: '20000' },
    seed: text,
    'call-paths': text,
    engines: text,
    built: { type: 'boolean', default: false },
  };
  const { values } = parseArgs({ options });
  const count = numberOf(values.count, 'count');
  const seed = values.seed === undefined ? Math.floor(Date.now() / 1000) % 1e9 : numberOf(values.seed, 'seed');
  const callPaths = namesOf(values['call-paths'], 'call-paths', CALL_PATHS);
  const engines = namesOf(values.engines, 'engines', Object.keys(ENGINES));
  if (!values.built) await require('./test.js').prepare();
  const { runMatrix, describe, sentence } = require('../test/abi/matrix.js');
  console.log(`Node ${process.version}, seed ${seed}, ${count} signatures`);
  // Each step has a separate seed: its compiled code is small, and a mismatch is printed when it is found.
  for (let done = 0; done < count; done += STEP) {
    const own = seed + done / STEP;
    const result = await runMatrix({ seed: own, count: Math.min(STEP, count - done), callPaths, engines });
    console.log(`${sentence(result, own)}, ${result.mismatches.length} mismatches`);
    if (result.mismatches.length > 0) {
      console.log(describe(result, own));
      process.exitCode = 1;
    }
  }
}

main();
