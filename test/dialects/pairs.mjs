// Runs programs of examples/from-koffi one after the other in this process: prints what each has printed, as JSON.
//   node --import ./koffi.mjs test/dialects/pairs.mjs FOLDER NAME...    FOLDER has a Git repository, and takes files
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';

const [folder, ...names] = process.argv.slice(2);
const examples = new URL('../../examples/from-koffi/', import.meta.url);

const server = http.createServer((_, response) => response.end('Grüße'));
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

/** What a program takes from the command line. */
function argumentOf(name, kind) {
  const file = path.join(folder, `${name}-${kind}`);
  switch (name) {
    case 'git':
      return folder;
    case 'curl':
      return `http://127.0.0.1:${/** @type {any} */ (server.address()).port}/`;
    case 'lmdb':
      fs.mkdirSync(file);
      return file;
    default:
      return `${file}.png`;
  }
}

const print = console.log;
const results = {};
for (const name of names) {
  for (const kind of ['koffi', 'pinned']) {
    const lines = [];
    console.log = (...values) => lines.push(values.join(' '));
    const argument = argumentOf(name, kind);
    process.argv[2] = argument;
    await import(new URL(kind === 'koffi' ? `${name}.koffi.mjs` : `${name}.mjs`, examples).href);
    const file = /\.png$/.test(argument) && fs.existsSync(argument) ? fs.readFileSync(argument, 'hex') : undefined;
    (results[name] ??= {})[kind] = { lines, file };
  }
}
console.log = print;
server.close();
console.log(JSON.stringify(results));
