'use strict';
// The benchmarks: that they run, refuse wrong results, and write their documents. No time is asserted.

const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { GROUPS, allRows, choose } = require('../../bench/catalogue.js');
const { makeDocuments } = require('../../bench/report/documents.js');
const { load, save } = require('../../bench/results.js');
const { CHART, TARGETS } = require('../../bench/targets.js');

const root = path.join(__dirname, '..', '..');
const bench = path.join(root, 'bench');
let folder;
before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-bench-'));
});
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function run(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', cwd: root });
  return { status, text: stdout + stderr };
}

describe('the runner', () => {
  test('the benchmark runner measures a row of the package alone, without the peers being installed', () => {
    const results = path.join(folder, 'results');
    const options = [
      '--quick',
      '--rounds',
      '1',
      '--peers',
      'pinned',
      '--node',
      process.execPath,
      '--no-write',
      '--built',
    ];
    const { status, text } = run(path.join(bench, 'run.js'), 'add-i32', ...options, '--results', results);
    assert.equal(status, 0, text);
    const [{ id, node, variants }] = load(results);
    assert.equal(id, 'numbers/add-i32');
    assert.equal(node, process.version);
    assert.deepEqual(Object.keys(variants), ['pinned']);
    const [{ batches }] = variants.pinned.rounds;
    assert.ok(batches.length >= 5 && batches.flat().every((time) => time > 0), JSON.stringify(batches));
  });

  test('the benchmark runner refuses a wrong result', () => {
    const file = path.join(folder, 'wrong.mjs');
    fs.writeFileSync(
      file,
      `export default {
      settings: { none: () => [(a) => a + 1] },
      loop: (call) => (count) => { let sum = 0; for (let i = 0; i < count; i++) sum += call(1); return sum; },
      model: () => [(a) => a],
    };`,
    );
    const plan = { warmMs: 1, batchMs: 1, batches: 2 };
    const order = { file: pathToFileURL(file).href, kind: 'settings', name: 'none', peer: null, library: '', plan };
    const { status, text } = run(path.join(bench, 'measure', 'process.mjs'), JSON.stringify(order));
    assert.equal(status, 1, text);
    assert.match(text, /gave \d+, wanted \d+/);
  });

  test('the benchmark runner names what it does not know', () => {
    for (const [args, message] of [
      [['nonsense'], /no case is called nonsense/],
      [['--nonsense'], /unknown option --nonsense/],
      [['--peers', 'nonsense'], /nonsense is none of pinned, generic/],
      [['--rounds', '0'], /--rounds wants a number/],
      [['--node'], /--node wants a value/], // --list, which follows, is none
    ]) {
      const { status, text } = run(path.join(bench, 'run.js'), ...args, '--list');
      assert.equal(status, 1, text);
      assert.match(text, message);
    }
  });
});

describe('the cases', () => {
  test('the cases of the benchmark are all in the catalogue', () => {
    const listed = GROUPS.flatMap(({ name, cases }) => cases.map((each) => `${name}/${each}.mjs`));
    const found = GROUPS.flatMap(({ name }) =>
      fs.readdirSync(path.join(bench, 'cases', name)).map((file) => `${name}/${file}`),
    );
    assert.deepEqual(found.sort(), listed.sort());
    assert.deepEqual(fs.readdirSync(path.join(bench, 'cases')).sort(), GROUPS.map(({ name }) => name).sort());
  });

  test('the cases of the benchmark are what the targets and the chart name', async () => {
    const rows = await allRows();
    const ids = new Set(rows.map(({ id }) => id));
    assert.equal(ids.size, rows.length);
    for (const id of [...Object.keys(CHART), ...TARGETS.flatMap((target) => target.rows)]) assert.ok(ids.has(id), id);
    for (const { rows: wanted, bounds } of TARGETS) {
      for (const { path, of } of bounds) {
        const peers = choose(rows, wanted).flatMap(({ variants }) => variants);
        for (const name of [path, ...of]) assert.ok(peers.includes(name), `${wanted}: ${name}`);
      }
    }
  });

  test('the cases of the benchmark are chosen by group, by case and by row', async () => {
    const rows = await allRows();
    const ids = (...names) => choose(rows, names).map(({ id }) => id);
    assert.deepEqual(ids('integers'), ['numbers/integers@6', 'numbers/integers@10', 'numbers/integers@32']);
    assert.deepEqual(ids('integers@10', 'add-i32'), ['numbers/add-i32', 'numbers/integers@10']);
    assert.deepEqual(ids('async').length, 3);
    assert.ok(ids('memory').every((id) => id.startsWith('memory/')));
    assert.deepEqual(
      ids(),
      rows.map(({ id }) => id),
    );
  });
});

describe('the documents', () => {
  const MARKS = 'before\n<!-- measured: begin -->\nold\n<!-- measured: end -->\nafter\n';
  const node = { version: 'v26.1.0' };
  const batches = (time, kernel = 100) => ({ batches: Array.from({ length: 6 }, () => [time, kernel]) });
  const measured = (...rounds) => ({ runtime: 'Node v26.1.0', rounds });
  let made;

  before(async () => {
    const results = path.join(folder, 'documents');
    const rows = await allRows();
    const keep = (id, variants) => save(results, choose(rows, [id])[0], node, variants);
    keep('numbers/add-i32', { pinned: measured(batches(30)), generic: measured(batches(30)) });
    // Added to what is there, and with batches that something disturbed.
    keep('numbers/add-i32', { koffi: measured(batches(60), batches(600, 200)), deno: measured(batches(4)) });
    const disturbed = measured(batches(100, 300));
    keep('structs/struct@in', { pinned: measured(batches(90)), koffi: disturbed, deno: measured(batches(200)) });
    keep('async/in-flight@64', { pinned: measured(batches(5000)), koffi: measured(batches(50_000)) });
    const cold = (...values) => measured(...values.map((value) => ({ value })));
    keep('loading/dlopen-100@dlopen', { pinned: cold(2e6, 4e6), koffi: cold(3e6) });
    keep('numbers/integers@32', { pinned: measured(batches(80)), deno: { ...measured(), failures: 2 } });
    keep('scale/symbols@1', { pinned: measured(batches(30)) });
    keep('scale/symbols@1000', { pinned: measured(batches(60)) });
    const fenced = measured(batches(1200), batches(2400));
    keep('memory/alloc@96', { none: measured(batches(1000), batches(2000)), fenced });
    made = makeDocuments(rows, load(results), () => MARKS);
  });

  test('the documents of the benchmark keep what is written by hand', () => {
    for (const name of ['performance.md', 'internals/measurements.md', 'internals/performance-memory.md']) {
      assert.match(made[name], /^before\n<!-- measured: begin -->\n\n[^]+\n\n<!-- measured: end -->\nafter\n$/);
      assert.doesNotMatch(made[name], /\bold\b|undefined|NaN|Infinity/);
    }
  });

  test('the documents of the benchmark have tables whose lines are as wide as their heads', () => {
    for (const name of ['performance.md', 'internals/measurements.md', 'internals/performance-memory.md']) {
      const tables = made[name].split('\n\n').filter((part) => part.startsWith('|'));
      assert.ok(tables.length > 0);
      for (const table of tables) {
        const [head, ...lines] = table.split('\n').map((line) => line.match(/(?<!\\)\|/g).length);
        assert.deepEqual(new Set(lines), new Set([head]), table);
      }
    }
  });

  test('the documents of the benchmark give ratios to each peer, of the batches that were not disturbed', () => {
    const text = made['performance.md'];
    const details = made['internals/measurements.md'];
    assert.match(text, /\| `i32 f\(i32, i32\)` \| 30\.0 ns \| 30\.0 ns \| 0\.50 \| 7\.50 \|\n/);
    assert.match(
      details,
      /\| `i32 f\(i32, i32\)` \| 30\.0 ns \(30\.0 – 30\.0 ns\) \|.* 60\.0 ns \(60\.0 – 60\.0 ns\) \|/,
    );
    // koffi had no quiet batch there.
    assert.match(text, /by value, in \| 90\.0 ns \| 0\.90 \\\* \| 0\.45 \|\n/);
    assert.match(text, /64 in flight \| 200,000 \/s \| 0\.10 \|/);
    assert.match(text, /dlopen of 100 symbols \| 3\.00 ms \| 1\.00 \|/);
    assert.match(details, /with 1,000 bound symbols \| 60\.0 ns \(60\.0 – 60\.0 ns\) \| 2\.00 \| no \|/);
    assert.match(
      made['internals/performance-memory.md'],
      /\(default\) \| 1800 ns \| 1\.20 \(1\.20 – 1\.20\) \| \+300 ns \|/,
    );
  });

  test('the documents of the benchmark tell which processes failed', () => {
    assert.match(made['performance.md'], /wrong: `i32 f\(i32 × 32\)`, Deno\.dlopen: 2 of 2\.\n/);
    assert.match(made['performance.md'], /\| `i32 f\(i32 × 32\)` \| 80\.0 ns \| {0,2}\|/);
  });

  test('the documents of the benchmark tell which targets are reached', () => {
    const [table] = made['internals/measurements.md'].split('\n\n').filter((part) => part.includes('| met |'));
    assert.match(table, /\| default \| ≤ 1\.2 × Deno\.dlopen \| 7\.50 \| no: `i32 f\(i32, i32\)` 7\.50 \|/);
    assert.match(table, /\| generic \| ≤ 0\.8 × koffi \| 0\.50 \| not all measured \|/);
    assert.match(table, /asynchronous.* \| default \| ≤ 0\.2 × koffi \| 0\.10 \| yes \|/);
    assert.match(table, /\| default \| ≤ 1 × the best of bun:ffi, Deno\.dlopen \| not measured \| \|/);
  });

  test('the documents of the benchmark have a chart that is well-formed, with a mark for each peer of a row', () => {
    const svg = made['performance.svg'];
    const open = [];
    const tag = /<(\/?)([a-z]+)(?:\s+[\w:-]+="[^"<&]*")*\s*(\/?)>/g;
    for (const [, isEnd, name, isEmpty] of svg.matchAll(tag)) {
      if (isEnd) assert.equal(open.pop(), name);
      else if (!isEmpty) open.push(name);
    }
    assert.deepEqual(open, []);
    assert.equal(svg.match(/</g).length, svg.match(tag).length);
    assert.match(svg, /<title>koffi: 60\.0 ns<\/title>/);
    assert.match(svg, /prefers-color-scheme:dark/);
  });
});
