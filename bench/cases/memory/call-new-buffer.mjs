import { calls, own } from '../../settings.mjs';

const names = ['off', 'unquarantined', 'fenced', 'fence256', 'fence4096'];

export default {
  title: 'A call with a new Buffer of 64 bytes each',
  note: 'Allocation, the call, and the quarantine of a Buffer whose address C has.',
  ...calls(Object.fromEntries(names.map((name) => [name, [own]]))),
  loop: (strlen) => (count) => {
    for (let i = 0; i < count; i++) strlen(own());
    return 'done';
  },
};
