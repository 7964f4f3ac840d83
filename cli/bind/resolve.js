'use strict';
// From declarations to what a module declares: asks the compiler for types, layouts and values until nothing is open.

const { commentOf, deprecation } = require('./comments.js');
const { expectedBits } = require('./layout.js');
const { exact } = require('./macros.js');
const { Unsupported, scalar } = require('./types.js');

const BITS = new Map(
  [
    'char',
    'signed char',
    'unsigned char',
    'short',
    'unsigned short',
    'int',
    'unsigned int',
    'long',
    'unsigned long',
    'long long',
    'unsigned long long',
  ]
    .map((name) => [name, name])
    .concat([
      ['_Bool', 'bool'],
      ['bool', 'bool'],
    ]),
);

/** The doc of a declaration, with what its attributes say. */
function docOf(node) {
  const lines = commentOf(node);
  const reason = deprecation(node);
  if (reason === undefined || lines.some((line) => line.startsWith('@deprecated'))) return lines;
  return [...lines, `@deprecated ${reason}`.trim()];
}

/** A type, or why there is none. */
function attempt(resolve) {
  try {
    return { type: resolve() };
  } catch (error) {
    if (error instanceof Unsupported) return { fault: error.message };
    throw error;
  }
}

/** The types of functions and variables: each gets a `type`, or a `fault`. */
async function resolveDeclared(prober, types, nodes) {
  const found = await prober.types(nodes.map(({ name }) => name));
  return nodes.map((node, i) => ({
    node,
    name: node.name,
    doc: docOf(node),
    ...attempt(() => types.resolve(found[i])),
  }));
}

/** The fields of the records that were met, of those that these lead to, and so on. */
async function resolveFields(prober, types, entities) {
  while (entities.pending.length > 0) {
    const records = entities.pending.splice(0);
    const asked = records.flatMap((record) =>
      record.written
        .filter(({ node }) => isAskable(node))
        .map(({ node }) => ({ node, expression: `(${record.expression}).${node.name}` })),
    );
    const answers = await prober.types(asked.map(({ expression }) => expression));
    const nodes = new Map(asked.map(({ node, expression }, i) => [node, { answer: answers[i], expression }]));
    for (const record of records) resolveRecord(record, nodes, types, entities);
  }
}

const isAskable = (node) => node.name !== undefined && node.name !== '' && !node.isBitfield;

function resolveRecord(record, nodes, types, entities) {
  let [paddings, members] = [0, 0];
  record.written.forEach(({ node, anonymous }, i) => {
    const doc = commentOf(node);
    if (node.isBitfield) {
      record.fields.push({
        name: node.name || `_padding${(paddings += 1)}`,
        doc,
        isNamed: Boolean(node.name),
        ...bitfieldOf(node),
      });
    } else if (isAskable(node)) {
      const { answer, expression } = nodes.get(node);
      const isLast = i === record.written.length - 1 && !record.isUnion;
      // A flexible array is no part of the size of its struct.
      if (
        isLast &&
        (answer?.kind === 'IncompleteArrayType' || (answer?.kind === 'ConstantArrayType' && answer.size === 0))
      ) {
        record.flexible = node.name;
        return;
      }
      const place = { anonymous, path: expression, name: `${record.name}_${node.name}` };
      record.fields.push({ name: node.name, doc, isNamed: true, ...attempt(() => types.resolve(answer, place)) });
    } else {
      const name = `anonymous${(members += 1) === 1 ? '' : members}`;
      record.fields.push({
        name,
        doc,
        isNamed: false,
        ...attempt(() => {
          if (anonymous === undefined) throw new Unsupported('a member without a name or fields');
          return entities.ofMember(anonymous, record, `${record.name}_${name}`);
        }),
      });
    }
  });
}

/** The integer type and the width of a bitfield. An enum has that of an int, as the compilers have it. */
function bitfieldOf(node) {
  const { qualType, desugaredQualType = qualType } = node.type;
  const bits = Number(node.inner?.find(({ kind }) => kind === 'ConstantExpr')?.value);
  const plain = desugaredQualType.replace(/\b(const|volatile) /g, '');
  const name = BITS.get(plain) ?? (plain.startsWith('enum ') ? 'unsigned int' : undefined);
  if (bits === 0) return { fault: 'a bitfield of no bits' };
  if (name === undefined || !Number.isInteger(bits)) return { fault: `a bitfield of ${plain}` };
  return { type: scalar(name), bits };
}

// ---- layouts and values ---------------------------------------------------------------------------------------------

/** The C type of a record: its name, or that of an expression of it. */
const typeOf = (record) => record.c ?? `__typeof__(${record.expression})`;

const isAsked = (field) => field.isNamed && field.bits === undefined && field.fault === undefined;

/** What the compiler is asked of a record: a list of numbers. */
function layoutQuestion(record) {
  const outer = outermost(record);
  const offsets = record.fields.filter(isAsked).map(({ name }) => `__builtin_offsetof(${typeOf(outer)}, ${name})`);
  const own = record.memberOf === undefined ? [`sizeof(${typeOf(record)})`, `_Alignof(${typeOf(record)})`] : [];
  return [...own, ...offsets];
}

/** The record that has a name for C, of one that is a member without a name. */
function outermost(record) {
  return record.memberOf === undefined ? record : outermost(record.memberOf);
}

function answerLayout(record, numbers) {
  const asked = record.fields.filter(isAsked);
  const [size, align] = record.memberOf === undefined ? numbers.map(Number) : [];
  const places = numbers.slice(record.memberOf === undefined ? 2 : 0).map(Number);
  // Of a member without a name only the distances are known: its first field is at its start.
  const start = record.memberOf === undefined ? 0 : isAsked(record.fields[0]) ? places[0] : undefined;
  const offsets = start === undefined ? {} : Object.fromEntries(asked.map(({ name }, i) => [name, places[i] - start]));
  return { size, align, offsets };
}

// LLVM writes an array that ends in many zeros in another way: this one ends in none.
const listOf = (numbers) => `const unsigned long long %[] = {${[...numbers, '1'].join(', ')}}`;

/** Asks for the layouts of records, and for the values of enums. */
async function resolveLayouts(prober, entities) {
  const records = entities.of('record');
  const enums = entities.of('enum');
  const questions = new Map();
  records.forEach((record, i) => {
    const numbers = layoutQuestion(record);
    if (numbers.length > 0) questions.set(`r${i}`, listOf(numbers));
  });
  enums.forEach((entity, i) => {
    entity.constants = (entity.node.inner ?? []).filter(({ kind }) => kind === 'EnumConstantDecl');
    const values = entity.constants.map(({ name }) => `(unsigned long long)(${name})`);
    const size = entity.c === undefined ? '4' : `sizeof(${entity.c})`;
    questions.set(`e${i}`, listOf([size, ...values]));
  });
  const { values, faults } = await prober.constants(questions);
  records.forEach((record, i) => {
    const numbers = values.get(`r${i}`);
    record.layout = numbers === undefined ? { offsets: {} } : answerLayout(record, numbers.slice(0, -1));
    if (numbers === undefined && questions.has(`r${i}`)) {
      record.fault = `the compiler does not tell its layout (${faults.get(`r${i}`) ?? 'no answer'})`;
    }
  });
  enums.forEach((entity, i) => answerEnum(entity, values.get(`e${i}`)?.slice(0, -1) ?? []));
  await resolveBits(prober, records);
}

function answerEnum(entity, [size = 4n, ...values]) {
  entity.members = entity.constants.map((node, i) => ({
    name: node.name,
    value: exact(BigInt.asIntN(64, values[i] ?? 0n)),
    doc: commentOf(node),
  }));
  entity.size = Number(size);
  const numbers = entity.members.map(({ value }) => Number(value));
  const isSigned = Math.min(...numbers) < 0 || Math.max(...numbers) < 2 ** (entity.size * 8 - 1);
  entity.type = `${isSigned ? 'i' : 'u'}${entity.size * 8}`;
}

async function resolveBits(prober, records) {
  const having = records.filter(({ c, fields }) => c !== undefined && fields.some(({ bits }) => bits !== undefined));
  if (having.length === 0) return;
  const dump = await prober.layouts(having.map(({ c }) => c));
  for (const record of having) record.layout.bits = expectedBits(dump, record.c);
  for (const { fields, layout } of having) {
    for (const field of fields) {
      if (field.bits !== undefined && field.isNamed && layout.bits[field.name] === undefined)
        field.fault = 'the compiler does not tell where its bits are';
    }
  }
}

module.exports = { resolveDeclared, resolveFields, resolveLayouts };
