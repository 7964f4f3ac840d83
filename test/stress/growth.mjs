// What a process has, and whether it is flat over a long run.

import fs from 'node:fs';

/** What each may grow by over the run, after its first third: in its unit, and as a part of its mean. */
const MOST_GROWTH = { rssMB: [24, 0.1], fds: [3, 0.1], threads: [3, 0.1], mappings: [60, 0.15] };

/** Resident memory, descriptors, threads and mappings of this process. */
export function measure() {
  const status = fs.readFileSync('/proc/self/status', 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)[1]);
  const mappings = fs.readFileSync('/proc/self/maps', 'utf8').trimEnd().split('\n');
  return {
    rssMB: field('VmRSS') / 1024,
    fds: fs.readdirSync('/proc/self/fd').length,
    threads: field('Threads'),
    mappings: mappings.length,
  };
}

/** How much a line through the samples of a name rises from the first to the last. */
function growth(samples, name) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [times, values] = [samples.map(({ at }) => at), samples.map((sample) => sample[name])];
  const [time, value] = [mean(times), mean(values)];
  const slope =
    times.reduce((sum, at, i) => sum + (at - time) * (values[i] - value), 0) /
    times.reduce((sum, at) => sum + (at - time) ** 2, 0);
  return { mean: value, rise: slope * (times.at(-1) - times[0]) };
}

/**
 * Prints how much each has risen, and gives what is not flat, as texts.
 * @param {{ at: number }[]} samples those of measure(), with their second
 * @param {number} minutes the length of the run
 */
export function findGrowth(samples, minutes) {
  // The last second is that of workers that end.
  const settled = samples.filter(({ at }) => at > minutes * 20 && at < minutes * 60 - 1);
  // A short run has no time to settle.
  const slack = minutes < 2 ? 4 : 1;
  return Object.entries(MOST_GROWTH).flatMap(([name, [most, part]]) => {
    const { mean, rise } = growth(settled, name);
    console.log(`${name}: a mean of ${mean.toFixed(1)}, which has risen by ${rise.toFixed(1)}`);
    return rise > slack * Math.max(most, mean * part)
      ? [`${name} is not flat: it has risen by ${rise.toFixed(1)}`]
      : [];
  });
}
