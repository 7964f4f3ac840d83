'use strict';
// Packages of the npm registry that depend on koffi run unchanged by `node --import pinned-ffi/koffi`, each doing what
// it is for: test/ecosystem/koffi/. The same programs run with koffi at the full scale.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { promisify } = require('node:util');
const { ffi, root } = require('../helpers.js');
const { needs, onlyOn } = require('../requirements.js');
const { byScale } = require('../scale.js');

const home = path.join(__dirname, 'koffi');
const TIMEOUT_MS = 120_000;

/** The programs: what a package is used for, what it needs, and whether it takes long. */
const PROGRAMS = {
  'tls.cjs': { does: 'node-tls-client passes texts, in worker threads', isLong: true },
  'tls-wrapper.mjs': { does: 'tlsclientwrapper passes texts, in an ES module and a pool of workers', isLong: true },
  'vosk.cjs': { does: 'vosk-koffi has opaque handles, Buffers and asynchronous calls' },
  'steam.cjs': { does: 'steamworks-ffi-node decodes and encodes structs, and registers functions in a table' },
  'xan105.mjs': { does: '@xan105/ffi makes structs and callbacks, reads errno, and compares messages' },
  'anoncreds.cjs': {
    does: '@hyperledger/anoncreds-nodejs issues and verifies a credential: structs with lists by value',
    wants: ['identityLibraries'],
    isLong: true,
  },
  'indy-vdr.cjs': {
    does: '@hyperledger/indy-vdr-nodejs has threads of its library call registered functions',
    wants: ['identityLibraries'],
    isLong: true,
  },
};

describe(
  'packages that depend on koffi',
  { skip: needs('koffiPackages') || onlyOn('glibc'), concurrency: true },
  () => {
    let folder;
    let environment;

    before(() => {
      folder = fs.mkdtempSync(path.join(os.tmpdir(), 'koffi packages '));
      const library = path.join(folder, 'libsteam_api.so');
      const flags = '-w';
      fs.copyFileSync(ffi.cc({ source: path.join(home, 'library.c'), symbols: {}, flags }).path, library);
      // Where the packages put what they download.
      fs.symlinkSync(library, path.join(folder, 'tls-client-x64.so'));
      const vosk = path.join(home, 'node_modules', 'vosk-koffi', `bin-${process.platform}-${process.arch}`);
      fs.mkdirSync(vosk, { recursive: true });
      fs.copyFileSync(library, path.join(vosk, 'libvosk.so'));
      const libc = path.join(folder, 'libc.so');
      fs.symlinkSync(/\S*libc\.so\.6$/m.exec(fs.readFileSync('/proc/self/maps', 'utf8'))[0], libc);
      environment = { ...process.env, TMPDIR: folder, TEST_LIBRARY: library, TEST_LIBC: libc };
      for (const [name, variable] of [
        ['anoncreds', 'LIB_ANONCREDS_PATH'],
        ['indy_vdr', 'LIB_INDY_VDR_PATH'],
      ])
        environment[variable] = path.join(home, 'native', name);
    });
    after(() => fs.rmSync(folder, { recursive: true, force: true }));

    const layer = pathToFileURL(path.join(root, 'koffi.mjs')).href;
    const variants = byScale(
      [['pinned-ffi/koffi', ['--import', layer]]],
      [
        ['pinned-ffi/koffi', ['--import', layer]],
        ['koffi', ['--no-deprecation']],
      ],
    );

    for (const [file, { does, wants = [], isLong = false }] of Object.entries(PROGRAMS)) {
      if (isLong && byScale(true, false)) continue;
      for (const [name, options] of variants) {
        test(`${does}, by ${name}`, { skip: needs('koffiPackages', ...wants) }, async () => {
          const args = [...options, path.join(home, 'programs', file)];
          const run = promisify(execFile)(process.execPath, args, { env: environment, timeout: TIMEOUT_MS });
          await assert.doesNotReject(run);
        });
      }
    }
  },
);
