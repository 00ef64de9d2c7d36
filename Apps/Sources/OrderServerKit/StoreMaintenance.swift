import FoundationEssentials
import OrderStore
import OrderStoring
import PostgresOrderStore
import RocketBase
import RocketProgram
import RocketSystem

/// What the options of order_server do with the files of its store: checks, copies, restores and
/// compacts them, with progress on standard error and the result on standard output.
struct StoreMaintenance {
    /// The database of the configuration.
    let path: String
    /// Whether the result is JSON.
    let isJSON: Bool

    /// Lets SIGINT and SIGTERM end the process from now on without leaving a part of a copy behind;
    /// its parent sees the signal as the cause. Once per process.
    static func endCleanlyBySignals() throws(ProgramFailure) {
        do {
            try Signals.listen(for: [.interrupt, .terminate]) { signal in
                OrderStore.removeIncompleteFiles()
                Signals.endProcess(by: signal)
            }
        } catch {
            throw ProgramFailure(error)
        }
    }

    /// Checks the store.
    func check() throws(ProgramFailure) {
        let report = try run { () throws(OrderStoreError) in
            try OrderStore.checkIntegrity(ofFileAt: path)
        }
        try write(report, text: report.description, MaintenanceResult("check", report))
    }

    /// Copies the store to a new file.
    func backUp(to file: String) throws(ProgramFailure) {
        let progress = ProgressLines("backup")
        let report = try run { () throws(OrderStoreError) in
            try OrderStore.backUp(fileAt: path, to: file, progress: progress.report)
        }
        try write(
            report, text: "backed up \(path) to \(report)", MaintenanceResult("backup", report))
    }

    /// Replaces the store by a copy of a file.
    func restore(from file: String) throws(ProgramFailure) {
        let progress = ProgressLines("restore")
        let (report, old, idProblem) = try run { () throws(OrderStoreError) in
            try OrderStore.restore(fileAt: path, from: file, progress: progress.report)
        }
        var result = MaintenanceResult("restore", report)
        result.replaced = old
        let problem = idProblem.map { "ids may be given again: the old store can't be read: \($0)" }
        result.idProblem = problem
        let kept = old.map { "; the old store is kept as \($0)" } ?? ""
        try write(
            report,
            text: "restored from \(file): \(report)\(kept)\(problem.map { "; " + $0 } ?? "")",
            result)
    }

    /// Makes the file of the store as small as its contents.
    func compact() throws(ProgramFailure) {
        let (report, before) = try run { () throws(OrderStoreError) in
            try OrderStore.compact(fileAt: path) { bytes in
                StandardError.write(
                    line: "order_server: compact: writing \(OrderStoreProgress.text(bytes: bytes))",
                    level: .info)
            }
        }
        var result = MaintenanceResult("compact", report)
        result.bytesBefore = before
        let sizes =
            "from \(OrderStoreProgress.text(bytes: before)) to "
            + OrderStoreProgress.text(bytes: report.bytes)
        try write(report, text: "compacted \(sizes): \(report)", result)
    }

    private func run<Value>(
        _ body: () throws(OrderStoreError) -> Value
    ) throws(ProgramFailure) -> Value {
        do { return try body() } catch {
            throw ProgramFailure(error.description, status: error.exitStatus)
        }
    }

    private func write(
        _ report: OrderStoreReport, text: String, _ result: MaintenanceResult
    ) throws(ProgramFailure) {
        if isJSON { StandardOutput.write(line: MaintenanceJSON.text(result)) }
        guard report.isSound else {
            throw ProgramFailure(report.description, status: .dataError)
        }
        if !isJSON { StandardOutput.write(line: text) }
    }
}

/// The result as JSON, for scripts.
private struct MaintenanceResult: Encodable {
    let action: String
    let file: String
    let orders: Int64
    let keys: Int64
    let newest: String?
    let bytes: Int64
    let version: Int
    let isSound: Bool
    let problems: [String]
    /// The new name of the old database.
    var replaced: String?
    /// Why the new store may give ids that the old one has given.
    var idProblem: String?
    var bytesBefore: Int64?

    private enum CodingKeys: String, CodingKey {
        case action, file, orders, newest, bytes, version, problems, replaced
        case keys = "idempotency_keys"
        case isSound = "sound"
        case bytesBefore = "bytes_before"
        case idProblem = "id_problem"
    }

    init(_ action: String, _ report: OrderStoreReport) {
        self.action = action
        file = report.path
        orders = report.orders
        keys = report.keys
        newest = report.newest?.description
        bytes = report.bytes
        version = report.version
        isSound = report.isSound
        problems = report.problems
    }
}

/// Results as JSON.
enum MaintenanceJSON {
    /// Returns one line.
    static func text(_ result: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let data = (try? encoder.encode(result)) ?? Data("{}".utf8)
        return TerminalText.safeJSON(String(decoding: data, as: UTF8.self))
    }
}

/// Lines about the progress of long work on standard error: one a second if that is a terminal,
/// otherwise one in 10 s. Work that takes less has none.
final class ProgressLines: Sendable {
    private let action: String
    private let interval: Duration
    private let time: any TimeSource
    private let next: Locked<MonotonicTime>
    private let write: @Sendable (String) -> Void

    init(
        _ action: String, isTerminal: Bool = StandardStream.errorIsTerminal,
        time: any TimeSource = SystemTimeSource(),
        write: @escaping @Sendable (String) -> Void = {
            StandardError.write(line: $0, level: .info)
        }
    ) {
        self.action = action
        self.time = time
        self.write = write
        interval = isTerminal ? .seconds(1) : .seconds(10)
        next = Locked(time.monotonic() + interval)
    }

    @Sendable
    func report(_ progress: OrderStoreProgress) {
        report(progress.bytes, of: progress.total) {
            "\(OrderStoreProgress.text(bytes: $0)) of \(OrderStoreProgress.text(bytes: $1))"
        }
    }

    func report(_ progress: OrderMigrationProgress) {
        report(progress.orders, of: progress.total) {
            "\($0) of \($1) orders \(progress.phase.rawValue)"
        }
    }

    private func report(_ done: Int64, of total: Int64, _ text: (Int64, Int64) -> String) {
        let now = time.monotonic()
        let isDue = next.withLock { next in
            guard now >= next else { return false }
            next = now + interval
            return true
        }
        guard isDue, total > 0 else { return }
        write("order_server: \(action): \(done * 100 / total) %, \(text(done, total))")
    }
}

extension OrderStoreError {
    /// The status with which a program ends that can't use a store.
    var exitStatus: ExitStatus {
        switch self {
        case .missing: .noInput
        case .notPermitted: .notPermitted
        case .damaged, .newerSchema: .dataError
        case .cannotCreate: .cannotCreate
        case .inUse, .unavailable: .temporaryFailure
        case .cannotOpen, .diskFull, .failed, .readFailed, .outcomeUnknown, .filesLost: .ioError
        case .tooManyWaiting, .memoryFull, .keyReused, .cancelled, .closed: .failure
        }
    }
}
