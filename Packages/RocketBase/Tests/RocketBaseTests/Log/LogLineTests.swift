import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketBase

@Suite struct LogLineTests {
    let time = ManualTimeSource()
    let sink = MemorySink()

    func system(
        _ change: (inout LogConfiguration) -> Void = { _ in }
    ) throws -> LogSystem {
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.rpcLevel = .trace
        change(&configuration)
        return try LogSystem(drivenByHand: configuration, time: time, sinks: [sink])
    }

    @Test("A line has the columns of the original project, then its fields")
    func columns() throws {
        let logs = try system()
        logs.rpc.info("connection accepted", file: "RocketTCP/Acceptor.swift", line: 42) {
            $0.add("fd", 7)
            $0.add("delta", -3 as Int32)
            $0.add("big", UInt64.max)
            $0.add("small", Int64.min)
            $0.add("ok", true)
            $0.add("ratio", 0.5)
            $0.add("goods", "an apple")
            $0.add("note", "plain" as StaticString)
        }
        logs.flush()
        let ids = "\(CurrentProcess.processID):\(CurrentThread.id)"
        let offset = LocalTime.utcOffsetSeconds(at: time.wall())
        #expect(offset % 900 == 0)
        let line = try #require(sink.lines.first)
        let columns = line.split(separator: "\t", omittingEmptySubsequences: false)
        #expect(columns[0] == "[INFO]")
        if offset == 0 { #expect(columns[1] == "[26-01-01 00:00:00.000]") }
        #expect(columns[2] == "[\(ids)]")
        #expect(columns[3] == "[]" && columns[4] == "[]")
        #expect(columns[5] == "[Acceptor.swift:42]")
        #expect(
            columns[6] == """
                connection accepted fd=7 delta=-3 big=18446744073709551615 \
                small=-9223372036854775808 ok=true ratio=0.5 goods="an apple" note=plain\n
                """)
    }

    @Test("A line contains the ids of its process and thread")
    func ids() throws {
        var configuration = LogConfiguration()
        configuration.outputs = []
        let logs = try LogSystem(
            drivenByHand: configuration, time: time, processID: 42, sinks: [sink])
        CurrentThread.withID(7) { logs.app.info("one") }
        logs.app.info("two")
        logs.flush()
        let columns = sink.lines.map { $0.split(separator: "\t")[2] }
        #expect(columns == ["[42:7]", "[42:\(CurrentThread.id)]"])
    }

    @Test("The first character of each length in UTF-8 is written as it is")
    func smallestCharacters() throws {
        let logs = try system()
        let text = "\u{A1}\u{7FF}\u{800}\u{FFFD}\u{10000}\u{10FFFF}"
        logs.app.info("\(text)") { $0.add("text", text) }
        logs.flush()
        #expect(sink.lines.first?.hasSuffix("\t\(text) text=\(text)\n") == true)
    }

    @Test("A log that has ended does not count as stuck")
    func probeAfterTheEnd() throws {
        let logs = try system()
        let answers = FutexWord()
        logs.shutdown()
        logs.watchdogTarget.probe { answers.increment() }
        #expect(answers.value == 1)
    }

    @Test("Text and fields are not evaluated when the level is off")
    func disabledLevel() throws {
        let logs = try system { $0.rpcLevel = .warn }
        logs.rpc.info("no") { _ in Issue.record("fields were evaluated") }
        func text() -> String {
            Issue.record("text was evaluated")
            return ""
        }
        logs.rpc.debug("\(text())")
        logs.rpc.warn("yes")
        logs.flush()
        #expect(sink.lines.count == 1)
        #expect(logs.statistics.accepted == 1 && logs.statistics.dropped == 0)
    }

    @Test("A line has the name and the syslog priority of its level", arguments: LogLevel.allCases)
    func levels(_ level: LogLevel) throws {
        let logs = try system()
        logs.rpc.log(level, "text")
        logs.flush()
        #expect(sink.lines.first?.hasPrefix("[\(level.name)]\t") == true)
        #expect(sink.prioritised.first?.hasPrefix("<\(level.syslogPriority)>[") == true)
    }
}
