'use strict';
// HTTP, TCP and UDP of Node, on the loopback.

const dgram = require('node:dgram');
const { once } = require('node:events');
const http = require('node:http');
const net = require('node:net');

const HOST = '127.0.0.1';

exports['node:http'] = async ({ emit, random, byScale }) => {
  const server = http
    .createServer((request, response) => {
      response.setHeader('x-method', request.method);
      request.pipe(response);
    })
    .listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const send = async (body) => {
    const request = http.request({ host: HOST, port, method: 'POST', agent });
    request.end(body);
    const [response] = await once(request, 'response');
    const chunks = [];
    for await (const chunk of response) chunks.push(chunk);
    return [response.statusCode, response.headers['x-method'], Buffer.concat(chunks)];
  };
  for (let i = 0; i < byScale(20, 80); i += 1) {
    const bodies = Array.from({ length: 8 }, () => random.bytes(random.integer(0, 60_000)));
    for (const answer of await Promise.all(bodies.map(send))) emit(...answer);
    const fetched = await fetch(`http://${HOST}:${port}`, { method: 'PUT', body: bodies[0] });
    emit(fetched.status, await fetched.arrayBuffer());
  }
  agent.destroy();
  server.closeAllConnections();
  server.close();
};

exports['node:net'] = async ({ emit, random, byScale }) => {
  const server = net.createServer((socket) => socket.pipe(socket)).listen(0, HOST);
  await once(server, 'listening');
  const { port } = server.address();
  const send = async (chunks, onread) => {
    const socket = net.connect({ host: HOST, port, ...(onread ? { onread } : {}) });
    for (const chunk of chunks) socket.write(chunk);
    socket.end('the end', 'latin1');
    const received = [];
    if (onread) await once(socket, 'close');
    else for await (const chunk of socket) received.push(chunk);
    return Buffer.concat(received);
  };
  for (let i = 0; i < byScale(20, 80); i += 1) {
    const sent = Array.from({ length: 4 }, () =>
      Array.from({ length: 10 }, () => random.bytes(random.integer(1, 20_000))),
    );
    emit(...(await Promise.all(sent.map((chunks) => send(chunks)))));
    // Node reads into one Buffer again and again.
    const parts = [];
    const onread = {
      buffer: Buffer.alloc(1000),
      callback: (count, buffer) => parts.push(Buffer.from(buffer.subarray(0, count))),
    };
    await send(sent[0], onread);
    emit(Buffer.concat(parts));
  }
  server.close();
};

exports['node:dgram'] = async ({ emit, random, byScale }) => {
  const [one, other] = [dgram.createSocket('udp4'), dgram.createSocket('udp4')];
  for (const socket of [one, other]) {
    socket.bind(0, HOST);
    await once(socket, 'listening');
  }
  other.on('message', (message, { port }) => other.send([message, Buffer.from('!')], port, HOST));
  // One at a time, so that the kernel drops none.
  for (let i = 0; i < byScale(500, 2000); i += 1) {
    const answer = once(one, 'message');
    one.send(random.bytes(random.integer(0, 8000)), other.address().port, HOST);
    emit((await answer)[0]);
  }
  one.close();
  other.close();
};
