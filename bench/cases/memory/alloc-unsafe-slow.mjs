import { FENCES, forSettings, sink } from '../../settings.mjs';

export default {
  title: '`Buffer.allocUnsafeSlow(96)`',
  settings: { ...forSettings(FENCES, () => [96]), wide: () => [320] },
  loop: (size) => (count) => {
    for (let i = 0; i < count; i++) sink[0] = Buffer.allocUnsafeSlow(size);
    return sink[0].length === size;
  },
  model: () => [1],
};
