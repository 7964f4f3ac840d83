// Parses XML by callbacks that expat keeps.
// The same for koffi: expat.koffi.mjs.
import { CString, dlopen, JSCallback } from 'pinned-ffi';
const { symbols: x, types } = dlopen('expat', `
  typedef struct XML_ParserStruct *XML_Parser;
  typedef void Start(void *user, const char *name, const char **attributes);
  typedef void End(void *user, const char *name);
  typedef void Text(void *user, const char *s, int length);
  XML_Parser XML_ParserCreate(const char *encoding);
  void XML_SetElementHandler(XML_Parser parser, Start *start, End *end);
  void XML_SetCharacterDataHandler(XML_Parser parser, Text *handler);
  int XML_Parse(XML_Parser parser, const char *s, int length, int isFinal);
  int XML_GetErrorCode(XML_Parser parser);
  const char *XML_ErrorString(int code);
  void XML_ParserFree(XML_Parser parser);
`);
const callbacks = [
  new JSCallback((user, name) => console.log('start', name), types.Start),
  new JSCallback((user, name) => console.log('end', name), types.End),
  new JSCallback((user, s, length) => console.log(CString(s, 0, length)), types.Text),
];
const parser = x.XML_ParserCreate(null);
x.XML_SetElementHandler(parser, callbacks[0], callbacks[1]);
x.XML_SetCharacterDataHandler(parser, callbacks[2]);
const doc = '<a><b>Grüße</b></a>';
if (!x.XML_Parse(parser, doc, Buffer.byteLength(doc), 1)) console.log(x.XML_ErrorString(x.XML_GetErrorCode(parser)));
if (!x.XML_Parse(parser, '', 0, 1)) console.log(x.XML_ErrorString(x.XML_GetErrorCode(parser)));
x.XML_ParserFree(parser);
callbacks.forEach((callback) => callback.close());
