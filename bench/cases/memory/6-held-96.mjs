import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const title = 'Memory held by a `Buffer.alloc(96)`';
export const note = 'Growth of the resident memory over 200,000 Buffers that are kept, divided by their number.';
export const unit = 'bytes';
export const baseline = 'none';

const COUNT = 200_000;

function measure() {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const kept = new Array(COUNT).fill(null);
  collect();
  const before = process.memoryUsage().rss;
  for (let i = 0; i < COUNT; i++) kept[i] = Buffer.alloc(96);
  collect();
  return (process.memoryUsage().rss - before) / kept.length;
}

export {
  measure as none, measure as off, measure as fenced, measure as fence128, measure as fence256, measure as fence4096,
};
