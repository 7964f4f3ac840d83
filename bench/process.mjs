// One process of a benchmark: node process.mjs CASE VARIANT. Prints one number: nanoseconds per operation, or what the
// case measures itself.
import { pathToFileURL } from 'node:url';
import { createRequire } from 'node:module';

const BATCH_NS = 20e6;
const BATCHES = 7;

const [file, name] = process.argv.slice(2);
const variants = createRequire(import.meta.url)('./variants.js');
if (variants[name].load) await import('../index.mjs');
const made = await (await import(pathToFileURL(file).href))[name]();

// The time of the processor, of all threads (those that free the garbage too): other programs do not count.
function time(batch, count) {
  const start = process.cpuUsage();
  batch(count);
  const { user, system } = process.cpuUsage(start);
  return (user + system) * 1000;
}

/** The median of some batches, each long enough to hold its share of garbage collection. */
function measure(batch) {
  let count = 64;
  while (time(batch, count) < BATCH_NS / 4) count *= 2;
  count = Math.max(1, Math.round((count * BATCH_NS) / time(batch, count)));
  const times = Array.from({ length: BATCHES }, () => time(batch, count) / count);
  return times.sort((a, b) => a - b)[BATCHES >> 1];
}

console.log(JSON.stringify(typeof made === 'number' ? made : measure(made)));
