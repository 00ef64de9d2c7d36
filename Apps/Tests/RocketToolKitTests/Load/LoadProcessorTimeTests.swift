import RocketSystem
import Testing

@testable import RocketToolKit

@Suite struct LoadProcessorTimeTests {
    @Test("User and system time are read behind the name, whatever that is")
    func stat() {
        let rest = " S 1 2 3 0 -1 4194560 10 20 30 40 123 45 7 8 20 0 3 0 99"
        for name in ["(rocket)", "(a b)", "(a) S 1 (b)"] {
            #expect(LoadProcessorTime.time(in: "42 \(name)\(rest)") == .milliseconds(1680))
        }
        for text in ["", "42", "42 (x) S 1 2", "42 (x)" + rest.replacing("123", with: "x")] {
            #expect(LoadProcessorTime.time(in: text) == nil)
        }
    }

    @Test("The time of a server is that of all its processes; without one of them there is none")
    func servers() {
        let own = CurrentProcess.processID
        #expect(LoadProcessorTime.of(own) != nil && LoadProcessorTime.of(-5) == nil)
        let before = LoadProcessorTime(servers: [own, own])
        let spent = LoadProcessorTime(servers: [own, own]).spent(since: before)
        #expect(spent.client >= .zero && spent.server != nil)
        #expect(LoadProcessorTime(servers: [own, -5]).spent(since: before).server == nil)
        #expect(LoadProcessorTime(servers: []).spent(since: before).server == nil)
    }

    @Test("The report has the time per call of both sides")
    func report() {
        var report = LoadReports.report("a")
        #expect(report.processorText == nil)
        report.client = .init(busyPercent: 1)
        report.add(.init(client: .microseconds(250), server: .seconds(5)), [7])
        #expect(report.client?.processorUs == 2.5)
        #expect(report.server == .init(pids: [7], processorUs: 50_000, processorPercent: 50))
        let text =
            "processor time per call: client 2.50 us, server 50000.00 us (50 % of a processor)"
        #expect(report.lines.contains(text) && report.html.contains(text))
        report.add(.init(client: .zero, server: nil), [7])
        #expect(report.server == nil)
    }
}
