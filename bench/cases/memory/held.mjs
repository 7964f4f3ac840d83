import { memoryOf } from '../../cases.mjs';
import { FENCES, forSettings } from '../../settings.mjs';

const COUNT = 200_000;

function measure() {
  const held = new Array(COUNT).fill(null);
  return (
    memoryOf(() => {
      for (let i = 0; i < COUNT; i++) held[i] = Buffer.alloc(96);
      return held;
    }).bytes / held.length
  );
}

export default {
  title: 'Memory held by a `Buffer.alloc(96)`',
  note: 'Growth of the resident memory for 200,000 Buffers that are kept, divided by their number.',
  unit: 'bytes',
  settings: forSettings(FENCES, measure),
};
