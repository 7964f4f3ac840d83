'use strict';
// The results of the commands for platforms: kept in results.json, and written as the table of docs/platforms.md, so
// that the table cannot say anything else.
//   node scripts/platforms/results.js     writes the table again

const fs = require('node:fs');
const path = require('node:path');

const FILE = path.join(__dirname, 'results.json');
const DOCUMENT = path.join(__dirname, '..', '..', 'docs', 'platforms.md');
const BEGIN = '<!-- The table between these lines is written by npm run test:sweep and its siblings. -->';
const END = '<!-- The end of the table. -->';
const HEAD = [
  '| runtime | system | fences | fast calls | suite | test files |',
  '| --- | --- | --- | --- | --- | --- |',
];

/** The commands, in the order of their rows. */
const COMMANDS = ['sweep', 'musl', 'arm64', 'windows'];

const read = () => JSON.parse(fs.readFileSync(FILE, 'utf8'));

/** A number with commas between thousands. */
const count = (number) => number.toLocaleString('en-US');

function filesText({ files, signatures, inputs, faults }) {
  const agreed = [
    ...(signatures === undefined ? [] : [`${count(signatures)} random signatures`]),
    ...(inputs === undefined ? [] : [`${count(inputs)} random inputs`]),
  ];
  if (files === undefined) return agreed.join(', ');
  const { passed, skipped, excepted, failed } = files;
  const parts = [`${count(passed)} pass`];
  if (skipped > 0) parts.push(`${count(skipped)} skipped`);
  if (excepted > 0) parts.push(`${count(excepted)} cannot pass`);
  if (failed > 0) parts.push(`${count(failed)} fail`);
  return faults > 0 && failed === 0 ? 'fails' : [...parts, ...agreed].join(', ');
}

function rowOf(row) {
  const { runtime, system, refused, fences, fastCalls, passed, cases } = row;
  if (refused !== undefined) return `| ${runtime} | ${system} | refused: ${refused} | | | |`;
  const cells = [
    runtime,
    system,
    fences ? 'yes' : 'no',
    fastCalls ? 'yes' : 'no',
    `${passed} of ${cases}`,
    filesText(row),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** The lines of the table, from all results. */
const tableOf = (results) => [...HEAD, ...COMMANDS.flatMap((command) => results[command] ?? []).map(rowOf)];

/** The document with its table replaced. */
function withTable(text, results) {
  const [begin, end] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`docs/platforms.md has no lines around its table: ${BEGIN}`);
  return `${text.slice(0, begin)}${BEGIN}\n\n${tableOf(results).join('\n')}\n\n${text.slice(end)}`;
}

/**
 * The rows of a command with new ones among them: each in the place of the row of its name, or behind the others. With
 * `addsParts` a row keeps of the one before what was not run again.
 */
function merge(before, rows, addsParts = false) {
  const nameOf = ({ name, system }) => `${name} ${system}`;
  const fresh = new Map(rows.map((row) => [nameOf(row), row]));
  const known = new Set(before.map(nameOf));
  const latest = (row) => (addsParts ? { ...row, ...fresh.get(nameOf(row)) } : (fresh.get(nameOf(row)) ?? row));
  return [...before.map(latest), ...rows.filter((row) => !known.has(nameOf(row)))];
}

/**
 * Keeps rows of a command, and writes the table.
 * @param {string} command one of COMMANDS
 * @param {object[]} rows all of its rows or, with `isPart`, some
 * @param {{ isPart?: boolean, addsParts?: boolean }} [options] addsParts: the rows have parts alone of what a runtime
 *   runs
 */
function save(command, rows, { isPart = false, addsParts = false } = {}) {
  const results = read();
  results[command] = isPart || addsParts ? merge(results[command] ?? [], rows, addsParts) : rows;
  fs.writeFileSync(FILE, `${JSON.stringify(results, null, 2)}\n`);
  write(results);
}

function write(results = read()) {
  fs.writeFileSync(DOCUMENT, withTable(fs.readFileSync(DOCUMENT, 'utf8'), results));
}

module.exports = { COMMANDS, DOCUMENT, read, withTable, merge, save };

if (require.main === module) write();
