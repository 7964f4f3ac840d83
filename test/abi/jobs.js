'use strict';
// The jobs of the ABI matrix: which child process runs which signatures, and what it printed. Loads nothing of the
// package, because they may be for another system.

const { ENGINES } = require('./call-paths.js');

const BATCH = 125;
/** Of one process: a crash loses what comes after it, and a start costs. */
const LIBRARIES = 4;
/**
 * Of how many signatures one is also called after forced optimisation, and run by the engines that are not the usual.
 */
const SAMPLE = 40;
const ROUNDS = 3;
/** For the C of signatures. */
const C_FLAGS = ['-std=gnu11', '-O1', '-w'];

const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
const groups = (list, size) => range(0, Math.ceil(list.length / size)).map((i) => list.slice(i * size, (i + 1) * size));

/** The ids of `count` signatures, by the library that has them. */
const batchesOf = (count) => groups(range(0, count), BATCH);

/** The result of a child by its output. `end` says how it ended, if not well. */
function resultOf({ stdout, stderr }, end) {
  const lines = stdout.split('\n');
  const mismatches = lines.filter((line) => line.startsWith('! ')).map((line) => JSON.parse(line.slice(2)));
  const figures = lines.find((line) => line.startsWith('= '));
  if (figures !== undefined && end === undefined) return { mismatches, figures: JSON.parse(figures.slice(2)) };
  const last = lines.findLast((line) => line.startsWith('> '));
  const words = `the process ${end}\n${stderr.slice(-2000)}`;
  if (last === undefined) throw new Error(words);
  return { mismatches: [...mismatches, { id: Number(last.slice(2)), message: words, isCrash: true }], figures: {} };
}

/** The jobs of a run: each is a library on one call path and engine. */
function jobsOf(libraries, { seed, callPaths, engines, enginesOnOnePath }) {
  const jobs = [];
  for (const callPath of callPaths) {
    for (const engine of engines) {
      const isUsual = ENGINES[engine].length === 0;
      if (enginesOnOnePath && !isUsual && callPath !== callPaths[0]) continue;
      const all = libraries.map(({ path: file, ids }) => ({
        path: file,
        ids: isUsual ? ids : ids.filter((id) => id % SAMPLE === 0),
      }));
      for (const group of isUsual ? groups(all, LIBRARIES) : [all]) {
        jobs.push({
          callPath,
          engine,
          job: {
            seed,
            libraries: group,
            wraps: [false, true],
            rounds: isUsual ? ROUNDS : 4 * ROUNDS,
            optimizeEvery: isUsual ? SAMPLE : 0,
          },
        });
      }
    }
  }
  return jobs;
}

module.exports = { batchesOf, jobsOf, resultOf, C_FLAGS };
