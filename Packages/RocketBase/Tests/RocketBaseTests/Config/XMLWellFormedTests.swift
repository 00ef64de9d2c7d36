import RocketBase
import Testing

/// Files that are not well-formed: tinyxml would change or cut their values without an error.
@Suite struct XMLWellFormedTests {
    func value(_ text: String) -> String {
        "<root>\n<log><log_file_path>\(text)</log_file_path></log></root>"
    }

    static let allowed = "allowed: &amp; &lt; &gt; &quot; &apos; and the numbers of characters"

    @Test(
        "References that name no character are refused with their position",
        arguments: [
            ("a&b", "found & that begins no reference; write &amp; for the character"),
            ("a& b;", "found \"& b;\"; \(allowed)"), ("a&;", "found \"&;\"; \(allowed)"),
            ("a&nbsp;b", "found \"&nbsp;\"; \(allowed)"),
            ("a&AMP;b", "found \"&AMP;\"; \(allowed)"),
            ("a&#0;b", "found \"&#0;\"; \(allowed)"), ("a&#x0;b", "found \"&#x0;\"; \(allowed)"),
            ("a&#8;b", "found \"&#8;\"; \(allowed)"),
            ("a&#xFFFE;", "found \"&#xFFFE;\"; \(allowed)"),
            ("a&#x110000;b", "found \"&#x110000;\"; \(allowed)"),
            ("a&#xD800;b", "found \"&#xD800;\"; \(allowed)"),
            ("a&#+65;b", "found \"&#+65;\"; \(allowed)"), ("a&#;b", "found \"&#;\"; \(allowed)"),
            ("a&#X41;b", "found \"&#X41;\"; \(allowed)"),
            (
                "a&#99999999999999;",
                "found & that begins no reference; write &amp; for the character"
            ),
            ("a\u{1}b", "found the control character 0x1"),
            ("a<3b", "found < that begins no tag; write &lt; for the character"),
            ("a<!x>b", "found < that begins no tag; write &lt; for the character"),
        ])
    func malformed(text: String, reason: String) {
        #expect(issues(value(text)) == ["r.xml:2:22: error: \(reason)"])
    }

    @Test("References in attributes are checked, too")
    func attributes() {
        #expect(
            issues("<root a=\"1&2\"/>") == [
                "r.xml:1:11: error: found & that begins no reference; write &amp; for the character"
            ])
    }

    @Test("References that name a character become that character")
    func wellFormed() throws {
        let text = "/a&amp;&lt;&gt;&quot;&apos;&#65;&#x1F34E;&#xe9;<![CDATA[&b;]]>"
        #expect(try load(value(text)).log.filePath == "/a&<>\"'A🍎é&b;")
    }

    @Test("Bytes that are not UTF-8 are refused with line and column")
    func encoding() {
        var latin1 = Array("<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n".utf8)
        latin1 += Array("<root><log><log_file_path>é/caf".utf8) + [0xE9]
        latin1 += Array("</log_file_path></log></root>".utf8)
        let error = #expect(throws: ConfigError.self) {
            try RocketConfig(xml: latin1, file: "r.xml")
        }
        #expect(error?.description == "r.xml:2:32: error: byte 0xE9 is not UTF-8")
    }

    @Test("Text after the name of an end tag is refused")
    func endTag() {
        #expect(issues("<root></root 1>") == ["r.xml:1:7: error: the tag is not terminated"])
    }

    @Test("A document type before the root element is accepted")
    func documentType() throws {
        #expect(try load("<!DOCTYPE root>\n<root/>").warnings == [])
    }
}
