'use strict';
// From a signature that fails to the smallest that still does.

const INT = { kind: 'scalar', name: 'i32' };

/** Trees that are simpler than one, the simplest first. */
function simplerTrees(tree, isOutermost) {
  if (tree.kind === 'scalar') return tree.name === INT.name ? [] : [INT];
  if (tree.kind === 'array') {
    return [
      tree.element,
      ...(tree.length > 1 ? [{ ...tree, length: 1 }] : []),
      ...simplerTrees(tree.element, false).map((element) => ({ ...tree, element })),
    ];
  }
  // C passes no arrays: they stay inside.
  const inner = tree.fields.filter((field) => !isOutermost || field.kind !== 'array');
  const less =
    tree.fields.length === 1
      ? []
      : tree.fields.map((_, i) =>
          withFields(
            tree,
            tree.fields.filter((__, k) => k !== i),
          ),
        );
  const simpler = tree.fields.flatMap((field, i) =>
    simplerTrees(field, false).map((each) => ({ ...tree, fields: tree.fields.with(i, each) })),
  );
  const { packed, ...open } = tree;
  return [INT, ...inner, ...less, ...(packed ? [open] : []), ...simpler];
}

const withFields = (tree, fields) =>
  tree.kind === 'union'
    ? { ...tree, fields, active: Math.max(0, fields.indexOf(tree.fields[tree.active])) }
    : { ...tree, fields };

/** Signatures that are simpler by one step, the boldest first. */
function simplerSignatures(signature) {
  const { args, returns, fixed } = signature;
  const withArgs = (list) => ({ ...signature, args: list });
  const without = args
    .map((_, i) => ({
      ...withArgs(args.filter((__, k) => k !== i)),
      fixed: fixed === undefined ? undefined : i < fixed ? fixed - 1 : fixed,
    }))
    .filter((each) => each.fixed !== 0);
  return [
    ...(returns === undefined ? [] : [{ ...signature, returns: undefined }]),
    ...(args.length > 3 && fixed === undefined
      ? [withArgs(args.slice(0, args.length >> 1)), withArgs(args.slice(args.length >> 1))]
      : []),
    ...without.reverse(),
    ...(fixed === undefined ? [] : [{ ...signature, fixed: undefined }]),
    ...(returns === undefined ? [] : simplerTrees(returns, true).map((each) => ({ ...signature, returns: each }))),
    ...args.flatMap((tree, i) => simplerTrees(tree, true).map((each) => withArgs(args.with(i, each)))),
  ];
}

/**
 * The smallest signature that fails, as far as single steps lead there.
 * @param {object} signature one that fails
 * @param {(signature: object) => Promise<boolean>} fails
 */
async function shrink(signature, fails) {
  for (const simpler of simplerSignatures(signature)) {
    if (await fails(simpler)) return shrink(simpler, fails);
  }
  return signature;
}

module.exports = { shrink };
