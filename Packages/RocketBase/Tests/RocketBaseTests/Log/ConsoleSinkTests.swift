import Foundation
import RocketSystem
import Testing

@testable import RocketBase

@Suite struct ConsoleSinkTests {
    /// A pipe without a byte of room, whose ends block.
    final class FullPipe {
        let reader: Int32
        let writer: Int32

        init() throws {
            var ends: [Int32] = [0, 0]
            try #require(pipe(&ends) == 0)
            (reader, writer) = (ends[0], ends[1])
            let flags = fcntl(writer, F_GETFL)
            _ = fcntl(writer, F_SETFL, flags | O_NONBLOCK)
            let chunk = [UInt8](repeating: 0, count: 4096)
            while write(writer, chunk, chunk.count) > 0 {}
            _ = fcntl(writer, F_SETFL, flags)
        }

        deinit {
            close(reader)
            close(writer)
        }

        /// Reads all that is in the pipe.
        func drain() -> String {
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 1 << 20)
            _ = fcntl(reader, F_SETFL, O_NONBLOCK)
            while true {
                let count = read(reader, &chunk, chunk.count)
                if count <= 0 { return String(decoding: bytes, as: UTF8.self) }
                bytes += chunk[..<count]
            }
        }
    }

    @Test("A reader that does not read loses lines, and gets them again when it reads")
    func stuckReader() throws {
        let pipe = try FullPipe()
        var configuration = LogConfiguration()
        configuration.outputs = []
        let sink = ConsoleSink(descriptor: pipe.writer, style: .plain)
        let logs = try LogSystem(
            drivenByHand: configuration, time: SystemTimeSource(), sinks: [sink])
        // Far more than a pipe holds, in many batches.
        for _ in 0..<4 {
            for _ in 0..<2_000 { logs.app.info("\(String(repeating: "x", count: 200))") }
            logs.flush()
        }
        #expect(logs.statistics.lost > 1_000)
        #expect(fcntl(pipe.writer, F_GETFL) & O_NONBLOCK == 0, "others share the descriptor")
        _ = pipe.drain()
        logs.app.info("read again")
        logs.flush()
        #expect(pipe.drain().contains("\tread again\n"))
        logs.shutdown()
    }

    @Test("A crash does not wait for a console whose reader does not read")
    func crash() async {
        await #expect(processExitsWith: .signal(SIGABRT)) {
            let pipe = try FullPipe()
            dup2(pipe.writer, 2)
            var configuration = LogConfiguration()
            configuration.outputs = [.console]
            configuration.syncInterval = .seconds(3600)
            let logs = try LogSystem(configuration)
            logs.app.info("line")
            abort()
        }
    }
}
