import { FENCES, forSettings, sink } from '../../settings.mjs';

export default {
  title: '`Buffer.alloc({})`',
  params: [32, 96, 65536],
  settings: forSettings(FENCES, (_peer, _library, size) => [size]),
  loop: (size) => (count) => {
    for (let i = 0; i < count; i++) sink[0] = Buffer.alloc(size);
    return sink[0].length === size;
  },
  model: () => [1],
};
