import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketBase

@Suite struct LogContextTests {
    let sink = MemorySink()

    func system() throws -> LogSystem {
        var configuration = LogConfiguration()
        configuration.outputs = []
        // One buffer keeps the order of lines with equal times from several threads.
        configuration.bufferCount = 1
        configuration.maxLineBytes = 2048
        return try LogSystem(drivenByHand: configuration, time: ManualTimeSource(), sinks: [sink])
    }

    func columns(_ line: String) -> [String] {
        line.dropLast().split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    }

    @Test("A line contains the call of its task, also in nested calls")
    func callContext() async throws {
        let logs = try system()
        let outer = CallContext(
            messageID: InlineString("1"), method: "Order.makeOrder", peer: "127.0.0.1:5")
        let inner = CallContext(
            messageID: InlineString("2"), method: "Stock.take", peer: "unix:/run/a b")
        await CallContext.$current.withValue(outer) {
            logs.app.info("outer") { $0.add("k", 1) }
            await Task.yield()
            CallContext.$current.withValue(inner) { logs.app.info("inner") }
            async let child: Void = { logs.app.info("child") }()
            await child
        }
        logs.app.info("outside")
        logs.flush()
        let lines = sink.lines.map(columns)
        try #require(lines.count == 4)
        #expect(lines[0][3...4] == ["[1]", "[Order.makeOrder]"])
        #expect(lines[0][6] == "outer k=1 peer=127.0.0.1:5")
        #expect(lines[1][3...4] == ["[2]", "[Stock.take]"])
        #expect(lines[1][6] == "inner peer=\"unix:/run/a b\"")
        #expect(lines[2][3...4] == ["[1]", "[Order.makeOrder]"])
        #expect(lines[3][3...4] == ["[]", "[]"])
    }

    @Test("A peer that is both the line's and its call's is shown once, two peers both")
    func samePeer() throws {
        let logs = try system()
        let call = CallContext(messageID: InlineString("1"), method: "Order.get", peer: "::1:5")
        CallContext.$current.withValue(call) {
            logs.app.info("same") { $0.add("peer", "::1:5") }
            logs.app.info("other") { $0.add("peer", "::1:6") }
        }
        logs.flush()
        let lines = sink.lines.map(columns)
        #expect(lines[0][6] == "same peer=::1:5")
        #expect(lines[1][6] == "other peer=::1:6 peer=::1:5")
    }

    @Test("Control characters are escaped, so that a line stays one line")
    func escaping() throws {
        let logs = try system()
        logs.app.info("two\nlines\tand \u{1b}[31m\("red")") {
            $0.add("key", "a=\"b\"\n")
            $0.add("empty", "")
            $0.add(dynamicKey: "bad key\n", "v")
        }
        logs.flush()
        let line = try #require(sink.lines.first)
        #expect(columns(line).count == 7)
        #expect(
            columns(line)[6] == #"two\nlines\tand \x1b[31mred key="a=\"b\"\n" empty="" bad key\n=v"#
        )
    }

    @Test(
        "Characters that move a cursor, reverse text or are invisible are escaped",
        arguments: [
            ("\u{9B}31m", #"\u{9B}31m"#), ("\u{85}", #"\u{85}"#), ("\u{2028}", #"\u{2028}"#),
            ("\u{2029}", #"\u{2029}"#), ("\u{202E}gnp", #"\u{202E}gnp"#),
            ("\u{2066}", #"\u{2066}"#), ("\u{200F}", #"\u{200F}"#), ("\u{61C}", #"\u{61C}"#),
            ("\u{FEFF}", #"\u{FEFF}"#), ("\u{E0041}", #"\u{E0041}"#),
            ("苹果 🍎 é 👩‍🌾 \u{A0}", "苹果 🍎 é 👩‍🌾 \u{A0}"),
        ])
    func unsafeCharacters(text: String, shown: String) throws {
        let logs = try system()
        let call = CallContext(messageID: InlineString(text), method: text, peer: text)
        CallContext.$current.withValue(call) {
            logs.app.info("\(text)") { $0.add("key", text + " ") }
        }
        logs.flush()
        let parts = columns(try #require(sink.lines.first))
        #expect(parts[3...4] == ["[\(shown)]", "[\(shown)]"])
        #expect(parts[6].hasPrefix("\(shown) key=\""))
        // A backslash that is the text's own is doubled in quotes, that of an escape is not.
        #expect(parts[6].contains("key=\"\(shown) \" peer="))
    }

    @Test("Bytes that are no UTF-8 are escaped")
    func invalidBytes() throws {
        let logs = try system()
        let bytes: [UInt8] = [0x61, 0xFF, 0x9B, 0xE2, 0x80, 0x62, 0xC0, 0xAF, 0xED, 0xA0, 0x80]
        let id = InlineString(bytes: bytes.span.bytes)
        CallContext.$current.withValue(CallContext(messageID: id, method: "m", peer: "p")) {
            logs.app.info("line")
        }
        logs.flush()
        #expect(
            columns(try #require(sink.lines.first))[3]
                == #"[a\xff\x9b\xe2\x80b\xc0\xaf\xed\xa0\x80]"#)
    }

    @Test("A line beyond the limit is cut between two characters")
    func cutting() throws {
        let logs = try system()
        logs.app.info("\(String(repeating: "é", count: 4_000))")
        logs.app.info("fields") {
            for number in 0..<1_000 { $0.add("number", number) }
        }
        logs.app.info("whole")
        logs.flush()
        #expect(sink.lines.count == 3)
        #expect(sink.lines[0].hasSuffix("é cut=true\n") && sink.lines[0].utf8.count < 2_100)
        #expect(sink.lines[1].contains("number=3 ") && sink.lines[1].hasSuffix(" cut=true\n"))
        #expect(sink.lines[2].hasSuffix("\twhole\n"))
    }

    @Test("A line can be written while another one is built")
    func nestedLines() throws {
        struct LoggingValue: CustomStringConvertible {
            let logger: RocketLogger
            var description: String {
                logger.info("inner")
                return "value"
            }
        }
        let logs = try system()
        logs.app.info("outer") { $0.add("key", LoggingValue(logger: logs.app)) }
        logs.flush()
        #expect(sink.lines.map { columns($0)[6] }.sorted() == ["inner", "outer key=value"])
    }

    @Test("Levels can be changed at run time")
    func levelChanges() throws {
        let logs = try system()
        let copy = logs.app
        #expect(!copy.isEnabled(.debug) && logs.level(of: .app) == .info)
        logs.setLevel(.debug, of: .app)
        #expect(copy.isEnabled(.debug) && !logs.rpc.isEnabled(.debug))
        logs.setLevel(nil, of: .app)
        #expect(!copy.isEnabled(.critical) && logs.level(of: .app) == nil)
        #expect(!RocketLogger.disabled.isEnabled(.critical))
    }

    @Test("Lines after shutdown are discarded")
    func shutdown() throws {
        let logs = try system()
        logs.app.info("before")
        logs.shutdown()
        logs.app.info("after")
        logs.shutdown()
        #expect(sink.lines.count == 1)
        #expect(!logs.app.isEnabled(.critical))
    }
}
