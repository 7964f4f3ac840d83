'use strict';
// Node's permission model and --no-addons: permissions and errors.

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');
const { run } = require('../helpers.js');

const known = process.allowedNodeEnvironmentFlags;
const MODEL = known.has('--permission') ? '--permission' : '--experimental-permission';
const hasFfiFlag = known.has('--allow-ffi');
const ADDONS = ['--allow-addons'];
const ALL = [...ADDONS, ...(hasFfiFlag ? ['--allow-ffi'] : [])];
const CALLS = {
  dlopen: "ffi.dlopen(null, { abs: { args: ['int'], returns: 'int' } })",
  linkSymbols: "ffi.linkSymbols({ f: { ptr: 4096, args: ['int'], returns: 'int' } })",
  CFunction: "ffi.CFunction({ ptr: 4096, args: ['int'], returns: 'int' })",
  cc: "ffi.cc({ source: 'int f(void) { return 1; }', symbols: { f: {} } })",
};

/** Runs `code` under the permission model; gives what it printed as JSON. */
async function under(flags, code) {
  const script = `
    const outcomeOf = (attempt) => {
      try { return { value: attempt() }; } catch ({ code, message, permission, resource }) {
        return { code, message, permission, resource };
      }
    };
    console.log(JSON.stringify((() => { ${code} })()));`;
  const all = [MODEL, '--allow-fs-read=*', '--no-warnings', ...flags];
  const { stdout, stderr } = await run({ code: script, isBare: true, flags: all });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

describe("Node's permission model", () => {
  test('without the permission for addons, the package says which flags it needs', async () => {
    const { code, message, permission } = await under([], "return outcomeOf(() => require('./index.js'));");
    assert.deepEqual([code, permission], ['ERR_ACCESS_DENIED', 'Addon']);
    assert.match(message, hasFfiFlag ? /with --allow-addons and --allow-ffi$/ : /with --allow-addons$/);
    assert.doesNotMatch(message, /cargo|build/);
  });

  test('with the permissions, functions can be called', async () => {
    const code = `const ffi = require('./index.js'); return outcomeOf(() => ${CALLS.dlopen}.symbols.abs(-7));`;
    assert.deepEqual(await under(ALL, code), { value: 7 });
  });

  test('each function that makes native code callable asks for the permission', async () => {
    const attempts = Object.entries(CALLS).map(([name, call]) => `${name}: outcomeOf(() => typeof ${call})`);
    const code = `const ffi = require('./index.js'); return { ${attempts.join(', ')} };`;
    const outcomes = await under(ADDONS, code);
    for (const name of Object.keys(CALLS)) {
      const { message, ...rest } = outcomes[name];
      // Before Node had a permission for FFI, that for addons is enough; a compiler needs yet another one.
      if (!hasFfiFlag) assert.notEqual(rest.permission, 'FFI');
      else {
        assert.deepEqual(rest, { code: 'ERR_ACCESS_DENIED', permission: 'FFI', resource: '' });
        assert.equal(
          message,
          `${name}: Node's permission model does not allow native code to be called; start Node with --allow-ffi`,
        );
      }
    }
  });

  test('the entries of the dialects ask as well, and name the library', async () => {
    const code = `
      const bun = require('./bun.js');
      const koffi = require('./koffi.js');
      return [outcomeOf(() => typeof bun.dlopen('nonesuch.so', { f: {} })), outcomeOf(() => typeof koffi.load('nonesuch.so'))];`;
    for (const { code: found, resource } of await under(ADDONS, code)) {
      if (hasFfiFlag) assert.deepEqual([found, resource], ['ERR_ACCESS_DENIED', 'nonesuch.so']);
      else assert.notEqual(found, 'ERR_ACCESS_DENIED');
    }
  });

  test('a permission that was dropped is missing', async () => {
    const code = `
      const ffi = require('./index.js');
      const { symbols } = ${CALLS.dlopen};
      if (process.permission.drop === undefined) return 'cannot be dropped';
      process.permission.drop('${hasFfiFlag ? 'ffi' : 'addon'}');
      return [symbols.abs(-7), outcomeOf(() => typeof ${CALLS.dlopen}).code];`;
    const outcome = await under(ALL, code);
    if (outcome !== 'cannot be dropped') assert.deepEqual(outcome, [7, 'ERR_ACCESS_DENIED']);
  });
});

test('--no-addons has a message of its own, which does not tell the user to build anything', async () => {
  const { code, stderr } = await run({ code: "require('./index.js')", isBare: true, flags: ['--no-addons'] });
  assert.equal(code, 1);
  assert.match(stderr, /ERR_FFI_ADDON_NOT_FOUND/);
  assert.match(stderr, /pinned-ffi: Node was started with --no-addons, which disables native addons; start it without/);
  assert.doesNotMatch(stderr, /cargo|npx/);
});
