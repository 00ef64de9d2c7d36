// libtinyxml behind plain C: text in, the document's elements out as a flat list.
// No state is shared between documents; each may be used by any one thread at a time.
#ifndef ROCKET_XML_H
#define ROCKET_XML_H

#ifdef __cplusplus
extern "C" {
#endif

/// A parsed document, or what was wrong with it. Owned by who called rocket_xml_parse.
typedef struct rocket_xml rocket_xml;

/// One element. The pointers live as long as the document.
typedef struct {
    const char *name;
    /// The element's own text and CDATA, trimmed; never NULL.
    const char *text;
    /// The first attribute's name, or NULL.
    const char *attribute;
    /// 0 for a root element; a child has its parent's depth + 1 and stands after it.
    int depth;
    /// Where its `<` stands, both from 1.
    int line, column;
} rocket_xml_element;

/// Parses NUL-terminated text. NULL only when memory is out. tinyxml recurses once per level
/// of nesting: bound depth and size before (XMLOutline does).
rocket_xml *rocket_xml_parse(const char *text, int is_utf8);
/// NULL when all is well, else tinyxml's reason and the place (0 where it is not known).
const char *rocket_xml_failure(const rocket_xml *document, int *line, int *column);
/// How many elements there are; they follow each other as in the file.
int rocket_xml_count(const rocket_xml *document);
/// The element at index 0 ..< count.
rocket_xml_element rocket_xml_element_at(const rocket_xml *document, int index);
/// Frees a document; NULL is allowed.
void rocket_xml_free(rocket_xml *document);

#ifdef __cplusplus
}
#endif
#endif
