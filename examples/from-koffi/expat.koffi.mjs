// Parses XML by callbacks that expat keeps.
// The same for this package: expat.mjs.
import koffi from 'koffi';
const lib = koffi.load('libexpat.so.1');
koffi.opaque('XML_Parser');
const Start = koffi.proto('void Start(void *user, const char *name, const char **attributes)');
const End = koffi.proto('void End(void *user, const char *name)');
const Text = koffi.proto('void Text(void *user, void *s, int length)');
const create = lib.func('XML_Parser *XML_ParserCreate(const char *encoding)');
const setElements = lib.func('void XML_SetElementHandler(XML_Parser *parser, Start *start, End *end)');
const setText = lib.func('void XML_SetCharacterDataHandler(XML_Parser *parser, Text *handler)');
const parse = lib.func('int XML_Parse(XML_Parser *parser, const char *s, int length, int isFinal)');
const errorCode = lib.func('int XML_GetErrorCode(XML_Parser *parser)');
const errorString = lib.func('const char *XML_ErrorString(int code)');
const free = lib.func('void XML_ParserFree(XML_Parser *parser)');
const callbacks = [
  koffi.register((user, name) => console.log('start', name), koffi.pointer(Start)),
  koffi.register((user, name) => console.log('end', name), koffi.pointer(End)),
  koffi.register((user, s, length) => console.log(koffi.decode(s, 'char', length)), koffi.pointer(Text)),
];
const parser = create(null);
setElements(parser, callbacks[0], callbacks[1]);
setText(parser, callbacks[2]);
const doc = '<a><b>Grüße</b></a>';
if (!parse(parser, doc, Buffer.byteLength(doc), 1)) console.log(errorString(errorCode(parser)));
if (!parse(parser, '', 0, 1)) console.log(errorString(errorCode(parser)));
free(parser);
callbacks.forEach((callback) => koffi.unregister(callback));
