import { calling, eight } from '../../cases.mjs';

const texts = (length) => [eight((i) => String(i).padEnd(length, 'x'))];

export default {
  title: '`u32 f(text)`, {} characters',
  note: 'Texts are ASCII, eight in turn. C counts the characters of its arguments. Deno has no type for text.',
  params: [5, 100, 1000],
  peers: calling('length_of', ['text'], 'u32', texts),
  loop: (lengthOf, all) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) sum = (sum + lengthOf(all[i & 7])) | 0;
    return sum;
  },
  model: (length) => [(text) => text.length, ...texts(length)],
};
