// SHA-256 of a stream by OpenSSL, chunk by chunk, compared with node:crypto.
//
//   apt install libssl3    (dnf install openssl-libs, brew install openssl)
//   node examples/openssl-digest.mjs [FILE]
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { dlopen, opaque, out } from 'pinned-ffi';

const Context = opaque('EVP_MD_CTX', { free: 'EVP_MD_CTX_free' });
const { symbols: ssl } = dlopen(
  'crypto',
  {
    OpenSSL_version: { args: ['int'], returns: 'cstring' },
    EVP_MD_CTX_new: { returns: Context },
    EVP_MD_CTX_free: { args: [Context] },
    EVP_sha256: { returns: 'ptr' },
    EVP_DigestInit_ex: { args: [Context, 'ptr', 'ptr'], returns: 'int' },
    EVP_DigestUpdate: { args: [Context, 'ptr', { type: 'size_t', lengthOf: 1 }], returns: 'int' },
    EVP_DigestFinal_ex: { args: [Context, { type: 'ptr', minBytes: 32 }, out('u32')], returns: 'int' },
  },
  // Node has an OpenSSL inside, of another version: the library shall call its own functions, not those. Linux only.
  { flags: (constants.dlopen.RTLD_NOW ?? 0) | (constants.dlopen.RTLD_DEEPBIND ?? 0) },
);

const file = process.argv[2] ?? fileURLToPath(import.meta.url);
const context = ssl.EVP_MD_CTX_new();
assert.equal(ssl.EVP_DigestInit_ex(context, ssl.EVP_sha256(), null), 1);
for await (const chunk of createReadStream(file, { highWaterMark: 1000 })) {
  assert.equal(ssl.EVP_DigestUpdate(context, chunk, chunk.length), 1);
}
const digest = Buffer.alloc(32);
const {
  returns,
  out: [length],
} = ssl.EVP_DigestFinal_ex(context, digest);
ssl.EVP_MD_CTX_free(context);
assert.deepEqual([returns, length], [1, 32]);
assert.equal(digest.toString('hex'), createHash('sha256').update(readFileSync(file)).digest('hex'));
console.log(`${digest.toString('hex')}  ${file}  (${ssl.OpenSSL_version(0)})`);
