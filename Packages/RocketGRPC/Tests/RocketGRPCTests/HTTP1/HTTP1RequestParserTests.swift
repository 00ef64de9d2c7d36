import RocketBase
import RocketBaseTestKit
import Testing

@testable import RocketGRPC

@Suite("Reading requests of HTTP/1.1")
struct HTTP1RequestParserTests {
    /// What comes of the bytes, which arrive in pieces that end at these places.
    private func read(_ text: String, splits: [Int] = []) -> [String] {
        let bytes = [UInt8](text.utf8)
        var parser = HTTP1RequestParser()
        var (events, body, input): ([String], [UInt8], [UInt8]) = ([], [], [])
        var start = 0
        for end in splits.filter({ $0 > 0 && $0 < bytes.count }).sorted() + [bytes.count] {
            input += bytes[start..<end]
            start = end
            do throws(HTTP1Fault) {
                try take(&parser, &input, &events, &body)
            } catch { return events + ["\(error.status)"] }
        }
        return input.isEmpty ? events : events + ["\(input.count) left"]
    }

    private func take(
        _ parser: inout HTTP1RequestParser, _ input: inout [UInt8], _ events: inout [String],
        _ body: inout [UInt8]
    ) throws(HTTP1Fault) {
        while true {
            switch try parser.step(input.span.bytes) {
            case .needMore: return
            case .skip(let count): input.removeFirst(count)
            case .head(let head, let count):
                func text(_ range: Range<Int>) -> String {
                    String(decoding: input[range], as: UTF8.self)
                }
                var line = "\(text(head.method)) \(text(head.target))"
                for field in head.fields { line += " \(text(field.name))=\(text(field.value))" }
                if !head.keepsAlive { line += " (close)" }
                if head.expectsContinue { line += " (expects)" }
                events.append(line)
                input.removeFirst(count)
            case .body(let range):
                body += input[range]
                input.removeFirst(range.upperBound)
            case .end(let count):
                events.append("end: \(String(decoding: body, as: UTF8.self))")
                body = []
                input.removeFirst(count)
            }
        }
    }

    private let post = "POST /a.S/m HTTP/1.1\r\nHost: x\r\n"

    @Test("A request is its line, its fields and its body, however its bytes arrive")
    func request() {
        let text =
            post + "X-Empty:\r\nX-A: \t b c \t\r\nContent-Length: 5\r\n\r\nhello"
            + "\r\nGET /?a=b HTTP/1.1\r\nhost: [::1]:80\r\n\r\n"
            + "POST * HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "5 ; a=b\r\nhello\r\n00A\r\n, 10 bytes\r\n0\r\nX-Trailer: 1\r\n\r\n"
        let expected = [
            "POST /a.S/m Host=x X-Empty= X-A=b c Content-Length=5", "end: hello",
            "GET /?a=b host=[::1]:80", "end: ",
            "POST * Host=x Transfer-Encoding=Chunked", "end: hello, 10 bytes",
        ]
        #expect(read(text) == expected)
        #expect(read(text, splits: Array(1..<text.utf8.count)) == expected)
        for first in 1..<text.utf8.count {
            #expect(read(text, splits: [first]) == expected, "split at \(first)")
        }
    }

    @Test("Whether the connection is kept follows from the version and the field Connection")
    func keepAlive() {
        for (version, fields, isKept) in [
            ("1.1", "", true), ("1.1", "Connection: x, Close\r\n", false), ("1.0", "", false),
            ("1.0", "connection: keep-alive\r\n", true),
            ("1.0", "connection: keep-alive, close\r\n", false),
        ] {
            let events = read("POST / HTTP/\(version)\r\nhost: x\r\n" + fields + "\r\n")
            #expect(events.first?.hasSuffix("(close)") == !isKept, "\(version) \(fields)")
        }
        #expect(read("POST / HTTP/1.0\r\n\r\n") == ["POST / (close)", "end: "])
    }

    @Test("A client may wait for 100 Continue, except one of HTTP/1.0")
    func expectation() {
        let field = "Expect: 100-Continue\r\n\r\n"
        #expect(read(post + field).first?.hasSuffix("(expects)") == true)
        let old = read("POST / HTTP/1.0\r\nconnection: keep-alive\r\n" + field)
        #expect(old.first?.hasSuffix("(expects)") == false)
        #expect(read(post + "Expect: 200-ok\r\n\r\n") == ["417"])
    }

    @Test("What other servers read differently is refused")
    func strict() {
        let chunked = post + "transfer-encoding: chunked\r\n\r\n"
        for (text, status) in [
            ("\u{2}\0\0", 400), ("\u{16}\u{3}\u{1}", 400), (" POST / HTTP/1.1\r\n\r\n", 400),
            ("\r\n\r\nPOST", 400), ("POST / HTTP/1.1\nHost: x\n\n", 400), ("POST\r\n\r\n", 400),
            ("POST  / HTTP/1.1\r\n\r\n", 400), ("POST / a HTTP/1.1\r\n\r\n", 400),
            ("POST /\t HTTP/1.1\r\n\r\n", 400), ("POST / http/1.1\r\n\r\n", 400),
            ("PO(T / HTTP/1.1\r\n\r\n", 400), ("POST /é HTTP/1.1\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\n\r\n", 400), (post + "host: y\r\n\r\n", 400),
            ("PRI * HTTP/2.0\r\n\r\n", 505), ("POST / HTTP/1.2\r\n\r\n", 505),
            (post + "a : b\r\n\r\n", 400), (post + " b\r\n\r\n", 400), (post + ": b\r\n\r\n", 400),
            (post + "ab\r\n\r\n", 400), (post + "a: \u{0}\r\n\r\n", 400),
            (post + "a: b\rc: d\r\n\r\n", 400), (post + "a: b\nc: d\r\n\r\n", 400),
            (post + "a: \u{7F}\r\n\r\n", 400), (post + "a: b\r\n\n", 400),
            (post + "content-length: 1, 1\r\n\r\n", 400),
            (post + "content-length: +1\r\n\r\n", 400),
            (post + "content-length: \r\n\r\n", 400), (post + "content-length: 0x1\r\n\r\n", 400),
            (post + "content-length: 1\r\ncontent-length: 1\r\n\r\n", 400),
            (post + "content-length: 9999999999999999999\r\n\r\n", 400),
            (post + "content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n", 400),
            ("POST / HTTP/1.0\r\ntransfer-encoding: chunked\r\n\r\n", 400),
            (post + "transfer-encoding: gzip, chunked\r\n\r\n", 501),
            (post + "transfer-encoding: chunked\r\ntransfer-encoding: chunked\r\n\r\n", 501),
            (post + "transfer-encoding: identity\r\n\r\n", 501),
        ] {
            let found = read(text)
            #expect(found == ["\(status)"], "\(text.debugDescription)")
            #expect(read(text, splits: Array(1..<text.utf8.count)) == found)
        }
        for text in [
            "\r\n", "g\r\n", "-1\r\n", "1\n", " 1\r\n", "1 2\r\n", "1\r\nab\r\n", "1\r\na\n",
            "1000000000000\r\n", "0\r\na\n", "1;" + String(repeating: "x", count: 300),
        ] {
            #expect(read(chunked + text).last == "400", "\(text.debugDescription)")
        }
    }

    @Test("Heads, fields and trailers have limits")
    func limits() {
        let long = String(repeating: "a", count: 16 << 10)
        #expect(read("POST /" + long) == ["414"])
        #expect(read(post + "a: " + long) == ["431"])
        #expect(read(post + "a: " + long.dropLast(60) + "\r\n\r\n").last == "end: ")
        #expect(read(post + String(repeating: "a: b\r\n", count: 99) + "\r\n").last == "end: ")
        #expect(read(post + String(repeating: "a: b\r\n", count: 100) + "\r\n") == ["431"])
        let trailers = String(repeating: "a: b\r\n", count: 3000)
        let chunked = post + "transfer-encoding: chunked\r\n\r\n0\r\n"
        #expect(read(chunked + trailers + "\r\n").last == "400")
    }

    @Test("Whatever the bytes are, they are taken, waited for or refused")
    func mutated() {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SplitMix(seed: seed)
        let text =
            post + "Content-Length: 5\r\n\r\nhello" + post
            + "Transfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX: 1\r\n\r\n"
        let bytes = [UInt8](text.utf8)
        for _ in 0..<2000 {
            var changed = bytes
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let index = Int.random(in: 0..<changed.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: changed[index] = UInt8.random(in: 0...127, using: &random)
                case 1: changed.remove(at: index)
                default: changed.insert([10, 13, 32, 58, 59][index % 5], at: index)
                }
            }
            let found = String(decoding: changed, as: UTF8.self)
            let whole = read(found)
            let parts = read(found, splits: Array(1..<changed.count))
            #expect(whole == parts, "seed \(seed): \(found.debugDescription)")
        }
    }

    @Test("It is idle between two requests only")
    func idle() throws {
        var parser = HTTP1RequestParser()
        #expect(parser.isIdle)
        let step = try parser.step([UInt8]("PO".utf8).span.bytes)
        #expect(step == .needMore && !parser.isIdle)
    }
}
