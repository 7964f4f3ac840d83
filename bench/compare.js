'use strict';
// npm run bench:compare -- --against REVISION [case ...] [--node 26] [--rounds N] [--path generic] [--no-check]
//
//   --against  a revision of git, which is built in target/bench/; or the folder of a checkout that is built
//   --path     pinned (default) or generic: by which call path the cases of the package run
//   --no-check a slower row is no failure
//
// Runs each row with this checkout and with the other in turn and prints how many times as long this one takes. Pairs
// of processes are compared, so that what slows the machine slows both. A row that is slower by more than 3 % is
// measured again with twice the rounds; the command fails if it still is.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { allRows, choose } = require('./catalogue.js');
const { build, compile, defaultNode, findNode } = require('./prepare.js');
const { byRound, median, quantile } = require('./report/statistics.js');
const { quantity, table } = require('./report/format.js');
const { PLANS, roundsOf, runProcess } = require('./runner.js');
const startup = require('../scripts/startup.js');

const root = path.join(__dirname, '..');
const MOST = 1.03;

function fail(message) {
  throw new Error(message);
}

function parse(args) {
  const options = { names: [], path: 'pinned', rounds: 7, isChecked: true };
  const value = (i) => args[i + 1] ?? fail(`${args[i]} wants a value`);
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--no-check') options.isChecked = false;
    else if (['--against', '--node', '--path'].includes(args[i])) options[args[i].slice(2)] = value(i++);
    else if (args[i] === '--rounds') options.rounds = Number(value(i++));
    else if (args[i].startsWith('-')) fail(`unknown option ${args[i]}`);
    else options.names.push(args[i]);
  }
  if (options.against === undefined) fail('--against wants a revision or a folder');
  if (!['pinned', 'generic'].includes(options.path)) fail('--path is pinned or generic');
  if (!Number.isInteger(options.rounds) || options.rounds < 1) fail('--rounds wants a number from 1');
  return options;
}

/** The folder of the other checkout. That of a revision is made and built. */
function checkout(against) {
  if (fs.existsSync(path.join(against, 'package.json'))) return path.resolve(against);
  const git = (...args) => execFileSync('git', ['-C', root, ...args], { encoding: 'utf8' }).trim();
  const commit = git('rev-parse', '--verify', `${against}^{commit}`);
  const folder = path.join(root, 'target', 'bench', commit.slice(0, 12));
  if (!fs.existsSync(folder)) {
    fs.mkdirSync(folder, { recursive: true });
    const archive = execFileSync('git', ['-C', root, 'archive', commit], { maxBuffer: 2 ** 28 });
    execFileSync('tar', ['-xf', '-', '-C', folder], { input: archive });
  }
  execFileSync(process.execPath, ['scripts/build.js'], { cwd: folder, stdio: ['ignore', 2, 2] });
  // Older revisions have no other form when they are published.
  const hasForm = fs.existsSync(path.join(folder, 'scripts', 'startup.js'));
  if (hasForm) startup.write(folder);
  return folder;
}

/** The ratios of the pairs of a row, and the medians of both sides. */
function measure(row, name, { sides, node, library, plan }) {
  const rounds = sides.map(() => []);
  for (let round = 0; round < roundsOf(row, plan); round++) {
    for (const side of round % 2 === 0 ? [0, 1] : [1, 0]) {
      const { runtime, ...measured } = runProcess(row, name, { node, library, plan, env: sides[side] });
      rounds[side].push(measured);
    }
  }
  const [before, after] = rounds.map((list) => byRound({ rounds: list }));
  const ratios = after.map((value, i) => value / before[i]);
  const [low, high] = [0.25, 0.75].map((fraction) => quantile(ratios, fraction));
  return { before: median(before), after: median(after), ratio: median(ratios), low, high };
}

const line = ({ row, before, after, ratio, low, high, error }) =>
  error !== undefined
    ? [row.title, '', '', error, '']
    : [
        row.title,
        quantity(before, row.unit),
        quantity(after, row.unit),
        ratio.toFixed(3),
        `${low.toFixed(3)} – ${high.toFixed(3)}`,
      ];

async function main() {
  const options = parse(process.argv.slice(2));
  const other = checkout(options.against);
  await build();
  const node = options.node === undefined ? defaultNode() : findNode(options.node);
  // The generic path by the name that it had before lib/ was in folders.
  const generic = { PINNED_FFI_LANE: 'frame' };
  const isOld = !fs.existsSync(path.join(other, 'lib', 'native'));
  const sides = [
    { BENCH_PACKAGE: path.join(other, 'index.js'), ...(isOld && options.path === 'generic' && generic) },
    { BENCH_PACKAGE: path.join(root, 'index.js') },
  ];
  const rows = choose(await allRows(), options.names).filter(
    (row) => row.variants.includes(options.path) || row.kind === 'settings',
  );
  const lines = [];
  const slower = [];
  for (const row of rows) {
    const library = compile(row.library, (text) => console.error(text));
    for (const name of row.kind === 'settings' ? row.variants : [options.path]) {
      const title = row.kind === 'settings' ? `${row.title}: ${name}` : row.title;
      const run = (rounds) => measure(row, name, { sides, node, library, plan: { ...PLANS.full, rounds, batches: 9 } });
      let result;
      try {
        result = run(options.rounds);
        if (result.ratio > MOST) result = run(2 * options.rounds);
        if (result.ratio > MOST) slower.push(title);
      } catch ({ message }) {
        result = { error: message };
      }
      lines.push(line({ row: { ...row, title }, ...result }));
      console.error(lines.at(-1).join('  '));
    }
  }
  console.log(`${node.version}, ${options.path}, against ${options.against}\n`);
  console.log(table(['', 'before', 'now', 'ratio', 'quartiles'], lines));
  if (slower.length > 0 && options.isChecked) fail(`slower by more than 3 %: ${slower.join('; ')}`);
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
