import ArgumentParser
import FoundationEssentials
import RocketSystem
import Testing

@testable import RocketToolKit

@Suite("rocket top")
struct TopTests {
    @Test("An address is that of admin/listen: a host and a port, or a Unix socket")
    func addresses() {
        let tcp = AdminAddress("127.0.0.1:9100")
        #expect(tcp?.base == "http://127.0.0.1:9100" && tcp?.socket == nil)
        #expect(AdminAddress("http://[::1]:9100/") == AdminAddress("[::1]:9100"))
        #expect(AdminAddress("unix:/run/a.sock")?.socket == "/run/a.sock")
        #expect(AdminAddress("/run/a.sock") == AdminAddress("unix:/run/a.sock"))
        let longest = "/" + String(repeating: "a", count: 106)
        #expect(AdminAddress(longest)?.socket == longest)
        for wrong in [
            "", "unix:", longest + "a", "host", "host:", ":80", "host:0", "host:65536", "host:80/a",
            "ftp://host:80", "user@host:80", "host:80\n",
        ] {
            #expect(AdminAddress(wrong) == nil, "\(wrong)")
        }
    }

    @Test("With TLS it is https, and the certificate may have another name than the host")
    func secureAddresses() {
        let plain = AdminAddress("https://[::1]:9100/")
        #expect(plain?.base == "https://[::1]:9100" && plain?.connectTo == nil)
        #expect(AdminAddress("[::1]:9100", isSecure: true) == plain)
        let named = AdminAddress("10.0.0.1:9100", isSecure: true, name: "orders.example")
        #expect(named?.base == "https://orders.example:9100")
        #expect(named?.connectTo == "orders.example:9100:10.0.0.1:9100")
        let address = AdminAddress("https://a:1", isSecure: true, name: "::1")
        #expect(address?.connectTo == "[::1]:1:a:1")
        #expect(AdminAddress("http://a:1", isSecure: true) == nil)
        #expect(AdminAddress("unix:/a", isSecure: true) == nil)
        #expect(AdminAddress("a:1", isSecure: true, name: "b/c") == nil)
        #expect(throws: (any Error).self) {
            try TopCommand.parse(["a:1", "--tls-fingerprint", String(repeating: "0", count: 64)])
        }
    }

    @Test("Keys select a table, and end the program")
    func keys() {
        func after(_ bytes: [UInt8], from tab: TopTab = .methods) -> (tab: TopTab, goesOn: Bool) {
            var keys = TopKeys(tab: tab)
            let goesOn = bytes.allSatisfy { keys.take(.key($0)) }
            return (keys.tab, goesOn)
        }
        #expect(after(Array("3".utf8)) == (.calls, true))
        #expect(after(Array("9".utf8)) == (.methods, true))
        #expect(after(Array("\t".utf8)) == (.connections, true))
        #expect(after(Array("\u{1B}[C".utf8)) == (.connections, true))
        #expect(after(Array("\u{1B}OD".utf8)) == (.limits, true))
        // The q of another sequence is no end.
        #expect(after(Array("\u{1B}[q2".utf8)) == (.connections, true))
        for end in ["q", "Q", "\u{4}"] {
            #expect(!after(Array(end.utf8)).goesOn)
        }
        #expect(TopKeys.signal(of: 0x03) == .interrupt && TopKeys.signal(of: 0x1A) == .terminalStop)
        #expect(TopKeys.signal(of: 0x1C) == .quit && TopKeys.signal(of: 0x71) == nil)
        var keys = TopKeys(tab: .loops)
        let former = keys
        let (ticks, ends) = (keys.take(.tick), keys.take(.end))
        #expect(ticks && !ends && keys == former)
    }

    @Test("A filter is encoded as RFC 3986 says, and each table has its order")
    func paths() {
        #expect(TopTab.methods.path(filter: nil) == "/methods.json?sort=-calls_per_second")
        #expect(TopTab.calls.path(filter: "a b&c=ü") == "/calls.json?filter=a%20b%26c%3D%C3%BC")
        #expect(TopTab.connections.path(filter: "") == "/connections.json")
    }

    @Test(
        "Figures have units and at most four digits",
        arguments: [
            (0.0000123, TopTab.Kind.seconds, "0.012 ms"), (0.00234, .seconds, "2.34 ms"),
            (0.000_000_1, .seconds, "< 0.001 ms"), (0, .seconds, "0"),
            (0.000_31, .seconds, "0.310 ms"),
            (0.5, .seconds, "500 ms"), (0.9996, .seconds, "1.00 s"), (3.25, .seconds, "3.25 s"),
            (125, .seconds, "2 min 5 s"), (7300, .seconds, "2 h 1 min"),
            (200_000, .seconds, "2 d 7 h"), (1023, .bytes, "1023 B"), (1536, .bytes, "1.5 KiB"),
            (0.123, .share, "12.3 %"), (99.94, .rate, "99.9"),
            (1234, .rate, "1,234"), (1_234_567, .count, "1,234,567"), (999, .count, "999"),
            (-1234, .count, "-1,234"), (1e300, .count, "1e+300"), (-1e300, .seconds, "-"),
        ])
    func figures(value: Double, kind: TopTab.Kind, text: String) {
        #expect(TopText.number(value, kind) == text)
    }

    private func overview() throws -> TopOverview {
        let json = """
            {"state":"running","age_seconds":7.5,"calls_per_second":1234.5,"errors_per_second":null,
            "p50_seconds":0.001,"p99_seconds":0.01,"p999_seconds":null,"in_flight":3,"connections":2,
            "memory_bytes":2048,"memory_budget_bytes":1048576,"resident_bytes":null,"processors":1.5,
            "attention":[{"page":"loops","text":"rocket-io-0 is blocked"}],
            "seconds":[{"calls_per_second":1,"p99_seconds":null},{"calls_per_second":8,"p99_seconds":1}]}
            """
        return try JSONDecoder().decode(TopOverview.self, from: Data(json.utf8))
    }

    @Test("A view has the figures, what needs attention, and the table")
    func view() throws {
        let json = """
            {"loops":[{"loop":"rocket-io-0","state":"blocked","busy_share":0.5,"delay_seconds":null,
            "unknown":{"a":[1]},"slow_callbacks":12}]}
            """
        let table = try JSONDecoder().decode(TopTable.self, from: Data(json.utf8))
        let view = TopView(
            address: "host:1", tab: .loops, overview: try overview(), rows: table["loops"] ?? [])
        let lines = view.lines()
        #expect(lines[0] == "host:1: running for 7.50 s")
        #expect(lines[1].contains("calls/s 1,235   errors/s -   p50 1.00 ms   p99 10.0 ms"))
        #expect(lines[2].contains("memory of connections 2.0 KiB of 1.0 MiB   resident -"))
        #expect(lines.contains("! rocket-io-0 is blocked"))
        #expect(lines.last?.hasPrefix("rocket-io-0  blocked  50.0 %") == true)
    }

    @Test("Rows that the page has left out are counted")
    func leftOut() throws {
        let json = #"{"methods":[{"method":"a.b"}],"left_out":7}"#
        let table = try JSONDecoder().decode(TopTable.self, from: Data(json.utf8))
        let view = TopView(
            address: "host:1", tab: .methods, overview: try overview(),
            rows: table["methods"] ?? [], leftOut: table.leftOut)
        #expect(view.lines().suffix(2).first?.hasPrefix("a.b") == true)
        #expect(view.lines().last == "7 more are not shown")
        #expect(table["loops"] == nil)
    }

    @Test("No line is longer than the terminal, and no more lines than it has")
    func narrow() throws {
        let row: [String: TopCell] = [
            "loop": .text("a\u{1B}[31m" + String(repeating: "b", count: 90))
        ]
        let view = TopView(
            address: "host:1", tab: .loops, overview: try overview(),
            rows: Array(repeating: row, count: 50))
        let lines = view.lines(columns: 40, rows: 12)
        #expect(lines.count == 12)
        #expect(lines.last == "and 46 more")
        #expect(lines.allSatisfy { $0.count < 40 && !$0.contains("\u{1B}") })
        let empty = TopView(address: "a:1", tab: .loops, overview: try overview(), rows: [])
        #expect(empty.lines().last == "No loops.")
    }

    @Test(
        "A page may claim any number: the view has it or 0, and nothing traps",
        arguments: [
            -1, -1e9, -1e19, -1e308, 1e308, 1e19, .leastNonzeroMagnitude, 0.1, .infinity,
            -.infinity, .nan,
        ])
    func hostileNumbers(number: Double) throws {
        let second = TopOverview.Second(calls_per_second: number, p99_seconds: number)
        var overview = try self.overview()
        overview.seconds = [second, .init(calls_per_second: 1, p99_seconds: nil), second]
        (overview.calls_per_second, overview.p99_seconds) = (number, number)
        (overview.age_seconds, overview.memory_bytes) = (number, number)
        (overview.in_flight, overview.processors) = (number, number)
        for tab in TopTab.allCases {
            let row = Dictionary(
                uniqueKeysWithValues: tab.columns.map { ($0.name, TopCell.number(number)) })
            let view = TopView(address: "host:1", tab: tab, overview: overview, rows: [row])
            #expect(view.lines().count == 8)
        }
    }

    @Test("Bars of negative values are the lowest ones")
    func bars() {
        #expect(TerminalBars.spark([-1, 0, 4, 8], width: 5) == " ▁▁▄█")
        #expect(TerminalBars.spark([-1e19, -1], width: 2) == "▁▁")
    }

    @Test("A terminal that can't move the cursor gets a text")
    func terminalTypes() {
        #expect(TopTerminal.isUsable(type: "screen") && TopTerminal.isUsable(type: "xterm"))
        for type in [nil, "", "dumb"] { #expect(!TopTerminal.isUsable(type: type)) }
    }

    @Test("The help names the table that is shown first")
    func help() {
        let words = TopCommand.helpMessage().split(whereSeparator: \.isWhitespace)
        #expect(words.joined(separator: " ").contains("default: methods)"))
    }

    @Test("An interval out of range is refused")
    func interval() {
        #expect(throws: (any Error).self) {
            try TopCommand.parse(["127.0.0.1:9100", "--interval", "0.1"])
        }
        #expect(throws: (any Error).self) {
            try TopCommand.parse(["127.0.0.1:9100", "--table", "nothing"])
        }
    }
}
