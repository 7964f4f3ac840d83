'use strict';
// A project with the declarations of the package as npm installs them: the compiler sees what the package exports, and
// no more.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { root } = require('../helpers.js');

/** The compiler, and the folder that has the declarations of Node. */
const USUAL = path.join(root, 'node_modules');

/** Makes the project in `folder`, which does not exist yet. `modules` has the packages that it is compiled with. */
function makeProject(folder, modules = USUAL) {
  const installed = path.join(folder, 'node_modules', 'pinned-ffi');
  fs.mkdirSync(installed, { recursive: true });
  const declarations = fs.readdirSync(root).filter((name) => /\.d\.m?ts$/.test(name));
  for (const name of [...declarations, 'types', 'package.json'])
    fs.cpSync(path.join(root, name), path.join(installed, name), { recursive: true });
  fs.symlinkSync(path.join(modules, '@types'), path.join(folder, 'node_modules', '@types'), 'junction');
}

/** Compiles every file of the project, strictly; gives what the compiler says. The declarations go to out/. */
function compile(folder, modules = USUAL) {
  const compilerOptions = {
    strict: true,
    declaration: true,
    outDir: 'out',
    target: 'esnext',
    module: 'nodenext',
    types: ['node'],
  };
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  const tsc = path.join(modules, 'typescript', 'bin', 'tsc');
  return spawnSync(process.execPath, [tsc, '-p', folder], { cwd: folder, encoding: 'utf8' }).stdout;
}

module.exports = { makeProject, compile };
