import EndToEndKit
import Foundation
import Testing

/// order_server in a control group whose memory limit the kernel enforces.
@Suite(
    .serialized,
    .enabled(
        if: MemoryGroup.missingReason == nil,
        Comment(rawValue: MemoryGroup.missingReason ?? "")))
struct MemoryLimitTests {
    /// Makes orders one after another, on a thread and a connection of its own.
    private final class GoodClient: @unchecked Sendable {
        // SAFETY: all are used under the lock.
        private let lock = NSCondition()
        private var answered = 0
        private var failure: String?
        private var isEnding = false
        private var hasEnded = false

        init(_ port: UInt16) {
            Thread.detachNewThread { [self] in
                do { try run(port) } catch { lock.withLock { failure = "\(error)" } }
                lock.withLock {
                    hasEnded = true
                    lock.broadcast()
                }
            }
        }

        private func run(_ port: UInt16) throws {
            let connection = try RawConnection(port: port)
            while !lock.withLock({ isEnding }) {
                try connection.send(TinyPBBytes.goldenRequest)
                let reply = try connection.receiveFrame()
                let isAnswer = reply?.messageID == "99998888" && reply?.errorCode == 0
                lock.withLock {
                    if isAnswer { answered += 1 } else { failure = "\(String(describing: reply))" }
                }
                if !isAnswer { return }
            }
        }

        /// Returns the number of answered calls, and what ended them before their time.
        func end() -> (answered: Int, failure: String?) {
            lock.lock()
            defer { lock.unlock() }
            isEnding = true
            while !hasEnded { lock.wait() }
            return (answered, failure)
        }
    }

    /// Sends so many bytes of frames of 4 MiB, each less its last 64 KiB, and keeps the last 250
    /// connections open; the server closes some of them. Returns the bytes sent: fewer if it ends.
    private func sendUnfinishedFrames(_ byteCount: Int, to port: UInt16) -> Int {
        // The largest frame that the server takes: it has to keep the bytes until the end comes.
        let length = 4 << 20
        var frame = TinyPBBytes("Order.makeOrder", id: "unfinished")
        frame.payload = [UInt8](repeating: 97, count: length - frame.bytes.count)
        let head = Array(frame.bytes.prefix(1 << 16))
        let chunk = [UInt8](repeating: 97, count: 1 << 16)
        var connections: [RawConnection] = []
        var sent = 0
        for _ in 0..<4_000 where sent < byteCount {
            guard let connection = try? RawConnection(port: port) else { break }
            connections.append(connection)
            if connections.count > 250 { connections.removeFirst() }
            for part in 0..<(length / chunk.count - 1) {
                // The server may have closed it.
                guard (try? connection.send(part == 0 ? head : chunk)) != nil else { break }
                sent += chunk.count
            }
        }
        return sent
    }

    private func peakResidentBytes(of process: Int32) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") })
        return try #require(Int(line.split(separator: " ").dropFirst().first ?? "")) * 1024
    }

    @Test(
        "1 GiB of unfinished frames ends no server under its memory limit, and harms no other call",
        arguments: [64, 256])
    func unfinishedFrames(mebibytes: Int) throws {
        let limit = mebibytes << 20
        let group = try MemoryGroup(limitBytes: limit)
        let workspace = try Workspace()
        let server = try OrderServerProcess(
            in: workspace, launcher: group.launcher, environment: ["ROCKET_LOG_LEVEL": "INFO"])
        let good = GoodClient(server.port)
        #expect(sendUnfinishedFrames(1 << 30, to: server.port) >= 1 << 30)
        let (answered, failure) = good.end()
        #expect(group.killedProcesses == 0)
        #expect(answered > 0 && failure == nil, "\(answered) answered, then \(failure ?? "")")
        let peak = try peakResidentBytes(of: server.child.id)
        print("limit \(mebibytes) MiB: peak \(peak >> 20) MiB, \(answered) calls beside it")
        #expect(peak < limit)
        let result = server.stop()
        #expect(result.status == 0 && !result.wasKilled, "\(result)")
        // The budget, and the file of the limit that it is a share of.
        let start = workspace.logLines().first { $0.contains("server started") } ?? ""
        #expect(start.contains("memory_budget_bytes=\((limit - (32 << 20)) / 9 * 4)"), "\(start)")
        #expect(start.contains("memory_budget_from=\(group.path)/memory."), "\(start)")
    }
}
