import { calls, foreign, own } from '../../settings.mjs';

export default {
  title: 'A call with a Buffer of 64 bytes',
  note: '`strlen(p)` of an empty text, without its result: this measures the call alone.',
  ...calls({
    bufferOff: [own],
    buffer: [own],
    guardOff: [own, { guard: true }],
    guard: [own, { guard: true }],
    number: [foreign],
  }),
};
