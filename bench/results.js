'use strict';
// The results, kept in a folder: a file for each row and Node. Runs of some rows, or of some peers, are added to
// those that are there.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const fileOf = (folder, { id }, { version }) => path.join(folder, `${id.replace('/', '.')}.${version}.json`);

function machine() {
  const [{ model }] = os.cpus();
  return (
    `${os.cpus().length} cores of ${model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, ` +
    `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`
  );
}

const readJson = (file) => JSON.parse(fs.readFileSync(file, 'utf8'));

/** Adds the variants of a row to what is kept of it. */
function save(folder, row, node, measured) {
  const file = fileOf(folder, row, node);
  const date = new Date().toISOString().slice(0, 10);
  const dated = Object.entries(measured).map(([name, result]) => [name, { ...result, date, machine: machine() }]);
  const old = fs.existsSync(file) ? readJson(file).variants : {};
  fs.mkdirSync(folder, { recursive: true });
  const all = { id: row.id, node: node.version, variants: { ...old, ...Object.fromEntries(dated) } };
  fs.writeFileSync(`${file}.tmp`, `${JSON.stringify(all)}\n`);
  fs.renameSync(`${file}.tmp`, file);
}

/** Everything that is kept: [{ id, node, variants: { [name]: { runtime, date, machine, rounds } } }]. */
function load(folder) {
  if (!fs.existsSync(folder)) return [];
  const names = fs.readdirSync(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => readJson(path.join(folder, name)));
}

module.exports = { load, save };
