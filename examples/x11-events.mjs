// A window, and events that it sends to itself, through the real libX11. An XEvent is a union of 192 bytes; the Buffer
// for it is first made too small, by the 96 bytes of one of its members, which is a mistake that compiles in every
// language.
//
//   apt install xvfb libx11-6    (dnf install xorg-x11-server-Xvfb libX11)
//   node examples/x11-events.mjs [number of events, 1000 if not given]
//
// It uses the X server of $DISPLAY; without one it starts Xvfb, which needs no screen, and stops it again. It checks
// itself: the process ends with 1 if something is wrong.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { dlopen, fences } from 'pinned-ffi';

const INSTALL = 'install it: apt install xvfb libx11-6';
const COUNT = Number(process.argv[2] ?? 1000);
assert.ok(Number.isSafeInteger(COUNT) && COUNT > 0, `a number of events, not ${process.argv[2]}`);

// ---- What Xlib.h says -----------------------------------------------------------------------------------------------

const SIZEOF_XEVENT = 192; // union { int type; ...; long pad[24]; }
const SIZEOF_XCLIENTMESSAGEEVENT = 96;
const CLIENT_MESSAGE = 33;
const PROPERTY_CHANGE_MASK = 1n << 22n;
// XClientMessageEvent on 64-bit systems: what lies where.
const AT = { type: 0, serial: 8, sendEvent: 16, display: 24, window: 32, messageType: 40, format: 48, data: 56 };

const XLIB = {
  XOpenDisplay: { args: ['cstring'], returns: 'ptr' },
  XCloseDisplay: { args: ['ptr'], returns: 'i32' },
  XDefaultRootWindow: { args: ['ptr'], returns: 'unsigned long' },
  XCreateSimpleWindow: {
    args: ['ptr', 'unsigned long', 'i32', 'i32', 'u32', 'u32', 'u32', 'unsigned long', 'unsigned long'],
    returns: 'unsigned long',
  },
  XSelectInput: { args: ['ptr', 'unsigned long', 'long'], returns: 'i32' },
  XInternAtom: { args: ['ptr', 'cstring', 'i32'], returns: 'unsigned long' },
  XSendEvent: { args: ['ptr', 'unsigned long', 'i32', 'long', 'ptr'], returns: 'i32' },
  XNextEvent: { args: ['ptr', 'ptr'], returns: 'i32' },
  XPending: { args: ['ptr'], returns: 'i32' },
  XSync: { args: ['ptr', 'i32'], returns: 'i32' },
  XDestroyWindow: { args: ['ptr', 'unsigned long'], returns: 'i32' },
};

// ---- An X server ----------------------------------------------------------------------------------------------------

/** Starts Xvfb, which chooses a free display number and tells it through the pipe of -displayfd. */
async function startServer() {
  const server = spawn('Xvfb', ['-displayfd', '3', '-screen', '0', '320x240x24', '-nolisten', 'tcp'], {
    stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
  });
  let complaints = '';
  server.stderr.setEncoding('utf8').on('data', (chunk) => (complaints += chunk));
  const gone = new Promise((_, reject) => {
    server.on('error', (cause) => reject(new Error(`Xvfb did not start; ${INSTALL}`, { cause })));
    server.on('exit', (code) => reject(new Error(`Xvfb ended with ${code}: ${complaints}`)));
  });
  const number = once(server.stdio[3].setEncoding('utf8'), 'data').then(([text]) => text.trim());
  const display = `:${await Promise.race([number, gone])}`;
  const ended = gone.catch(() => {});
  const stop = async () => {
    server.kill();
    await ended;
  };
  return { display, stop };
}

/** The server of $DISPLAY, or one of our own. */
const findServer = async () =>
  process.env.DISPLAY ? { display: process.env.DISPLAY, stop: async () => {} } : startServer();

// ---- Events ---------------------------------------------------------------------------------------------------------

function openXlib() {
  try {
    return dlopen('X11', XLIB);
  } catch (error) {
    if (error.code !== 'ERR_FFI_LIBRARY_NOT_FOUND') throw error;
    throw new Error(`there is no libX11; ${INSTALL}`, { cause: error });
  }
}

/** The five longs of event `i`. */
const payload = (i) => [
  BigInt(i),
  BigInt(i) * 3n,
  -BigInt(i),
  0x1234_5678n,
  BigInt.asIntN(32, BigInt(i) * 2_654_435_761n),
];

function fillEvent(event, window, messageType, i) {
  event.fill(0);
  event.writeInt32LE(CLIENT_MESSAGE, AT.type);
  event.writeBigUInt64LE(window, AT.window);
  event.writeBigUInt64LE(messageType, AT.messageType);
  event.writeInt32LE(32, AT.format);
  payload(i).forEach((value, k) => event.writeBigInt64LE(value, AT.data + 8 * k));
}

function checkEvent(event, window, messageType, i) {
  assert.equal(event.readInt32LE(AT.type), CLIENT_MESSAGE);
  assert.equal(event.readInt32LE(AT.sendEvent), 1, 'the event was sent by a program');
  assert.equal(event.readBigUInt64LE(AT.window), window);
  assert.equal(event.readBigUInt64LE(AT.messageType), messageType);
  payload(i).forEach((value, k) => assert.equal(event.readBigInt64LE(AT.data + 8 * k), value, `event ${i}, long ${k}`));
}

/** Sends `count` numbered events, reads them with XNextEvent into fresh Buffers, and makes garbage all the while. */
function exchange(x, connection, count) {
  const { display, window, messageType } = connection;
  const batch = 200;
  const kept = [];
  const out = Buffer.alloc(SIZEOF_XEVENT);
  for (let start = 0; start < count; start += batch) {
    const end = Math.min(start + batch, count);
    for (let i = start; i < end; i++) {
      fillEvent(out, window, messageType, i);
      assert.equal(x.XSendEvent(display, window, 0, 0n, out), 1);
    }
    x.XSync(display, 0);
    for (let i = start; i < end; i++) {
      const event = Buffer.alloc(SIZEOF_XEVENT);
      x.XNextEvent(display, event);
      checkEvent(event, window, messageType, i);
      // Small Buffers come and go next to the event; some stay for a while and must still hold what they held.
      kept.push({ i, event, note: Buffer.from(`event ${i}`), bytes: new Uint8Array(16).fill(i & 255) });
      if (kept.length === 500) check(kept.splice(0, 250), connection);
    }
    if ((start / batch) % 25 === 0) collectGarbage();
  }
  check(kept, connection);
}

function check(kept, { window, messageType }) {
  for (const { i, event, note, bytes } of kept) {
    checkEvent(event, window, messageType, i);
    assert.equal(note.toString(), `event ${i}`);
    assert.ok(bytes.every((byte) => byte === (i & 255)));
  }
}

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

function main(library, name) {
  const x = library.symbols;
  const display = x.XOpenDisplay(name);
  assert.notEqual(display, null, `the display ${name} does not open`);
  const window = x.XCreateSimpleWindow(display, x.XDefaultRootWindow(display), 10, 10, 100, 80, 1, 0n, 0n);
  x.XSelectInput(display, window, PROPERTY_CHANGE_MASK);
  const connection = { display, window, messageType: x.XInternAtom(display, 'PINNED_FFI_EXAMPLE', 0) };
  console.log(`${library.path}: display ${name}, window 0x${window.toString(16)}`);

  const { installed, before, after, reason } = fences();
  console.log(installed ? `fences: ${before} bytes before every Buffer, ${after} after` : `no fences: ${reason}`);
  if (installed) overflow(x, connection);

  const start = performance.now();
  exchange(x, connection, COUNT);
  assert.equal(x.XPending(display), 0, 'every event was read');
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${COUNT} events sent and received intact through a Buffer of ${SIZEOF_XEVENT} bytes, in ${seconds} s`);

  x.XDestroyWindow(display, window);
  x.XCloseDisplay(display);
}

/** XNextEvent always writes 192 bytes: into a Buffer of 96 it writes 96 past the end. */
function overflow(x, { display, window, messageType }) {
  const out = Buffer.alloc(SIZEOF_XEVENT);
  fillEvent(out, window, messageType, 7);
  x.XSendEvent(display, window, 0, 0n, out);
  const neighbours = Array.from({ length: 64 }, (_, i) => Buffer.alloc(96, i));
  const tooSmall = Buffer.alloc(SIZEOF_XCLIENTMESSAGEEVENT);
  neighbours.push(...Array.from({ length: 64 }, (_, i) => Buffer.alloc(96, 64 + i)));
  assert.throws(
    () => x.XNextEvent(display, tooSmall),
    (error) => {
      assert.equal(error.code, 'ERR_FFI_BUFFER_OVERFLOW');
      const { symbol, argument, byteLength, firstBadOffset, bytesPast } = error;
      assert.deepEqual(
        { symbol, argument, byteLength, firstBadOffset, bytesPast },
        { symbol: 'XNextEvent', argument: 1, byteLength: 96, firstBadOffset: 96, bytesPast: 96 },
      );
      console.log(`a Buffer of ${tooSmall.length} bytes: ${error.code}\n  ${error.message}`);
      return true;
    },
  );
  assert.ok(
    neighbours.every((buffer, i) => buffer.every((byte) => byte === i)),
    'no other Buffer has changed',
  );
  // What fitted has arrived, and the process goes on.
  checkEvent(tooSmall, window, messageType, 7);
}

let server;
try {
  const library = openXlib();
  server = await findServer();
  main(library, server.display);
  library.close();
} catch (error) {
  console.error('The example failed:', error);
  process.exitCode = 1;
} finally {
  await server?.stop();
}
