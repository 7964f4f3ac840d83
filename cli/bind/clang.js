'use strict';
// The compiler that reads headers: found, asked, and listened to.

const { spawn, spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { failure } = require('../usage.js');

const advice = {
  linux: 'apt install clang, dnf install clang, apk add clang',
  darwin: 'xcode-select --install',
  win32: 'winget install LLVM.LLVM',
};

const VERSIONS = Array.from({ length: 20 }, (_, i) => `clang-${30 - i}`);

/** The command of clang: $CLANG, clang, or clang-NN, the newest first. */
function findClang() {
  const chosen = process.env.CLANG;
  const commands = chosen ? [chosen] : ['clang', ...VERSIONS];
  for (const command of commands) {
    const { status, stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', timeout: 30_000 });
    if (status === 0 && /clang/i.test(stdout)) return { command, version: stdout.split('\n')[0].trim() };
  }
  if (chosen) throw failure(`CLANG is '${chosen}', which is no clang that runs`);
  throw failure(
    'clang is not found: it is what reads the headers.\n' +
      `Install it (${advice[process.platform] ?? advice.linux}), or name one in the variable CLANG.`,
  );
}

/** clang, with the options that the header needs. */
class Clang {
  #flags;

  /**
   * @param {{ command: string, version: string }} found
   * @param {string[]} flags -I, -D and what else the user wants of it
   */
  constructor({ command, version }, flags) {
    this.command = command;
    this.version = version;
    this.#flags = flags;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-bind-'));
  }

  /** Removes what was written. */
  close() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  /** The text of a C file in the folder of ours: gives its path. */
  write(name, text) {
    const file = path.join(this.folder, name);
    fs.writeFileSync(file, text);
    return file;
  }

  /**
   * Runs it: `onData` gets its output as it comes. Warnings are off: a header is what it is.
   * @returns {Promise<{ status: number, errors: string }>}
   */
  stream(args, onData) {
    const all = ['-x', 'c', '-std=gnu17', '-w', '-ferror-limit=0', '-fno-color-diagnostics', ...this.#flags, ...args];
    const child = spawn(this.command, all, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, LC_ALL: 'C' } });
    let errors = '';
    child.stdout.on('data', onData);
    child.stderr.setEncoding('utf8').on('data', (text) => (errors += text));
    return new Promise((resolve, reject) => {
      child.on('error', (error) => reject(failure(`${this.command} did not start: ${error.message}`)));
      child.on('close', (status, signal) => {
        if (signal !== null) reject(failure(`${this.command} was ended by ${signal}`));
        else resolve({ status, errors });
      });
    });
  }

  /** Runs it: its output as one text. */
  async text(args) {
    const parts = [];
    const { status, errors } = await this.stream(args, (part) => parts.push(part));
    return { status, errors, output: Buffer.concat(parts).toString('utf8') };
  }

  /** The folders in which it looks for <headers>, in its order. */
  async includeFolders() {
    const { errors } = await this.text(['-E', '-v', this.write('empty.c', '')]);
    const list = /#include <\.\.\.> search starts here:\n([^]*?)\nEnd of search list/.exec(errors)?.[1] ?? '';
    return list.split('\n').map((line) => path.resolve(line.trim().replace(/ \(framework directory\)$/, '')));
  }
}

module.exports = { findClang, Clang };
