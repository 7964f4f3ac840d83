'use strict';
// Every export is declared and documented, and so is every public function of src/.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');
const { parse } = require('@babel/parser');
const { ffi, root } = require('../helpers.js');
const { TABLE } = require('../../lib/errors.js');

/** The declarations of the dialects, and their functions that cannot fail. */
const DIALECTS = { 'bun.d.ts': [], 'koffi.d.ts': ['reset', 'stats'], 'node-ffi.d.ts': [] };
const FILES = ['index.d.ts', 'types/table.d.ts', 'types/infer.d.ts', 'types/declared.d.ts', 'types/cdef/sources.d.ts'];
// Functions that cannot fail: they take nothing, or any value.
const NEVER_THROW = ['arena', 'fences', 'checkFences', 'isFFIError'];

const VALUES = ['VariableDeclaration', 'TSDeclareFunction', 'ClassDeclaration'];
const nameOf = (node) => node.key?.name ?? node.key?.value ?? node.id?.name ?? node.declarations?.[0].id.name;

/** The declarations of a file: a name, a node, the comment before it, and the name of what it is a part of. */
function declarationsOf(file) {
  const source = fs.readFileSync(path.join(root, file), 'utf8');
  const { program, comments } = parse(source, {
    sourceType: 'module',
    sourceFilename: file,
    plugins: [['typescript', { dts: true }], 'estree'],
  });
  const commentBefore = (node) => {
    const isDirectlyBefore = (end) => end <= node.start && /^(\s|\/\/.*)*$/.test(source.slice(end, node.start));
    return comments.findLast(({ value, end }) => value.startsWith('*') && isDirectlyBefore(end));
  };
  const lineOf = (node) => source.slice(0, node.start).split('\n').length;
  const found = [];
  const add = (node, declaration, owner) => {
    const { type, params } = declaration;
    const name = nameOf(declaration) ?? (type === 'TSConstructSignatureDeclaration' ? 'new' : 'call');
    found.push({ name, owner, type, params, file, line: lineOf(node), comment: commentBefore(node)?.value });
  };
  const handed = [];
  for (const node of program.body) {
    if (node.type !== 'ExportNamedDeclaration') continue;
    if (node.declaration === null) handed.push(...node.specifiers.map(({ exported }) => exported.name));
    else {
      add(node, node.declaration);
      const members = node.declaration.type === 'TSInterfaceDeclaration' ? node.declaration.body.body : [];
      for (const member of members) add(member, member, node.declaration.id.name);
    }
  }
  return { declarations: found, handed };
}

const read = FILES.map(declarationsOf);
const own = read[0].declarations.filter(({ owner }) => owner === undefined).map(({ name }) => name);
const exported = new Set([...own, ...read[0].handed]);
const declarations = read.flatMap((one) => one.declarations).filter(({ name, owner }) => exported.has(owner ?? name));

const where = ({ file, line, owner, name }) => `${file}:${line} ${owner === undefined ? '' : `${owner}.`}${name}`;

describe('the declarations', () => {
  test('every value that is exported is declared, and every one that is declared is exported', () => {
    const isValue = ({ type, owner, file }) => owner === undefined && VALUES.includes(type) && file === 'index.d.ts';
    const names = new Set(declarations.filter(isValue).map(({ name }) => name));
    assert.deepEqual([...names].sort(), Object.keys(ffi).sort());
  });

  test('docs/api.md has a heading for every export, and no other', () => {
    const text = fs.readFileSync(path.join(root, 'docs', 'api.md'), 'utf8');
    const headings = [...text.matchAll(/^### `(?:new )?(\w+)/gm)].map(([, name]) => name);
    assert.deepEqual(headings.sort(), Object.keys(ffi).sort());
  });

  test('every type that index.d.ts hands on is declared', () => {
    const known = new Set(declarations.map(({ name }) => name));
    assert.deepEqual(
      [...exported].filter((name) => !known.has(name)),
      [],
    );
  });

  test('every export has a comment, and so has every member of an exported interface', () => {
    assert.ok(declarations.length > 150, `${declarations.length} declarations were found`);
    assert.deepEqual(declarations.filter(({ comment }) => comment === undefined).map(where), []);
  });

  /** Fails unless each function names its errors, but for those that have none, by codes of the table. */
  function checkThrows(all, silent) {
    const functions = all.filter(({ type, owner }) => type === 'TSDeclareFunction' && owner === undefined);
    const byName = groupByName(functions);
    assert.ok(byName.size > 5);
    for (const [name, overloads] of byName) {
      const text = overloads.map(({ comment }) => comment).join('\n');
      assert.equal(/@throws|errors are those of/.test(text), !silent.includes(name), where(overloads[0]));
    }
    for (const declaration of all) {
      for (const [code] of declaration.comment?.matchAll(/\bERR_[A-Z_]+[A-Z]\b/g) ?? []) {
        assert.ok(Object.hasOwn(TABLE, code), `${where(declaration)}: ${code} is no code of lib/errors.js`);
      }
    }
  }

  test('every exported function says which errors it throws, by codes of the table', () => {
    checkThrows(declarations, NEVER_THROW);
  });

  for (const [file, silent] of Object.entries(DIALECTS)) {
    test(`every function of ${file} says which errors it throws`, () => {
      checkThrows(declarationsOf(file).declarations, silent);
    });
  }

  test('a parameter that a comment describes is there', () => {
    for (const declaration of declarations.filter(({ params, comment }) => params && comment)) {
      const names = declaration.params.map((parameter) => (parameter.argument ?? parameter).name);
      for (const [, name] of declaration.comment.matchAll(/@param (\w+)/g)) {
        assert.ok(names.includes(name), `${where(declaration)} has no parameter ${name}`);
      }
    }
  });
});

describe('the public functions of src/', () => {
  const declaration = /^\s*pub(?:\([\w: ]+\))? (?:const )?(unsafe )?(?:extern "[\w-]+" )?fn (\w+)/;

  /** The public functions of a file: the doc comment, whether it is unsafe, and whether it returns a Result. */
  function functionsOf(file) {
    const [code] = fs.readFileSync(path.join(root, 'src', file), 'utf8').split(/^#\[cfg\(.*\btest\b.*\)\]$/m);
    const lines = code.split('\n');
    return lines.flatMap((line, i) => {
      const [, unsafe, name] = declaration.exec(line) ?? [];
      if (name === undefined) return [];
      const isDoc = (each) => /^\s*\/\/\//.test(each);
      const isAttribute = (each) => /^\s*#\[/.test(each);
      const before = lines.slice(0, i).reverse();
      const last = before.findIndex((each) => !isDoc(each) && !isAttribute(each));
      const comment = (last === -1 ? before : before.slice(0, last)).filter(isDoc).join('\n');
      const signature = lines
        .slice(i)
        .join('\n')
        .match(/[^{;]*/)[0];
      const returnsResult = /->[^]*\bResult</.test(signature);
      return [{ where: `src/${file}:${i + 1} ${name}`, comment, isUnsafe: unsafe !== undefined, returnsResult }];
    });
  }

  const files = fs.readdirSync(path.join(root, 'src'), { recursive: true }).map(String);
  const functions = files.filter((file) => /\.rs$/.test(file) && !/tests\.rs$/.test(file)).flatMap(functionsOf);
  const wheres = (found) => found.map(({ where: place }) => place);

  test('each has a comment', () => {
    assert.ok(functions.length > 500, `${functions.length} functions were found`);
    assert.deepEqual(wheres(functions.filter(({ comment }) => comment === '')), []);
  });

  test('each that returns a Result says under `# Errors` when it fails', () => {
    const failing = functions.filter(({ returnsResult }) => returnsResult);
    assert.deepEqual(wheres(failing.filter(({ comment }) => !comment.includes('# Errors'))), []);
  });

  test('each that is unsafe says under `# Safety` what its caller has to ensure', () => {
    const unsafe = functions.filter(({ isUnsafe }) => isUnsafe);
    assert.deepEqual(wheres(unsafe.filter(({ comment }) => !comment.includes('# Safety'))), []);
  });
});

test('every SAFETY comment says why its invariant holds there, and not only which', () => {
  const files = sourceFiles().filter((file) => /^src\/.*\.rs$/.test(file));
  const bare = files.flatMap((file) =>
    fs
      .readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => (/\/\/ SAFETY: (?:(?:,| and)? ?[MUH]\d+)+\.?$/.test(line) ? [`${file}:${i + 1}`] : [])),
  );
  assert.ok(files.length > 100);
  assert.deepEqual(bare, []);
});

test('no comment is wider than 120 columns, which neither prettier nor rustfmt holds', () => {
  const wide = sourceFiles().flatMap((file) =>
    fs
      .readFileSync(path.join(root, file), 'utf8')
      .split('\n')
      .flatMap((line, i) => (line.length > 120 && /^\s*(?:\/\/|\/?\*)/.test(line) ? [`${file}:${i + 1}`] : [])),
  );
  assert.deepEqual(wide, []);
});

/** The files of code in the repository, without what is built or installed. */
function sourceFiles() {
  const isOther = (name) => /^(?:\.|node_modules$|target$|build$|dist$|pages$|prebuilds$|results$)/.test(name);
  const walk = (folder) =>
    fs.readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
      if (isOther(entry.name)) return [];
      const file = path.posix.join(folder, entry.name);
      return entry.isDirectory() ? walk(file) : /\.(?:rs|[cm]?[jt]s|[ch])$/.test(entry.name) ? [file] : [];
    });
  return walk('.');
}

// Map.groupBy, which Node 20 has not.
function groupByName(functions) {
  const groups = new Map();
  for (const one of functions) groups.set(one.name, [...(groups.get(one.name) ?? []), one]);
  return groups;
}
