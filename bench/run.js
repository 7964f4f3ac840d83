'use strict';
// npm run bench -- [group or part of a case's name ...] [--rounds N] [--node BINARY ...] [--no-write]
//
// Runs the cases of bench/cases/GROUP/: a process for each case and variant, in rounds, so that whatever disturbs the
// machine disturbs all variants alike. Ratios are taken within a round. Writes Markdown to the standard output, and
// between the markers of docs/performance-GROUP.md.

const { execFileSync, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { report } = require('./report');
const variants = require('./variants');

const cases = path.join(__dirname, 'cases');
const docs = path.join(__dirname, '..', 'docs');

function parse(args) {
  const options = { names: [], rounds: 9, nodes: [], write: true };
  for (let i = 0; i < args.length; i++) {
    if (args[i] === '--rounds') options.rounds = Number(args[++i]);
    else if (args[i] === '--node') options.nodes.push(args[++i]);
    else if (args[i] === '--no-write') options.write = false;
    else if (args[i].startsWith('-')) throw new Error(`unknown option ${args[i]}`);
    else options.names.push(args[i]);
  }
  if (!Number.isInteger(options.rounds) || options.rounds < 1) throw new Error('--rounds wants a number');
  if (options.nodes.length === 0) options.nodes.push(process.execPath);
  return options;
}

/** The wanted cases of every group: { group, name, file, title, unit, baseline, variants }. */
async function find(names) {
  const found = [];
  for (const group of fs.readdirSync(cases).sort()) {
    for (const file of fs.readdirSync(path.join(cases, group)).filter((each) => each.endsWith('.mjs')).sort()) {
      const name = `${group}/${path.basename(file, '.mjs')}`;
      if (names.length > 0 && !names.some((wanted) => name.includes(wanted))) continue;
      const full = path.join(cases, group, file);
      const module = await import(pathToFileURL(full).href);
      const { title, unit = 'ns', note = '' } = module;
      const own = Object.keys(variants).filter((variant) => typeof module[variant] === 'function');
      const baseline = module.baseline ?? own[0];
      found.push({ group, name, file: full, title, unit, note, baseline, variants: own });
    }
  }
  if (found.length === 0) throw new Error(`no case matches ${names.join(', ')}`);
  return found;
}

function runProcess(node, file, name) {
  const { env, command } = variants[name];
  const clean = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(PINNED_FFI_|NODE_)/.test(key)));
  const [binary, ...before] = command ?? [node];
  const args = [...before, path.join(__dirname, 'process.mjs'), file, name];
  const { status, stdout, stderr } = spawnSync(binary, args, { env: { ...clean, ...env }, encoding: 'utf8' });
  if (status !== 0) throw new Error(`${path.basename(file)} as ${name} failed:\n${stderr}`);
  return JSON.parse(stdout);
}

/** All rounds of one case: for each variant a number a round. Each round begins with another variant. */
function runCase(node, { file, variants: names }, rounds, progress) {
  const results = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      progress(name, round);
      results[name].push(runProcess(node, file, name));
    }
  }
  return results;
}

function progressLine(text) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
  else if (text !== '') process.stderr.write(`${text}\n`);
}

function machine() {
  const [{ model }] = os.cpus();
  return `${os.cpus().length} cores of ${model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, `
    + `${os.type()} ${os.release().split('-')[0]} ${os.arch()}`;
}

function write(group, text) {
  const file = path.join(docs, `performance-${group}.md`);
  const [begin, end] = ['<!-- measured: begin -->', '<!-- measured: end -->'];
  const old = fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : `# Performance: ${group}\n\n${begin}\n${end}\n`;
  const [before, after] = [old.split(begin)[0], old.split(end)[1]];
  fs.writeFileSync(file, `${before}${begin}\n\n${text}\n${end}${after}`);
}

async function main() {
  const options = parse(process.argv.slice(2));
  const wanted = await find(options.names);
  const rowsByGroup = new Map();
  const versions = options.nodes.map((node) => execFileSync(node, ['--version'], { encoding: 'utf8' }).trim());
  const total = wanted.length * options.nodes.length;
  let done = 0;
  for (const each of wanted) {
    const runs = options.nodes.map((node, i) => {
      const where = `[${++done}/${total}] ${each.name}, Node ${versions[i]}`;
      let last = -1;
      const results = runCase(node, each, options.rounds, (name, round) => {
        if (process.stderr.isTTY) progressLine(`${where}: round ${round + 1} of ${options.rounds}, ${name}`);
        else if (last < 0) progressLine(where);
        last = round;
      });
      return { version: versions[i], results };
    });
    rowsByGroup.set(each.group, [...(rowsByGroup.get(each.group) ?? []), { ...each, runs }]);
  }
  progressLine('');
  for (const [group, measured] of rowsByGroup) {
    const text = report(measured, { machine: machine(), rounds: options.rounds, versions });
    process.stdout.write(`${text}\n`);
    if (options.write) write(group, text);
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
