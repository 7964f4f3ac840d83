// A reporter of node:test that runs in the process of a test file: writes each event as a line of JSON into the file
// that its URL names (?to=FILE). It writes at once, so that a crash loses nothing of what came before.

import fs from 'node:fs';
import { inspect } from 'node:util';

const file = fs.openSync(new URL(import.meta.url).searchParams.get('to'), 'a');
const WRITTEN = new Set(['test:dequeue', 'test:start', 'test:pass', 'test:fail', 'test:diagnostic', 'test:plan']);

/** An error does not survive JSON: its text does. */
const textOf = (error) => inspect(error.code === 'ERR_TEST_FAILURE' ? (error.cause ?? error) : error);

// eslint-disable-next-line require-yield
export default async function* events(source) {
  for await (const { type, data } of source) {
    if (!WRITTEN.has(type)) continue;
    const { error, ...details } = data.details ?? {};
    const failure = error && { text: textOf(error), failureType: error.failureType };
    fs.writeSync(file, `${JSON.stringify({ type, data: { ...data, details: { ...details, failure } } })}\n`);
  }
}
