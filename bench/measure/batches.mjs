// Times batches of a case. Before and after each, a reference kernel is timed, a loop that always does the same: where
// it takes longer than it can, something else slowed the core down, and the report leaves the batch out.

import process from 'node:process';

const KERNEL_ROUNDS = 200_000;

function kernel() {
  let state = 1;
  for (let i = 0; i < KERNEL_ROUNDS; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
  }
  return state;
}

// Its results end up here, so that the optimiser cannot leave it out.
let ran = 0;

const clocks = {
  // The processor's, of all threads of the process (those that free the garbage, too): other programs do not count.
  cpu: () => {
    const { user, system } = process.cpuUsage();
    return (user + system) * 1e3;
  },
  // Of the world: for what waits.
  wall: () => performance.now() * 1e6,
};

/** Nanoseconds of the kernel. */
function timeKernel() {
  const start = clocks.cpu();
  ran ^= kernel();
  return clocks.cpu() - start;
}

/**
 * Measures a batch, (count) => result or its Promise.
 * @param plan warmMs: how long it runs before; batchMs: how long a batch takes; batches: how many; clock: cpu or wall
 * @returns the batches, each [ns an operation, ns of the slower kernel beside it], the count and the result of all
 */
export async function batchesOf(batch, { warmMs, batchMs, batches, clock }) {
  const now = clocks[clock];
  const run = async (count) => {
    const start = now();
    const returned = batch(count);
    const result = typeof returned?.then === 'function' ? await returned : returned;
    return { time: now() - start, result };
  };

  // By the clock of the case: on a busy machine a process gets little done in the same time of the world.
  const end = now() + warmMs * 1e6;
  let count = 1;
  for (let least = 0; now() < end || least < batchMs * 2.5e5;) {
    least = (await run(count)).time;
    if (least < batchMs * 2.5e5) count *= 2;
  }
  count = Math.max(1, Math.round((count * batchMs * 1e6) / (await run(count)).time));
  for (let i = 0; i < 20; i++) timeKernel();

  const measured = [];
  let [before, first] = [timeKernel()];
  for (let i = 0; i < batches; i++) {
    const { time, result } = await run(count);
    const after = timeKernel();
    measured.push([time / count, Math.max(before, after)]);
    before = after;
    if (i === 0) first = result;
    else if (result !== first) throw new Error(`gave ${String(result)} after ${String(first)}`);
  }
  return { batches: measured, count, result: first, ran };
}
