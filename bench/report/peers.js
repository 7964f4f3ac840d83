'use strict';
// docs/performance.md and docs/internals/measurements.md: the package and its peers.

const { GROUPS } = require('../catalogue.js');
const { GROWTH } = require('../targets.js');
const { peers } = require('../variants.js');
const { paragraphs, quantity, ratio, spread, table } = require('./format.js');
const { targetTable } = require('./targets.js');

const marked = ({ isDisturbed }, text) => (isDisturbed ? `${text} \\*` : text);
const columnsOf = (rows) => Object.keys(peers).filter((name) => rows.some(({ summaries }) => summaries[name]));
const notesOf = (rows) => [...new Set(rows.map(({ note }) => note))].filter((note) => note !== '').join(' ');
const isOurs = (name) => peers[name].peer === 'pinned';

/** The package's own times, and how many times those of the peers they are. */
function ratios(rows) {
  const names = columnsOf(rows);
  const lines = rows.map(({ title, unit, variants, summaries }) => [
    title,
    ...names.map((name) => {
      const [own, other] = [summaries.pinned, summaries[name]];
      if (other === undefined) return variants.includes(name) ? '' : '–';
      if (isOurs(name)) return marked(other, quantity(other.median, unit));
      return own === undefined ? '' : marked(other, ratio(own.median / other.median));
    }),
  ]);
  return table(['', ...names.map((name) => (isOurs(name) ? peers[name].label : `÷ ${peers[name].label}`))], lines);
}

/** All medians, with the middle half. */
function times(rows) {
  const names = columnsOf(rows);
  const lines = rows.map(({ title, unit, variants, summaries }) => [
    title,
    ...names.map((name) => {
      const found = summaries[name];
      return found === undefined
        ? variants.includes(name)
          ? ''
          : '–'
        : marked(found, `${quantity(found.median, unit)} (${spread(found, unit)})`);
    }),
  ]);
  return table(['', ...names.map((name) => peers[name].label)], lines);
}

/** Cases whose parameter is how many of something there are. */
function growth(rows) {
  const names = columnsOf(rows);
  const lines = rows.map(({ title, unit, summaries, index }, at) => {
    const first = rows[at - index]?.summaries ?? {};
    return [
      title,
      ...names.flatMap((name) => {
        const found = summaries[name];
        if (found === undefined) return ['', '', ''];
        const times = found.median / (first[name]?.median ?? found.median);
        const verdict = index === 0 ? '' : times <= GROWTH ? 'yes' : 'no';
        return [marked(found, `${quantity(found.median, unit)} (${spread(found, unit)})`), ratio(times), verdict];
      }),
    ];
  });
  return table(['', ...names.flatMap((name) => [peers[name].label, '÷ with 1', `≤ ${GROWTH}`])], lines);
}

// The figures of dialects are in their own documents.
const groups = GROUPS.filter(({ hasSettings, isOwn, isDialect }) => !hasSettings && !isOwn && !isDialect);
const scale = GROUPS.find(({ isOwn }) => isOwn);

/** The sections of a Node: for each group that was measured, what `show` makes of its rows. */
const sections = (rows, show, level) =>
  groups.map(({ name, title }) => {
    const own = rows.filter(({ group }) => group === name);
    return own.length === 0 ? '' : paragraphs(`${level} ${title}`, notesOf(own), show(own));
  });

function scaleSection(rows, level) {
  const own = rows.filter(({ group }) => group === scale.name);
  return own.length === 0
    ? ''
    : paragraphs(
        `${level} ${scale.title}`,
        'The cost of a call must not grow with the number of symbols, pins, Buffers or callbacks. The limit is ' +
          `${GROWTH} times the cost with one.`,
        growth(own),
      );
}

/**
 * docs/performance.md: the package's times, and those of the peers relative to them.
 * @param {{ node: string, rows: object[] }[]} nodes the one with all peers first
 * @param {string} about the machine, the versions, how it was measured
 */
function peersReport([main, ...others], about) {
  return paragraphs(
    '![Time of a call by package](performance.svg)',
    about,
    `## Compared, Node ${main.node}`,
    'The columns of pinned-ffi are times. The other columns are its time (on the default call path) divided by theirs: below 1, ' +
      'pinned-ffi is faster. For calls per second the time of one call is divided. "–" is what a peer cannot do.',
    sections(main.rows, ratios, '###'),
    others.flatMap(({ node, rows }) => [`## Compared, Node ${node}`, sections(rows, ratios, '###')]),
  );
}

/**
 * docs/internals/measurements.md: targets, growth, and all times with their spread.
 * @param {{ node: string, rows: object[] }[]} nodes the one with all peers first
 * @param {string} about
 */
function detailsReport([main, ...others], about) {
  const byId = new Map(main.rows.map((row) => [row.id, row]));
  return paragraphs(
    about,
    '## Targets',
    targetTable(byId),
    scaleSection(main.rows, '##'),
    others.flatMap(({ node, rows }) => [`## Node ${node}`, scaleSection(rows, '###')]),
    '## All times',
    'Medians, and in brackets the middle half: from the first to the third quartile.',
    [main, ...others].flatMap(({ node, rows }) => [`### Node ${node}`, sections(rows, times, '####')]),
  );
}

module.exports = { peersReport, detailsReport };
