'use strict';
// Where the package wants to stand, and where it does.

const { TARGETS } = require('../targets.js');
const { peers } = require('../variants.js');
const { ratio, table } = require('./format.js');

/**
 * How far a call path is from a bound in one row: what it takes, divided by what the best of the others takes.
 * Undefined if not all of those that can do it were measured.
 */
function ratioOf(row, { path, of }) {
  const others = of.filter((name) => row?.variants.includes(name)).map((name) => row.summaries[name]?.median);
  const own = row?.summaries[path]?.median;
  if (own === undefined || others.length === 0 || others.includes(undefined)) return undefined;
  return own / Math.min(...others);
}

const CALL_PATHS = { pinned: 'default', generic: 'generic' };

const wanted = ({ most, of }) =>
  `≤ ${most} × ${of.length > 1 ? 'the best of ' : ''}${of.map((name) => peers[name].label).join(', ')}`;

function line({ title, rows }, bound, byId) {
  const measured = rows
    .map((id) => ({ ...byId.get(id), value: ratioOf(byId.get(id), bound) }))
    .filter(({ value }) => value !== undefined);
  const start = [title, CALL_PATHS[bound.path], wanted(bound)];
  if (measured.length === 0) return [...start, 'not measured', ''];
  const missed = measured.filter(({ value }) => value > bound.most);
  const values = measured.map(({ value }) => value);
  const [least, most] = [Math.min(...values), Math.max(...values)].map(ratio);
  const isWhole = measured.length === rows.length;
  const verdict =
    missed.length === 0
      ? isWhole
        ? 'yes'
        : 'not all measured'
      : `no: ${missed.map((row) => `${row.title} ${ratio(row.value)}`).join('; ')}`;
  return [...start, least === most ? least : `${least} – ${most}`, verdict];
}

/** @param byId rows by their id, with their summaries */
function targetTable(byId) {
  const lines = TARGETS.flatMap((target) =>
    target.bounds.map((bound, i) => line({ ...target, title: i === 0 ? target.title : '' }, bound, byId)),
  );
  return table(['', 'call path', 'target', 'measured', 'met'], lines);
}

module.exports = { targetTable };
