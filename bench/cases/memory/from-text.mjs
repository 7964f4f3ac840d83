import { FENCES, forSettings, sink } from '../../settings.mjs';

export default {
  title: "`Buffer.from('hello world')`",
  settings: forSettings(FENCES, () => []),
  loop: () => (count) => {
    for (let i = 0; i < count; i++) sink[0] = Buffer.from('hello world');
    return sink[0].length;
  },
  model: () => [],
};
