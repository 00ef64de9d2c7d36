import FoundationEssentials
import RocketSystem

/// Measures the processor time of this process and of the server since its initialization.
struct ProcessorTime {
    /// The processor time of each.
    struct Spent {
        let client: Duration
        let server: Duration
    }

    private let serverProcess: Int32?
    private let clientBefore: Duration
    private let serverBefore: Duration

    init(serverProcess: Int32?) {
        self.serverProcess = serverProcess
        clientBefore = ProcessUsage.processorTime
        serverBefore = Self.of(serverProcess)
    }

    func spent() -> Spent {
        Spent(
            client: ProcessUsage.processorTime - clientBefore,
            server: Self.of(serverProcess) - serverBefore)
    }

    /// Returns the processor time of all present threads of the process; zero without a process.
    private static func of(_ process: Int32?) -> Duration {
        guard let process else { return .zero }
        let folder = "/proc/\(process)/task"
        let threads = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        let nanoseconds = threads.map { thread -> Int64 in
            let text = try? String(contentsOfFile: "\(folder)/\(thread)/schedstat", encoding: .utf8)
            return text?.split(separator: " ").first.flatMap { Int64($0) } ?? 0
        }
        return .nanoseconds(nanoseconds.reduce(0, +))
    }
}
