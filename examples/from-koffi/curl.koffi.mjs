// Fetches a URL on another thread, with a callback for the data: node examples/from-koffi/curl.koffi.mjs URL
// The same for this package: curl.mjs.
import { promisify } from 'node:util';
import koffi from 'koffi';
const lib = koffi.load('libcurl.so.4');
koffi.opaque('CURL');
const OnData = koffi.proto('size_t OnData(void *data, size_t size, size_t count, void *user)');
const init = lib.func('CURL *curl_easy_init()');
const setText = lib.func('int curl_easy_setopt(CURL *curl, int option, ...)');
const perform = lib.func('int curl_easy_perform(CURL *curl)');
const errorText = lib.func('const char *curl_easy_strerror(int code)');
const cleanup = lib.func('void curl_easy_cleanup(CURL *curl)');
const chunks = [];
const onData = koffi.register((data, size, count) => {
  chunks.push(Buffer.from(new Uint8Array(koffi.view(data, size * count))));
  return size * count;
}, koffi.pointer(OnData));
const curl = init();
setText(curl, 10002, 'const char *', process.argv[2]);
setText(curl, 20011, 'OnData *', onData);
console.log(errorText(await promisify(perform.async)(curl)), Buffer.concat(chunks).toString());
setText(curl, 10002, 'const char *', 'http://127.0.0.1:1/');
console.log(errorText(perform(curl)));
cleanup(curl);
koffi.unregister(onData);
