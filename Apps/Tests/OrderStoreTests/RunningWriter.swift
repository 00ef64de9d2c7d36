import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite

@testable import OrderStore

/// A writer with its thread, on a disk that can fail. Its clock stands still until it is advanced.
struct RunningWriter {
    let disk = FailingDisk()
    let time = ManualTimeSource()
    let events = EventRecorder()
    private let folder: TemporaryFolder
    private let database: OpenDatabase
    private let writer: OrderWriter
    private let threads: DatabaseThreads
    let path: String

    init(
        retryInterval: Duration = .seconds(1),
        configure: (inout OrderStoreConfiguration) -> Void = { _ in }
    ) throws {
        folder = try TemporaryFolder()
        path = folder.path + "/var/orders.sqlite"
        var configuration = OrderStoreConfiguration(path: path)
        configure(&configuration)
        database = try OrderDatabase.open(configuration)
        try database.pool.writeWithoutTransaction { [disk] in $0.willCommit = disk.willCommit }
        writer = OrderWriter(
            pool: database.pool, files: database.files, configuration: configuration,
            time: time, retryInterval: retryInterval, observe: events.observe)
        threads = DatabaseThreads(time: time)
        try threads.start("writer", WriterWorker(writer))
    }

    var statistics: OrderStoreStatistics { writer.statistics }

    func submit(_ draft: OrderDraft) async -> Result<Order, OrderStoreError> {
        await withCheckedContinuation { caller in
            _ = writer.queue.append(WriteRequest(draft: draft, caller: caller))
        }
    }

    func probe() async { await withCheckedContinuation { writer.queue.probe($0.resume) } }

    func end() async {
        writer.queue.close()
        await threads.ended()
        try? database.pool.close()
    }
}

/// Lets commits fail as a disk does.
final class FailingDisk: Sendable {
    private let code = Locked<ResultCode?>(nil)
    private let commitsBefore = Locked(0)
    private let count = Locked(0)

    /// Commits, also those that failed.
    var commits: Int { count.withLock { $0 } }

    /// nil: commits succeed. Otherwise they fail after so many that succeed.
    func fail(_ code: ResultCode?, afterCommits count: Int = 0) {
        commitsBefore.withLock { $0 = count }
        self.code.withLock { $0 = code }
    }

    @Sendable func willCommit() throws {
        count.withLock { $0 += 1 }
        let succeeds = commitsBefore.withLock { count in
            defer { count = max(0, count - 1) }
            return count > 0
        }
        if !succeeds, let code = code.withLock({ $0 }) { throw DatabaseError(resultCode: code) }
    }
}

extension OrderWriter {
    /// Commits batch after batch on the calling thread until the queue is closed and empty.
    func run() {
        var worker = WriterWorker(self)
        while worker.step(for: Awake()) != .finished {}
    }
}

/// The handle of a worker that is driven by hand, and counts how often it was woken.
final class Awake: WorkerHandle {
    private let wakes = Locked(0)
    var count: Int { wakes.withLock { $0 } }
    func wake() { wakes.withLock { $0 += 1 } }
}
