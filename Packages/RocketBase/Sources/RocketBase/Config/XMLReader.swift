import CTinyXML

/// Parses the bytes of an XML file with libtinyxml.
enum XMLReader {
    /// Returns the root element. Time, stack and memory are limited for any input.
    static func root(of bytes: [UInt8]) throws(XMLFailure) -> XMLElement {
        var validator = XMLValidator(bytes)
        try validator.validate()
        let roots = try elements(of: validator.bytes, expecting: validator.elements)
        guard let root = roots.first else {
            throw XMLFailure(line: 1, column: 1, reason: "the file contains no element")
        }
        return root
    }

    private static func elements(
        of bytes: [UInt8], expecting expected: Int
    ) throws(XMLFailure) -> [XMLElement] {
        let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
        guard let document = unsafe rocket_xml_parse(terminated) else {
            throw XMLFailure(line: 0, column: 0, reason: "out of memory")
        }
        // SAFETY: freed once, after the last use; all texts are copied before that.
        defer { unsafe rocket_xml_free(document) }
        var line: Int32 = 0
        var column: Int32 = 0
        if let reason = unsafe rocket_xml_failure(document, &line, &column) {
            let text = unsafe String(cString: reason)
            throw XMLFailure(line: Int(line), column: Int(column), reason: text)
        }
        var next: Int32 = 0
        let count = unsafe rocket_xml_count(document)
        guard count == expected else {
            // After some errors tinyxml stops without reporting them; a part of a file must not be
            // used.
            throw XMLFailure(
                line: 0, column: 0, reason: "only \(count) of \(expected) elements can be parsed")
        }
        var roots: [XMLElement] = []
        while next < count { roots.append(unsafe element(at: &next, of: document, count)) }
        return roots
    }

    /// Returns the element at `next` with its children, and moves `next` after them. Recurses at
    /// most `XMLLimits.depth` times.
    private static func element(
        at next: inout Int32, of document: OpaquePointer, _ count: Int32
    ) -> XMLElement {
        let found = unsafe rocket_xml_element_at(document, next)
        next += 1
        // SAFETY: name and text are NUL-terminated and live as long as the document.
        var element = unsafe XMLElement(
            name: String(cString: found.name), line: Int(found.line), column: Int(found.column),
            text: String(cString: found.text),
            attribute: found.attribute.map { unsafe String(cString: $0) })
        while next < count, unsafe rocket_xml_element_at(document, next).depth > found.depth {
            element.children.append(unsafe self.element(at: &next, of: document, count))
        }
        return element
    }
}

/// One element of a parsed XML file, with its children. A value.
struct XMLElement: Equatable, Sendable {
    let name: String
    /// The position of its `<`, from 1; columns count characters.
    let line: Int
    let column: Int
    /// Its text without that of its children, trimmed, with white space condensed.
    let text: String
    /// The name of the first attribute, if any. Configuration elements have none.
    let attribute: String?
    var children: [XMLElement] = []
}

/// The error of invalid XML, or of XML that exceeds `XMLLimits`.
struct XMLFailure: Error, Equatable, Sendable {
    /// The position, from 1; 0: unknown.
    let line: Int
    let column: Int
    let reason: String
}
