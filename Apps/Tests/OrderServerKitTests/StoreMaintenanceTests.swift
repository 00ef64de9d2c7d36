import ArgumentParser
import Foundation
import OrderStore
import OrderStoring
import PostgresOrderStore
import RocketProgram
import RocketSystem
import Testing

@testable import OrderServerKit

struct StoreMaintenanceTests {
    @Test(
        "A store that can't be used ends the program with a status that tells why",
        arguments: [
            (OrderStoreError.missing(path: "", reason: ""), RocketProgram.ExitStatus.noInput),
            (.notPermitted(path: "", reason: ""), .notPermitted),
            (.damaged(path: "", reason: ""), .dataError), (.newerSchema(path: ""), .dataError),
            (.cannotCreate(path: "", reason: ""), .cannotCreate),
            (.inUse(path: "", reason: ""), .temporaryFailure),
            (.cannotOpen(path: "", reason: ""), .ioError),
        ])
    func statuses(error: OrderStoreError, status: RocketProgram.ExitStatus) {
        #expect(error.exitStatus == status)
    }

    @Test(
        "Options that do not fit together are refused",
        arguments: [
            ["--backup", "a", "--restore", "b"], ["--compact", "--check-store"], ["--json"],
            ["--migrate", "a"], ["--migrate", "a", "b", "c"], ["c", "--migrate", "a", "b"],
            ["--migrate", "a", "b", "--compact"], ["--migrate", "a", "b", "--check-config"],
        ])
    func options(arguments: [String]) {
        #expect(throws: (any Error).self) { try OrderServerCommand.parse(arguments) }
    }

    @Test("A signal in the middle of a copy ends the process and leaves no part of it")
    func signal() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            UUID().uuidString
        ).path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let store = try OrderStore(OrderStoreConfiguration(path: folder + "/orders.sqlite"))
        await store.close()
        await #expect(processExitsWith: .signal(SIGTERM)) { [folder = folder as String] in
            try StoreMaintenance.endCleanlyBySignals()
            _ = try OrderStore.backUp(
                fileAt: folder + "/orders.sqlite", to: folder + "/copy.sqlite"
            ) { _ in
                guard FileSystem.exists(folder + "/copy.sqlite.part") else { exit(99) }
                kill(getpid(), SIGTERM)
                while true { pause() }
            }
        }
        let names = try FileSystem.names(in: folder)
        #expect(!names.isEmpty && names.allSatisfy { $0.hasPrefix("orders.sqlite") }, "\(names)")
    }

    @Test("A check, a restore and a failure of a store have their statuses and their files")
    func restore() async throws {
        let folder = NSTemporaryDirectory() + "store-maintenance-" + UUID().uuidString
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let configuration = OrderStoreConfiguration(path: folder + "/orders.sqlite")
        let store = try OrderStore(configuration)
        _ = try await store.make(OrderDraft(price: 10, goods: "apple"))
        let maintenance = StoreMaintenance(path: configuration.path, isJSON: false)
        try maintenance.backUp(to: folder + "/copy")
        let failure = #expect(throws: ProgramFailure.self) {
            try maintenance.restore(from: folder + "/copy")
        }
        #expect(failure?.status == .temporaryFailure)
        await store.close()
        let missing = #expect(throws: ProgramFailure.self) {
            try maintenance.restore(from: folder + "/no")
        }
        #expect(missing?.status == .noInput && missing?.description.contains("ENOENT") == true)
        try maintenance.restore(from: folder + "/copy")
        try Data("no store".utf8).write(to: URL(fileURLWithPath: configuration.path))
        try maintenance.restore(from: folder + "/copy")
        try maintenance.compact()
        try maintenance.check()
    }

    @Test("A migration takes a file and a URL, and its result can be JSON")
    func migration() async throws {
        let command = try OrderServerCommand.parse(["--migrate", "a", "b", "--json"])
        #expect(command.migrate == ["a", "b"] && command.json && command.config == nil)
        let failure = await #expect(throws: ProgramFailure.self) {
            try await StoreMigration(source: "a", target: "b", isJSON: false).run()
        }
        #expect(failure?.status == .usage)
        let missing = await #expect(throws: ProgramFailure.self) {
            try await StoreMigration(
                source: "/nowhere/a", target: "postgresql:///a", isJSON: false
            ).run()
        }
        #expect(missing?.status == .noInput)
    }

    @Test("Progress is written at a low rate")
    func progress() {
        let time = ManualTime()
        let lines = Locked<[String]>([])
        let progress = ProgressLines("backup", isTerminal: false, time: time) { line in
            lines.withLock { $0.append(line) }
        }
        for second in 0..<25 {
            time.seconds.withLock { $0 = second }
            progress.report(OrderStoreProgress(bytes: Int64(second) << 20, total: 100 << 20))
        }
        #expect(
            lines.withLock { $0 } == [
                "order_server: backup: 10 %, 10.0 MiB of 100.0 MiB",
                "order_server: backup: 20 %, 20.0 MiB of 100.0 MiB",
            ])
        time.seconds.withLock { $0 = 40 }
        progress.report(OrderMigrationProgress(.verified, orders: 3, of: 4))
        #expect(
            lines.withLock { $0.last } == "order_server: backup: 75 %, 3 of 4 orders verified")
    }
}

private final class ManualTime: TimeSource {
    let seconds = Locked(0)

    func monotonic() -> MonotonicTime {
        MonotonicTime(nanoseconds: UInt64(seconds.withLock { $0 }) * 1_000_000_000)
    }
    func wall() -> WallTime { WallTime(nanoseconds: 0) }
}
