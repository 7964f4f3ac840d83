'use strict';
// node-tls-client: texts in and out, in worker threads.
const assert = require('node:assert/strict');
const { initTLS, destroyTLS, Session } = require('node-tls-client');

(async () => {
  await initTLS();
  const session = new Session({ clientIdentifier: 'chrome_120' });
  const response = await session.get('https://example.test/');
  assert.deepEqual([response.status, await response.text()], [200, 'without a body']);
  const all = await Promise.all([1, 2, 3].map((i) => session.post(`https://example.test/${i}`, { body: 'x' })));
  assert.deepEqual(
    all.map(({ status }) => status),
    [200, 200, 200],
  );
  await session.close();
  await destroyTLS();
})();
