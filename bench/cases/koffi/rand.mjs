import { forPeers } from '../../cases.mjs';

export default {
  title: '`rand()`',
  peers: forPeers(['koffi', 'koffiLayer'], ({ koffi }) => [koffi.load('libc.so.6').func('int rand()')]),
  loop: (rand) => (count) => {
    let isNumber = true;
    for (let i = 0; i < count; i++) isNumber = rand() >= 0 && isNumber;
    return isNumber;
  },
  model: () => [() => 4],
};
