import { calling } from '../../cases.mjs';

export default {
  title: '`void f()`',
  peers: calling('nothing', [], 'void'),
  loop: (nothing) => (count) => {
    for (let i = 0; i < count; i++) nothing();
    return 'done';
  },
  model: () => [() => {}],
};
