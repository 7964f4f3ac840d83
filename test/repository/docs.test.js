'use strict';
// Every code block of README.md and docs/. A ```js block runs by itself, with 'pinned-ffi' being this checkout; one
// that begins with `// throws CODE` must end in that error. A ```ts block compiles. What cannot run says why in the
// line before it: <!-- not run: reason -->. Commands for a shell (```sh) and plain text (```text) are only shown.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');
const { pathToFileURL } = require('node:url');
const { root } = require('../helpers.js');
const { scale } = require('../scale.js');
const { compile, makeProject } = require('../typescript/typed-project.js');

const TIMEOUT_MS = 60_000;
const files = [
  'README.md',
  'CONTRIBUTING.md',
  ...['docs', path.join('docs', 'internals')].flatMap((name) =>
    fs
      .readdirSync(path.join(root, name))
      .filter((file) => file.endsWith('.md'))
      .sort()
      .map((file) => path.join(name, file)),
  ),
];

const NOT_RUN = /^\s*<!-- not run: (\S.*\S) -->$/;

/** The code blocks of a Markdown file: language, the line each begins at, and why it is not run if it is not. */
function blocksOf(file) {
  const lines = fs.readFileSync(path.join(root, file), 'utf8').split('\n');
  const blocks = [];
  let open = null;
  lines.forEach((line, index) => {
    const fence = /^\s*```\s*(\w*)/.exec(line);
    if (fence === null) return void open?.lines.push(line);
    if (open !== null) {
      blocks.push(open);
      open = null;
    } else open = { language: fence[1], line: index + 2, lines: [], notRun: NOT_RUN.exec(lines[index - 1])?.[1] };
  });
  assert.equal(open, null, `${file}: the block that begins at line ${open?.line} does not end`);
  return blocks.map(({ lines: code, ...block }) => ({ ...block, code: code.join('\n') }));
}

// Runs examples one after the other, and says in a line how each ended, so that a thrown error is told from any other
// end. The last line is of the process itself, at its end.
const RUNNER = `
import { writeSync } from 'node:fs';
const say = (ended) => writeSync(1, '\\nended: ' + JSON.stringify(ended) + '\\n');
for (const file of process.argv.slice(2)) {
  try {
    await import(file);
    say({ file });
  } catch (error) {
    writeSync(2, String(error?.stack ?? error));
    say({ file, thrown: error?.code ?? String(error) });
  }
}
process.on('exit', (code) => say({ code }));`;

let folder;

before(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'pinned-ffi-docs-'));
  fs.mkdirSync(path.join(folder, 'node_modules'));
  fs.symlinkSync(root, path.join(folder, 'node_modules', 'pinned-ffi'), 'junction');
  fs.writeFileSync(path.join(folder, 'runner.mjs'), RUNNER);
});

after(() => fs.rmSync(folder, { recursive: true, force: true }));

/** Runs examples in a process: how each ended by its file, whether the process ended well, and what it printed. */
async function runExamples(list) {
  const urls = list.map((file) => pathToFileURL(file).href);
  const { code, signal, stdout, stderr } = await run(urls);
  const ends = [...stdout.matchAll(/^ended: (.*)$/gm)].map(([, text]) => JSON.parse(text));
  const isWhole = code === 0 && signal === null && ends.at(-1)?.code === 0;
  const byFile = new Map(ends.map(({ file, thrown }) => [file, thrown ?? 'nothing']));
  const thrown = (file) => byFile.get(pathToFileURL(file).href);
  return { isWhole, thrown, shown: `exit code ${code}, signal ${signal}\n${stderr}\n${stdout}` };
}

function run(files) {
  // The documents tell what holds by default.
  const env = { ...process.env, PINNED_FFI_GUARD: '', PINNED_FFI_FENCE: '' };
  delete env.NODE_TEST_CONTEXT;
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [path.join(folder, 'runner.mjs'), ...files], {
      cwd: folder,
      env,
      timeout: TIMEOUT_MS,
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

/** The examples of a document: the line, the file that it is written to, and the code of the error that it throws. */
const examplesOf = (file) =>
  blocksOf(file)
    .filter(({ language, notRun }) => language === 'js' && !notRun)
    .map(({ line, code }) => {
      // An example that requires is CommonJS, any other is an ES module.
      const isCommonJs = /\brequire\(/.test(code) && !/^import /m.test(code);
      const name = `${path.basename(file, '.md')}-${line}.${isCommonJs ? 'cjs' : 'mjs'}`;
      return { line, code, name, expected: /^\/\/ throws (\w+)/.exec(code)?.[1] ?? 'nothing' };
    });

for (const file of files) {
  const examples = examplesOf(file);
  if (examples.length === 0) continue;
  describe(file, { concurrency: 2 }, () => {
    const at = ({ name }) => path.join(folder, name);
    // At the quick scale one process runs all of a document. What does not end as it should there runs alone.
    let together;
    before(async () => {
      for (const example of examples) fs.writeFileSync(at(example), example.code);
      if (scale === 'quick') together = await runExamples(examples.map(at));
    });

    for (const example of examples) {
      const { line, expected } = example;
      test(`the example at line ${line} ${expected === 'nothing' ? 'runs' : `throws ${expected}`}`, async () => {
        if (together?.isWhole && together.thrown(at(example)) === expected) return;
        const { isWhole, thrown, shown } = await runExamples([at(example)]);
        assert.ok(isWhole, `${file}:${line}\n${shown}`);
        assert.equal(thrown(at(example)), expected, `${file}:${line}\n${shown}`);
      });
    }
  });
}

const all = files.flatMap((file) => blocksOf(file).map((block) => ({ ...block, where: `${file}:${block.line}` })));

test('every code block is run or compiled, is for a shell, or says why it is not', (t) => {
  assert.ok(all.filter(({ language }) => language === 'js').length > 30, 'no examples were found');
  const unknown = all.filter(({ language }) => !['js', 'ts', 'sh', 'text'].includes(language));
  assert.deepEqual(
    unknown.map(({ where, language }) => `${where}: \`\`\`${language}`),
    [],
  );
  for (const { where, notRun } of all.filter((block) => block.notRun)) t.diagnostic(`${where} is not run: ${notRun}`);
});

test('every link to a file leads to one, and to a heading that it has', () => {
  const textOf = (file) => fs.readFileSync(path.join(root, file), 'utf8');
  // The anchors of GitHub: lower case, without punctuation, a hyphen for each space.
  const anchorsOf = (text) =>
    [...text.replace(/^```[^]*?^```/gm, '').matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
      title
        .toLowerCase()
        .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    );
  const broken = [];
  for (const file of [...files, 'SECURITY.md', 'CHANGELOG.md', 'CODE_OF_CONDUCT.md']) {
    for (const [, link] of textOf(file)
      .replace(/^```[^]*?^```/gm, '')
      .matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^\w+:/.test(link)) continue;
      const [name, anchor] = link.split('#');
      const target = name === '' ? file : path.join(path.dirname(file), name);
      const isThere = fs.existsSync(path.join(root, target));
      if (!isThere || (anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)))
        broken.push(`${file}: ${link}`);
    }
  }
  assert.deepEqual(broken, []);
});

test('every file of the repository that a document names is there', () => {
  // Files that are made, and Node's own tests.
  const others =
    /^(bench\/(node_modules|results)|docs\/site\/dist|lib\/pinned-ffi\.(startup|cdef|later)|test\/ffi|test\/FOLDER)/;
  const named = /`((?:bench|cli|docs|examples|fuzz|lib|scripts|src|test|types)\/[\w./-]*)`/g;
  const missing = files.flatMap((file) => {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    const names = [...text.matchAll(named)].map(([, name]) => name);
    return names
      .filter((name) => !others.test(name) && !fs.existsSync(path.join(root, name)))
      .map((name) => `${file}: ${name}`);
  });
  assert.deepEqual(missing, []);
});

test('docs/architecture.md names every file of lib/, src/ and cli/, and no other', () => {
  const text = fs.readFileSync(path.join(root, 'docs', 'architecture.md'), 'utf8');
  const all = ['lib', 'src', 'cli'].flatMap((folder) => fs.readdirSync(path.join(root, folder), { recursive: true }));
  const known = new Set(all.map((file) => path.basename(String(file))));
  const named = new Set([...text.matchAll(/[\w-]+\.(?:js|mjs|rs)\b/g)].map(([name]) => name));
  // One line describes all exports to JavaScript. The files of a folder of the sandbox and of the assembler are its
  // parts.
  const parts = /^(src\/node\/exports|src\/host\/sandbox|src\/v8\/assembler)\//;
  const missing = ['lib', 'src', 'cli']
    .flatMap((folder) =>
      fs.readdirSync(path.join(root, folder), { recursive: true }).map((file) => path.posix.join(folder, String(file))),
    )
    .filter((file) => /\.(js|mjs|rs)$/.test(file) && !/(^|\/)(tests?|mod|index|test_process)\.(rs|js)$/.test(file))
    .filter((file) => !parts.test(file) && !named.has(path.basename(file)));
  assert.deepEqual(missing, []);
  const gone = [...named].filter((name) => !known.has(name) && !fs.existsSync(path.join(root, name)));
  const elsewhere = new Set(fs.readdirSync(path.join(root, 'scripts')).concat(fs.readdirSync(path.join(root, 'bin'))));
  assert.deepEqual(
    gone.filter((name) => !elsewhere.has(name) && !/\.test\.js$/.test(name)),
    [],
  );
});

/** The examples in the comments of the declarations. What they use of the package is imported for them. */
function commentedExamples() {
  const names = Object.keys(require('../../index.js'));
  return ['index.d.ts', 'types/declared.d.ts', 'types/infer.d.ts', 'types/table.d.ts'].flatMap((file) => {
    const text = fs.readFileSync(path.join(root, file), 'utf8');
    return [...text.matchAll(/^ *\* ```[jt]s\n([^]*?)^ *\* ```/gm)].map(({ 1: body, index }) => {
      const code = body.replace(/^ *\* ?/gm, '');
      const used = names.filter((name) => new RegExp(`\\b${name}[(.]`).test(code));
      const line = text.slice(0, index).split('\n').length + 1;
      return { where: `${file}:${line}`, code: `import { ${used.join(', ')} } from 'pinned-ffi';\n${code}` };
    });
  });
}

test('every example of the documents and of the comments compiles, strictly', () => {
  const project = path.join(folder, 'typed');
  makeProject(project);
  // As docs/bun.md says.
  fs.writeFileSync(path.join(project, 'bun.d.ts'), "declare module 'bun:ffi' { export * from 'pinned-ffi/bun'; }\n");
  const blocks = all.filter(({ language, notRun }) => language === 'ts' || (language === 'js' && !notRun));
  for (const { where, code } of [...blocks, ...commentedExamples()]) {
    const isCommonJs = /\brequire\(/.test(code) && !/^import /m.test(code);
    const file = `${where.replace(/\W+/g, '-')}.${isCommonJs ? 'cts' : 'mts'}`;
    // As a module, so that the names of one example are unknown to the others.
    fs.writeFileSync(path.join(project, file), isCommonJs ? code : `${code}\nexport {};\n`);
  }
  assert.equal(compile(project), '');
  assert.ok(fs.readdirSync(path.join(project, 'out')).length > 70, 'the examples were not compiled');
});
