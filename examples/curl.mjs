// Fetches from a server in this very process: libcurl waits on another thread, and calls JavaScript from there.
//
//   apt install libcurl4    (dnf install libcurl; macOS has it)
//   node examples/curl.mjs
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { JSCallback, dlopen, opaque, toBuffer } from 'pinned-ffi';

const Easy = opaque('CURL', { free: 'curl_easy_cleanup' });
const { symbols: curl } = dlopen('curl', {
  curl_version: { returns: 'cstring' },
  curl_global_init: { args: ['long'], returns: 'int' },
  curl_easy_init: { returns: Easy },
  curl_easy_cleanup: { args: [Easy] },
  curl_easy_setopt: { args: [Easy, 'int'], varargs: true, returns: 'int' },
  curl_easy_perform: { args: [Easy], returns: 'int' },
  curl_easy_strerror: { args: ['int'], returns: 'cstring' },
});
const [URL, WRITEFUNCTION, GLOBAL_DEFAULT] = [10002, 20011, 3];

const chunks = [];
const keep = new JSCallback(
  (data, size, count) => {
    chunks.push(Buffer.from(toBuffer(data, 0, Number(size * count)))); // a copy: curl uses its memory again
    return size * count;
  },
  { args: ['ptr', 'size_t', 'size_t', 'ptr'], returns: 'size_t' },
);

const server = createServer((request, response) => response.end(`you asked for ${request.url}`)).listen(0, '127.0.0.1');
await once(server, 'listening');

assert.equal(curl.curl_global_init(GLOBAL_DEFAULT), 0);
const easy = curl.curl_easy_init();
const set = (option, pair) => assert.equal(curl.curl_easy_setopt(easy, option, pair), 0);
set(URL, ['cstring', `http://127.0.0.1:${server.address().port}/greeting`]);
set(WRITEFUNCTION, ['function', keep]);
// Asynchronous, for this thread has to answer the request meanwhile.
const code = await curl.curl_easy_perform.async(easy);
assert.equal(code, 0, curl.curl_easy_strerror(code));
curl.curl_easy_cleanup(easy);
keep.close();
server.close();

const body = Buffer.concat(chunks).toString();
assert.equal(body, 'you asked for /greeting');
console.log(`${curl.curl_version().split(' ')[0]}: ${body}`);
