import CTinyXML

/// Turns the bytes of an XML file into its root element, by way of libtinyxml.
enum XMLReader {
    /// The root element. Any input is answered in bounded time, stack and memory.
    static func root(of bytes: [UInt8]) throws(XMLFailure) -> XMLElement {
        var outline = XMLOutline(bytes)
        try outline.check()
        let roots = try elements(of: outline.bytes, expecting: outline.elements)
        guard let root = roots.first else {
            throw XMLFailure(line: 1, column: 1, reason: "there is no element in it")
        }
        return root
    }

    private static func elements(
        of bytes: [UInt8], expecting expected: Int
    ) throws(XMLFailure) -> [XMLElement] {
        let isUTF8 = String(validating: bytes, as: UTF8.self) != nil
        let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
        guard let document = unsafe rocket_xml_parse(terminated, isUTF8 ? 1 : 0) else {
            throw XMLFailure(line: 0, column: 0, reason: "out of memory")
        }
        // SAFETY: freed once, after the last use; all texts are copied before.
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
            // tinyxml stops without a word at some faults: never take half a file for a whole.
            throw XMLFailure(
                line: 0, column: 0, reason: "only \(count) of \(expected) elements are readable")
        }
        var roots: [XMLElement] = []
        while next < count { roots.append(unsafe element(at: &next, of: document, count)) }
        return roots
    }

    /// The element at `next` with its children; `next` goes on behind them. Recurses at most
    /// `XMLLimits.depth` times.
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
