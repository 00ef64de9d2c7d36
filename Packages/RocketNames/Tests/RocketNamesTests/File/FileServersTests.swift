import RocketBase
import RocketRPC
import RocketSystem
import Testing

@testable import RocketNames

@Suite struct FileServersTests {
    private func parse(_ text: String) throws -> [String] {
        try FileServers.parse(Array(text.utf8)).map { endpoint in
            "\(endpoint.text) \(endpoint.weight) \(endpoint.zone ?? "-")"
        }
    }

    @Test("A file has a server per line, as text or as JSON, with comments")
    func servers() throws {
        let text = """
            # The servers of orders.
            10.0.0.1:80

              10.0.0.2:80\tweight=3 zone=a # the old one
            {"Addr":"[::1]:80","Metadata":{"zone":"#b"}}\r
            unix:/run/orders.sock

            """
        #expect(
            try parse(text) == [
                "10.0.0.1:80 1 -", "10.0.0.2:80 3 a", "[::1]:80 1 #b", "unix:/run/orders.sock 1 -",
            ])
        #expect(try parse("") == [])
        #expect(try parse("# none\n") == [])
    }

    @Test(
        "A file with a wrong line is an error that names the line",
        arguments: [
            ("10.0.0.1:80\n10.0.0.2", ", line 2: "), ("10.0.0.1:80\n\nx:80\n", ", line 3: "),
            ("10.0.0.1:80", ", line 1: has no line end: the file may be only half-written"),
            ("{\n", ", line 1: is no JSON object with Addr and Metadata"),
            ("\n\n1.2.3.4:5 weight=x\n", ", line 3: weight 'x' is not a number from 1 to 65535"),
        ])
    func wrong(text: String, start: String) {
        #expect {
            _ = try FileServers.parse(Array(text.utf8))
        } throws: {
            "\($0)".hasPrefix(start)
        }
    }

    @Test("A file that is too large, has too many servers or is not UTF-8 is an error")
    func limits() throws {
        let most = String(repeating: "10.0.0.1:80\n", count: 10_000)
        #expect(try parse(most).count == 10_000)
        #expect(throws: FileServersError(line: 10_001, "has more than 10000 servers")) {
            try FileServers.parse(Array((most + "10.0.0.1:80\n").utf8))
        }
        #expect(throws: FileServersError(line: nil, "has more than 4194304 bytes")) {
            try FileServers.parse([UInt8](repeating: 10, count: FileServers.maxBytes + 1))
        }
        #expect(throws: FileServersError(line: nil, "is not UTF-8")) {
            try FileServers.parse([0xff, 10])
        }
    }

    @Test("What was reported last is not reported again")
    func repetition() throws {
        var servers = FileServers(path: "/x")
        func take(_ text: String) -> String? {
            switch servers.take(.success(Array(text.utf8))) {
            case nil: nil
            case .success(let list): list.map(\.text).joined(separator: " ")
            case .failure(let error): error.message
            }
        }
        #expect(take("10.0.0.1:80\n") == "10.0.0.1:80")
        #expect(take("10.0.0.1:80\n") == nil)
        #expect(
            take("10.0.0.1:80\n10.0.0.2:80")
                == "/x, line 2: has no line end: the file may be only half-written")
        #expect(take("10.0.0.1:80\n10.0.0.3:80") == nil)
        #expect(take("10.0.0.1:80\n10.0.0.2:80\n") == "10.0.0.1:80 10.0.0.2:80")
        let missing = Result<[UInt8], SystemError>.failure(
            SystemError("open /x", Errno(rawValue: 2)))
        #expect(throws: RPCError.self) { try servers.take(missing)?.get() }
        if servers.take(missing) != nil { Issue.record("reported twice") }
        // A file that comes back as it was is reported: the failure was, too.
        #expect(take("10.0.0.1:80\n10.0.0.2:80\n") == "10.0.0.1:80 10.0.0.2:80")
    }
}
