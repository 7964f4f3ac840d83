'use strict';
// Random signatures on a system whose Node can start neither this machine's compiler nor processes that it reads from:
// the C is written there, compiled here, and called there.

const fs = require('node:fs');
const path = require('node:path');
const { environmentOf } = require('../../test/abi/call-paths.js');
const { C_FLAGS, batchesOf, jobsOf, resultOf } = require('../../test/abi/jobs.js');
const { run } = require('./debian.js');
const { LONG_TIMEOUT_MS, FLAGS, root, start } = require('./check.js');

const abi = (name) => path.join(root, 'test', 'abi', name);
const STEP = 1000;
const AT_ONCE = 2;

/** Does the work of each job, two at a time. */
async function inParallel(jobs, work) {
  const next = jobs.values();
  const all = async () => {
    for (const job of next) await work(job);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, all));
}

/**
 * Compares random signatures with a C compiler of this machine.
 * @param {{ binary: string, env: object, compiler: string, folder: string, pathThere: (file: string) => string }}
 *   runtime folder: where the C and the libraries are put; pathThere: the path of a file of this machine there
 * @param {{ count: number, seed: number, callPaths: string[], engines: string[] }} what as scripts/abi.js has it
 * @returns {Promise<{ count: number, faults: string[] }>}
 */
async function runSignaturesApart({ binary, env, compiler, folder, pathThere }, { count, seed, callPaths, engines }) {
  const faults = [];
  for (let done = 0; done < count; done += STEP) {
    const [own, size] = [seed + done / STEP, Math.min(STEP, count - done)];
    const place = path.join(folder, `seed-${own}`);
    fs.rmSync(place, { recursive: true, force: true });
    fs.mkdirSync(place, { recursive: true });
    const options = { timeout: LONG_TIMEOUT_MS };
    const written = await start(
      binary,
      [...FLAGS, abi('sources.js'), pathThere(place), String(own), String(size)],
      env,
      options,
    );
    if (written.end !== undefined)
      return { count, faults: [`the C of random signatures: ${written.end}: ${written.stderr.slice(-1500)}`] };
    const libraries = batchesOf(size).map((ids, i) => {
      run(compiler, [...C_FLAGS, '-shared', path.join(place, `${i}.c`), '-o', path.join(place, `${i}.dll`)]);
      return { path: pathThere(path.join(place, `${i}.dll`)), ids };
    });
    const jobs = jobsOf(libraries, { seed: own, callPaths, engines }).map((each, i) => ({ ...each, i }));
    await inParallel(jobs, async ({ callPath, job, i }) => {
      const file = path.join(place, `job-${i}.json`);
      fs.writeFileSync(file, JSON.stringify(job));
      const args = [...FLAGS, abi('child.js'), pathThere(file)];
      const output = await start(binary, args, { ...env, ...environmentOf(callPath) }, options);
      const { mismatches } = resultOf(output, output.end);
      faults.push(
        ...mismatches.map(
          ({ id, message, declaration }) =>
            `signature ${id} of seed ${own} (call path ${callPath}): ${message} ${declaration ?? ''}`,
        ),
      );
    });
    fs.rmSync(place, { recursive: true });
  }
  return { count, faults };
}

module.exports = { runSignaturesApart };
