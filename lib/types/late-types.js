'use strict';
// The types that the registry adds when one of them is first named: pointers, texts, numbers in a byte order, and wide
// integers as numbers. What they need is a third of what a program loads that passes numbers alone.

const { noteInline, byHalves, byHalvesOf } = require('../codegen/read-values.js');
const access = require('../memory/access.js');
const { ordered } = require('./byte-order.js');
const { i64Number, u64Number } = require('./exact.js');
const { ptr, functionType, buffer, bufferLength, readAddress } = require('./pointers.js');
const { sizes } = require('./scalars.js');
const { cstring, utf16, wstring } = require('./strings.js');

// The reader of all descriptors that read addresses.
noteInline(readAddress, byHalves('toAddress'));
noteInline(cstring.read, { ...byHalves('toAddress'), from: (address) => access.textAt(address, 'cstring') });

noteInline(i64Number.read, byHalvesOf('toExactSigned'));
noteInline(u64Number.read, byHalvesOf('toExactUnsigned'));

const tagged = [ptr, cstring, functionType, buffer, bufferLength];
for (const descriptor of tagged) descriptor.size = descriptor.align = sizes[descriptor.id];
// Pointers for C, so they have the tag of a pointer.
for (const descriptor of [utf16, wstring]) descriptor.size = descriptor.align = ptr.size;
for (const descriptor of [i64Number, u64Number]) descriptor.size = descriptor.align = sizes[descriptor.id];

module.exports = {
  /** Those that have a numeric tag. */
  tagged,
  /** The others. Their tags would be those of other types. */
  untagged: [utf16, wstring, ...ordered, i64Number, u64Number],
};
