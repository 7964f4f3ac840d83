'use strict';
// Clients and servers of packages, on the loopback.

const { once } = require('node:events');
const http = require('node:http');

/** Runs with a server that listens on a free port of the loopback. */
async function withServer(server, run) {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    await run(server.address().port);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

exports.ws = async ({ emit, random, byScale }) => {
  const { WebSocket, WebSocketServer } = require('ws');
  const server = http.createServer();
  const sockets = new WebSocketServer({ server, perMessageDeflate: { threshold: 1000 } });
  // Both directions are masked or compressed in place or in new Buffers.
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(isBinary ? data : `echo ${data}`)),
  );
  await withServer(server, async (port) => {
    for (const perMessageDeflate of [false, true]) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate });
      await once(socket, 'open');
      for (let i = 0; i < byScale(100, 400); i += 1) {
        socket.send(i % 4 === 0 ? random.text(random.integer(0, 500)) : random.bytes(random.integer(0, 30_000)));
        const [data, isBinary] = await once(socket, 'message');
        emit(isBinary, data);
      }
      socket.close();
      await once(socket, 'close');
    }
  });
  sockets.close();
};

exports.undici = async ({ emit, random, byScale }) => {
  const { FormData, Pool, fetch } = require('undici');
  const server = http.createServer((request, response) => {
    response.setHeader('content-type', request.headers['content-type'] ?? 'application/octet-stream');
    request.pipe(response);
  });
  await withServer(server, async (port) => {
    const origin = `http://127.0.0.1:${port}`;
    const pool = new Pool(origin, { connections: 4, pipelining: 2 });
    for (let i = 0; i < byScale(20, 80); i += 1) {
      const bodies = Array.from({ length: 8 }, () => random.bytes(random.integer(0, 50_000)));
      const answers = await Promise.all(
        bodies.map(async (body) => {
          const answer = await pool.request({ path: '/', method: 'PUT', body });
          return [answer.statusCode, await answer.body.arrayBuffer()];
        }),
      );
      for (const answer of answers) emit(...answer);
      const fetched = await fetch(origin, { method: 'POST', body: bodies[0], duplex: 'half', dispatcher: pool });
      emit(fetched.status, (await fetched.bytes?.()) ?? (await fetched.arrayBuffer()));
      // The boundary is random: the form is compared by what is read of it.
      const form = new FormData();
      form.set('file', new Blob([bodies[1]]), 'file.bin');
      form.set('text', random.text(50));
      const echoed = await (await fetch(origin, { method: 'POST', body: form, dispatcher: pool })).formData();
      emit(await echoed.get('file').arrayBuffer(), echoed.get('text'));
    }
    await pool.close();
  });
};
