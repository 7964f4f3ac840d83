'use strict';
// The workloads by name. A workload is a function that emits every byte it computes.

const fromNpm = (...names) => ({ names, isFromNpm: true, isChurn: false });
const builtIn = (...names) => ({ names, isFromNpm: false, isChurn: false });
const churn = (...names) => ({ names, isFromNpm: false, isChurn: true });

// Files are required when a workload of theirs runs: a process has the packages of its own workload alone.
const FILES = {
  serialization: fromNpm('msgpackr', 'cbor-x', 'bson', 'protobufjs', 'avsc', 'flatbuffers'),
  compression: fromNpm('pako', 'fflate', 'snappy'),
  text: fromNpm('iconv-lite'),
  cryptography: fromNpm('node-forge', 'jose'),
  database: fromNpm('sql.js'),
  network: fromNpm('ws', 'undici'),
  streams: fromNpm('busboy', 'tar-stream'),
  'node-zlib': builtIn('node:zlib'),
  'node-crypto': builtIn('node:crypto'),
  'node-buffer': builtIn('node:buffer'),
  'node-v8': builtIn('v8.serialize', 'structuredClone'),
  'node-workers': builtIn('workers'),
  'node-wasm': builtIn('WebAssembly'),
  'node-network': builtIn('node:http', 'node:net', 'node:dgram'),
  'node-streams': builtIn('node:fs'),
  churn: churn('churn: 4 MiB', 'churn: 100 to 400 bytes'),
};

/** By name: its run function, whether it needs packages of npm, and whether its memory is what is compared. */
const WORKLOADS = Object.fromEntries(
  Object.entries(FILES).flatMap(([file, { names, isFromNpm, isChurn }]) =>
    names.map((name) => [
      name,
      { isFromNpm, isChurn, run: (context) => require(`./workloads/${file}.js`)[name](context) },
    ]),
  ),
);

module.exports = { WORKLOADS };
