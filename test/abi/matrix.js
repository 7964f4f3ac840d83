'use strict';
// The ABI matrix: random signatures x call paths x ways of the engine x plain and wrap, against the C compiler.

const { spawn } = require('node:child_process');
const path = require('node:path');
const { compileAll, clean } = require('./compile.js');
const { CALL_PATHS, ENGINES, environmentOf } = require('./call-paths.js');
const { batchesOf, jobsOf, resultOf } = require('./jobs.js');
const { shrink } = require('./shrink.js');
const { makeSignature, prototypeOf, declarationText } = require('./signature.js');

const PROCESSES = 2;
const FLAGS = ['--expose-gc', '--allow-natives-syntax'];

/** Runs a job in a child: { mismatches, figures }. A child that dies is a mismatch of the signature it was at. */
function runChild(job, { callPath, flags }) {
  const env = { ...process.env, ...environmentOf(callPath) };
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...FLAGS, ...flags, path.join(__dirname, 'child.js')], { env });
    const output = { stdout: '', stderr: '' };
    for (const name of Object.keys(output))
      child[name].setEncoding('utf8').on('data', (text) => (output[name] += text));
    child.on('error', reject);
    child.on('close', (code, signal) =>
      resolve(resultOf(output, code === 0 ? undefined : `ended by ${signal ?? `exit code ${code}`}`)),
    );
    child.stdin.on('error', () => {}).end(JSON.stringify(job));
  });
}

async function inParallel(list, work) {
  const next = list.values();
  const run = async () => {
    for (const each of next) await work(each);
  };
  await Promise.all(Array.from({ length: PROCESSES }, run));
}

/**
 * Runs signatures 0 to count-1 of a seed.
 * @param {object} options
 * @param {number} options.seed
 * @param {number} options.count
 * @param {string[]} [options.callPaths]
 * @param {string[]} [options.engines] names of ENGINES
 * @param {boolean} [options.enginesOnOnePath] the engines that are not the usual run on the first call path alone
 * @param {(signature: object) => object} [options.lie] what C is compiled for instead: to see that the matrix sees
 * @returns {Promise<{ figures: object, mismatches: object[] }>} the first mismatch has `minimal`, the smallest
 *   signature
 */
async function runMatrix({
  seed,
  count,
  callPaths = CALL_PATHS,
  engines = Object.keys(ENGINES),
  enginesOnOnePath = false,
  lie = (signature) => signature,
}) {
  clean();
  const batches = batchesOf(count);
  const paths = await compileAll(batches.map((ids) => ids.map((id) => [id, lie(makeSignature(seed, id))])));
  const libraries = batches.map((ids, i) => ({ path: paths[i], ids }));
  const total = { signatures: count, calls: 0, callbacks: 0, optimized: 0, tried: 0 };
  const mismatches = [];
  await inParallel(
    jobsOf(libraries, { seed, callPaths, engines, enginesOnOnePath }),
    async ({ callPath, engine, job }) => {
      const { mismatches: found, figures } = await runChild(job, { callPath, flags: ENGINES[engine] });
      for (const key of Object.keys(figures)) total[key] += figures[key];
      mismatches.push(...found.map((each) => ({ ...each, callPath, engine, job })));
    },
  );
  // The shortest is the nearest to its smallest form.
  const lengthOf = ({ id }) => prototypeOf(makeSignature(seed, id)).length;
  mismatches.sort((a, b) => lengthOf(a) - lengthOf(b));
  if (mismatches.length > 0) mismatches[0].minimal = await minimal(mismatches[0], seed, lie);
  return { figures: total, mismatches };
}

/** The smallest signature that fails in the call path and engine of a mismatch. */
async function minimal({ id, callPath, engine, job }, seed, lie) {
  const run = async (signature) => {
    const [file] = await compileAll([[[0, lie(signature)]]]);
    const single = { ...job, libraries: [{ path: file, ids: [0], signatures: [signature] }] };
    return (await runChild(single, { callPath, flags: ENGINES[engine] })).mismatches[0];
  };
  const fails = async (signature) => (await run(signature)) !== undefined;
  const signature = makeSignature(seed, id);
  // What fails only after others is told as it is.
  if (!(await fails(signature))) return { signature, message: 'not when it is called alone' };
  const smallest = await shrink(signature, fails);
  return { signature: smallest, message: (await run(smallest)).message };
}

/** Mismatches in words. */
function describe({ mismatches }, seed) {
  return mismatches
    .map(({ id, message, callPath, engine, minimal: least }) => {
      const whole = makeSignature(seed, id);
      const words = (signature) =>
        `  C:           ${prototypeOf(signature)}\n  declaration: ${declarationText(signature)}`;
      return [
        `signature ${id} of seed ${seed} (call path ${callPath}, ${engine}): ${message}`,
        words(whole),
        ...(least ? [`the smallest that fails: ${least.message}`, words(least.signature)] : []),
      ].join('\n');
    })
    .join('\n\n');
}

const sentence = ({ figures }, seed) =>
  `seed ${seed}: ${figures.signatures} signatures, ${figures.calls} calls and ${figures.callbacks} callbacks, ` +
  `${figures.optimized} of ${figures.tried} functions optimised`;

module.exports = { runMatrix, describe, sentence };
