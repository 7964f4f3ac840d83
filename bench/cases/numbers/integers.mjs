import { TYPES } from '../../peers/types.mjs';
import { bound, forPeers } from '../../cases.mjs';

const loops = {
  6: (sum) => (count) => {
    let all = 0;
    for (let i = 0; i < count; i++) all = (all + sum(i & 1023, 2, 3, 4, 5, 6)) | 0;
    return all;
  },
  10: (sum) => (count) => {
    let all = 0;
    for (let i = 0; i < count; i++) all = (all + sum(i & 1023, 2, 3, 4, 5, 6, 7, 8, 9, 10)) | 0;
    return all;
  },
  32: (sum) => (count) => {
    let all = 0;
    for (let i = 0; i < count; i++) {
      all =
        (all +
          sum(
            i & 1023,
            2,
            3,
            4,
            5,
            6,
            7,
            8,
            9,
            10,
            11,
            12,
            13,
            14,
            15,
            16,
            17,
            18,
            19,
            20,
            21,
            22,
            23,
            24,
            25,
            26,
            27,
            28,
            29,
            30,
            31,
            32,
          )) |
        0;
    }
    return all;
  },
};

export default {
  title: '`i32 f(i32 × {})`',
  params: [6, 10, 32],
  peers: forPeers(Object.keys(TYPES), (peer, library, number) => [
    bound(peer, library, `sum_${number}`, Array(number).fill('i32'), 'i32'),
    number,
  ]),
  loop: (sum, number) => loops[number](sum),
  model: (number) => [(...values) => values.reduce((a, b) => a + b), number],
};
