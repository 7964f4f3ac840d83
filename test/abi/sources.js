'use strict';
// Writes the C of random signatures, for a compiler of another system to compile:
//   node test/abi/sources.js FOLDER SEED COUNT     FOLDER/0.c has the first 125 of them, and so on
// The types of signatures depend on the platform, so this runs where their functions are called.

const fs = require('node:fs');
const path = require('node:path');
const { textOf } = require('./compile.js');
const { batchesOf } = require('./jobs.js');
const { makeSignature } = require('./signature.js');

const [folder, ...numbers] = process.argv.slice(2);
const [seed, count] = numbers.map(Number);
for (const [i, ids] of batchesOf(count).entries())
  fs.writeFileSync(path.join(folder, `${i}.c`), textOf(ids.map((id) => [id, makeSignature(seed, id)])));
