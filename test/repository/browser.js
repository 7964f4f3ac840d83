'use strict';
// A headless Chromium, driven by its DevTools protocol over a pipe.

const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const TIMEOUT_MS = 60_000;
/** The key of a page that is waited for, beside the numbers of messages. */
const LOADED = 'loaded';

/** One tab of a new browser. */
class Browser {
  #child;
  #profile;
  #next = 1;
  #waiting = new Map();
  #session;
  /** Settled when the process has ended. */
  #ended;
  /** What pages have reported as errors. */
  errors = [];

  static async start() {
    const browser = new Browser();
    const { targetId } = await browser.#send('Target.createTarget', { url: 'about:blank' });
    ({ sessionId: browser.#session } = await browser.#send('Target.attachToTarget', { targetId, flatten: true }));
    for (const domain of ['Page', 'Runtime', 'Log']) await browser.#send(`${domain}.enable`);
    return browser;
  }

  constructor() {
    this.#profile = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-chromium-'));
    const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--remote-debugging-pipe'];
    this.#child = spawn('chromium', [...flags, `--user-data-dir=${this.#profile}`, 'about:blank'], {
      stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
    });
    this.#ended = new Promise((resolve) => this.#child.once('exit', resolve).once('error', resolve));
    // It may end by itself, and what was asked has no answer then.
    this.#child.once('exit', (code, signal) => this.#fail(new Error(`the browser has ended: ${signal ?? code}`)));
    this.#child.once('error', (error) => this.#fail(error));
    this.#child.stdio[3].on('error', (error) => this.#fail(error));
    let rest = '';
    this.#child.stdio[4].setEncoding('utf8').on('data', (text) => {
      const messages = (rest + text).split('\0');
      rest = messages.pop();
      messages.forEach((message) => this.#take(JSON.parse(message)));
    });
  }

  #fail(error) {
    this.#waiting.forEach(({ reject }) => reject(error));
    this.#waiting.clear();
  }

  #take({ id, result, error, method, params }) {
    if (id !== undefined) {
      const { resolve, reject } = this.#waiting.get(id) ?? {};
      this.#waiting.delete(id);
      if (error === undefined) resolve?.(result);
      else reject?.(new Error(error.message));
    } else if (method === 'Runtime.exceptionThrown') this.errors.push(params.exceptionDetails.text);
    else if (method === 'Log.entryAdded' && params.entry.level === 'error') this.errors.push(params.entry.text);
    else if (method === 'Page.loadEventFired') this.#waiting.get(LOADED)?.resolve();
  }

  #send(method, params = {}) {
    const id = this.#next++;
    const message = { id, method, params, ...(this.#session === undefined ? {} : { sessionId: this.#session }) };
    const answer = this.#wait(id, method);
    this.#child.stdio[3].write(`${JSON.stringify(message)}\0`);
    return answer;
  }

  #wait(id, what) {
    return new Promise((resolve, reject) => {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) reject(new Error('the browser has ended'));
      const timer = setTimeout(() => reject(new Error(`${what}: no answer`)), TIMEOUT_MS);
      const settle = (end) => (value) => {
        clearTimeout(timer);
        end(value);
      };
      this.#waiting.set(id, { resolve: settle(resolve), reject: settle(reject) });
    });
  }

  /** Shows a page in a window of this width. */
  async open(url, width, height = 900) {
    const mobile = width < 600;
    await this.#send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile });
    const loaded = this.#wait(LOADED, url);
    loaded.catch(() => {});
    await this.#send('Page.navigate', { url });
    await loaded;
  }

  /** The value of an expression in the page; of a Promise, what it resolves to. */
  async evaluate(expression) {
    const options = { expression, returnByValue: true, awaitPromise: true };
    const { result, exceptionDetails } = await this.#send('Runtime.evaluate', options);
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  }

  /** The page as a PNG. */
  async screenshot() {
    return Buffer.from((await this.#send('Page.captureScreenshot')).data, 'base64');
  }

  async close() {
    this.#child.kill('SIGKILL');
    await this.#ended;
    fs.rmSync(this.#profile, { recursive: true, force: true, maxRetries: 5 });
  }
}

module.exports = { Browser };
