'use strict';
// Random signatures against the C compiler: what C gets, what comes back, in calls and in callbacks (test/abi/).

const assert = require('node:assert/strict');
const { describe: group, test } = require('node:test');
const { makeRandom } = require('../helpers.js');
const { byName } = require('../../lib/types/registry.js');
const { byScale } = require('../scale.js');
const { CALL_PATHS, ENGINES } = require('./call-paths.js');
const { runMatrix, describe, sentence } = require('./matrix.js');
const { SCALARS } = require('./scalars.js');
const { shrink } = require('./shrink.js');
const { makeSignature, prototypeOf, declarationText } = require('./signature.js');

const SEED = Number(process.env.PINNED_FFI_TEST_SEED ?? 7);
/** How many are made, which is quick, and how many of them are compiled and called. */
const MADE = 2000;
const CALLED = byScale(70, MADE);

group(`random signatures (PINNED_FFI_TEST_SEED=${SEED})`, () => {
  test('every type of the table is among the random signatures', () => {
    // Numbers in a stated byte order are those without, with their bytes reversed (test/types/struct.test.js).
    const isOrdered = (name) => /\d[lb]e$/.test(name);
    const missing = [...byName].filter(
      ([name, row]) => !row.refused && name !== 'void' && !isOrdered(name) && !(name in SCALARS),
    );
    assert.deepEqual(
      missing.map(([name]) => name),
      [],
    );
    const seen = new Set();
    const look = (tree) => {
      seen.add(tree.name ?? (tree.packed ? 'packed' : tree.kind));
      for (const inner of tree.fields ?? (tree.element ? [tree.element] : [])) look(inner);
    };
    const signatures = Array.from({ length: MADE }, (_, id) => makeSignature(SEED, id));
    for (const { args, returns } of signatures) [...args, ...(returns ? [returns] : [])].forEach(look);
    const wanted = [...Object.keys(SCALARS), 'struct', 'union', 'array', 'packed'];
    assert.deepEqual(
      wanted.filter((name) => !seen.has(name)),
      [],
    );
    const counts = new Set(signatures.map(({ args }) => args.length));
    assert.equal(counts.size, 33, 'counts of arguments');
    assert.ok(signatures.filter(({ fixed }) => fixed !== undefined).length > MADE / 20, 'variadic ones');
  });

  test(`random signatures agree with C on the call paths ${CALL_PATHS.join(', ')}; ${Object.keys(ENGINES).join(', ')}; plain and wrap`, async (t) => {
    const result = await runMatrix({ seed: SEED, count: CALLED, enginesOnOnePath: byScale(true, false) });
    t.diagnostic(sentence(result, SEED));
    assert.equal(describe(result, SEED), '');
    assert.ok(result.figures.optimized > result.figures.tried / 2, sentence(result, SEED));
  });
});

group('a mismatch', () => {
  test('a mismatch is found, and brought down to the smallest signature', async () => {
    // Its signatures with floats are short, and so is the way to the smallest.
    const seed = 6;
    // C that takes a double where a float is declared.
    const lied = (tree) => ({
      ...tree,
      ...(tree.name === 'f32' && { name: 'f64' }),
      ...(tree.fields && { fields: tree.fields.map(lied) }),
      ...(tree.element && { element: lied(tree.element) }),
    });
    const lie = (signature) => ({
      ...signature,
      args: signature.args.map(lied),
      returns: signature.returns && lied(signature.returns),
    });
    const result = await runMatrix({
      seed,
      count: byScale(40, 100),
      callPaths: CALL_PATHS.slice(0, 1),
      engines: ['usual'],
      lie,
    });
    const { signature, message } = result.mismatches[0].minimal;
    assert.ok(['void f(float)', 'float f(void)'].includes(prototypeOf(signature)), declarationText(signature));
    assert.match(message, /another/);
    const isFloat = (id) => JSON.stringify(makeSignature(seed, id)).includes('"f32"');
    assert.deepEqual(
      result.mismatches.filter(({ id }) => !isFloat(id)),
      [],
    );
  });

  test('the smallest signature keeps what it takes to fail, and nothing else', async () => {
    const scalar = (name) => ({ kind: 'scalar', name });
    const random = makeRandom(1);
    const args = Array.from({ length: 30 }, () => scalar(random() < 0.5 ? 'u8' : 'f64'));
    args[20] = {
      kind: 'struct',
      packed: true,
      fields: [scalar('i64'), { kind: 'array', element: scalar('f32'), length: 4 }],
    };
    const fails = async (each) =>
      each.args.length > 6 && each.args.some((tree) => JSON.stringify(tree).includes('"f32"'));
    const smallest = await shrink({ seed: 1, args, returns: scalar('u8'), fixed: 2 }, fails);
    assert.equal(
      prototypeOf(smallest),
      `void f(${Array.from({ length: 7 }, (_, i) => prototypeOf(smallest).split(/[(,)] ?/)[i + 1]).join(', ')})`,
    );
    assert.deepEqual(smallest.args.map(({ name }) => name).sort(), ['f32', ...Array(6).fill('i32')]);
    assert.equal(smallest.fixed, undefined);
  });
});
