'use strict';
// Runs rows: a process for each variant, in rounds, so that whatever disturbs the machine disturbs all of them alike.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { BINARIES } = require('./prepare.js');
const table = require('./variants.js');

const script = path.join(__dirname, 'measure', 'process.mjs');
const TIMEOUT_MS = 120_000;

/** How much is measured: the rounds, the time of a warm-up and of a batch, and the batches of a process. */
const PLANS = {
  full: { rounds: 5, warmMs: 120, batchMs: 8, batches: 13 },
  quick: { rounds: 2, warmMs: 60, batchMs: 4, batches: 7 },
};

const COMMANDS = {
  node: ({ binary }) => [binary, '--expose-gc'],
  nodeffi: () => [BINARIES.nodeffi, '--expose-gc', '--experimental-ffi', '--no-warnings'],
  bun: () => [BINARIES.bun, 'run'],
  deno: () => [BINARIES.deno, 'run', '--allow-all', '--no-config', '--no-lock', '--v8-flags=--expose-gc'],
};

/** Whether a variant can run: those of Node can, the others beside the main Node only, if they are installed. */
function isRunnable({ runtime }, isMain) {
  return runtime === 'node' || (isMain && fs.existsSync(BINARIES[runtime]));
}

/** The variants of a row that are run. `peers` are those asked for. */
function chooseVariants({ kind, variants }, peers, isMain) {
  return variants.filter((name) => {
    const variant = table[kind][name];
    const isAskedFor = peers === undefined || kind === 'settings' ? !variant.asked : peers.includes(name);
    return isAskedFor && isRunnable(variant, isMain);
  });
}

function environmentOf({ env }) {
  const clean = Object.entries(process.env).filter(([key]) => !/^(PINNED_FFI_|NODE_|BUN_|DENO_)/.test(key));
  // Bun and Deno look for newer versions, and say so.
  return { ...Object.fromEntries(clean), DENO_NO_UPDATE_CHECK: '1', NO_COLOR: '1', ...env };
}

/** The message of an uncaught error. */
const reasonIn = (stderr) =>
  (/^.*?(?:\w*Error: |panicked|Fatal error).*/im.exec(stderr)?.[0] ?? stderr.trim()).slice(0, 200);

/**
 * One process. Gives { runtime, batches } or { runtime, value }. `env` is added to the variant's environment variables.
 */
function runProcess(row, name, { node, library, plan, env = {} }) {
  const variant = table[row.kind][name];
  const { file, kind, param } = row;
  const order = { file, kind, name, peer: variant.peer, param, library, plan };
  const onOne = variant.isOnOne ? ['taskset', '--cpu-list', '0'] : [];
  const [command, ...args] = [...onOne, ...COMMANDS[variant.runtime](node)];
  const { status, signal, stdout, stderr, error } = spawnSync(command, [...args, script, JSON.stringify(order)], {
    env: { ...environmentOf(variant), ...env },
    encoding: 'utf8',
    timeout: TIMEOUT_MS,
  });
  if (status === 0) return JSON.parse(stdout);
  throw new Error(`${row.id} as ${name} failed: ${error?.message ?? signal ?? reasonIn(stderr)}`);
}

/** A process that measures once gives one number, so there are twice as many of those. */
const roundsOf = ({ isCold }, { rounds }) => (isCold ? 2 * rounds : rounds);

/**
 * All rounds of a row; each begins with another variant. If a process fails, `failed` is called, and the failure is
 * counted.
 * @returns {Record<string, { runtime: string, rounds: object[], failures: number }>} by variant
 */
function runRow(row, { names, node, library, plan, progress, failed }) {
  const results = Object.fromEntries(names.map((name) => [name, { runtime: '', rounds: [], failures: 0 }]));
  for (let round = 0; round < roundsOf(row, plan); round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      progress(name, round);
      try {
        const { runtime, ...measured } = runProcess(row, name, { node, library, plan });
        results[name].runtime = runtime;
        results[name].rounds.push(measured);
      } catch (error) {
        results[name].failures++;
        failed(error);
      }
    }
  }
  return results;
}

module.exports = { PLANS, chooseVariants, roundsOf, runProcess, runRow };
