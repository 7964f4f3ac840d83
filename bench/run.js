'use strict';
// npm run bench -- [case ...] [--quick] [--node 20 ...] [--peers pinned,koffi] [--rounds N] [--report]
//
//   case       a group, a case or a row of cases/; none is all
//   --quick    fewer and shorter runs
//   --node     a major version, or a binary, to run the package and the peers of Node on; more than once if wanted
//   --peers    only these of variants.js
//   --report   measures nothing: writes the documents from results/
//   --list     measures nothing: lists the rows
//   --no-write measures, and writes no document
//   --built    takes the addon as it is
//   --results  the folder of the measurements, instead of results/
//
// Writes results/, then docs/performance.md with its chart, and measurements.md and performance-*.md in
// docs/internals/.

const path = require('node:path');
const { allRows, choose } = require('./catalogue.js');
const { build, compile, defaultNode, findNode, installPeers } = require('./prepare.js');
const { load, save } = require('./results.js');
const { PLANS, chooseVariants, roundsOf, runRow } = require('./runner.js');
const { peers: known } = require('./variants.js');
const { writeDocuments } = require('./report/documents.js');

const FLAGS = {
  '--quick': 'quick',
  '--report': 'report',
  '--list': 'list',
  '--no-write': 'isDry',
  '--built': 'isBuilt',
};

function parse(args) {
  const options = { names: [], nodes: [], results: path.join(__dirname, 'results') };
  const value = (i) => (/^(?!--)./.test(args[i + 1] ?? '') ? args[i + 1] : fail(`${args[i]} wants a value`));
  for (let i = 0; i < args.length; i++) {
    if (FLAGS[args[i]] !== undefined) options[FLAGS[args[i]]] = true;
    else if (args[i] === '--rounds') options.rounds = Number(value(i++));
    else if (args[i] === '--node') options.nodes.push(...value(i++).split(','));
    else if (args[i] === '--results') options.results = value(i++);
    else if (args[i] === '--peers') options.peers = value(i++).split(',');
    else if (args[i].startsWith('-')) fail(`unknown option ${args[i]}`);
    else options.names.push(args[i]);
  }
  const { rounds = 1, peers = [] } = options;
  if (!Number.isInteger(rounds) || rounds < 1) fail('--rounds wants a number from 1');
  const unknown = peers.find((name) => !Object.hasOwn(known, name));
  if (unknown !== undefined) fail(`--peers: ${unknown} is none of ${Object.keys(known).join(', ')}`);
  return options;
}

function fail(message) {
  throw new Error(message);
}

function showProgress(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text.slice(0, process.stderr.columns - 1)}`);
  else if (text !== '') process.stderr.write(`${text}\n`);
}

const minutes = (ms) => `${(ms / 60_000).toFixed(1)} min`;

/** Runs what was chosen, and keeps it row by row. Gives what failed. */
function measure(rows, nodes, { peers, plan, results }) {
  // The runtimes that are no Node of the user's choice are measured beside one of them only.
  const main = defaultNode().version;
  const jobs = nodes
    .flatMap((node) => rows.map((row) => ({ row, node, names: chooseVariants(row, peers, node.version === main) })))
    .filter(({ names }) => names.length > 0);
  const total = jobs.reduce((sum, { row, names }) => sum + names.length * roundsOf(row, plan), 0);
  const names = new Set(rows.flatMap(({ library, needs }) => [library, ...needs]));
  const libraries = new Map([...names].map((name) => [name, compile(name, showProgress)]));
  const [start, failures] = [Date.now(), []];
  let done = 0;
  jobs.forEach(({ row, node, names }, job) => {
    const library = libraries.get(row.library);
    let lastShown = -1;
    const progress = (name, round) => {
      const left = done === 0 ? '' : `, ${minutes(((Date.now() - start) / done) * (total - done))} left`;
      const text = `[${job + 1}/${jobs.length}] ${row.id}, Node ${node.version}`;
      if (process.stderr.isTTY) showProgress(`${text}: round ${round + 1} of ${roundsOf(row, plan)}, ${name}${left}`);
      else if (lastShown < 0) showProgress(text + left);
      lastShown = round;
      done++;
    };
    const failed = (error) => failures.push(error.message);
    save(results, row, node, runRow(row, { names, node, library, plan, progress, failed }));
  });
  showProgress(`${total} processes took ${minutes(Date.now() - start)}\n`);
  return failures;
}

async function main() {
  const options = parse(process.argv.slice(2));
  const rows = await allRows();
  const chosen = choose(rows, options.names);
  if (options.list) return console.log(chosen.map(({ id, title }) => `${id.padEnd(38)}${title}`).join('\n'));
  let failures = [];
  if (!options.report) {
    const plan = { ...PLANS[options.quick ? 'quick' : 'full'], ...(options.rounds && { rounds: options.rounds }) };
    if (!options.isBuilt) await build();
    const isOurs = options.peers?.every((name) => known[name].peer === 'pinned');
    if (!isOurs) installPeers(showProgress);
    const nodes = options.nodes.length > 0 ? options.nodes.map(findNode) : [defaultNode()];
    failures = measure(chosen, nodes, { ...options, plan });
  }
  if (!options.isDry) writeDocuments(rows, load(options.results));
  if (failures.length > 0) fail(`not measured:\n${failures.join('\n')}`);
  return undefined;
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
