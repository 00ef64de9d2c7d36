import Foundation
import RocketBase
import RocketBaseTestKit
import RocketRPC
import Testing

@Suite struct LoggingTests {
    /// The log lines about the calls that `body` makes.
    func lines(
        every: Int, maxFailuresPerSecond: Int = 10, clock: ManualTimeSource = ManualTimeSource(),
        _ body: (RPCDispatcher) async throws -> Void
    ) async throws -> [String] {
        let folder = NSTemporaryDirectory() + "rocket-call-log-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var log = LogConfiguration()
        log.appLevel = .debug
        log.file.folder = folder
        let logs = try LogSystem(log)
        let logging = RPCCallLogging(
            logs.app, every: every, maxFailuresPerSecond: maxFailuresPerSecond, time: clock)
        try await body(try RPCDispatcher(services: [Echo()], interceptors: [logging]))
        logs.shutdown()
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let name = try #require(names.first { $0.contains("_app_") })
        let text = try String(contentsOfFile: folder + "/" + name, encoding: .utf8)
        return text.split(separator: "\n").compactMap {
            $0.split(separator: "\t", omittingEmptySubsequences: false).last.map(String.init)
        }.filter { $0.hasPrefix("call ") }
    }

    @Test("One of every N successful calls is logged")
    func sampling() async throws {
        let found = try await lines(every: 3) { dispatcher in
            for _ in 0..<7 { _ = try await say("four", to: dispatcher) }
        }
        #expect(found.count == 3)
        let line = try #require(found.first)
        #expect(line.hasPrefix("call answered"))
        for field in ["test.v1.Echo.say", "code=OK", "us=0", "request_bytes=6", "response_bytes=6"]
        {
            #expect(line.contains(field), "\(line)")
        }
        #expect(line.components(separatedBy: "peer=").count == 2, "once: \(line)")
    }

    @Test("Failures are logged up to a limit per second")
    func failureLimit() async throws {
        let clock = ManualTimeSource()
        let found = try await lines(every: 0, maxFailuresPerSecond: 2, clock: clock) { dispatcher in
            clock.advance(by: .seconds(10))
            for _ in 0..<5 { _ = try await say("fail", to: dispatcher) }
            _ = try await say("fine", to: dispatcher)
            clock.advance(by: .seconds(1))
            _ = try await say("fail", to: dispatcher)
        }
        #expect(found.count == 3)
        #expect(found.allSatisfy { $0.contains("code=PERMISSION_DENIED") })
        #expect(found.map { $0.contains("omitted=3") } == [false, false, true])
    }
}
