'use strict';
// @hyperledger/indy-vdr-nodejs with the library that its Python package ships: registered callbacks that threads of the
// library call, bytes in structs by value, texts, errors.
const assert = require('node:assert/strict');
const { indyVdr, PoolCreate, GetNymRequest, NymRequest, SchemaRequest } = require('@hyperledger/indy-vdr-nodejs');

/** The first node of Indy's public test network, on this machine, where nobody answers. */
const genesis = JSON.stringify({
  reqSignature: {},
  txn: {
    data: {
      data: {
        alias: 'Node1',
        blskey:
          '4N8aUNHSgjQVgkpm8nhNEfDf6txHznoYREg9kirmJrkivgL4oSEimFF6nsQ6M41QvhM2Z33nves5vfSn9n1UwNFJBYtWVnHYMATn76vLuL3zU88KyeAYcHfsih3He6UHcXDxcaecHVz6jhCYz1P2UZn2bDVruL5wXpehgBfBaLKm3Ba',
        client_ip: '127.0.0.1',
        client_port: 9702,
        node_ip: '127.0.0.1',
        node_port: 9701,
        services: ['VALIDATOR'],
      },
      dest: 'Gw6pDLhcBcoQesN72qfotTgFa7cbuqZpkX3Xo6pLhPhv',
    },
    metadata: { from: 'Th7MpTaRZVRYnPiabds81Y' },
    type: '0',
  },
  txnMetadata: { seqNo: 1, txnId: 'fea82e10e894419fe2bea7d96296a6d46f50f93f9eeda954ec461b2ed2950b62' },
  ver: '1',
});
const did = 'LibindyDid111111111111';

(async () => {
  assert.match(indyVdr.version(), /^\d+\.\d+\.\d+$/);
  indyVdr.setProtocolVersion({ version: 2 });
  const config = { conn_active_timeout: 1, ack_timeout: 1, reply_timeout: 1 };
  indyVdr.setConfig({ config });
  const nym = JSON.parse(new NymRequest({ dest: did, submitterDid: did, alias: 'ünï' }).body);
  assert.deepEqual(nym.operation, { alias: 'ünï', dest: did, type: '1' });
  const attributes = { name: 'name', version: '1.0', ver: '1.0', attrNames: ['first'], seqNo: 1 };
  const schema = new SchemaRequest({ submitterDid: did, schema: { id: `${did}:2:name:1.0`, ...attributes } });
  schema.setMultiSignature({ identifier: 'DJKobikPAaYWAu9vfhEEo5', signature: Uint8Array.of(200, 3, 255) });
  schema.setSignature({ signature: Uint8Array.of(8, 1, 1, 1) });
  const { signature, signatures } = JSON.parse(schema.body);
  assert.deepEqual([signature, signatures.DJKobikPAaYWAu9vfhEEo5], ['CsEp8', '2ABcr']);
  assert.throws(() => new NymRequest({ dest: 'x', submitterDid: did }), { code: 4, message: /unexpected length: 1/ });
  assert.throws(() => new PoolCreate({ parameters: { transactions: 'nonsense' } }), { code: 4, message: /genesis/ });
  const pool = new PoolCreate({ parameters: { transactions: genesis } });
  const { mt_size: size, nodes } = await pool.status;
  assert.deepEqual([size, nodes], [1, ['Node1']]);
  assert.equal((await pool.verifiers).Node1.client_addr, 'tcp://127.0.0.1:9702');
  const [refreshed, submitted, ...others] = await Promise.allSettled([
    pool.refresh(),
    pool.submitRequest(new GetNymRequest({ dest: did })),
    ...Array.from({ length: 10 }, () => pool.status),
  ]);
  assert.match(refreshed.reason.message, /timeout/i);
  assert.match(submitted.reason.message, /timeout/i);
  assert.deepEqual(new Set(others.map(({ value }) => value.nodes[0])), new Set(['Node1']));
  pool.close();
})();
