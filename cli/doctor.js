'use strict';
// `pinned-ffi doctor`: describes this installation, and tries whether it works.

const { version } = require('../package.json');
const { table, plain } = require('./table.js');
const { usageError } = require('./usage.js');

const help = `Usage: pinned-ffi doctor [--json]

Says what this installation is (platform, runtime, addon, call path, libffi, fences, settings) and tries it: calls with each
kind of value, callbacks, structs, a write past the end of a buffer, an asynchronous call. The exit code is 0 if all of it
works, else 1.

  --json  an object for programs
`;

const options = { json: { type: 'boolean' } };

const SETTINGS = [
  'PINNED_FFI_ADDON',
  'PINNED_FFI_CACHE',
  'PINNED_FFI_EXTERNAL',
  'PINNED_FFI_FENCE',
  'PINNED_FFI_GUARD',
  'PINNED_FFI_CALL_PATH',
  'PINNED_FFI_LANE',
  'PINNED_FFI_QUARANTINE',
  'PINNED_FFI_TRACE',
];

function runtime() {
  const { versions } = process;
  if (versions.bun) return `Bun ${versions.bun} (as Node.js ${versions.node})`;
  if (versions.deno) return `Deno ${versions.deno} (as Node.js ${versions.node})`;
  const node = `Node.js ${versions.node} (V8 ${versions.v8}, modules ${versions.modules}, Node-API ${versions.napi})`;
  return versions.electron ? `Electron ${versions.electron}, ${node}` : node;
}

/**
 * The process report, without looking up the names of network peers.
 * @returns {any}
 */
function processReport() {
  /** @type {any} */
  const report = process.report;
  if (report?.getReport === undefined) return undefined;
  const before = report.excludeNetwork;
  report.excludeNetwork = true;
  try {
    return report.getReport();
  } finally {
    report.excludeNetwork = before;
  }
}

function libc(header) {
  if (process.platform !== 'linux') return undefined;
  if (require('../lib/native/platform.js').isMusl()) return 'musl';
  return header?.glibcVersionRuntime === undefined ? 'unknown' : `glibc ${header.glibcVersionRuntime}`;
}

/**
 * The facts and, where the addon does not load, why.
 * @returns {any}
 */
function examine() {
  const report = processReport();
  const facts = {
    version,
    platform: process.platform,
    arch: process.arch,
    libc: libc(report?.header),
    runtime: runtime(),
    settings: Object.fromEntries(SETTINGS.map((name) => [name, process.env[name] ?? null])),
  };
  try {
    const { fences } = require('../index.js');
    const loaded = processReport()?.sharedObjects ?? [];
    const before = new Set(report?.sharedObjects);
    return {
      ...facts,
      addon: loaded.find((file) => file.endsWith('.node') && !before.has(file)) ?? null,
      callPath: require('../lib/call/fast-call.js').callPath(),
      libffi: require('../lib/native/binding.js').libffiVersion(),
      fences: fences(),
    };
  } catch (error) {
    // An addon that is missing or refuses its settings has no state to show. The message says what to do.
    return { ...facts, error: error.message };
  }
}

function fencesText({ installed, reason, before, after, quarantine }) {
  const width = `${before} bytes before and ${after} after`;
  const state = installed ? `every Buffer: ${width}` : `only memory of alloc() and the like, ${width}: ${reason}`;
  return [
    ['fences', state],
    ['quarantine', `${quarantine.bytes} bytes or ${quarantine.count} blocks at most`],
  ];
}

function printFacts(facts, write) {
  write(`pinned-ffi ${facts.version}\n`);
  const rows = [
    ['platform', `${facts.platform}-${facts.arch}${facts.libc === undefined ? '' : `, ${facts.libc}`}`],
    ['runtime', facts.runtime],
  ];
  if (facts.error === undefined) {
    rows.push(
      ['addon', facts.addon ?? 'loaded; this runtime does not say from where'],
      [
        'call path',
        facts.callPath.reason === undefined ? facts.callPath.name : `${facts.callPath.name}: ${facts.callPath.reason}`,
      ],
      ['libffi', facts.libffi],
      ...fencesText(facts.fences),
    );
  }
  write(table(rows));
  write('\nsettings\n');
  write(
    table(Object.entries(facts.settings).map(([name, value]) => [name, value === null ? 'not set' : `'${value}'`])),
  );
}

async function run({ json = false }, positionals) {
  if (positionals.length > 0) throw usageError(`takes no argument, received '${positionals[0]}'`);
  const write = (text) => process.stdout.write(text);
  const facts = examine();
  if (!json) printFacts(facts, write);
  const results = facts.error === undefined ? await require('./doctor/tests.js').runAll() : [];
  const ok = facts.error === undefined && results.every((result) => result.ok);
  if (json) {
    write(`${JSON.stringify({ ...facts, tests: results, ok }, null, 2)}\n`);
    return ok ? 0 : 1;
  }
  if (facts.error !== undefined) {
    write(`\nFAILED: ${plain(facts.error)}\n`);
    return 1;
  }
  write('\nself-test\n');
  write(table(results.map((result) => [result.ok ? 'ok' : 'FAILED', result.name, result.error])));
  const failed = results.filter((result) => !result.ok).length;
  write(failed === 0 ? '\nEverything works.\n' : `\n${failed} of ${results.length} failed.\n`);
  return ok ? 0 : 1;
}

module.exports = { help, options, run };
