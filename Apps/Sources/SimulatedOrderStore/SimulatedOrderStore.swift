import CSimulatedSQLite
package import OrderStore
package import OrderStoring
package import RocketSimulation
package import RocketSystem

/// The order store of a simulated host, on its simulated disk: the host can be killed, or lose its
/// power, at any moment, and its next process opens the store with what the disk has kept. Bound to
/// the world's thread; one for each host, as long as its world.
///
/// The store is the production code; its workers are tasks and timers of the host's loop, and SQLite
/// uses files in a real folder that have their models on the disk. Equal seeds and calls give equal
/// results and, if nothing else in the process uses SQLite, equal bytes.
package final class SimulatedOrderStore {
    /// The database's real file, which no trace may contain: for `OrderStore.checkIntegrity`.
    package var path: String { folder + "/orders.sqlite" }
    private let folder: String
    private var files: SimulatedFiles?
    private var process: Process?

    /// The store of one process, from its opening until its workers have finished: it refers to the
    /// host, and so to this object. Any thread.
    private final class Process: Sendable {
        private struct State {
            var open: (store: OrderStore, executor: LoopExecutor)?
            var isKilled = false
        }

        private let state = Locked(State())

        var isOpen: Bool { state.withLock { $0.open != nil } }
        var isKilled: Bool { state.withLock { $0.isKilled } }

        func opened(_ store: OrderStore, _ executor: LoopExecutor) {
            state.withLock { $0.open = (store, executor) }
        }

        func workersFinished() { _ = state.withLock { $0.open.take() } }

        func kill() {
            let open = state.withLock { state in
                state.isKilled = true
                return state.open
            }
            if let open { open.store.abandon { open.executor.finish() } }
        }
    }

    /// A place for the store of one host, in a real folder of its own for temporary files, which is
    /// removed with it.
    package init() throws(SystemError) {
        folder = try SimulatedFiles.makeFolder()
    }

    deinit {
        endProcess()
        SimulatedFiles.remove(folder)
    }

    /// Opens the store in a process of its host: for the boot closure. The store ends with the
    /// process if that is killed; otherwise it has to be closed before another process opens it.
    ///
    /// - Parameters:
    ///   - workTime: how long the disk takes for a transaction, after which the callers are resumed,
    ///     and for a batch of reads, before the next one. Default 1 to 20 ms.
    ///   - configure: changes the configuration, whose archive must be in the folder of `path`.
    ///   - observe: is not called any more when the process was killed.
    /// - Throws: as `OrderStore.init`; `.cannotOpen` also if the real files can't be made.
    package func open(
        on host: Host, workTime: ClosedRange<Duration> = .milliseconds(1) ... .milliseconds(20),
        configure: (inout OrderStoreConfiguration) -> Void = { _ in },
        observe: @escaping OrderStoreObserver = { _ in }
    ) throws(OrderStoreError) -> OrderStore {
        precondition(
            process?.isOpen != true, "a store is closed or killed before another opens")
        process = nil
        let files = files ?? SimulatedFiles(on: host.disk, folder: folder)
        self.files = files
        do { try files.beginProcess(time: host.time) } catch {
            throw .cannotOpen(path: path, reason: error.description)
        }
        // Also if it is killed while it opens the store.
        host.onKill { [weak self] in self?.endProcess() }
        var random = host.world.generator("order store of \(host.name), process \(host.starts)")
        rocket_seed_sqlite(UInt32.random(in: 1...UInt32.max, using: &random))
        let process = Process()
        let executor = LoopExecutor(
            host.loop, time: host.time, workTime: workTime, random,
            whenFinished: process.workersFinished)
        var configuration = OrderStoreConfiguration(path: path)
        configuration.vfs = files.vfsName
        configure(&configuration)
        let store = try OrderStore(
            configuration, time: host.time, executor: executor,
            observe: { if !process.isKilled { observe($0) } })
        process.opened(store, executor)
        self.process = process
        return store
    }

    /// Ends the store as the end of its process does: it writes nothing any more, and its callers
    /// fail or have been answered. Not within a step of its workers.
    private func endProcess() {
        files?.endProcess()
        process?.kill()
        process = nil
    }
}
