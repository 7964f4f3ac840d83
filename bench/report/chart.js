'use strict';
// An SVG of some rows: a mark for each peer on a logarithmic scale of time. It follows the reader's light or dark mode.

const { CHART } = require('../targets.js');
const { peers } = require('../variants.js');
const { quantity } = require('./format.js');

const LEFT = 200;
const WIDTH = 860;
const RIGHT = 24;
const TOP = 78;
const STEP = 30;

/** Peers, with their colours in light and dark, and the path of a mark around (0, 0). */
const MARKS = {
  ffirs: ['#868e96', '#868e96', 'M-5 0H5M0 -5V5'],
  bun: ['#9c36b5', '#da77f2', 'M0 -6L6 0L0 6L-6 0Z'],
  deno: ['#2b8a3e', '#69db7c', 'M0 -6L6 5H-6Z'],
  nodeffi: ['#5f3dc4', '#9775fa', 'M0 6L6 -5H-6Z'],
  koffi: ['#1864ab', '#4dabf7', 'M-5 -5H5V5H-5Z'],
  pinned: ['#d9480f', '#ff922b', 'M-7 0A7 7 0 1 1 7 0A7 7 0 1 1 -7 0Z'],
};

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

function style() {
  const colours = (index) =>
    Object.entries(MARKS)
      .map(
        ([name, mark]) =>
          `.${name}{fill:${mark[index]};stroke:${name === 'ffirs' ? mark[index] : 'none'};stroke-width:2}`,
      )
      .join('');
  return (
    '<style>text{font:13px system-ui,sans-serif;fill:#212529}.small{font-size:11px;fill:#5c636a}' +
    '.title{font-size:15px;font-weight:600}.back{fill:#fff;stroke:#dee2e6}.grid{stroke:#e1e4e8}.row{stroke:#f1f3f5}' +
    colours(0) +
    '@media(prefers-color-scheme:dark){text{fill:#e9ecef}.small{fill:#adb5bd}.back{fill:#16191d;stroke:#343a40}' +
    `.grid{stroke:#343a40}.row{stroke:#23272b}${colours(1)}}</style>`
  );
}

/** Powers of ten around all values. */
function decades(values) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const [from, to] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(most))];
  return Array.from({ length: Math.max(1, to - from) + 1 }, (_, i) => 10 ** (from + i));
}

/** A power of ten, in ns, with the unit that makes it shortest. */
function label(tick) {
  const step = Math.floor(Math.log10(tick) / 3 + 1e-9);
  return `${Math.round(tick / 1000 ** step)} ${['ns', 'µs', 'ms', 's'][step]}`;
}

const mark = (name, x, y, hint) =>
  `<path class="${name}" transform="translate(${x.toFixed(1)} ${y})" ` +
  `d="${MARKS[name][2]}"><title>${escape(hint)}</title></path>`;

function legend(names) {
  return [...names]
    .reverse()
    .map((name, i) => {
      const x = LEFT + i * 105;
      return `${mark(name, x, 50, peers[name].label)}<text x="${x + 12}" y="54">${escape(peers[name].label)}</text>`;
    })
    .join('');
}

/** @param {{ node: string, rows: { id: string, summaries: object }[] }} measured */
function chart({ node, rows }) {
  const shown = Object.keys(CHART)
    .map((id) => rows.find((row) => row.id === id))
    .filter(Boolean);
  const names = Object.keys(MARKS).filter((name) => shown.some(({ summaries }) => summaries[name]));
  const values = shown.flatMap(({ summaries }) => names.map((name) => summaries[name]?.median)).filter(Boolean);
  const ticks = values.length > 0 ? decades(values) : [1, 10];
  const [low, high] = [ticks[0], ticks.at(-1)].map(Math.log10);
  const x = (value) => LEFT + ((Math.log10(value) - low) / (high - low)) * (WIDTH - LEFT - RIGHT - 20);
  const bottom = TOP + shown.length * STEP;

  const grid = ticks
    .map((tick) => [x(tick).toFixed(1), label(tick)])
    .map(
      ([at, text]) =>
        `<line class="grid" x1="${at}" x2="${at}" y1="${TOP - 8}" y2="${bottom}"/>` +
        `<text class="small" x="${at}" y="${bottom + 18}" text-anchor="middle">${text}</text>`,
    );
  const lines = shown.map(({ id, summaries }, i) => {
    const y = TOP + i * STEP + STEP / 2;
    const marks = names
      .filter((name) => summaries[name])
      .map((name) => {
        const time = summaries[name].median;
        return mark(name, x(time), y, `${peers[name].label}: ${quantity(time, 'ns')}`);
      });
    return (
      `<line class="row" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${y}" y2="${y}"/>` +
      `<text x="${LEFT - 16}" y="${y + 4}" text-anchor="end">${escape(CHART[id])}</text>${marks.join('')}`
    );
  });
  const height = bottom + 34;
  const size = `viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`;
  const title = `Time of a call, Node ${escape(node)} (logarithmic; further left is faster)`;
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${title}">${style()}` +
    `<rect class="back" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="6"/>` +
    `<text class="title" x="16" y="26">${title}</text>${legend(names)}${grid.join('')}${lines.join('')}</svg>\n`
  );
}

module.exports = { chart };
