'use strict';
// `pinned-ffi bind` with headers of real libraries, as a newcomer would call it: each gives a module that type-checks
// and loads, and some of them do a job whose result another tool checks.

const assert = require('node:assert/strict');
const { execFileSync, spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { root } = require('../helpers.js');
const { needs } = require('../requirements.js');
const { byScale } = require('../scale.js');

// Header -> the options, what it must have bound, and what else it needs. The first ones are those of the quick scale.
const HEADERS = {
  'ncurses.h': { has: ['initscr', 'cbreak', 'keypad', 'stdscr', 'COLS', 'KEY_UP'] },
  'sodium.h': { has: ['sodium_init', 'crypto_hash_sha256', 'crypto_secretbox_KEYBYTES'] },
  'png.h': { has: ['png_image_write_to_file', 'png_image', 'PNG_FORMAT_RGBA'] },
  'git2.h': {
    args: [
      ...[
        '--out',
        'git_repository_open.out',
        '--free',
        '*_free',
        '--free',
        '!git_libgit2_*',
        '--fails',
        'git_*=negative',
      ],
      ...['--text', 'git_error.message', '--inline', 'git_no_such_*'],
    ],
    needs: ['git'],
    has: ['git_repository_open', 'git_commit_message', 'GIT_ENOTFOUND', 'git_oid'],
  },
  'glib.h': {
    args: ['--free', 'g_base64_encode=g_free', '--number', 'g_utf8_strlen'],
    needs: ['pkg-config'],
    has: ['g_base64_encode', 'g_utf8_strlen', 'g_list_append'],
  },
  'openssl/evp.h': { has: ['EVP_sha256', 'EVP_Digest', 'EVP_MAX_MD_SIZE'] },
  'cairo.h': { has: ['cairo_create', 'cairo_image_surface_create'] },
  'webp/decode.h': { args: ['--inline', 'WebP*'], has: ['WebPGetInfo', 'WebPInitDecoderConfig'] },
  'wayland-client.h': { args: ['--inline', '*'], has: ['wl_display_connect', 'wl_surface_commit'] },
  'libxml/parser.h': { has: ['xmlReadMemory', 'xmlValidityErrorFunc'] },
  'lz4frame.h': { has: ['LZ4F_compressFrame', 'LZ4F_isError'] },
  'archive.h': {
    args: ['--also', 'archive_entry.h', '--free', '*_free', '--fails', 'archive_write_*=negative', '--number', '*'],
    needs: ['tar'],
    has: ['archive_write_new', 'archive_entry_new', 'ARCHIVE_OK'],
  },
  'gmp.h': { has: ['mpz_init', '__gmpz_init', '__mpz_struct', 'gmp_version'] },
  'lzma.h': { args: ['--number', '*'], needs: ['xz'], has: ['lzma_easy_buffer_encode', 'LZMA_CHECK_CRC64'] },
  'pcre2.h': {
    args: ['-D', 'PCRE2_CODE_UNIT_WIDTH=8', '--number', '*'],
    has: ['pcre2_compile', 'pcre2_match_8', 'PCRE2_UTF'],
  },
  'jpeglib.h': { has: ['jpeg_std_error', 'jpeg_decompress_struct', 'JDCT_ISLOW'] },
};
const QUICK = 3;

const names = Object.keys(HEADERS);
const selected = names.slice(0, byScale(QUICK, names.length));
const needed = (name) => needs('clang', name, ...(HEADERS[name].needs ?? []));
const here = selected.filter((name) => needed(name) === false);

// Node runs TypeScript by itself since 22.18; for older ones the compiler takes the types out.
const stripsTypes = Boolean(process.features.typescript);
const stemOf = (name) => name.replace(/\W/g, '_');

let folder;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-test-headers-'));
  fs.mkdirSync(path.join(folder, 'node_modules', '@types'), { recursive: true });
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'pinned-ffi'), 'junction');
  const types = path.join('node_modules', '@types', 'node');
  fs.symlinkSync(path.join(root, types), path.join(folder, types), 'junction');
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

function run(args) {
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      cwd: folder,
      env,
      timeout: 300_000,
      killSignal: 'SIGKILL',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const streams = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'])
      child[name].setEncoding('utf8').on('data', (text) => (streams[name] += text));
    child.on('error', reject);
    child.on('close', (code, signal) => resolve({ code, signal, ...streams }));
  });
}

async function generate(name) {
  const file = path.join(folder, `${stemOf(name)}.mts`);
  const { args = [] } = HEADERS[name];
  const { code, signal, stderr } = await run([
    path.join(root, 'bin', 'pinned-ffi.js'),
    'bind',
    name,
    ...args,
    '-o',
    file,
  ]);
  assert.deepEqual([code, signal], [0, null], stderr);
  if (!stripsTypes) {
    const { code: text } = require('esbuild').transformSync(fs.readFileSync(file, 'utf8'), { loader: 'ts' });
    fs.writeFileSync(file.replace(/mts$/, 'mjs'), text);
  }
  return stderr;
}

/** Runs a program that imports the module of a header as `m`; gives what it printed as JSON. */
async function runs(name, code) {
  const stem = stemOf(name);
  const file = path.join(folder, `${stem}-program-${Math.random()}.mjs`);
  const start = `import * as m from './${stem}.${stripsTypes ? 'mts' : 'mjs'}';\nimport * as ffi from 'pinned-ffi';\n`;
  fs.writeFileSync(file, `${start}const print = (value) => console.log(JSON.stringify(value));\n${code}`);
  const { code: exit, signal, stdout, stderr } = await run([file]);
  assert.deepEqual([exit, signal], [0, null], `${stderr}\n${stdout}`);
  return JSON.parse(stdout);
}

const job = (name, title, body) => {
  if (selected.includes(name)) test(`${name}: ${title}`, { skip: needed(name) }, body);
};

describe('headers of real libraries', () => {
  const notes = {};

  before(async () => {
    // Two at a time, as there are cores.
    const queue = [...here];
    const work = async () => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) notes[name] = await generate(name);
    };
    await Promise.all([work(), work()]);
  });

  for (const name of selected) {
    test(`${name}: the module loads and has what the header declares`, { skip: needed(name) }, async () => {
      const { has } = HEADERS[name];
      assert.deepEqual(await runs(name, `print(${JSON.stringify(has)}.filter((each) => !(each in m)));`), []);
    });
  }

  test(
    'all modules are strict TypeScript, with declarations that need nothing of them',
    { skip: needs('clang') },
    async () => {
      const compilerOptions = {
        strict: true,
        declaration: true,
        emitDeclarationOnly: true,
        outDir: 'declarations',
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        noUnusedLocals: true,
        erasableSyntaxOnly: true,
        verbatimModuleSyntax: true,
        target: 'es2022',
        module: 'nodenext',
        types: ['node'],
      };
      const files = here.map((name) => `${stemOf(name)}.mts`);
      fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
      const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
      const { code, stdout, stderr } = await run([tsc, '-p', folder]);
      assert.deepEqual([code, stdout, stderr], [0, '', '']);
      for (const name of here)
        assert.ok(fs.existsSync(path.join(folder, 'declarations', `${stemOf(name)}.d.mts`)), name);
    },
  );

  job('ncurses.h', 'names of keys are those of the library that it needs', async () => {
    const [version, key, columns] = await runs(
      'ncurses.h',
      'print([m.curses_version(), m.keyname(m.KEY_UP), m.COLS.value]);',
    );
    assert.match(version, /^ncurses \d/);
    assert.deepEqual([key, columns], ['KEY_UP', 0]);
  });

  job('sodium.h', 'hashes as Node does', async () => {
    const hash = await runs(
      'sodium.h',
      `const out = Buffer.alloc(Number(m.crypto_hash_sha256_bytes()));
      m.sodium_init();
      m.crypto_hash_sha256(out, Buffer.from('pinned'), 6);
      print(out.toString('hex'));`,
    );
    assert.equal(hash, require('node:crypto').createHash('sha256').update('pinned').digest('hex'));
  });

  job('png.h', "writes a picture that Node's zlib unpacks", async () => {
    const file = path.join(folder, 'picture.png');
    const written = await runs(
      'png.h',
      `const image = m.png_image.alloc();
      Object.assign(image, { version: m.PNG_IMAGE_VERSION, width: 2, height: 1, format: m.PNG_FORMAT_RGBA });
      const pixels = Buffer.from([255, 0, 0, 255, 0, 0, 255, 128]);
      print(m.png_image_write_to_file(image, ${JSON.stringify(file)}, 0, pixels, 0, null));`,
    );
    assert.equal(written, 1);
    const data = fs.readFileSync(file);
    const at = data.indexOf('IDAT');
    const packed = data.subarray(at + 4, at + 4 + data.readUInt32BE(at - 4));
    assert.deepEqual([data.readUInt32BE(16), data.readUInt32BE(20)], [2, 1]);
    // The only row: after its filter (of those, some add the pixel to the left).
    const [filter, ...row] = require('node:zlib').inflateSync(packed);
    const addsLeft = filter === 1 || filter === 4;
    const pixels = row.map((byte, i) => (addsLeft && i >= 4 ? (byte + row[i - 4]) & 255 : byte));
    assert.deepEqual(pixels, [255, 0, 0, 255, 0, 0, 255, 128]);
  });

  job('git2.h', 'reads a commit that git has made, and throws what fails', async () => {
    const repository = path.join(folder, 'repository');
    const git = (...args) => execFileSync('git', ['-C', repository, ...args], { encoding: 'utf8' }).trim();
    execFileSync('git', ['init', '-q', repository]);
    const author = ['-c', 'user.name=Grüße', '-c', 'user.email=a@example.org'];
    git(...author, 'commit', '-q', '--allow-empty', '-m', 'The first commit');
    const read = await runs(
      'git2.h',
      `m.git_libgit2_init();
      const { out: [repository] } = m.git_repository_open(${JSON.stringify(repository)});
      const id = m.git_oid.alloc();
      m.git_reference_name_to_id(id, repository, 'HEAD');
      const text = Buffer.alloc(41);
      m.git_oid_tostr(text, 41, id);
      m.git_repository_free(repository);
      let freed, missing;
      try { m.git_repository_path(repository); } catch (error) { freed = error.code; }
      try { m.git_repository_open('/no/such/folder'); } catch (error) { missing = error.result; }
      print([text.toString('latin1', 0, 40), freed, missing === m.GIT_ENOTFOUND, m.git_error.read(m.git_error_last()).message]);`,
    );
    assert.deepEqual(read.slice(0, 3), [git('rev-parse', 'HEAD'), 'ERR_FFI_INVALID_POINTER', true]);
    assert.match(read[3], /no\/such\/folder/);
    assert.match(notes['git2.h'], /--inline 'git_no_such_\*': it matches nothing/);
  });

  job('glib.h', 'text that the library allocates is copied and freed', async () => {
    const text = 'Grüße an alle';
    assert.deepEqual(
      await runs(
        'glib.h',
        `const text = Buffer.from(${JSON.stringify(text)});
        print([m.g_base64_encode(text, text.length), m.g_utf8_strlen(${JSON.stringify(text)}, -1)]);`,
      ),
      [Buffer.from(text).toString('base64'), text.length],
    );
  });

  job('openssl/evp.h', "hashes as Node does, by the system's code", async () => {
    const hash = await runs(
      'openssl/evp.h',
      `const out = Buffer.alloc(m.EVP_MAX_MD_SIZE);
      const size = Uint32Array.of(0);
      const done = m.EVP_Digest(Buffer.from('pinned'), 6, out, size, m.EVP_sha3_256(), null);
      print([done, out.toString('hex', 0, size[0])]);`,
    );
    assert.deepEqual(hash, [1, require('node:crypto').createHash('sha3-256').update('pinned').digest('hex')]);
  });

  job('cairo.h', 'paints what another format shows', async () => {
    const pixels = await runs(
      'cairo.h',
      `const surface = m.cairo_image_surface_create('CAIRO_FORMAT_ARGB32', 4, 4);
      const context = m.cairo_create(surface);
      m.cairo_set_source_rgb(context, 1, 0, 0);
      m.cairo_rectangle(context, 1, 1, 2, 2);
      m.cairo_fill(context);
      m.cairo_surface_flush(surface);
      const data = ffi.toBuffer(m.cairo_image_surface_get_data(surface), 0, 4 * m.cairo_image_surface_get_stride(surface));
      print([data.readUInt32LE(0), data.readUInt32LE(m.cairo_image_surface_get_stride(surface) + 4)]);`,
    );
    assert.deepEqual(pixels, [0, 0xffff0000]);
  });

  job('archive.h', 'writes an archive that tar reads, with a header that archive.h does not include', async () => {
    const file = path.join(folder, 'written.tar');
    const written = await runs(
      'archive.h',
      `const archive = m.archive_write_new();
      m.archive_write_set_format_ustar(archive);
      m.archive_write_open_filename(archive, ${JSON.stringify(file)});
      const text = Buffer.from('content');
      const entry = m.archive_entry_new();
      m.archive_entry_set_pathname(entry, 'name.txt');
      m.archive_entry_set_size(entry, text.length);
      m.archive_entry_set_filetype(entry, 0o100000);
      m.archive_write_header(archive, entry);
      const written = m.archive_write_data(archive, text, text.length);
      m.archive_entry_free(entry);
      m.archive_write_close(archive);
      m.archive_write_free(archive);
      let freed;
      try { m.archive_write_close(archive); } catch (error) { freed = error.code; }
      print([written, freed]);`,
    );
    assert.deepEqual(written, [7, 'ERR_FFI_INVALID_POINTER']);
    assert.equal(execFileSync('tar', ['xOf', file, 'name.txt'], { encoding: 'utf8' }), 'content');
  });

  job('gmp.h', 'multiplies as BigInts do, by names that macros give', async () => {
    const product = await runs(
      'gmp.h',
      `const [a, b] = [0, 1].map(() => m.__mpz_struct.alloc());
      for (const each of [a, b]) m.mpz_init(each);
      m.mpz_set_str(a, '123456789012345678901234567890', 10);
      m.mpz_ui_pow_ui(b, 2, 200);
      m.mpz_mul(a, a, b);
      print(ffi.CString(m.mpz_get_str(null, 10, a)));`,
    );
    assert.equal(product, String(123456789012345678901234567890n * 2n ** 200n));
  });

  job('lzma.h', 'compresses what xz decompresses', async () => {
    const file = path.join(folder, 'written.xz');
    const status = await runs(
      'lzma.h',
      `const data = Buffer.from('xz '.repeat(5000));
      const out = Buffer.alloc(m.lzma_stream_buffer_bound(data.length));
      const length = [0];
      const status = m.lzma_easy_buffer_encode(6, 'LZMA_CHECK_CRC64', null, data, data.length, out, length, out.length);
      (await import('node:fs')).writeFileSync(${JSON.stringify(file)}, out.subarray(0, length[0]));
      print(status);`,
    );
    assert.equal(status, 0);
    assert.equal(execFileSync('xz', ['-dc', file], { encoding: 'utf8' }), 'xz '.repeat(5000));
  });

  job('pcre2.h', 'matches as a RegExp does', async () => {
    const found = await runs(
      'pcre2.h',
      `const pattern = Buffer.from('(\\\\w+)@(\\\\w+)');
      const text = Buffer.from('to bob@example now');
      const code = m.pcre2_compile(pattern, pattern.length, m.PCRE2_UTF, [0], [0], null);
      const data = m.pcre2_match_data_create_from_pattern(code, null);
      const count = m.pcre2_match(code, text, text.length, 0, 0, data, null);
      const ends = ffi.array('u64_number', 2 * count).read(m.pcre2_get_ovector_pointer(data));
      print(Array.from({ length: count }, (_, i) => text.toString('utf8', ends[2 * i], ends[2 * i + 1])));`,
    );
    assert.deepEqual(found, [.../(\w+)@(\w+)/.exec('to bob@example now')]);
  });

  job('webp/decode.h', 'an inline function of the header fills its struct', async () => {
    assert.deepEqual(
      await runs(
        'webp/decode.h',
        `const config = m.WebPDecoderConfig.alloc();
        print([m.WebPInitDecoderConfig(config) !== 0, m.WebPIsRGBMode('MODE_YUV'), m.WebPIsRGBMode('MODE_RGB')]);`,
      ),
      [true, 0, 1],
    );
  });
});
