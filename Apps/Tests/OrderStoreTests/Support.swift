import Foundation
import GRDB
import RocketBaseTestKit
import RocketSystem
import Testing

@testable import OrderStore

/// A folder of a test's own, gone with the last reference to it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "order-store-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Opens a store in a folder of its own, runs the test, closes the store.
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

/// A second connection to the store's file, as the sqlite3 shell would be.
func otherConnection(to store: OrderStore) throws -> DatabaseQueue {
    var settings = Configuration()
    settings.busyMode = .timeout(5)
    return try DatabaseQueue(path: store.configuration.path, configuration: settings)
}
