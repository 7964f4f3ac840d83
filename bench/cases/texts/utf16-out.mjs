const TEXTS = {
  '20 characters': ['Übergröße привет ✓', 1],
  '1,000 characters': ['Übergröße привет ✓', 55],
  '20 characters of ASCII': ['text of this length', 1],
  '1 MB': ['Übergröße привет ✓', 27_000],
};

const unitsOf = ([pattern]) => Uint16Array.from(`${pattern}\0`, (character) => character.charCodeAt(0));

export default {
  title: '`UTF-16 text f(i32)`, {}',
  note: 'The texts begin with different digits.',
  params: Object.keys(TEXTS),
  peers: {
    pinned: ({ ffi }, library, kind) => {
      const { make_utf16: make, utf16_at: at } = ffi.dlopen(library, {
        make_utf16: { args: ['buffer', 'i32'], returns: 'void' },
        utf16_at: { args: ['i32'], returns: 'utf16' },
      }).symbols;
      make(unitsOf(TEXTS[kind]), TEXTS[kind][1]);
      return [at];
    },
    koffi: ({ koffi }, library, kind) => {
      const loaded = koffi.load(library);
      loaded.func('make_utf16', 'void', ['void *', 'int32_t'])(unitsOf(TEXTS[kind]), TEXTS[kind][1]);
      return [loaded.func('utf16_at', 'const char16_t *', ['int32_t'])];
    },
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
