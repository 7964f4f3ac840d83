'use strict';
// Numbers and tables as Markdown.

const plain = (value) => {
  const size = Math.abs(value);
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : value.toFixed(2);
};

function time(ns) {
  const size = Math.abs(ns);
  if (size >= 1e6) return `${plain(ns / 1e6)} ms`;
  return size >= 1e4 ? `${plain(ns / 1e3)} µs` : `${plain(ns)} ns`;
}

/** A value with its unit. Calls a second are kept as the ns of one. */
function quantity(value, unit) {
  if (unit === 'ns') return time(value);
  if (unit === 'calls/s') return `${Math.round(1e9 / value).toLocaleString('en')} /s`;
  return `${plain(value)} ${unit}`;
}

/** The first and the third quartile, the lesser first. */
function spread({ low, high }, unit) {
  const ends = (unit === 'calls/s' ? [high, low] : [low, high]).map((value) => quantity(value, unit));
  const [first, second] = ends.map((text) => text.split(' '));
  return first[1] === second[1] ? `${first[0]} – ${ends[1]}` : ends.join(' – ');
}

const ratio = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** A table; the first column is text, the others are numbers. */
function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`.replaceAll('|  |', '| |');
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

const COLUMNS = 120;

/** Prose in lines of at most 120 columns; tables, headings and pictures as they are. Code stays in one line. */
function wrap(text) {
  if (/^[|#!<]/.test(text)) return text;
  const lines = [''];
  for (const [word] of text.matchAll(/(?:[^\s`]*`[^`]*`)+[^\s`]*|\S+/g)) {
    const last = lines.at(-1);
    if (last !== '' && last.length + 1 + word.length > COLUMNS) lines.push(word);
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`;
  }
  return lines.join('\n');
}

/** Parts of a document that are there, with an empty line between. */
const paragraphs = (...parts) =>
  parts
    .flat(Infinity)
    .filter((part) => part !== undefined && part !== '')
    .flatMap((part) => part.split('\n\n'))
    .map(wrap)
    .join('\n\n');

module.exports = { quantity, spread, ratio, table, paragraphs };
