import { Buffer } from 'node:buffer';
import { bound } from '../../cases.mjs';

function pinned(peer, library, number) {
  const { ffi } = peer;
  const ends = bound(peer, library, 'ends', ['ptr', 'u32'], 'u32');
  const live = Array.from({ length: number }, () => Buffer.alloc(96));
  live.forEach((view) => ffi.ptr(view));
  const bytes = Buffer.alloc(96, 1);
  live.push(bytes);
  return [ends, ffi.ptr(bytes), live];
}

export default {
  title: '`u32 f(ptr, u32)`, a number from `ptr(view)`, with {} live addresses',
  params: [1, 1000, 100_000],
  peers: { pinned },
  // What is live is held by the loop.
  loop: (ends, bytes, live) => (count) => {
    let sum = live === null ? 1 : 0;
    for (let i = 0; i < count; i++) sum = (sum + ends(bytes, 96)) | 0;
    return sum;
  },
  model: () => [() => 257, null, []],
};
