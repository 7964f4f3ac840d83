'use strict';
// Runs one test file in a separate process and collects the events that node:test reports there.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { inspect } = require('node:util');

const root = path.join(__dirname, '..');
const reporter = pathToFileURL(path.join(__dirname, 'test-events.mjs')).href;
// A file that hangs fails after this time.
const TIMEOUT_MS = 10 * 60 * 1000;

/** An error whose text is that of the error in the other process, as the reporters of node:test show it. */
function revive({ text, failureType }) {
  const cause = { [inspect.custom]: () => text };
  return Object.assign(new Error(text, { cause }), { code: 'ERR_TEST_FAILURE', failureType });
}

/** The titles of the tests that began and did not end. */
function unendedIn(events) {
  const open = [];
  for (const { type, data } of events) {
    if (type === 'test:dequeue') open.push(data);
    if (type !== 'test:pass' && type !== 'test:fail') continue;
    const at = open.findLastIndex(({ name, nesting }) => name === data.name && nesting === data.nesting);
    if (at >= 0) open.splice(at, 1);
  }
  return open.map(({ name }) => name);
}

function eventsIn(text) {
  const events = text
    .split('\n')
    .filter((line) => line.endsWith('}'))
    .map((line) => JSON.parse(line));
  // After the plan of the whole file comes its summary; the runner makes one for all files.
  const end = events.findIndex(({ type, data }) => type === 'test:plan' && data.nesting === 0);
  const isWhole = end >= 0;
  for (const { data } of events) {
    const { failure, ...details } = data.details;
    data.details = failure === undefined ? details : { ...details, error: revive(failure) };
  }
  // When a test began to run is for `unendedIn` alone: `test:start` comes with its end.
  const reported = events.slice(0, isWhole ? end : events.length).filter(({ type }) => type !== 'test:dequeue');
  return { events: reported, unended: isWhole ? [] : unendedIn(events), isWhole };
}

/** The fault of the process as a whole, even if no test has failed; undefined without one. */
function faultOf({ code, signal, unended, isWhole, hasFailed, isLate }) {
  const during = unended.length === 0 ? '' : `, in: ${unended.join(' > ')}`;
  if (isLate) return `the file did not end within ${TIMEOUT_MS / 1000} seconds${during}`;
  if (signal !== null) return `the process was ended by ${signal}${during}`;
  if (!isWhole) return `the process ended with exit code ${code} before its tests did${during}`;
  return code !== 0 && !hasFailed ? `the process ended with exit code ${code}` : undefined;
}

/**
 * @param {string} node the Node binary
 * @param {string} file the test file, relative to the repository
 * @param {{ flags?: string[], env?: object }} options
 * @returns {Promise<{ file: string, seconds: number, isOk: boolean, events: object[] }>}
 */
function runTestFile(node, file, { flags = [], env = process.env } = {}) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-events-'));
  const to = path.join(folder, 'events');
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const args = [...flags, `--test-reporter=${reporter}?to=${encodeURIComponent(to)}`, file];
    const child = spawn(node, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] });
    const printed = [];
    for (const name of ['stdout', 'stderr']) {
      child[name]
        .setEncoding('utf8')
        .on('data', (message) => printed.push({ type: `test:${name}`, data: { file, message } }));
    }
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      child.kill('SIGKILL');
    }, TIMEOUT_MS);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const { events, unended, isWhole } = eventsIn(fs.existsSync(to) ? fs.readFileSync(to, 'utf8') : '');
      fs.rmSync(folder, { recursive: true, force: true });
      const hasFailed = events.some(({ type, data }) => type === 'test:fail' && !data.todo);
      const fault = faultOf({ code, signal, unended, isWhole, hasFailed, isLate });
      if (fault !== undefined) {
        const details = {
          duration_ms: performance.now() - began,
          error: revive({ text: fault, failureType: 'testCodeFailure' }),
        };
        events.push({
          type: 'test:fail',
          data: { name: file, nesting: 0, testNumber: 1, file: path.join(root, file), details },
        });
      }
      const isOk = !hasFailed && fault === undefined;
      resolve({ file, seconds: (performance.now() - began) / 1000, isOk, events: [...printed, ...events] });
    });
  });
}

module.exports = { runTestFile };
