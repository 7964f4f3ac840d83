import { bound, forPeers } from '../../cases.mjs';

const TEXTS = {
  'UTF-8, 20 characters beyond ASCII': ['Übergrößenträger äß', 1],
  'UTF-8, 100 characters beyond Latin-1': ['привет мир ', 9],
  'ASCII, 1 MB': ['x', 1e6],
  'UTF-8 beyond Latin-1, 1 MB': ['привет мир ', 50_000],
};

const make = (peer, library, kind) => {
  const bytes = new TextEncoder().encode(`${TEXTS[kind][0]}\0`);
  bound(peer, library, 'make_encoded', ['buffer', 'i32'], 'void')(bytes, TEXTS[kind][1]);
};

/** The peer has a type for a text that C returns. */
const direct = forPeers(['pinned', 'koffi', 'bun'], (peer, library, kind) => {
  make(peer, library, kind);
  return [bound(peer, library, 'encoded_at', ['i32'], 'text')];
});

/** The peer reads the text at a pointer. */
const read = (peers, toText) =>
  forPeers(peers, (peer, library, kind) => {
    make(peer, library, kind);
    const at = bound(peer, library, 'encoded_at', ['i32'], 'ptr');
    const text = toText(peer);
    return [(i) => text(at(i))];
  });

export default {
  title: '`text f(i32)`, {}',
  note: 'The texts begin with different digits.',
  params: Object.keys(TEXTS),
  peers: {
    ...direct,
    ...read(['nodeffi'], ({ ffi }) => ffi.toString),
    ...read(['deno'], ({ Deno }) => Deno.UnsafePointerView.getCString),
  },
  loop: (textAt) => (count) => {
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const text = textAt(i & 7);
      sum = (sum + text.length + text.charCodeAt(0) + text.charCodeAt(text.length - 1)) | 0;
    }
    return sum;
  },
  model: (kind) => [(i) => i + TEXTS[kind][0].repeat(TEXTS[kind][1])],
};
