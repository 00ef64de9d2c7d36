import RocketProgram
import RocketSystem

/// The processor time of this process and of those of the server, at some time. A value.
struct LoadProcessorTime: Hashable, Sendable {
    /// The most processes of a server.
    static let maxProcesses = 64
    /// The unit of /proc/PID/stat: USER_HZ, which is 100 on all of Linux.
    private static let tick = Duration.milliseconds(10)

    private let client: Duration
    /// Of all processes; nil: one of them can't be read, or there are none.
    private let server: Duration?

    init(servers: [Int32]) {
        client = ProcessUsage.processorTime
        let times = servers.map(Self.of)
        server =
            times.isEmpty
            ? nil
            : times.reduce(.zero) { sum, time in
                sum.flatMap { sum in time.map { sum + $0 } }
            }
    }

    /// Returns the processor time of all threads of a process, also of those that have ended, to 10 ms;
    /// nil: there is no such process.
    static func of(_ process: Int32) -> Duration? {
        guard let bytes = try? FileContents.read("/proc/\(process)/stat", limit: 1 << 12) else {
            return nil
        }
        return time(in: String(decoding: bytes, as: UTF8.self))
    }

    /// Returns user and system time from the text of /proc/PID/stat; nil: it is another text.
    static func time(in stat: String) -> Duration? {
        // The name of the program, in parentheses, may have spaces and parentheses.
        guard let end = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[end...].split(separator: " ")
        guard fields.count > 13, let user = Int(fields[12]), let system = Int(fields[13]) else {
            return nil
        }
        return tick * (user + system)
    }

    /// What was spent since an earlier time.
    struct Spent: Hashable, Sendable {
        let client: Duration
        /// Nil: not measured.
        let server: Duration?
    }

    func spent(since former: Self) -> Spent {
        Spent(
            client: client - former.client,
            server: server.flatMap { now in former.server.map { now - $0 } })
    }
}

extension LoadReport {
    /// The processor time of a server on the same machine.
    struct Server: Codable, Hashable, Sendable {
        var pids: [Int32]
        /// In microseconds per call.
        var processorUs: Double
        /// How many processors it used on average, in percent of one.
        var processorPercent: Double
    }

    /// Adds what the calls cost.
    mutating func add(_ spent: LoadProcessorTime.Spent, _ pids: [Int32]) {
        let calls = Double(max(1, total.calls))
        client?.processorUs = spent.client / .microseconds(1) / calls
        server = spent.server.map { time in
            Server(
                pids: pids, processorUs: time / .microseconds(1) / calls,
                processorPercent: seconds > 0 ? time / .seconds(1) / seconds * 100 : 0)
        }
    }

    /// `processor time per call: client 1.42 us, server 0.87 us (92 % of one)`; nil: that of no server
    /// was measured.
    var processorText: String? {
        guard let server, let client = client?.processorUs else { return nil }
        return "processor time per call: client \(LoadNumber.text(client, 2)) us, server "
            + "\(LoadNumber.text(server.processorUs, 2)) us "
            + "(\(LoadNumber.text(server.processorPercent, 0)) % of a processor)"
    }
}
