'use strict';
// Cryptography by packages, with keys and initialization vectors from the seed.

const { createHash, createPrivateKey, createPublicKey } = require('node:crypto');

exports['node-forge'] = async ({ emit, random, byScale }) => {
  const forge = require('node-forge');
  const { pki, md, cipher, util, rsa } = { ...forge, rsa: forge.pki.rsa };
  const prng = { getBytesSync: (count) => random.bytes(count).toString('latin1') };
  const { privateKey, publicKey } = rsa.generateKeyPair({
    bits: 1024,
    e: 65537,
    algorithm: 'PRIMEINC',
    prng,
    workers: 0,
  });
  emit(pki.privateKeyToPem(privateKey));
  for (let i = 0; i < byScale(10, 40); i += 1) {
    const data = random.bytes(random.integer(0, 20_000)).toString('binary');
    const digest = md.sha256.create().update(data);
    const signature = privateKey.sign(digest);
    emit(Buffer.from(signature, 'latin1'), publicKey.verify(digest.digest().bytes(), signature));
    const [key, iv] = [random.bytes(16), random.bytes(12)].map((bytes) => bytes.toString('latin1'));
    const encrypt = cipher.createCipher('AES-GCM', key);
    encrypt.start({ iv });
    encrypt.update(util.createBuffer(data));
    encrypt.finish();
    const decrypt = cipher.createDecipher('AES-GCM', key);
    decrypt.start({ iv, tag: encrypt.mode.tag });
    emit(encrypt.output.toHex(), encrypt.mode.tag.toHex());
    decrypt.update(encrypt.output);
    emit(decrypt.finish(), decrypt.output.toHex());
  }
};

/** A private Ed25519 key of 32 bytes, in PKCS #8. */
const ed25519 = (seed) =>
  createPrivateKey({
    key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed]),
    format: 'der',
    type: 'pkcs8',
  });

exports.jose = async ({ emit, random, byScale }) => {
  const jose = await import('jose');
  const secret = createHash('sha512').update(random.bytes(64)).digest();
  const privateKey = ed25519(createHash('sha256').update(secret).digest());
  for (let i = 0; i < byScale(50, 200); i += 1) {
    const claims = { text: random.text(random.integer(0, 100)), count: random.next() };
    const token = await new jose.SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).setIssuedAt(1e9).sign(secret);
    emit(token, JSON.stringify((await jose.jwtVerify(token, secret)).payload));
    const payload = random.bytes(random.integer(0, 5000));
    const signed = await new jose.CompactSign(payload).setProtectedHeader({ alg: 'EdDSA' }).sign(privateKey);
    emit(signed, (await jose.compactVerify(signed, createPublicKey(privateKey))).payload);
    const encrypted = await new jose.CompactEncrypt(payload)
      .setProtectedHeader({ alg: 'dir', enc: 'A256CBC-HS512' })
      .setInitializationVector(random.bytes(16))
      .encrypt(secret);
    emit(encrypted, (await jose.compactDecrypt(encrypted, secret)).plaintext);
  }
};
