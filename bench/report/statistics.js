'use strict';
// From what the processes printed to medians, with the batches left out during which something else had the core.

/** A batch counts where the reference kernel beside it took at most this many times what it takes at best. */
const QUIET = 1.15;
/** With fewer quiet batches than these, all count, and the number is marked. */
const ENOUGH = 5;

/** The value at a fraction of the sorted ones. */
function quantile(values, fraction) {
  const list = [...values].sort((a, b) => a - b);
  const at = (list.length - 1) * fraction;
  const [low, high] = [list[Math.floor(at)], list[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

const median = (values) => quantile(values, 0.5);

const engineOf = ({ runtime, machine }) => `${runtime} on ${machine}`;

/** The shortest time of the reference kernel, by engine and machine. */
function floorsOf(results) {
  const floors = new Map();
  for (const { variants } of results) {
    for (const variant of Object.values(variants)) {
      const kernels = variant.rounds.flatMap(({ batches = [] }) => batches.map(([, kernel]) => kernel));
      const engine = engineOf(variant);
      if (kernels.length > 0) floors.set(engine, Math.min(floors.get(engine) ?? Infinity, ...kernels));
    }
  }
  return floors;
}

const valuesOf = (round, isQuiet = () => true) =>
  'value' in round ? [round.value] : round.batches.filter(([, kernel]) => isQuiet(kernel)).map(([time]) => time);

/** { median, low, high, isDisturbed } of a variant: the median and the quartiles of its quiet batches. */
function summarize(variant, floors) {
  const most = (floors.get(engineOf(variant)) ?? Infinity) * QUIET;
  const all = variant.rounds.flatMap((round) => valuesOf(round));
  const quiet = variant.rounds.flatMap((round) => valuesOf(round, (kernel) => kernel <= most));
  const isCold = variant.rounds.some((round) => 'value' in round);
  const isDisturbed = !isCold && quiet.length < ENOUGH;
  const values = isDisturbed ? all : quiet;
  return { median: median(values), low: quantile(values, 0.25), high: quantile(values, 0.75), isDisturbed };
}

/** The median of each round, whatever disturbed it: for ratios within a round. */
const byRound = ({ rounds }) => rounds.map((round) => median(valuesOf(round)));

module.exports = { quantile, median, floorsOf, summarize, byRound };
