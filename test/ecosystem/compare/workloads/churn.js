'use strict';
// Short-lived allocations: the memory of the process afterwards is compared.

const { setImmediate: turn } = require('node:timers/promises');

/**
 * Allocates arrays of random lengths, keeps the newest of them, and emits what others wrote into those that it drops.
 */
async function churn({ emit, random }, { count, keep, from, to, turnEvery }) {
  const kept = [];
  for (let i = 0; i < count; i += 1) {
    const array = new Uint8Array(random.integer(from, to));
    // A byte of each page, so that the memory is in use.
    for (let at = 0; at < array.length; at += 4096) array[at] = i;
    const dropped = kept[i % keep];
    if (dropped !== undefined) emit(dropped.length, dropped[0], dropped.at(-1));
    kept[i % keep] = array;
    if (i % turnEvery === 0) await turn();
  }
}

const MIB = 2 ** 20;

exports['churn: 4 MiB'] = (context) =>
  churn(context, { count: context.byScale(200, 800), keep: 8, from: 4 * MIB, to: 4 * MIB, turnEvery: 4 });

exports['churn: 100 to 400 bytes'] = (context) =>
  churn(context, { count: context.byScale(50_000, 400_000), keep: 20_000, from: 100, to: 400, turnEvery: 1000 });
