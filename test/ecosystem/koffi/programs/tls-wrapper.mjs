// tlsclientwrapper: texts, from an ES module, in a pool of workers.
import assert from 'node:assert/strict';
import { ModuleClient, SessionClient } from 'tlsclientwrapper';

const client = new ModuleClient({ customLibraryPath: process.env.TEST_LIBRARY, maxThreads: 1 });
const session = new SessionClient(client);
const { status, headers } = await session.get('https://example.test/');
assert.deepEqual([status, headers], [200, { 'Content-Type': ['text/plain'] }]);
await session.destroySession();
await client.terminate();
