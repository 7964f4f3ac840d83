'use strict';
// The cases, in the order in which the tables have them, as rows: a row for each case and parameter.

const path = require('node:path');
const { pathToFileURL } = require('node:url');
const variants = require('./variants.js');

/** Folders of cases/. Each of those with `settings` has a separate document. */
const GROUPS = [
  {
    name: 'numbers',
    title: 'Numbers',
    cases: [
      'no-arguments',
      'add-i32',
      'add-u32',
      'add-f64',
      'add-i64',
      'add-u64',
      'add-i64-fast',
      'add-u64-fast',
      'integers',
      'mixed-8',
    ],
  },
  {
    name: 'pointers',
    title: 'Pointers and Buffers',
    cases: ['number', 'buffer', 'views', 'returned', 'ptr', 'read-f64'],
  },
  { name: 'texts', title: 'Texts', cases: ['text-in', 'text-out', 'encodings', 'encodings-out', 'utf16', 'utf16-out'] },
  { name: 'structs', title: 'Structs', cases: ['struct', 'parameters', 'memory'] },
  {
    name: 'callbacks',
    title: 'Callbacks',
    cases: ['callback', 'call-callback', 'qsort', 'open-close', 'open', 'foreign-thread'],
  },
  { name: 'async', title: 'Asynchronous calls', cases: ['in-flight'] },
  { name: 'loading', title: 'Loading', cases: ['dlopen-100', 'dlopen-text', 'memory', 'start-up', 'program', 'open'] },
  {
    name: 'programs',
    title: 'Programs',
    cases: ['sqlite', 'compression', 'vectors', 'sort', 'events'],
  },
  {
    name: 'scale',
    title: 'Beyond single calls',
    isOwn: true,
    cases: ['symbols', 'pins', 'buffers', 'addresses', 'callbacks'],
  },
  {
    name: 'koffi',
    title: "Koffi's own examples",
    isDialect: true,
    cases: ['rand', 'atoi', 'struct-pointer', 'sort', 'sqlite'],
  },
  {
    name: 'isolation',
    title: 'Isolation',
    hasSettings: true,
    document: 'internals/performance-isolation.md',
    cases: ['call', 'buffer', 'struct', 'callback', 'start', 'death'],
  },
  {
    name: 'memory',
    title: 'Memory',
    hasSettings: true,
    document: 'internals/performance-memory.md',
    cases: [
      'alloc-unsafe-slow',
      'alloc',
      'from-text',
      'held',
      'call-buffer',
      'call-slice',
      'call-number',
      'call-new-buffer',
    ],
  },
];

const shown = (param) => (typeof param === 'number' ? param.toLocaleString('en') : param);

/** The names of the variants that a case has: of `peers`, those whose peer it has. */
const variantsOf = (found, kind) =>
  Object.entries(variants[kind])
    .filter(([name, { peer }]) => found[kind][name] ?? (kind === 'peers' && found[kind][peer]))
    .map(([name]) => name);

async function rowsOf(group, name) {
  const file = pathToFileURL(path.join(__dirname, 'cases', group, `${name}.mjs`)).href;
  const { default: found } = await import(file);
  const kind = found.settings ? 'settings' : 'peers';
  const names = variantsOf(found, kind);
  return (found.params ?? [undefined]).map((param, index) => ({
    id: `${group}/${name}${param === undefined ? '' : `@${String(param).replace(/[^\w.]+/g, '-')}`}`,
    title: found.title.replace('{}', shown(param)),
    group,
    file,
    kind,
    param,
    index,
    note: found.note ?? '',
    unit: found.unit ?? 'ns',
    clock: found.clock ?? 'cpu',
    library: found.library ?? 'calls',
    needs: found.needs ?? [],
    isCold: found.isCold ?? false,
    variants: kind === 'settings' ? Object.keys(found.settings) : names,
  }));
}

/** The rows of all groups. */
async function allRows() {
  const lists = GROUPS.flatMap(({ name: group, cases }) => cases.map((name) => rowsOf(group, name)));
  return (await Promise.all(lists)).flat();
}

/** The things that a name may select, the widest first: a group, a case, a row, a part of one. */
const LEVELS = [
  ({ group }, name) => group === name,
  ({ id }, name) => [id.split('@')[0], id.split('@')[0].split('/')[1]].includes(name),
  ({ id }, name) => [id, id.split('/')[1]].includes(name),
  ({ id }, name) => id.includes(name),
];

/** The rows that names ask for, each for what the first level that knows it says; no name is all. */
function choose(rows, names) {
  if (names.length === 0) return rows;
  const chosen = new Set(
    names.flatMap((name) => {
      const found = LEVELS.map((matches) => rows.filter((row) => matches(row, name))).find(({ length }) => length > 0);
      if (found === undefined) throw new Error(`no case is called ${name}: --list lists them`);
      return found;
    }),
  );
  return rows.filter((row) => chosen.has(row));
}

module.exports = { GROUPS, allRows, choose };
