// Fetches a URL on another thread, with a callback for the data: node examples/from-koffi/curl.mjs URL
// The same for koffi: curl.koffi.mjs.
import { dlopen, JSCallback, toBuffer } from 'pinned-ffi';
const { symbols: curl } = dlopen('curl', `
  typedef struct CURL CURL;
  CURL *curl_easy_init(void);
  int curl_easy_setopt(CURL *curl, int option, ...);
  int curl_easy_perform(CURL *curl);
  const char *curl_easy_strerror(int code);
  void curl_easy_cleanup(CURL *curl);
`);
const chunks = [];
const onData = new JSCallback((data, size, count) => {
  chunks.push(Buffer.from(toBuffer(data, 0, size * count)));
  return size * count;
}, 'size_t (*)(void *data, size_t size, size_t count, void *user)');
const handle = curl.curl_easy_init();
curl.curl_easy_setopt(handle, 10002, ['cstring', process.argv[2]]);
curl.curl_easy_setopt(handle, 20011, ['function', onData]);
console.log(curl.curl_easy_strerror(await curl.curl_easy_perform.async(handle)), Buffer.concat(chunks).toString());
curl.curl_easy_setopt(handle, 10002, ['cstring', 'http://127.0.0.1:1/']);
console.log(curl.curl_easy_strerror(curl.curl_easy_perform(handle)));
curl.curl_easy_cleanup(handle);
onData.close();
