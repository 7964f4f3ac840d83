// One process of a benchmark, in Node, Bun or Deno:
//   process.mjs '{ "file", "kind", "name", "peer", "param", "library", "plan" }'
// Prints { runtime, batches } or { runtime, value } as JSON; a wrong result of what is measured is an error.

import process from 'node:process';
import { batchesOf } from './batches.mjs';

const { Bun, Deno } = globalThis;
const { file, kind, name, peer, param, library, plan } = JSON.parse(process.argv[2]);

function runtime() {
  if (Deno) return `Deno ${Deno.version.deno}`;
  if (Bun) return `Bun ${Bun.version}`;
  return `Node ${process.version}`;
}

async function measure() {
  const { default: found } = await import(file);
  const isLoaded = peer !== null && !found.isAlone;
  const module = isLoaded ? await import(`../peers/${peer}.mjs`) : null;
  const made = await (found[kind][name] ?? found[kind][peer])(module, library, param);
  if (typeof made === 'number') return { value: made };
  const { batches, count, result } = await batchesOf(found.loop(...made), { ...plan, clock: found.clock ?? 'cpu' });
  const wanted = await found.loop(...found.model(param))(count);
  if (result !== wanted) throw new Error(`gave ${String(result)}, wanted ${String(wanted)}`);
  return { batches: batches.map(([ns, kernel]) => [ns / (found.operations ?? 1), kernel]) };
}

const measured = await measure();
process.stdout.write(`${JSON.stringify({ runtime: runtime(), ...measured })}\n`, () => process.exit(0));
