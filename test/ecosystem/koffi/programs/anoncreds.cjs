'use strict';
// @hyperledger/anoncreds-nodejs with the library that its Python package ships: structs with lists of texts and of
// handles by value, out-parameters, texts, bytes that C owns.
const assert = require('node:assert/strict');
const anoncreds = require('@hyperledger/anoncreds-nodejs');

const { Schema, CredentialDefinition, CredentialOffer, CredentialRequest, Credential } = anoncreds;
const { LinkSecret, Presentation, PresentationRequest } = anoncreds;
const [issuerId, schemaId, credentialDefinitionId] = ['mock:issuer', 'mock:schema', 'mock:definition'];

const attributeNames = ['name', 'age'];
const schema = Schema.create({ name: 'schema', issuerId, version: '1.0', attributeNames });
assert.deepEqual(schema.toJson(), { name: 'schema', version: '1.0', attrNames: attributeNames, issuerId });
assert.throws(() => Schema.fromJson({ name: 1 }), { name: 'Error', code: 1, message: /expected a string at line 1/ });
const { credentialDefinition, credentialDefinitionPrivate, keyCorrectnessProof } = CredentialDefinition.create({
  schemaId,
  issuerId,
  schema,
  signatureType: 'CL',
  supportRevocation: false,
  tag: 'TAG',
});
const credentialOffer = CredentialOffer.create({ schemaId, credentialDefinitionId, keyCorrectnessProof });
const linkSecret = LinkSecret.create();
const { credentialRequestMetadata, credentialRequest } = CredentialRequest.create({
  entropy: 'entropy',
  credentialDefinition,
  linkSecret,
  linkSecretId: 'link secret',
  credentialOffer,
});
const credential = Credential.create({
  credentialDefinition,
  credentialDefinitionPrivate,
  credentialOffer,
  credentialRequest,
  attributeRawValues: { name: 'Ålex ✓', age: '28' },
}).process({ credentialDefinition, credentialRequestMetadata, linkSecret });
assert.equal(credential.toJson().values.name.raw, 'Ålex ✓');
const request = {
  nonce: anoncreds.anoncreds.generateNonce(),
  name: 'request',
  version: '0.1',
  requested_attributes: { name: { name: 'name' }, phone: { name: 'phone' } },
  requested_predicates: { age: { name: 'age', p_type: '>=', p_value: 18 } },
};
const presentationRequest = PresentationRequest.fromJson(request);
const prove = (referent, isPredicate) => ({ entryIndex: 0, isPredicate, referent, reveal: true });
const presentation = Presentation.create({
  presentationRequest,
  credentials: [{ credential }],
  credentialDefinitions: { [credentialDefinitionId]: credentialDefinition },
  credentialsProve: [prove('name', false), prove('age', true)],
  linkSecret,
  schemas: { [schemaId]: schema },
  selfAttest: { phone: '8-800-300' },
});
const verify = (asked) =>
  presentation.verify({
    presentationRequest: asked,
    schemas: { [schemaId]: schema },
    credentialDefinitions: { [credentialDefinitionId]: credentialDefinition },
  });
assert.equal(verify(presentationRequest), true);
assert.equal(verify(PresentationRequest.fromJson({ ...request, nonce: '123' })), false);
