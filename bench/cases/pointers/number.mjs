import { TYPES } from '../../peers/types.mjs';
import { bound, forPeers } from '../../cases.mjs';

export default {
  title: '`i32 f(ptr)`, an address that C gave',
  peers: forPeers(Object.keys(TYPES), (peer, library) => [
    bound(peer, library, 'value_at', ['ptr'], 'i32'),
    bound(peer, library, 'address_of_seven', [], 'ptr')(),
  ]),
  loop: (valueAt, address) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + valueAt(address)) | 0;
    return sum;
  },
  model: () => [() => 7, null],
};
