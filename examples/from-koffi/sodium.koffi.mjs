// Hashes, encrypts and detects a change, with libsodium.
// The same for this package: sodium.mjs.
import koffi from 'koffi';
const lib = koffi.load('libsodium.so.23');
const init = lib.func('int sodium_init()');
const sha256 = lib.func('int crypto_hash_sha256(unsigned char *out, const unsigned char *in, unsigned long long length)');
const seal = lib.func(`int crypto_secretbox_easy(unsigned char *c, const unsigned char *m, unsigned long long length,
  const unsigned char *n, const unsigned char *k)`);
const open = lib.func(`int crypto_secretbox_open_easy(unsigned char *m, const unsigned char *c, unsigned long long length,
  const unsigned char *n, const unsigned char *k)`);
init();
const text = Buffer.from('a secret'), nonce = Buffer.alloc(24, 1), key = Buffer.alloc(32, 2);
const hash = Buffer.alloc(32);
sha256(hash, text, text.length);
console.log(hash.toString('hex'));
const box = Buffer.alloc(text.length + 16);
seal(box, text, text.length, nonce, key);
const back = Buffer.alloc(text.length);
console.log(open(back, box, box.length, nonce, key), String(back));
box[3] ^= 1;
console.log(open(back, box, box.length, nonce, key));
