'use strict';
// The fields of package.json that npm and its readers need.
//   node scripts/manifest.js              checks the fields
//   node scripts/manifest.js --release    the same, and refuses the placeholder of a project without an owner

const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '..');

/** Stands for the owner of the repository until it has one; CONTRIBUTING.md tells how to replace it. */
const PLACEHOLDER = 'OWNER-PLACEHOLDER';

const REPOSITORY = /^git\+(https:\/\/github\.com\/[\w.-]+\/[\w.-]+)\.git$/;

/**
 * The problems of a manifest, a line each.
 * @param {Record<string, any>} manifest
 * @param {{ release?: boolean, repository?: string }} [options] repository: OWNER/NAME, where it is known
 */
function problemsOf(manifest, { release = false, repository } = {}) {
  const problems = [];
  const check = (holds, problem) => holds || problems.push(problem);
  for (const field of ['name', 'version', 'description', 'license', 'author', 'homepage']) {
    check(typeof manifest[field] === 'string' && manifest[field] !== '', `${field} is missing`);
  }
  const url = REPOSITORY.exec(manifest.repository?.url)?.[1];
  check(
    url !== undefined,
    'repository.url must be git+https://github.com/OWNER/NAME.git: npm publish --provenance compares it',
  );
  check(manifest.bugs?.url === `${url}/issues`, 'bugs.url must be the issues of the repository');
  check(manifest.homepage?.startsWith(`${url}#`), 'homepage must be in the repository');
  check(manifest.private === undefined, 'private must not be set: npm would refuse to publish');
  check(manifest.publishConfig?.access === 'public', 'publishConfig.access must be public');
  check(manifest.files?.includes('THIRD_PARTY_NOTICES.md'), 'files must include THIRD_PARTY_NOTICES.md');
  check(manifest.dependencies === undefined, 'there must be no dependencies');
  if (release) {
    check(!JSON.stringify(manifest).includes(PLACEHOLDER), `${PLACEHOLDER} must be replaced: see CONTRIBUTING.md`);
    check(
      repository === undefined || url === `https://github.com/${repository}`,
      `repository.url must be that of ${repository}`,
    );
  }
  return problems;
}

const readManifest = () => JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8'));

module.exports = { PLACEHOLDER, problemsOf, readManifest };

if (require.main === module) {
  const release = process.argv.includes('--release');
  const problems = problemsOf(readManifest(), { release, repository: process.env.GITHUB_REPOSITORY });
  for (const problem of problems) console.error(`package.json: ${problem}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
