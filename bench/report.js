'use strict';
// From what the processes printed to Markdown: medians, and ratios within a round with their spread.

const variants = require('./variants');

const sorted = (values) => [...values].sort((a, b) => a - b);

/** The value at a fraction of the sorted ones. */
function quantile(values, fraction) {
  const list = sorted(values);
  const at = (list.length - 1) * fraction;
  const [low, high] = [list[Math.floor(at)], list[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

const median = (values) => quantile(values, 0.5);
const shown = (value) => (Math.abs(value) >= 100 ? value.toFixed(0) : value.toFixed(1));
const signed = (value) => `${value < 0 ? '−' : '+'}${shown(Math.abs(value))}`;

function row(name, baseline, results, unit) {
  const { label } = variants[name];
  const middle = `${shown(median(results[name]))} ${unit}`;
  if (name === baseline) return `| ${label} | ${middle} | 1 | |`;
  const ratios = results[name].map((value, round) => value / results[baseline][round]);
  const differences = results[name].map((value, round) => value - results[baseline][round]);
  const spread = `${quantile(ratios, 0.25).toFixed(2)} – ${quantile(ratios, 0.75).toFixed(2)}`;
  return `| ${label} | ${middle} | ${median(ratios).toFixed(2)} (${spread}) | ${signed(median(differences))} ${unit} |`;
}

function section({ title, note, unit, baseline, variants: names, runs }) {
  const order = [baseline, ...names.filter((name) => name !== baseline)];
  const tables = runs.map(({ version, results }) => [
    `| Node ${version} | median | ratio (middle half) | difference |`,
    '| --- | ---: | ---: | ---: |',
    ...order.map((name) => row(name, baseline, results, unit)),
  ].join('\n'));
  return [`### ${title}`, ...(note === '' ? [] : [note]), ...tables].join('\n\n');
}

/** The Markdown of a group of cases. */
function report(measured, { machine, rounds, versions }) {
  const date = new Date().toISOString().slice(0, 10);
  const how = `Measured on ${date}: ${machine}; Node ${versions.join(', ')}. ${rounds} rounds, in each a process for every `
    + 'variant. Each process gives the median of seven batches of 20 ms of processor time (all threads of the process). The tables have the median over the rounds, and '
    + 'the ratio and difference to the first line taken within each round: their median, and the ratios from the first '
    + 'to the third quartile.';
  return [how, ...measured.map(section)].join('\n\n') + '\n';
}

module.exports = { report };
