'use strict';
// Comments of a header as TSDoc.

const TAGS = {
  return: '@returns',
  returns: '@returns',
  result: '@returns',
  retval: '@returns',
  deprecated: '@deprecated',
  since: '@since',
  sa: '@see',
  see: '@see',
};
/** Commands that only say where their text stands in a manual. */
const UNTITLED = new Set(['brief', 'short', 'details', 'abstract', 'discussion', 'par']);
const GROUPS =
  /^(ingroup|addtogroup|defgroup|weakgroup|name|file|fn|struct|union|enum|def|typedef|var|class|hideinitializer)$/;
const VERBATIM = /^[\\@](code|verbatim|dot|f\[)(\{[^}]*\})?\s*$/;
const VERBATIM_END = /^[\\@](endcode|endverbatim|enddot|f\])/;

/** The lines between the delimiters of C, without what decorates them: stars, rulers. */
function contentOf(raw) {
  return raw.split(/\r?\n/).map((line) =>
    line
      .replace(/^\s*(\/\*[*!]*<?|\/\/[/!]*<?|\*+(?!\/))(?=\s|[^*/]|$)/, '')
      .replace(/\**\*\/\s*$/, '')
      .replace(/^ /, '')
      .replace(/^\s*([-=*_/~#])\1{3,}\s*$/, '')
      .trimEnd(),
  );
}

// The word after a command may have the end of the sentence with it.
const marked = (word) => word.replace(/^(.*?)([.,;:!?)]*)$/, '`$1`$2');

const inline = (line) =>
  line
    .replace(/[\\@](?:c|p|a|b|e|em|ref|link) (\S+)/g, (_, word) => marked(word))
    .replace(/[\\@]endlink\b/g, '')
    .replace(/[\\@](?:li|arg)\b/g, '-')
    .replace(/[\\@]n\b/g, '');

/** A line that begins with a command of Doxygen or of gtk-doc, as TSDoc has it; undefined for one that goes away. */
function converted(line) {
  const gtk = /^@(\w+):\s+(.*)$/.exec(line);
  if (gtk !== null) return `@param ${gtk[1]} ${inline(gtk[2])}`;
  const [, command, rest = ''] = /^\s*[\\@](\w+)(?:\[[^\]]*\])?(?:\s+(.*))?$/.exec(line) ?? [];
  if (command === undefined) return /^\s*[\\@][{}]\s*$/.test(line) ? undefined : inline(line);
  if (/^(param|tparam)$/.test(command)) return `@param ${inline(rest)}`.trimEnd();
  if (TAGS[command] !== undefined) return `${TAGS[command]} ${inline(rest)}`.trimEnd();
  if (UNTITLED.has(command)) return inline(rest);
  if (GROUPS.test(command)) return undefined;
  if (/^(c|p|a|b|e|em|ref|li|arg|n|link)$/.test(command)) return inline(line);
  return `${command}: ${inline(rest)}`.trimEnd();
}

/**
 * The lines of a comment; none where there is none.
 * @param {string} raw as it stands in the header, with its delimiters
 */
function commentOf(raw) {
  if (raw === '') return [];
  const lines = [];
  let isVerbatim = false;
  for (const line of contentOf(raw)) {
    if (isVerbatim ? VERBATIM_END.test(line.trim()) : VERBATIM.test(line.trim())) {
      isVerbatim = !isVerbatim;
      lines.push('```');
    } else if (isVerbatim) lines.push(line);
    else {
      const text = converted(line);
      if (text !== undefined) lines.push(text);
    }
  }
  if (isVerbatim) lines.push('```');
  const isKept = (line, i) => line !== '' || (i > 0 && lines[i - 1] !== '');
  const kept = lines.filter(isKept);
  while (kept.length > 0 && kept[0].trim() === '') kept.shift();
  while (kept.at(-1)?.trim() === '') kept.pop();
  return kept;
}

module.exports = { commentOf };
