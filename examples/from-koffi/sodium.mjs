// Hashes, encrypts and detects a change, with libsodium.
// The same for koffi: sodium.koffi.mjs.
import { dlopen } from 'pinned-ffi';
const { symbols: sodium } = dlopen('sodium', `
  int sodium_init(void);
  int crypto_hash_sha256(unsigned char *out, const unsigned char *in, unsigned long long length);
  int crypto_secretbox_easy(unsigned char *c, const unsigned char *m, unsigned long long length,
    const unsigned char *n, const unsigned char *k);
  int crypto_secretbox_open_easy(unsigned char *m, const unsigned char *c, unsigned long long length,
    const unsigned char *n, const unsigned char *k);
`);
sodium.sodium_init();
const text = Buffer.from('a secret'), nonce = Buffer.alloc(24, 1), key = Buffer.alloc(32, 2);
const hash = Buffer.alloc(32);
sodium.crypto_hash_sha256(hash, text, text.length);
console.log(hash.toString('hex'));
const box = Buffer.alloc(text.length + 16);
sodium.crypto_secretbox_easy(box, text, text.length, nonce, key);
const back = Buffer.alloc(text.length);
console.log(sodium.crypto_secretbox_open_easy(back, box, box.length, nonce, key), String(back));
box[3] ^= 1;
console.log(sodium.crypto_secretbox_open_easy(back, box, box.length, nonce, key));
