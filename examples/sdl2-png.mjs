// Draws with SDL2 into a surface in memory, reads its pixels without a copy, and writes them to a PNG. Needs no screen.
//
//   apt install libsdl2-2.0-0    (dnf install SDL2, brew install sdl2)
//   node examples/sdl2-png.mjs [FILE.png]
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { crc32, deflateSync } from 'node:zlib';
import { dlopen, pointer, struct, toBuffer } from 'pinned-ffi';

const [WIDTH, HEIGHT] = [256, 128];
const RGBA32 = 0x16762004; // SDL_PIXELFORMAT_RGBA32 on little-endian machines: bytes in the order R, G, B, A

const Rect = struct({ x: 'int', y: 'int', w: 'int', h: 'int' }, { name: 'SDL_Rect' });
// The public beginning of SDL_Surface.
const Surface = struct(
  { flags: 'u32', format: 'ptr', w: 'int', h: 'int', pitch: 'int', pixels: 'ptr' },
  { name: 'SDL_Surface' },
);
const { symbols: sdl } = dlopen('SDL2', {
  SDL_CreateRGBSurfaceWithFormat: { args: ['u32', 'int', 'int', 'int', 'u32'], returns: pointer(Surface) },
  SDL_FillRect: { args: [pointer(Surface), pointer(Rect), 'u32'], returns: 'int' },
  SDL_FreeSurface: { args: [pointer(Surface)] },
  SDL_GetError: { returns: 'cstring' },
});

const surface = sdl.SDL_CreateRGBSurfaceWithFormat(0, WIDTH, HEIGHT, 32, RGBA32);
assert.notEqual(surface, null, sdl.SDL_GetError());
const { pitch, pixels } = Surface.read(surface);
const rect = Rect.alloc({ w: 8, h: HEIGHT / 2, x: 0, y: 0 });
for (let x = 0; x < WIDTH; x += 8) {
  [rect.x, rect.y] = [x, x / 4];
  const color = (0xff000000 | (0xff - x) | (x << 8)) >>> 0; // A, B, G, R: little-endian
  assert.equal(sdl.SDL_FillRect(surface, rect, color), 0, sdl.SDL_GetError());
}

// SDL's own memory: to be read before the surface is freed.
const image = toBuffer(pixels, 0, pitch * HEIGHT);
assert.deepEqual([...image.subarray(0, 4)], [0xff, 0, 0, 0xff]);
const file = process.argv[2] ?? 'sdl2.png';
writeFileSync(file, encodePng(image, WIDTH, HEIGHT, pitch));
sdl.SDL_FreeSurface(surface);
console.log(`${file}: ${WIDTH} x ${HEIGHT}`);

/** RGBA rows as a PNG: the header, one compressed chunk of rows that each begin with filter 0, the end. */
function encodePng(rgba, width, height, stride) {
  const rows = Buffer.alloc(height * (1 + width * 4));
  for (let y = 0; y < height; y++) rgba.copy(rows, y * (1 + width * 4) + 1, y * stride, y * stride + width * 4);
  const chunk = (type, data) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, 6], 8); // 8 bits a channel, RGBA
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);
  const chunks = [chunk('IHDR', header), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([signature, ...chunks]);
}
