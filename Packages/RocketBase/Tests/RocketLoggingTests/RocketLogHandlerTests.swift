import Foundation
import Logging
import RocketBase
import RocketLogging
import RocketSystem
import Testing

@Suite struct RocketLogHandlerTests {
    /// Keeps the text of each line.
    final class Lines: LogSink, Sendable {
        private let text = Locked<[String]>([])
        var all: [String] { text.withLock { $0 } }
        let lostLines: UInt64 = 0

        func write(_ event: borrowing RocketBase.LogEvent) {
            let memory = UnsafeMutableRawBufferPointer.allocate(
                byteCount: event.formattedBound, alignment: 1)
            defer { memory.deallocate() }
            let length = event.format(.plain, into: memory)
            let line = String(decoding: memory[..<(length - 1)], as: UTF8.self)
            text.withLock { $0.append("\(event.stream.name) \(line)") }
        }

        func endBatch() -> LogSinkNotice? { nil }
    }

    let lines = Lines()

    func system() throws -> LogSystem {
        var configuration = LogConfiguration()
        configuration.outputs = []
        configuration.rpcLevel = .debug
        return try LogSystem(configuration, sinks: [lines])
    }

    func logger(_ label: String, _ logs: LogSystem) -> Logger {
        let provider = Logger.MetadataProvider { ["trace": "t1", "shared": "provider"] }
        return Logger(
            label: label, factory: RocketLogHandler.factory(logs, metadataProvider: provider))
    }

    @Test("A library's line goes to the app stream with its metadata")
    func metadata() throws {
        let logs = try system()
        var logger = logger("http.client", logs)
        logger[metadataKey: "shared"] = "logger"
        logger[metadataKey: "own"] = "1"
        logger.warning("slow response", metadata: ["list": ["a", "b"], "trace": "t2"])
        logs.shutdown()
        let line = try #require(lines.all.first)
        #expect(line.hasPrefix("app [WARN]\t"))
        #expect(line.contains("RocketLogHandlerTests.swift:"))
        let fields = #"label=http.client list="[\"a\", \"b\"]" own=1 shared=provider trace=t2"#
        #expect(line.hasSuffix("\tslow response " + fields))
    }

    @Test("The label selects the stream, and the stream's level applies")
    func labels() throws {
        let logs = try system()
        logger("rocket.channel", logs).debug("seen")
        logger("other", logs).debug("not seen")
        var quiet = logger("rocket.quiet", logs)
        quiet.logLevel = .error
        quiet.warning("not seen")
        logs.shutdown()
        #expect(lines.all.count == 1)
        #expect(lines.all.first?.hasPrefix("rpc [DEBUG]") == true)
    }

    @Test("The documented line bootstraps swift-log")
    func bootstrap() async throws {
        let documented = "LoggingSystem.bootstrap(RocketLogHandler.factory(logs))"
        // A process can be bootstrapped once, so a child does it.
        await #expect(processExitsWith: .exitCode(7)) {
            var configuration = LogConfiguration()
            configuration.outputs = []
            let lines = Lines()
            let logs = try LogSystem(configuration, sinks: [lines])
            LoggingSystem.bootstrap(RocketLogHandler.factory(logs))
            Logger(label: "http.client").warning("slow response")
            logs.shutdown()
            let isWritten = lines.all.first?.hasSuffix("\tslow response label=http.client") == true
            exit(isWritten ? 7 : 1)
        }
        let package = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
        let source = "\(package)/Sources/RocketLogging/RocketLogHandler.swift"
        for path in [source, #filePath] {
            let text = String(
                decoding: try FileContents.read(path, limit: 1 << 20), as: UTF8.self)
            let documents = path == source ? "/// " : "            "
            #expect(text.contains("\n\(documents)\(documented)\n"), "\(path)")
        }
    }

    @Test("A line contains its call")
    func callContext() throws {
        let logs = try system()
        let call = CallContext(messageID: InlineString("42"), method: "Order.get", peer: "p")
        CallContext.$current.withValue(call) { logger("x", logs).info("in a call") }
        logs.shutdown()
        #expect(lines.all.first?.contains("\t[42]\t[Order.get]\t") == true)
    }
}
