// A plain C interface to libtinyxml: parses text into a flat list of the document's elements.
// Documents share no state; each may be used by one thread at a time.
#ifndef ROCKET_XML_H
#define ROCKET_XML_H

#ifdef __cplusplus
extern "C" {
#endif

/// A parsed document, or its error. Owned by the caller of rocket_xml_parse.
typedef struct rocket_xml rocket_xml;

/// One element. The pointers are valid as long as the document.
typedef struct {
    const char *name;
    /// The element's own text and CDATA, trimmed; never NULL.
    const char *text;
    /// The first attribute's name, or NULL.
    const char *attribute;
    /// 0 for a root element; a child follows its parent and has the parent's depth + 1.
    int depth;
    /// The position of its `<`; both count from 1.
    int line, column;
} rocket_xml_element;

/// Parses NUL-terminated text; NULL only when there is no memory. tinyxml recurses once per level
/// of nesting, so unchecked text can exhaust the stack: XMLValidator limits depth and size before.
rocket_xml *rocket_xml_parse(const char *text);
/// Returns the error text of tinyxml and its position (0: unknown); NULL when there is no error.
const char *rocket_xml_failure(const rocket_xml *document, int *line, int *column);
/// Returns the number of elements, which are in the order of the file.
int rocket_xml_count(const rocket_xml *document);
/// Returns the element at an index from 0 to count - 1.
rocket_xml_element rocket_xml_element_at(const rocket_xml *document, int index);
/// Frees a document, or does nothing for NULL.
void rocket_xml_free(rocket_xml *document);

#ifdef __cplusplus
}
#endif
#endif
