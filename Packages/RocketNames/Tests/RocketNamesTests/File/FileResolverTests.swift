import Foundation
import RocketBase
import RocketReactor
import RocketRPC
import RocketSystem
import Testing

@testable import RocketNames

@Suite struct FileResolverTests {
    @Test("A file that is written, replaced, broken, removed and written again")
    func changes() async throws {
        let folder = try TemporaryFolder()
        try folder.write("10.0.0.1:80\n", to: "servers")
        try await resolving("file:\(folder.path)/servers", by: FileResolver()) { resolving in
            await resolving.addresses("10.0.0.1:80")
            try folder.write("10.0.0.1:80\n10.0.0.2:80\n", to: "servers")
            await resolving.addresses("10.0.0.1:80", "10.0.0.2:80")
            // As editors and configuration systems do.
            try folder.write("10.0.0.3:80 weight=2\n", to: "new")
            try FileSystem.rename("\(folder.path)/new", to: "\(folder.path)/servers")
            #expect(await resolving.list().map(\.weight) == [2])
            // In two parts.
            try folder.write("10.0.0.4:80\n10.0.", to: "servers")
            #expect(await resolving.failure().contains("/servers, line 2: "))
            try folder.write("10.0.0.4:80\n10.0.0.5:80\n", to: "servers")
            await resolving.addresses("10.0.0.4:80", "10.0.0.5:80")
            try FileSystem.remove("\(folder.path)/servers")
            #expect(await resolving.failure().contains("/servers"))
            try folder.write("10.0.0.6:80\n", to: "servers")
            await resolving.addresses("10.0.0.6:80")
        }
    }

    @Test("A file in a folder that does not exist yet is found when it comes")
    func missing() async throws {
        let folder = try TemporaryFolder()
        try await resolving("file:\(folder.path)/later/servers", by: FileResolver()) { resolving in
            #expect(await resolving.failure().contains("later/servers"))
            try FileManager.default.createDirectory(
                atPath: "\(folder.path)/later", withIntermediateDirectories: false)
            try folder.write("10.0.0.1:80\n", to: "later/servers")
            await resolving.addresses("10.0.0.1:80")
        }
    }

    @Test("A FIFO that nobody writes does not hold up the loop")
    func hanging() async throws {
        let folder = try TemporaryFolder()
        #expect(mkfifo("\(folder.path)/servers", 0o600) == 0)
        try await resolving("file:\(folder.path)/servers", by: FileResolver()) { resolving in
            await withCheckedContinuation { continuation in
                resolving.thread.loop.execute { _ in continuation.resume() }
            }
        }
    }

    @Test("Names are paths, relative or absolute")
    func paths() throws {
        func path(_ text: String) throws -> String {
            try FileResolver.path(of: RPCTarget(text))
        }
        #expect(try path("file:/etc/servers") == "/etc/servers")
        #expect(try path("file:///etc/servers") == "/etc/servers")
        #expect(try path("file:servers") == "servers")
        #expect(throws: RPCError.self) { try path("file://host/etc/servers") }
        #expect(throws: RPCError.self) { try path("file:a\0b") }
    }
}
