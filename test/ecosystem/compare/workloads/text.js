'use strict';
// Character encodings.

const ENCODINGS = [
  'utf8',
  'utf16le',
  'utf-16be',
  'utf-32',
  'latin1',
  'win1251',
  'cp437',
  'shift_jis',
  'euc-jp',
  'gbk',
  'gb18030',
  'big5',
  'utf-7',
  'base64',
];

exports['iconv-lite'] = async ({ emit, random, byScale }) => {
  const iconv = require('iconv-lite');
  for (let i = 0; i < byScale(20, 80); i += 1) {
    const text = random.text(random.integer(0, 3000));
    for (const encoding of ENCODINGS) {
      const bytes = iconv.encode(text, encoding);
      emit(bytes, iconv.decode(bytes, encoding));
      const decoder = iconv.getDecoder(encoding);
      // Characters are cut in the middle.
      for (let at = 0; at < bytes.length;) {
        const step = random.integer(1, 500);
        emit(decoder.write(bytes.subarray(at, at + step)) ?? '');
        at += step;
      }
      emit(decoder.end() ?? '');
    }
  }
};
