'use strict';
// The fuzzer: random inputs over the public interface, in child processes, so that a crash is told by its input.
//   npm run fuzz -- [--count 1000000] [--seed S] [--shards 2]     exits 1 with a minimal input where one fails
//   npm run fuzz -- --rows '^koffi'                               only the rows of test/fuzz/surface.js whose names
//   match npm run fuzz -- --input JSON                                  runs one input again
//   npm run fuzz -- --isolate [--count 1000000]                   messages with a hostile library: isolation.js

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { children } = require('./specs.js');

const SHARD = path.join(__dirname, 'shard.js');
const ISOLATION = path.join(__dirname, 'isolation.js');
/** Types, signatures and closures of a process stay until it ends, so that each runs no more inputs than these. */
const MOST_INPUTS = 20_000;
/** An input that takes longer than this many milliseconds hangs. */
const MOST_TIME = 60_000;

/** Runs a shard: what it said, how it ended, and which input it was at. */
function runShard(args, { guard, script = SHARD }) {
  return new Promise((resolve, reject) => {
    const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'fuzz-'));
    const progress = path.join(directory, 'progress');
    const env = { ...process.env, PINNED_FFI_GUARD: guard ? '1' : '' };
    const child = spawn(process.execPath, ['--expose-gc', script, progress, ...args.map(String)], {
      env,
      cwd: directory,
    });
    const said = { stdout: '', stderr: '' };
    for (const name of Object.keys(said))
      child[name].setEncoding('utf8').on('data', (chunk) => {
        said[name] += chunk;
      });
    const at = () =>
      fs.existsSync(progress) && fs.statSync(progress).size === 8
        ? fs.readFileSync(progress).readDoubleLE(0)
        : undefined;
    let last;
    const watch = setInterval(() => {
      const now = at();
      if (now === last) child.kill('SIGKILL');
      last = now;
    }, MOST_TIME);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearInterval(watch);
      const index = at();
      fs.rmSync(directory, { recursive: true, force: true });
      resolve({ code, signal, index, ...said });
    });
  });
}

/** What was wrong with a shard; undefined where nothing was. */
function faultOf({ code, signal, stdout, stderr }) {
  if (code === 0) return undefined;
  if (code === 3) return JSON.parse(stdout.trim().split('\n').at(-1)).fault;
  return `the process ended by ${signal ?? `exit code ${code}`}\n${stderr.slice(-2000)}`;
}

const show = async (seed, index) => JSON.parse((await runShard(['show', seed, index], {})).stdout);

// ---- shrinking ------------------------------------------------------------------------------------------------------

/** Every smaller form of a spec: without a part, with a part in its place, or nothing much. */
function* smaller(spec) {
  const plain = { k: 'atom', name: 'undefined' };
  if (JSON.stringify(spec) !== JSON.stringify(plain) && spec.place === undefined) yield plain;
  if (spec.isWhole) return;
  for (const child of children(spec)) yield child;
  const list = spec.entries ?? spec.items ?? spec.args;
  const key = spec.entries ? 'entries' : spec.items ? 'items' : 'args';
  for (let i = 0; list !== undefined && i < list.length; i++) {
    if (key !== 'args') yield { ...spec, [key]: list.toSpliced?.(i, 1) ?? [...list.slice(0, i), ...list.slice(i + 1)] };
    const [inner, wrap] = key === 'entries' ? [list[i][1], (of) => [list[i][0], of]] : [list[i], (of) => of];
    for (const of of smaller(inner)) yield { ...spec, [key]: [...list.slice(0, i), wrap(of), ...list.slice(i + 1)] };
  }
  if (spec.of !== undefined) for (const of of smaller(spec.of)) yield { ...spec, of };
  if (spec.how !== undefined && spec.how !== 'plain') yield { ...spec, how: 'plain' };
}

/** The smallest input found that still fails in the same way, within a number of attempts. */
async function shrink(input, options, isSame) {
  let left = 150;
  const fails = async (candidate) =>
    left-- > 0 && isSame(faultOf(await runShard(['-', JSON.stringify(candidate)], options)));
  let best = input;
  for (let improved = true; improved && left > 0;) {
    improved = false;
    const candidates = [];
    if (best.pollute) candidates.push({ ...best, pollute: undefined });
    best.specs.forEach((spec, i) => {
      for (const each of smaller(spec))
        candidates.push({
          ...best,
          specs: best.specs.with?.(i, each) ?? Object.assign([...best.specs], { [i]: each }),
        });
    });
    for (const candidate of candidates) {
      if (!(await fails(candidate))) continue;
      best = candidate;
      improved = true;
      break;
    }
  }
  return best;
}

// ---- the run --------------------------------------------------------------------------------------------------------

/** The kind of a fault, which smaller inputs have to share. */
const kindOf = (fault) => fault?.split('\n')[0].replace(/\d+/g, '#');

async function report(result, fault, from, { seed, guard }) {
  const options = { guard };
  const again = `seed ${seed}, input ${result.index}${guard ? ', PINNED_FFI_GUARD=1' : ''}`;
  console.error(`\nFAILED: ${again}\n${fault}`);
  const input = await show(seed, result.index);
  const alone = faultOf(await runShard(['-', JSON.stringify(input)], options));
  if (alone === undefined) {
    console.error(
      `Alone it passes; with what came before:\n  node --expose-gc test/fuzz/shard.js /tmp/progress ${seed} ${from} ${result.index + 1}`,
    );
    console.error(JSON.stringify(input));
    return;
  }
  const small = await shrink(input, options, (other) => kindOf(other) === kindOf(alone));
  console.error(
    `The smallest input found:\n  ${guard ? 'PINNED_FFI_GUARD=1 ' : ''}npm run fuzz -- --input '${JSON.stringify(small).replaceAll("'", "'\\''")}'`,
  );
}

async function fuzz({ count, seed, shards }) {
  const began = Date.now();
  const total = { inputs: 0, returned: 0, refused: 0, thrown: 0, codes: {} };
  const size = Math.min(MOST_INPUTS, Math.ceil(count / shards));
  let next = 0;
  let failed = false;
  const work = async () => {
    while (next < count && !failed) {
      const from = next;
      next = Math.min(count, from + size);
      // Every other shard is guarded, which may be given addresses that are not mapped.
      const guard = Math.floor(from / size) % 2 === 1;
      const result = await runShard([seed, from, next], { guard });
      const fault = faultOf(result);
      if (fault !== undefined) {
        failed = true;
        await report(result, fault, from, { seed, guard });
        return;
      }
      const counts = JSON.parse(result.stdout.trim().split('\n').at(-1));
      for (const key of ['inputs', 'returned', 'refused', 'thrown']) total[key] += counts[key];
      for (const [code, times] of Object.entries(counts.codes)) total.codes[code] = (total.codes[code] ?? 0) + times;
    }
  };
  await Promise.all(Array.from({ length: shards }, work));
  if (!failed)
    console.log(JSON.stringify({ node: process.version, seed, seconds: (Date.now() - began) / 1000, ...total }));
  return failed ? 1 : 0;
}

/** The same with a library that overwrites the messages of its process. */
async function fuzzIsolation({ count, seed, shards }) {
  const began = Date.now();
  const total = { messages: 0, processes: 0, codes: {} };
  const size = Math.min(MOST_INPUTS, Math.ceil(count / shards));
  let next = 0;
  let code = 0;
  const work = async () => {
    while (next < count && code === 0) {
      const from = next;
      next += size;
      const result = await runShard([seed + from, size], { script: ISOLATION });
      const fault = faultOf(result);
      if (fault !== undefined) {
        console.error(`FAILED after ${result.index} messages of seed ${seed + from}\n${fault}`);
        code = 1;
        return;
      }
      const counts = JSON.parse(result.stdout.trim().split('\n').at(-1));
      for (const key of ['messages', 'processes']) total[key] += counts[key];
      for (const [name, times] of Object.entries(counts.codes)) total.codes[name] = (total.codes[name] ?? 0) + times;
    }
  };
  await Promise.all(Array.from({ length: shards }, work));
  console.log(JSON.stringify({ node: process.version, seed, seconds: (Date.now() - began) / 1000, ...total }));
  return code;
}

async function main() {
  const { values } = parseArgs({
    options: {
      isolate: { type: 'boolean', default: false },
      count: { type: 'string', default: '1000000' },
      seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
      shards: { type: 'string', default: '2' },
      rows: { type: 'string' },
      input: { type: 'string' },
    },
  });
  if (values.rows !== undefined) process.env.PINNED_FFI_FUZZ_ROWS = values.rows;
  if (values.input !== undefined) {
    const fault = faultOf(await runShard(['-', values.input], { guard: process.env.PINNED_FFI_GUARD === '1' }));
    console.log(fault ?? 'the input passes');
    return fault === undefined ? 0 : 1;
  }
  const [count, seed, shards] = [values.count, values.seed, values.shards].map(Number);
  if (![count, seed, shards].every(Number.isSafeInteger) || count < 1 || shards < 1) {
    console.error('--count, --seed and --shards are integers, the first and the last above 0');
    return 2;
  }
  console.log(`seed ${seed}, ${count} ${values.isolate ? 'messages' : 'inputs'}`);
  return (values.isolate ? fuzzIsolation : fuzz)({ count, seed, shards });
}

main().then((code) => {
  process.exitCode = code;
});
