import CSimulatedSQLite
package import OrderStore
package import RocketReactor
package import RocketSimulation
package import RocketSystem

/// The order store of a simulated host, on its simulated disk: it can be killed, or lose its power,
/// at any moment, and be opened again with what the disk has kept. Bound to the thread that drives
/// the host's loop; one for each host, as long as the host has its disk.
///
/// The store is the production code; its workers are tasks and timers of the loop, and SQLite uses
/// files in a real folder that have their models on the disk. Equal generators, times and calls give
/// equal results and, if nothing else in the process uses SQLite, equal bytes.
package final class SimulatedOrderStore {
    /// The disk. Its files are those of SQLite, by their paths below the folder.
    package let disk: SimulatedDisk
    /// The database's real file, of which no trace should contain the name: for
    /// `OrderStore.checkIntegrity` while the store is open.
    package let path: String
    private let files: SimulatedFiles
    private var process: Process?

    private struct Process {
        let store: OrderStore
        let executor: LoopExecutor
        let life: Life
    }

    /// Whether a process lives. Any thread.
    private final class Life: Sendable {
        private let state = Locked(true)
        var isOver: Bool { state.withLock { !$0 } }
        func end() { state.withLock { $0 = false } }
    }

    /// Makes a host's place for a store.
    ///
    /// - Parameter folder: the real folder of the files, which is emptied after each end of a
    ///   process; created if it is missing.
    package init(on disk: SimulatedDisk, folder: String) throws(SystemError) {
        self.disk = disk
        files = try SimulatedFiles(on: disk, folder: folder)
        path = files.folder + "/orders.sqlite"
    }

    deinit { endProcess() }

    /// Opens the store in a process of the host: for the first time, after `kill` or `losePower`, or
    /// after it was closed.
    ///
    /// - Parameters:
    ///   - loop: runs the store's workers.
    ///   - time: the clocks of the host and its loop.
    ///   - generator: decides the times of the disk, and the random numbers of SQLite.
    ///   - workTime: how long the disk takes for a transaction, after which the callers are resumed,
    ///     and for a batch of reads, before the next one. Default 1 to 20 ms.
    ///   - observe: is not called any more when the process has ended.
    ///   - configure: changes the configuration, whose archive must be in the folder of `path`.
    /// - Throws: as `OrderStore.init`; `.cannotOpen` also if the real files can't be made.
    package func open(
        on loop: EventLoop, time: any TimeSource,
        using generator: inout some RandomNumberGenerator,
        workTime: ClosedRange<Duration> = .milliseconds(1) ... .milliseconds(20),
        observe: @escaping OrderStore.Observer = { _ in },
        recordBytes: @escaping @Sendable (Int) -> Bool = { _ in true },
        configure: (inout OrderStoreConfiguration) -> Void = { _ in }
    ) throws(OrderStoreError) -> OrderStore {
        precondition(
            process?.executor.hasEnded != false, "a store is closed or killed before another opens")
        process = nil
        do { try files.beginProcess() } catch {
            throw .cannotOpen(path: path, reason: error.description)
        }
        files.time = time
        rocket_seed_sqlite(UInt32.random(in: 1...UInt32.max, using: &generator))
        let executor = LoopExecutor(
            loop, time: time, workTime: workTime, SeededGenerator(seed: generator.next()))
        var configuration = OrderStoreConfiguration(path: path)
        configuration.vfs = files.vfsName
        configure(&configuration)
        let life = Life()
        let store = try OrderStore(
            configuration, time: time, executor: executor,
            observe: { if !life.isOver { observe($0) } }, recordBytes: recordBytes)
        process = Process(store: store, executor: executor, life: life)
        return store
    }

    /// Ends the process of the store, as kill -9 does: what was written stays on the disk, the store
    /// of the process writes nothing any more, and its callers fail or have been answered.
    /// Not within a task of the loop that uses the store.
    package func kill() {
        endProcess()
        disk.kill()
        files.adoptNames()
    }

    /// Ends the machine: what was not synced survives, is lost or is torn by the generator.
    package func losePower(using generator: inout some RandomNumberGenerator) {
        endProcess()
        disk.losePower(using: &generator)
        files.adoptNames()
    }

    /// Ends the process and removes the real files. The last call.
    package func removeFiles() {
        endProcess()
        files.remove()
    }

    private func endProcess() {
        files.endProcess()
        guard let process else { return }
        self.process = nil
        process.life.end()
        process.store.abandon { process.executor.finish() }
    }
}
