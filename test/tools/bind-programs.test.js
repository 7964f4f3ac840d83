'use strict';
// `pinned-ffi bind` for the headers of SQLite, zlib, libcurl and SDL. What is generated is type-checked, and does real
// work.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, describe, test } = require('node:test');
const { root, fixture } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { EXTENSION, header, OUT, folder, run, generate, runs } = require('./bind-folder.js');

describe('real headers', { concurrency: 2 }, () => {
  const HEADERS = {
    sqlite3: [
      'sqlite3.h',
      '--out',
      'sqlite3_open*.ppDb',
      '--out',
      'sqlite3_prepare_v2.ppStmt',
      '--out',
      'sqlite3_exec.errmsg',
    ],
    zlib: ['zlib.h', '--also', 'zconf.h'],
    curl: ['curl/curl.h'],
    sdl: ['SDL2/SDL.h', '--progress'],
  };
  const NEEDS = {
    sqlite3: ['clang', 'sqlite3.h', 'sqlite3'],
    zlib: ['clang', 'zlib.h', 'z'],
    curl: ['clang', 'curl/curl.h', 'curl'],
    sdl: ['clang', 'SDL2/SDL.h', 'SDL2'],
  };
  const skipOf = (name) => ({ skip: needs(...NEEDS[name]) });
  const made = {};

  before(async () => {
    const here = Object.entries(HEADERS).filter(([name]) => !needs(...NEEDS[name]));
    await Promise.all(here.map(async ([name, args]) => (made[name] = await generate(name, args))));
  });

  test('sqlite3.h: opens a database, fills and queries it', skipOf('sqlite3'), async () => {
    assert.deepEqual(
      await runs(
        'sqlite3',
        `const { returns, out: [db] } = m.sqlite3_open(':memory:');
      const rows = [];
      const { returns: done } = m.sqlite3_exec(db, "create table t (a, b); insert into t values (1, 'één'), (2, 'zwei')", null, null);
      const { out: [statement] } = m.sqlite3_prepare_v2(db, 'select a, b from t where a >= ? order by a', -1, null);
      m.sqlite3_bind_text(statement, 1, '1', -1, m.SQLITE_TRANSIENT);
      m.sqlite3_bind_int64(statement, 1, 1);
      while (m.sqlite3_step(statement) === m.SQLITE_ROW) {
        rows.push([m.sqlite3_column_int64(statement, 0), ffi.CString(m.sqlite3_column_text(statement, 1))]);
      }
      print([returns, done, rows, m.sqlite3_finalize(statement), m.sqlite3_close(db),
        m.sqlite3_libversion_number() === m.SQLITE_VERSION_NUMBER, m.sqlite3_libversion() === m.SQLITE_VERSION]);`,
      ),
      [
        0,
        0,
        [
          ['1n', 'één'],
          ['2n', 'zwei'],
        ],
        0,
        0,
        true,
        true,
      ],
    );
  });

  test(
    "zlib.h: compresses what Node's zlib inflates, and inflates what Node's compresses, by its own code",
    skipOf('zlib'),
    async () => {
      assert.match(made.zlib.text, /RTLD_DEEPBIND/);
      assert.deepEqual(
        await runs(
          'zlib',
          `import zlib from 'node:zlib';
      const text = Buffer.from('pinned '.repeat(1000));
      const packed = Buffer.alloc(Number(m.compressBound(text.length)));
      const length = BigUint64Array.of(BigInt(packed.length));
      const compressed = m.compress2(packed, length, text, text.length, m.Z_BEST_COMPRESSION);
      const byNode = zlib.inflateSync(packed.subarray(0, Number(length[0])));
      const stream = m.z_stream.alloc();
      const [input, output] = [zlib.deflateSync(text), Buffer.alloc(text.length)];
      const started = m.inflateInit_(stream, m.ZLIB_VERSION, m.z_stream.size);
      stream.next_in = input; stream.avail_in = input.length;
      stream.next_out = output; stream.avail_out = output.length;
      const ended = m.inflate(stream, m.Z_FINISH);
      print([compressed, byNode.equals(text), started, ended === m.Z_STREAM_END, output.equals(text), stream.total_out,
        m.inflateEnd(stream), m.zlibVersion() === m.ZLIB_VERSION, m.MAX_WBITS]);`,
        ),
        [0, true, 0, true, true, '7000n', 0, true, 15],
      );
    },
  );

  test('curl/curl.h: fetches a file: URL through a callback that writes', skipOf('curl'), async () => {
    const file = path.join(folder, 'fetched.txt');
    fs.writeFileSync(file, 'what was fetched\n'.repeat(5000));
    assert.deepEqual(
      await runs(
        'curl',
        `import { pathToFileURL } from 'node:url';
      const parts = [];
      const write = new ffi.JSCallback((data, size, count) => {
        const bytes = Number(size * count);
        parts.push(Buffer.from(ffi.toBuffer(data, 0, bytes)));
        return bytes;
      }, { args: ['ptr', 'size_t', 'size_t', 'ptr'], returns: 'size_t' });
      m.curl_global_init(m.CURL_GLOBAL_DEFAULT);
      const handle = m.curl_easy_init();
      const set = [m.curl_easy_setopt(handle, 'CURLOPT_URL', ['cstring', pathToFileURL(${JSON.stringify(file)}).href]),
        m.curl_easy_setopt(handle, 'CURLOPT_WRITEFUNCTION', ['function', write])];
      const result = m.curl_easy_perform(handle);
      const bad = m.curl_easy_setopt(handle, 'CURLOPT_URL', ['cstring', 'file:///no/such/file']);
      const missing = m.CURLcode.nameOf(m.curl_easy_perform(handle));
      m.curl_easy_cleanup(handle);
      write.close();
      print([set, result, Buffer.concat(parts).equals((await import('node:fs')).readFileSync(${JSON.stringify(file)})), bad,
        missing, m.curl_easy_strerror('CURLE_FILE_COULDNT_READ_FILE').length > 0, ffi.CString(m.curl_version()).includes(m.LIBCURL_VERSION)]);`,
      ),
      [[0, 0], 0, true, 0, 'CURLE_FILE_COULDNT_READ_FILE', true, true],
    );
  });

  test('SDL2/SDL.h: draws on a software surface and reads its pixels back', skipOf('sdl'), async () => {
    assert.match(made.sdl.notes, /bind: reading the declarations\n/, 'the progress that was asked for');
    assert.deepEqual(
      await runs(
        'sdl',
        `const format = m.SDL_PixelFormatEnum.values.SDL_PIXELFORMAT_RGBA32;
      const address = m.SDL_CreateRGBSurfaceWithFormat(0, 16, 8, 32, format);
      const surface = m.SDL_Surface.view(address);
      const { w, h, pitch } = surface;
      const filled = m.SDL_FillRect(address, null, m.SDL_MapRGB(surface.format, 10, 20, 30));
      const rect = m.SDL_FillRect(address, m.SDL_Rect.alloc({ x: 2, y: 3, w: 4, h: 2 }), m.SDL_MapRGBA(surface.format, 255, 0, 0, 255));
      const pixels = ffi.toBuffer(surface.pixels, 0, pitch * h);
      const at = (x, y) => [...pixels.subarray(y * pitch + x * 4, y * pitch + x * 4 + 4)];
      const drawn = [at(0, 0), at(2, 3), at(5, 4), at(6, 4)];
      m.SDL_FreeSurface(address);
      const version = m.SDL_version.alloc();
      m.SDL_GetVersion(version);
      print([w, h, pitch, filled, rect, drawn, version.major, m.SDL_Event.size, m.SDL_INIT_VIDEO]);`,
      ),
      [
        16,
        8,
        64,
        0,
        0,
        [
          [10, 20, 30, 255],
          [255, 0, 0, 255],
          [255, 0, 0, 255],
          [10, 20, 30, 255],
        ],
        2,
        56,
        32,
      ],
    );
  });

  test(
    'every generated module is strict TypeScript that needs only its types stripped',
    { timeout: 300_000, skip: needs(...Object.values(NEEDS).flat()) },
    async (t) => {
      if (EXTENSION !== 'mts') {
        t.diagnostic('this Node runs no TypeScript: the modules are JavaScript, and are checked by being run');
        for (const { text } of Object.values(made))
          assert.doesNotMatch(text, /^import type|^export type|: DeclaredType/m);
        return;
      }
      fs.writeFileSync(
        path.join(folder, 'tsconfig.json'),
        JSON.stringify({
          compilerOptions: {
            strict: true,
            exactOptionalPropertyTypes: true,
            noUncheckedIndexedAccess: true,
            noUnusedLocals: true,
            erasableSyntaxOnly: true,
            verbatimModuleSyntax: true,
            allowImportingTsExtensions: true,
            // Every type that a module exports can be named.
            declaration: true,
            emitDeclarationOnly: true,
            outDir: 'declared',
            target: 'es2022',
            module: 'nodenext',
            types: ['node'],
          },
          files: ['user.mts', 'everything.mts', ...Object.keys(HEADERS).map((name) => `${name}.mts`)],
        }),
      );
      await generate('everything', [header, '--lib', fixture, ...OUT]);
      fs.writeFileSync(
        path.join(folder, 'user.mts'),
        `import * as m from './everything.mts';
import { sqlite3_open, sqlite3_finalize, type sqlite3 } from './sqlite3.mts';
export const sum: number = m.bind_add(1, 2);
export const moved: { x: number; y: number } = m.bind_move({ x: 1, y: 2 }, 3);
export const database: sqlite3 | null = sqlite3_open(':memory:').out[0];
// @ts-expect-error a text is no number
m.bind_add('1', 2);
// @ts-expect-error no such name
m.bind_mix('BIND_PURPLE', 0);
// @ts-expect-error a database is no statement
sqlite3_finalize(database);
`,
      );
      const { code, stdout, stderr } = await run(path.join(root, 'node_modules', 'typescript', 'bin', 'tsc'), [
        '-p',
        folder,
      ]);
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
      for (const name of ['user', 'everything', ...Object.keys(HEADERS)]) {
        const emitted = fs.readFileSync(path.join(folder, 'declared', `${name}.d.mts`), 'utf8');
        assert.doesNotMatch(emitted, /pinned-ffi\/types|\.\.\/.*types\//, name);
      }
    },
  );
});
