import { bound, forPeers } from '../../cases.mjs';

const make = (peer, library, length) => bound(peer, library, 'make_texts', ['i32'], 'void')(length);

/** The peer has a type for a text that C returns. */
const direct = forPeers(['pinned', 'koffi', 'bun', 'ffirs'], (peer, library, length) => {
  make(peer, library, length);
  return [bound(peer, library, 'text_at', ['i32'], 'text')];
});

/** The peer reads the text at a pointer. */
const read = (peers, toText) =>
  forPeers(peers, (peer, library, length) => {
    make(peer, library, length);
    const at = bound(peer, library, 'text_at', ['i32'], 'ptr');
    const text = toText(peer);
    return [(i) => text(at(i))];
  });

export default {
  title: '`text f(i32)`, {} characters',
  note: 'If C returns a text, node:ffi and Deno return a pointer, which is then read.',
  params: [16, 1000],
  peers: {
    ...direct,
    ...read(['nodeffi'], ({ ffi }) => ffi.toString),
    ...read(['deno'], ({ Deno }) => Deno.UnsafePointerView.getCString),
  },
  loop: (textAt) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const text = textAt(i & 7);
      sum = (sum + text.length + text.charCodeAt(0)) | 0;
    }
    return sum;
  },
  model: (length) => [(i) => 'abcdefgh'[i].padEnd(length, 'x')],
};
