#include "rocket_xml.h"

#include <deque>
#include <exception>
#include <string>
#include <vector>

#include <tinyxml.h>

struct rocket_xml {
    TiXmlDocument document;
    std::vector<rocket_xml_element> elements;
    std::deque<std::string> texts;  // a deque does not move its elements
    bool failed = false;
};

namespace {

rocket_xml_element describe(rocket_xml &xml, const TiXmlElement &element, int depth) {
    std::string text;
    for (const TiXmlNode *child = element.FirstChild(); child; child = child->NextSibling()) {
        if (const TiXmlText *part = child->ToText()) text += part->ValueStr();
    }
    xml.texts.push_back(text);
    const TiXmlAttribute *attribute = element.FirstAttribute();
    return {element.Value(), xml.texts.back().c_str(), attribute ? attribute->Name() : nullptr,
            depth, element.Row(), element.Column()};
}

/// Appends all elements, depth first as in the file. Iterative, because recursion would need stack
/// for each level.
void flatten(rocket_xml &xml) {
    const TiXmlElement *element = xml.document.FirstChildElement();
    int depth = 0;
    while (element) {
        xml.elements.push_back(describe(xml, *element, depth));
        if (const TiXmlElement *child = element->FirstChildElement()) {
            element = child;
            depth += 1;
            continue;
        }
        while (element && !element->NextSiblingElement()) {
            const TiXmlNode *parent = element->Parent();
            element = parent ? parent->ToElement() : nullptr;
            depth -= 1;
        }
        if (element) element = element->NextSiblingElement();
    }
}

}  // namespace

rocket_xml *rocket_xml_parse(const char *text) {
    rocket_xml *xml = nullptr;
    try {
        xml = new rocket_xml;
        xml->document.SetTabSize(1);  // a tab is one column, so that a column is a character
        // Pass the encoding: when it guesses, tinyxml reads past an incomplete UTF-8 character.
        xml->document.Parse(text, nullptr, TIXML_ENCODING_UTF8);
        xml->failed = xml->document.Error();
        if (!xml->failed) flatten(*xml);
        return xml;
    } catch (const std::exception &) {
        delete xml;
        return nullptr;
    }
}

const char *rocket_xml_failure(const rocket_xml *xml, int *line, int *column) {
    if (!xml->failed) return nullptr;
    *line = xml->document.ErrorRow();
    *column = xml->document.ErrorCol();
    return xml->document.ErrorDesc();
}

int rocket_xml_count(const rocket_xml *xml) { return static_cast<int>(xml->elements.size()); }

rocket_xml_element rocket_xml_element_at(const rocket_xml *xml, int index) {
    return xml->elements.at(static_cast<size_t>(index));
}

void rocket_xml_free(rocket_xml *xml) { delete xml; }
