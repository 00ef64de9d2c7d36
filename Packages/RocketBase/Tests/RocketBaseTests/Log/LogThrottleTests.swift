import RocketBaseTestKit
import RocketSystem
import Testing

@testable import RocketBase

@Suite struct LogThrottleTests {
    let sink = MemorySink()
    let time = ManualTimeSource()

    func system() throws -> LogSystem {
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.throttleBudget = 3
        configuration.throttleInterval = .seconds(10)
        configuration.bufferCount = 1
        return try LogSystem(drivenByHand: configuration, time: time, sinks: [sink])
    }

    func badFrame(_ logger: RocketLogger, _ number: Int) {
        logger.throttled(.error, "bad frame")?.error("bad frame") { $0.add("number", number) }
    }

    @Test("A budget admits its lines per interval and counts the others")
    func budget() {
        var throttle = LogThrottle(budget: 2, interval: .seconds(1))
        let start = MonotonicTime(nanoseconds: 5)
        let admitted = (0..<5).map { _ in throttle.admits(at: start) }
        #expect(admitted == [true, true, false, false, false])
        let counts = [999, 1000, 1000].map { throttle.takeLeftOut(at: start + .milliseconds($0)) }
        #expect(counts == [0, 3, 0])
        let isAdmittedAgain = throttle.admits(at: start + .seconds(1))
        #expect(isAdmittedAgain)
    }

    @Test("7,000 lines of a kind become its budget and one line with the count of the rest")
    func flood() throws {
        let logs = try system()
        for number in 0..<7_000 { badFrame(logs.rpc, number) }
        logs.flush()
        #expect(sink.lines.count == 3)
        #expect(sink.lines.last?.hasSuffix("\tbad frame number=2\n") == true)
        time.advance(by: .seconds(10))
        badFrame(logs.rpc, 7_000)
        logs.flush()
        #expect(sink.lines.count == 5)
        let count = try #require(sink.lines.first { $0.contains("left_out=6997") })
        #expect(count.hasPrefix("[ERROR]"))
        #expect(
            count.hasSuffix(
                "\tmore lines like this were left out like=\"bad frame\" left_out=6997\n")
        )
    }

    @Test("Each kind, level and stream has its own budget, and what is left out is not evaluated")
    func kinds() throws {
        let logs = try system()
        var evaluated = 0
        for _ in 0..<10 {
            logs.rpc.throttled(.warn, "a")?.warn("a") { _ in evaluated += 1 }
            logs.rpc.throttled(.error, "a")?.error("a")
            logs.app.throttled(.warn, "a")?.warn("a")
            logs.rpc.throttled(.warn, "b")?.warn("b")
            logs.rpc.throttled(.debug, "c")?.debug("c")
            logs.rpc.warn("not throttled")
        }
        logs.flush()
        #expect(evaluated == 3)
        #expect(sink.lines.count == 4 * 3 + 10)
    }

    @Test("The count is also written when the log ends within the interval")
    func shutdown() throws {
        let logs = try system()
        for number in 0..<5 { badFrame(logs.app, number) }
        logs.shutdown()
        #expect(sink.lines.last?.hasSuffix("like=\"bad frame\" left_out=2\n") == true)
        let isOff = RocketLogger.disabled.throttled(.error, "bad frame").map { _ in false } ?? true
        #expect(isOff)
    }
}
