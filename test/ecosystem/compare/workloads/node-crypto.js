'use strict';
// node:crypto and Web Crypto, with keys from the seed.

const crypto = require('node:crypto');
const { promisify } = require('node:util');

exports['node:crypto'] = async ({ emit, random, byScale }) => {
  for (let i = 0; i < byScale(40, 160); i += 1) {
    const data = random.bytes(random.integer(0, 50_000));
    const [key, iv] = [crypto.createHash('sha256').update(random.bytes(32)).digest(), random.bytes(12)];
    const cipher = crypto.createCipheriv('aes-256-gcm', key, iv);
    const encrypted = Buffer.concat([cipher.update(data), cipher.final()]);
    const decipher = crypto.createDecipheriv('aes-256-gcm', key, iv).setAuthTag(cipher.getAuthTag());
    emit(encrypted, cipher.getAuthTag(), decipher.update(encrypted), decipher.final());
    emit(crypto.createHmac('sha512', key).update(data).digest(), crypto.hkdfSync('sha256', key, iv, 'info', 100));
    emit(
      ...(await Promise.all([
        promisify(crypto.pbkdf2)(key, iv, 100, 64, 'sha256'),
        promisify(crypto.scrypt)(key, iv, 64, { N: 256 }),
        promisify(crypto.hkdf)('sha384', key, iv, 'info', 48),
      ])),
    );
    const exchange = crypto.createECDH('prime256v1');
    exchange.setPrivateKey(key);
    emit(exchange.getPublicKey(), exchange.computeSecret(exchange.getPublicKey()));
    const webKey = await crypto.webcrypto.subtle.importKey('raw', key, 'AES-CBC', false, ['encrypt', 'decrypt']);
    const algorithm = { name: 'AES-CBC', iv: key.subarray(0, 16) };
    const far = await crypto.webcrypto.subtle.encrypt(algorithm, webKey, data);
    emit(
      far,
      await crypto.webcrypto.subtle.decrypt(algorithm, webKey, far),
      await crypto.webcrypto.subtle.digest('SHA-1', data),
    );
    // What is random has a length, and is written into the view and nowhere else.
    const around = Buffer.alloc(300);
    crypto.randomFillSync(around, 100, 100);
    await promisify(crypto.randomFill)(around, 100, 100);
    crypto.getRandomValues(around.subarray(100, 200));
    emit(around.subarray(0, 100), around.subarray(200), crypto.randomBytes(77).length);
  }
};
