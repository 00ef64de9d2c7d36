import RocketBase
import Testing

@Suite struct ConfigErrorTests {
    @Test("All errors are reported together, each with its position")
    func allErrors() {
        let xml = """
            <root>
              <log><log_max_file_size>-1</log_max_file_size></log>
              <server>
                <ip>localhost</ip>
                <port>65536</port>
                <io_threads>four</io_threads>
              </server>
            </root>
            """
        let number = "found \"-1\"; allowed: a whole number of bytes, 4096 to 1099511627776"
        let ip = "allowed: a numeric IPv4 or IPv6 address, such as 127.0.0.1 or ::1"
        #expect(
            issues(xml) == [
                "r.xml:2:8: error: root/log/log_max_file_size: \(number)",
                "r.xml:4:5: error: root/server/ip: found \"localhost\"; \(ip)",
                "r.xml:5:5: error: root/server/port: found \"65536\"; "
                    + "allowed: a whole number, 0 to 65535",
                "r.xml:6:5: error: root/server/io_threads: found \"four\"; "
                    + "allowed: a whole number, 1 to 1024",
            ])
    }

    @Test("Several issues follow a headline")
    func headline() {
        let error = #expect(throws: ConfigError.self) {
            try load("<root><server><port>x</port><ip/></server></root>", file: "r.xml")
        }
        #expect(error?.description.hasPrefix("r.xml: 2 errors\nr.xml:1:15: error: ") == true)
    }

    @Test("An unknown element is a warning with the nearest name")
    func unknownElements() {
        #expect(
            issues("<root><log><log_levle>INFO</log_levle></log><sever/><zebra/></root>") == [
                "r.xml:1:12: warning: root/log/log_levle: is unknown and is ignored; "
                    + "did you mean log_level?",
                "r.xml:1:45: warning: root/sever: is unknown and is ignored; "
                    + "did you mean server?",
                "r.xml:1:53: warning: root/zebra: is unknown and is ignored",
            ])
    }

    @Test("Characters of the file that would change a terminal are escaped in messages")
    func unsafeCharacters() {
        #expect(
            issues("<root><server><port>\u{9B}31m\u{202E}</port></server><\u{9B}x/></root>") == [
                "r.xml:1:15: error: root/server/port: found \"\\u{9B}31m\\u{202E}\"; "
                    + "allowed: a whole number, 0 to 65535",
                "r.xml:1:42: warning: root/\\u{9B}x: is unknown and is ignored",
            ])
    }

    @Test("A duplicate element is an error")
    func duplicates() {
        let xml = "<root><server/><server><port>1</port><port>2</port></server></root>"
        #expect(
            issues(xml) == [
                "r.xml:1:16: error: root/server: is a duplicate; the first one is on line 1"
            ])
        #expect(
            issues("<root><server><port>1</port><port>2</port></server></root>") == [
                "r.xml:1:29: error: root/server/port: is a duplicate; the first one is on line 1"
            ])
    }

    @Test("Stubs need a unique name and a port")
    func stubErrors() {
        let xml = """
            <root><stubs>
            <rpc_server><name>a</name><port>1</port></rpc_server>
            <rpc_server><name>a</name><port>2</port></rpc_server>
            <rpc_server><port>0</port></rpc_server>
            <rpc_server><name>b</name></rpc_server>
            <rpc_server><port>3</port></rpc_server>
            </stubs></root>
            """
        let path = "root/stubs/rpc_server"
        #expect(
            issues(xml) == [
                "r.xml:3:1: error: \(path)/name: found \"a\" again; "
                    + "the stub on line 2 has this name",
                "r.xml:4:13: error: \(path)/port: found \"0\"; "
                    + "allowed: a whole number, 1 to 65535",
                "r.xml:5:1: error: \(path): port is missing (or address)",
                "r.xml:6:1: error: \(path): name is missing",
            ])
    }

    @Test("Rules between fields are checked when each field is valid")
    func rulesBetweenFields() {
        let high = "<high_water_mark_bytes>4096</high_water_mark_bytes>"
        #expect(
            issues("<root>\n<server>\(high)</server></root>") == [
                "r.xml:2:1: error: root/server: "
                    + "low_water_mark_bytes is greater than high_water_mark_bytes"
            ])
    }

    @Test("Misplaced elements, text and attributes are reported")
    func misplacedContent() {
        #expect(
            issues("<root>x<server a='1'><port><b/></port></server></root>") == [
                "r.xml:1:1: warning: root: found the text \"x\" between elements; it is ignored",
                "r.xml:1:8: warning: root/server: found the attribute \"a\"; "
                    + "attributes are ignored",
                "r.xml:1:28: error: root/server/port: found the element <b>; "
                    + "allowed: a whole number, 0 to 65535",
            ])
    }

    @Test(
        "Invalid XML is one error with its position",
        arguments: [
            ("", "r.xml:1:1: error: the file contains no element"),
            (
                "<config/>",
                "r.xml:1:1: error: found <config>; allowed: <root> as the outermost element"
            ),
            (
                "<root>\n  <log>\n</root>",
                "r.xml:3:1: error: found </root>; allowed: </log> for line 2"
            ),
            (
                "<root>\n<log>",
                "r.xml:2:6: error: the file ends, but <log> on line 2 is not closed"
            ),
            ("<root/>\n<root/>", "r.xml:2:1: error: found a second root element, <root>"),
            ("<root/> x", "r.xml:1:9: error: found text outside of the root element"),
            ("<root><!-- ", "r.xml:1:7: error: the comment is not terminated"),
            ("<root><a b></a></root>", "r.xml:1:11: error: Error reading Attributes."),
            ("<root>\0</root>", "r.xml:1:7: error: found a NUL byte"),
        ])
    func invalidXML(xml: String, issue: String) {
        #expect(issues(xml) == [issue])
    }

    @Test("Nesting, size and count are limited before tinyxml parses")
    func xmlLimits() {
        let deep = String(repeating: "<a>", count: 100_000)
        #expect(issues(deep) == ["r.xml:1:97: error: elements are nested deeper than 32"])
        let hidden = "<root><?xml x=\"?>" + String(repeating: "<a><?xml x=\"></a>\"?>", count: 9000)
        #expect(issues(hidden).count == 1)
        let large = "<root>" + String(repeating: " ", count: 1 << 20) + "</root>"
        #expect(issues(large) == ["r.xml: error: the file is larger than 1048576 bytes"])
        let wide = "<root>" + String(repeating: "<a/>", count: 20_001) + "</root>"
        #expect(issues(wide).first?.contains("more than 20000 elements") == true)
        let tag = "<root " + (0..<5000).map { "a\($0)='' " }.joined() + "/>"
        #expect(issues(tag) == ["r.xml:1:1: error: the tag <root is not terminated"])
    }

    @Test("A tag may have 1024 bytes before its end, and no more")
    func tagLimit() {
        func issues(bytes: Int) -> [String] {
            let tag = "<root" + String(repeating: " ", count: bytes - 6) + "/"
            return RocketBaseTests.issues(tag + ">")
        }
        #expect(issues(bytes: 1024) == [])
        #expect(issues(bytes: 1025) == ["r.xml:1:1: error: the tag <root is not terminated"])
    }

    @Test("The first hundred issues are reported and the others counted")
    func manyIssues() {
        let unknown = String(repeating: "<x/>", count: 19_000)
        let lines = issues("<root>\(unknown)<server><port/></server></root>")
        #expect(lines.count == 101)
        #expect(lines.last == "r.xml: error: 18901 more issues are omitted")
    }
}
