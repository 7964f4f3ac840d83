'use strict';
// The documents of the package in different settings, such as docs/internals/performance-memory.md. Ratios are taken
// within a round, because a disturbance of the machine affects all settings of the round.

const { settings } = require('../variants.js');
const { paragraphs, quantity, ratio, table } = require('./format.js');
const { byRound, median, quantile } = require('./statistics.js');

const signed = (value, unit) => `${value < 0 ? '−' : '+'}${quantity(Math.abs(value), unit)}`;

function line(name, own, baseline, unit) {
  const start = [settings[name].label, quantity(median(own), unit)];
  if (own === baseline) return [...start, '1', ''];
  const rounds = Math.min(own.length, baseline.length);
  const pairs = Array.from({ length: rounds }, (_, i) => [own[i], baseline[i]]);
  const ratios = pairs.map(([value, base]) => value / base);
  const middle = [0.25, 0.75].map((at) => ratio(quantile(ratios, at))).join(' – ');
  const difference = median(pairs.map(([value, base]) => value - base));
  return [...start, `${ratio(median(ratios))} (${middle})`, signed(difference, unit)];
}

function section(nodes, { id, title, note, unit, variants }) {
  const tables = nodes.map(({ node, rows }) => {
    const measured = rows.find((row) => row.id === id)?.measured ?? {};
    const names = variants.filter((name) => measured[name]?.rounds.length > 0);
    if (names.length === 0) return '';
    const baseline = byRound(measured[names[0]]);
    const lines = names.map((name, i) => line(name, i === 0 ? baseline : byRound(measured[name]), baseline, unit));
    return table([`Node ${node}`, 'median', 'ratio (middle half)', 'difference'], lines);
  });
  return paragraphs(`### ${title}`, note, tables);
}

const clockOf = (rows) =>
  rows.every(({ clock }) => clock === 'wall')
    ? 'The times are wall-clock times.'
    : 'The times are processor times of all threads of the process.';

/** @param {{ node: string, rows: object[] }[]} nodes */
function settingsReport(nodes, about) {
  const rows = new Map(nodes.flatMap((node) => node.rows.map((row) => [row.id, row])));
  return paragraphs(
    about,
    `${clockOf([...rows.values()])} The tables have the median over the rounds, and ` +
      'the ratio and difference to the first line taken within each round: their median, and the ratios from the first ' +
      'to the third quartile.',
    [...rows.values()].map((row) => section(nodes, row)),
  );
}

module.exports = { settingsReport };
