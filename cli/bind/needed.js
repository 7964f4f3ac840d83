'use strict';
// In which order types have to be declared.

/** The entities that have to be declared before one: those it holds by value, and the owner of a handle. */
function neededBy(entity) {
  const needed = [];
  const visit = (type) => {
    if (type.kind === 'entity') needed.push(type.entity);
    else if (type.kind === 'array') visit(type.of);
    else if (type.kind === 'fn' && type.fault === undefined) [...type.args, type.returns].forEach(visit);
  };
  if (entity.kind === 'alias') visit(entity.type);
  if (entity.owner !== undefined) needed.push(entity.owner);
  for (const { type } of entity.fields ?? []) if (type !== undefined) visit(type);
  return needed;
}

module.exports = { neededBy };
