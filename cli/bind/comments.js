'use strict';
// Comments of a header, as clang has parsed them, as TSDoc.

const TAGS = {
  return: 'returns',
  returns: 'returns',
  result: 'returns',
  deprecated: 'deprecated',
  since: 'since',
  sa: 'see',
  see: 'see',
};
const UNTITLED = new Set(['brief', 'short', 'details', 'abstract', 'discussion']);

// A paragraph is texts, a line each, with commands between them on the same line.
function paragraph({ inner = [] }) {
  let text = '';
  let isInline = false;
  for (const node of inner) {
    const part = inline(node);
    const nowInline = node.kind !== 'TextComment';
    text += text === '' || nowInline || isInline ? part : `\n${part}`;
    isInline = nowInline;
  }
  return text;
}

function inline(node) {
  switch (node.kind) {
    case 'TextComment':
      return node.text;
    case 'InlineCommandComment':
      return marked((node.args ?? []).join(' '));
    default:
      return '';
  }
}

// The word after a command may have the end of the sentence with it.
const marked = (word) => word.replace(/^(.*?)([.,;:!?)]*)$/, '`$1`$2');

function block(node) {
  const paragraphs = () => (node.inner ?? []).map(block).join('\n').trim();
  switch (node.kind) {
    case 'ParagraphComment':
      return paragraph(node);
    case 'ParamCommandComment':
      return `@param ${node.param ?? ''} ${paragraphs()}`;
    case 'BlockCommandComment': {
      if (UNTITLED.has(node.name)) return paragraphs();
      return TAGS[node.name] === undefined ? `${node.name}: ${paragraphs()}` : `@${TAGS[node.name]} ${paragraphs()}`;
    }
    case 'VerbatimBlockComment':
      return `\`\`\`\n${(node.inner ?? []).map(({ text }) => text ?? '').join('\n')}\n\`\`\``;
    case 'VerbatimLineComment':
      return node.text ?? '';
    default:
      return '';
  }
}

// What decorates a line in C: stars before it, rulers.
const undecorated = (line) =>
  line
    .replace(/^\s*(\*+(?=\s|$))?\s?/, '')
    .replace(/^([-=*_/~])\1{3,}$/, '')
    .trimEnd();

/** The lines of the comment that a declaration has; none where it has none. */
function commentOf(declaration) {
  const comment = declaration.inner?.find(({ kind }) => kind === 'FullComment');
  if (comment === undefined) return [];
  const text = (comment.inner ?? [])
    .map(block)
    .filter((part) => part.trim() !== '')
    .join('\n\n');
  const lines = text.split('\n').map(undecorated);
  const isKept = (line, i) => line !== '' || (i > 0 && lines[i - 1] !== '');
  const kept = lines.filter(isKept);
  while (kept.at(-1) === '') kept.pop();
  return kept;
}

/** Why a declaration is deprecated; undefined where it is not. */
function deprecation(declaration) {
  const attribute = declaration.inner?.find(({ kind }) => kind === 'DeprecatedAttr');
  return attribute === undefined ? undefined : (attribute.message ?? '');
}

module.exports = { commentOf, deprecation };
