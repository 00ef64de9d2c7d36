import Foundation
import GRDB
import RocketBaseTestKit
import RocketSystem
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
