import Foundation
import OrderStoring
import RocketBaseTestKit
import RocketSystem
import SQLite
import Testing

@testable import OrderStore

/// A temporary folder, removed with the last reference.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "order-store-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Opens a store in a temporary folder, runs `body`, and closes the store.
func withStore(
    time: any TimeSource = SystemTimeSource(),
    configure: (inout OrderStoreConfiguration) -> Void = { _ in },
    _ body: (OrderStore) async throws -> Void
) async throws {
    let folder = try TemporaryFolder()
    var configuration = OrderStoreConfiguration(path: folder.path + "/var/orders.sqlite")
    configure(&configuration)
    let store = try OrderStore(configuration, time: time)
    do { try await body(store) } catch {
        await store.close()
        throw error
    }
    await store.close()
    withExtendedLifetime(folder) {}
}

/// Returns a second connection to the file of the store, like that of another process.
func otherConnection(to store: OrderStore) throws -> DatabaseQueue {
    var settings = Configuration()
    settings.busyMode = .timeout(5)
    return try DatabaseQueue(path: store.configuration.path, configuration: settings)
}

/// Records the events of a store. Any thread.
final class EventRecorder: Sendable {
    private struct State {
        var events: [OrderStoreEvent] = []
        var waiting: (count: Int, caller: CheckedContinuation<Void, Never>)?
    }

    private let state = Locked(State())

    var all: [OrderStoreEvent] { state.withLock { $0.events } }

    @Sendable
    func observe(_ event: OrderStoreEvent) {
        let caller = state.withLock { state -> CheckedContinuation<Void, Never>? in
            state.events.append(event)
            guard let waiting = state.waiting, state.events.count >= waiting.count else {
                return nil
            }
            state.waiting = nil
            return waiting.caller
        }
        caller?.resume()
    }

    /// Suspends until there are so many events.
    func wait(forCount count: Int) async {
        await withCheckedContinuation { caller in
            let isOver = state.withLock { state in
                if state.events.count < count { state.waiting = (count, caller) }
                return state.events.count >= count
            }
            if isOver { caller.resume() }
        }
    }
}
